import { encodeText, InvalidValue, writeNumber } from '../datatype/index.js'
import { COMMENT_MAX, USERDATA_MAX } from '../kernel/constants.js'

/** Builds user data as nft's library does: a byte of type, a byte of length, the value. */
export class Userdata {
  readonly #bytes = new Uint8Array(USERDATA_MAX)
  #length = 0

  /** A number of 32 bits in the host's byte order. */
  number(type: number, value: number): this {
    this.#head(type, 4)
    writeNumber(value, this.#bytes, this.#length, 4, 'host')
    this.#length += 4
    return this
  }

  /** Text with its terminating zero byte. */
  comment(type: number, text: string | undefined): this {
    if (text === undefined) return this
    const encoded = encodeComment(text)
    this.#head(type, encoded.length + 1)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length + 1
    return this
  }

  /** A value as it is; nothing for none. */
  value(type: number, bytes: Uint8Array | undefined): this {
    if (bytes === undefined) return this
    this.#head(type, bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** Values that were written before. */
  values(bytes: Uint8Array | undefined): this {
    if (bytes === undefined) return this
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** The bytes, or `undefined` when nothing was put in. */
  bytes(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : this.#bytes.subarray(0, this.#length)
  }

  #room(length: number): void {
    if (this.#length + length > USERDATA_MAX)
      throw new InvalidValue(`user data is longer than the ${USERDATA_MAX} bytes that the kernel keeps`)
  }

  #head(type: number, length: number): void {
    this.#room(2 + length)
    this.#bytes[this.#length] = type
    this.#bytes[this.#length + 1] = length
    this.#length += 2
  }
}

function encodeComment(text: string): Uint8Array {
  if (typeof text !== 'string') throw new InvalidValue('a comment is text')
  const encoded = encodeText(text)
  if (encoded.length > COMMENT_MAX)
    throw new InvalidValue(`a comment has at most ${COMMENT_MAX} bytes, this one has ${encoded.length}`)
  if (encoded.includes(0)) throw new InvalidValue('a comment contains no zero byte')
  return encoded
}

/** User data that is a comment only; `undefined` without one. */
export function commentData(type: number, text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const encoded = encodeComment(text)
  const bytes = new Uint8Array(encoded.length + 3)
  bytes[0] = type
  bytes[1] = encoded.length + 1
  bytes.set(encoded, 2)
  return bytes
}
