import type { NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'
import type { IPv4Address } from './ipv4.js'
import { IPv6Address } from './ipv6.js'

/** A link-layer address of six bytes (EUI-48): an immutable value. */
export class MacAddress {
  /** The address as an unsigned number of 48 bits. */
  readonly value: number

  private constructor(value: number) {
    this.value = value
    Object.freeze(this)
  }

  /**
   * Parses six pairs of hexadecimal digits with colons, in either case: `02:42:ac:11:00:02`.
   * @throws NfbridgeError NFB_INVALID_ADDRESS
   */
  static parse(text: string, path?: string): MacAddress {
    if (typeof text !== 'string') throw invalid(text, 'a string is expected', path)
    const parts = text.split(':')
    if (parts.length !== 6)
      throw invalid(text, `it has ${parts.length} of the 6 parts, separated by colons`, path)
    let value = 0
    for (const part of parts) {
      if (!/^[0-9a-fA-F]{2}$/.test(part))
        throw invalid(text, `the part ${quote(part)} is not two hexadecimal digits`, path)
      value = value * 256 + Number.parseInt(part, 16)
    }
    return new MacAddress(value)
  }

  /**
   * Parses the address of one interface: neither multicast nor all zeros, both of which the kernel refuses on a link
   * (is_valid_ether_addr in linux/etherdevice.h).
   * @throws NfbridgeError NFB_INVALID_ADDRESS
   */
  static parseUnicast(text: string, path?: string): MacAddress {
    const address = MacAddress.parse(text, path)
    if (address.isMulticast)
      throw invalid(text, 'it is a multicast address, the lowest bit of its first byte is set', path)
    if (address.value === 0) throw invalid(text, 'all zeros is the address of nobody', path)
    return address
  }

  /** Docker's address for a container: 02:42 and the four bytes of its IPv4 address, `02:42:ac:11:00:02`. */
  static fromIPv4(address: IPv4Address): MacAddress {
    return new MacAddress(0x0242 * 2 ** 32 + address.value)
  }

  /** By which an IPv6 multicast address is sent to: 33:33 and its last four bytes (RFC 2464, 7). */
  static ofMulticast(address: IPv6Address): MacAddress {
    return new MacAddress(0x3333 * 2 ** 32 + Number(address.value & 0xffff_ffffn))
  }

  /** From six bytes. @throws NfbridgeError NFB_INVALID_ADDRESS for another length */
  static fromBytes(bytes: Uint8Array): MacAddress {
    if (bytes.length !== 6)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.fromBytes',
        `a MAC address has 6 bytes, not ${bytes.length}`,
        undefined,
      )
    return new MacAddress(bytes.reduce((value, byte) => value * 256 + byte, 0))
  }

  /** Six bytes; a fresh copy each time. */
  get bytes(): Uint8Array {
    return Uint8Array.from({ length: 6 }, (_, index) => Math.floor(this.value / 2 ** (40 - 8 * index)) % 256)
  }

  get isMulticast(): boolean {
    return Math.floor(this.value / 2 ** 40) % 2 === 1
  }

  /** Set by hand or by a program and not by a manufacturer (IEEE 802, the U/L bit). */
  get isLocallyAdministered(): boolean {
    return Math.floor(this.value / 2 ** 41) % 2 === 1
  }

  /** The IPv6 link-local address that an interface of this MAC gives itself (EUI-64, RFC 4291 appendix A). */
  get linkLocal(): IPv6Address {
    const [first = 0, ...rest] = this.bytes
    const identifier = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)]
    return IPv6Address.fromBytes(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...identifier]))
  }

  equals(other: MacAddress): boolean {
    return other.value === this.value
  }

  toString(): string {
    return this.value
      .toString(16)
      .padStart(12, '0')
      .replace(/..(?=.)/g, '$&:')
  }

  toJSON(): string {
    return this.toString()
  }
}

function invalid(text: unknown, reason: string, path: string | undefined): NfbridgeError {
  return rejected('NFB_INVALID_ADDRESS', 'address.parse', `${quote(text)} is no MAC address: ${reason}`, path)
}
