import { joinPath, NfbridgeError } from '../../errors.js'
import { InvalidValue } from '../datatype/index.js'

/**
 * Where in the caller's input the compiler is. Steps in and out are two array operations, so that keeping the path costs
 * next to nothing when nothing is wrong; when something is thrown, nobody steps out and the trail shows the place.
 */
export class Trail {
  readonly #steps: (string | number)[] = []

  enter(step: string | number): void {
    this.#steps.push(step)
  }

  leave(): void {
    this.#steps.pop()
  }

  /** Forgets everything: the next input begins. */
  reset(): void {
    this.#steps.length = 0
  }

  toString(): string {
    return this.#steps.reduce<string>((path, step) => joinPath(path, step), '')
  }
}

/** An error of the compiler as the caller sees it; errors that say their path already pass as they are. */
export function located(error: unknown, operation: string, trail: Trail): unknown {
  const path = trail.toString()
  if (error instanceof InvalidValue)
    return new NfbridgeError({ code: error.code, operation, message: error.message, path, cause: error })
  // A value that the types rule out and no check foresaw: null for an object, a number for a list.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
    return new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: `a value is not of the expected shape (${error.message})`,
      path,
      cause: error,
    })
  return error
}
