import { NfbridgeError } from '../../../src/errors.js'

/** The NfbridgeError that `call` throws; fails when it throws nothing or anything else. */
export function rejection(call: () => unknown): NfbridgeError {
  try {
    call()
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw new Error(`threw ${String(error)} and no NfbridgeError`, { cause: error })
  }
  throw new Error('threw nothing')
}

/** Calls a parser with what TypeScript would not allow, as a JavaScript caller may. */
export function untyped<T>(parse: (text: never, path?: string) => T): (text: unknown, path?: string) => T {
  return (text, path) => Reflect.apply(parse, undefined, [text, path])
}
