import { type ErrorCode, NfbridgeError } from '../errors.js'

/** The input in quotes, shortened so that a message stays one line whatever the caller passed. */
export function quote(input: unknown): string {
  if (typeof input !== 'string') return `a value of type ${input === null ? 'null' : typeof input}`
  return JSON.stringify(input.length > 64 ? `${input.slice(0, 61)}...` : input)
}

/** The error of every parser in this folder: nothing was sent, only the input was judged. */
export function rejected(
  code: ErrorCode,
  operation: string,
  message: string,
  path: string | undefined,
): NfbridgeError {
  return new NfbridgeError({ code, operation, message, path })
}
