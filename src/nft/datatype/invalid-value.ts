import { type ErrorCode, NfbridgeError } from '../../errors.js'

/**
 * A value that its type does not have. Thrown where only the value is known; who knows the path in the caller's input
 * turns it into an {@link NfbridgeError}. It carries no stack of its own use and never leaves `nft/`.
 */
export class InvalidValue extends Error {
  readonly code: ErrorCode

  constructor(message: string, code: ErrorCode = 'NFB_INVALID_ARGUMENT') {
    super(message)
    this.name = 'InvalidValue'
    this.code = code
  }
}

/** The input in few characters, for messages. */
export function quote(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
  return text.length > 64 ? `${text.slice(0, 61)}...` : text
}

/** Runs a parser of `address/`, whose errors know no path of ours either. */
export function parseWith<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof NfbridgeError)
      throw new InvalidValue(error.message.replace(/^[\w.]+: /, ''), error.code)
    throw error
  }
}
