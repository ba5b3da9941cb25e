import type { NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'

const highest = 0xffffffff

/** An IPv4 address: an immutable value. */
export class IPv4Address {
  readonly family = 4 as const
  /** The address as an unsigned number of 32 bits, the first octet the most significant. */
  readonly value: number

  private constructor(value: number) {
    this.value = value
    Object.freeze(this)
  }

  /**
   * Parses four decimal octets, `172.17.0.2`, and nothing else. Leading zeros are rejected because half of the
   * world reads `010` as eight; the shorthands of inet_aton (`127.1`, `0x7f000001`) because nobody means them.
   * @param path where the text stands in the caller's input, for the error
   * @throws NfbridgeError NFB_INVALID_ADDRESS
   */
  static parse(text: string, path?: string): IPv4Address {
    const fail = (reason: string): NfbridgeError =>
      rejected('NFB_INVALID_ADDRESS', 'address.parse', `${quote(text)} is no IPv4 address: ${reason}`, path)
    if (typeof text !== 'string') throw fail('a string is expected')
    const octets = text.split('.')
    if (octets.length !== 4) throw fail(`it has ${octets.length} of the 4 parts`)
    let value = 0
    for (const octet of octets) {
      const reason = octetFault(octet)
      if (reason) throw fail(reason)
      value = value * 256 + Number(octet)
    }
    return new IPv4Address(value)
  }

  /** @throws NfbridgeError NFB_INVALID_ADDRESS unless `value` is an integer from 0 to 4294967295 */
  static fromNumber(value: number): IPv4Address {
    if (!Number.isInteger(value) || value < 0 || value > highest)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.fromNumber',
        `${String(value)} is no unsigned number of 32 bits`,
        undefined,
      )
    return new IPv4Address(value)
  }

  /** From four bytes in network order. @throws NfbridgeError NFB_INVALID_ADDRESS for another length */
  static fromBytes(bytes: Uint8Array): IPv4Address {
    if (bytes.length !== 4)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.fromBytes',
        `an IPv4 address has 4 bytes, not ${bytes.length}`,
        undefined,
      )
    return new IPv4Address(bytes.reduce((value, byte) => value * 256 + byte, 0))
  }

  /** Four bytes in network order; a fresh copy each time. */
  get bytes(): Uint8Array {
    const value = this.value
    return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
  }

  equals(other: { readonly family: 4 | 6; readonly value: number | bigint }): boolean {
    return other.family === 4 && other.value === this.value
  }

  toString(): string {
    const value = this.value
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
  }

  toJSON(): string {
    return this.toString()
  }
}

function octetFault(octet: string): string | undefined {
  if (octet === '') return 'a part is empty'
  if (/\s/.test(octet)) return 'it contains white space'
  if (/^0x/i.test(octet)) return `the part ${quote(octet)} is hexadecimal, decimal is expected`
  if (!/^[0-9]+$/.test(octet)) return `the part ${quote(octet)} is no decimal number`
  if (octet.length > 1 && octet.startsWith('0'))
    return `the part ${quote(octet)} has a leading zero, which some programs read as octal`
  if (octet.length > 3 || Number(octet) > 255) return `the part ${quote(octet)} is above 255`
  return undefined
}
