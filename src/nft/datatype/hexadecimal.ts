/** Bytes as text. */
import { InvalidValue, quote } from './invalid-value.js'

export function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** @throws InvalidValue */
export function fromHexadecimal(text: string): Uint8Array {
  if (typeof text !== 'string' || !/^([\da-f]{2})*$/i.test(text))
    throw new InvalidValue(`${quote(text)} is not bytes in hexadecimal`)
  return new Uint8Array(Buffer.from(text, 'hex'))
}
