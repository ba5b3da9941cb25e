import { quote, rejected } from './failure.js'
import { type IPAddress, parseAddress } from './ip.js'
import { IPv4Address } from './ipv4.js'
import { IPv6Address } from './ipv6.js'

/** An address with a prefix length: a network, or the address of an interface in its network. Immutable. */
export class Cidr {
  /** The address as it was written, host bits included. */
  readonly address: IPAddress
  readonly prefixLength: number

  private constructor(address: IPAddress, prefixLength: number) {
    this.address = address
    this.prefixLength = prefixLength
    Object.freeze(this)
  }

  /**
   * Parses a network: `172.17.0.0/16`. Host bits must be zero: who writes `172.17.0.5/16` may mean the network,
   * the interface or a /32, so it is rejected with the network in the message.
   * @param path where the text stands in the caller's input, for the error
   * @throws NfbridgeError NFB_INVALID_ADDRESS
   */
  static parse(text: string, path?: string): Cidr {
    const cidr = Cidr.parseInterface(text, path)
    if (!cidr.address.equals(cidr.network))
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.parse',
        `${quote(text)} is no network, it has host bits set: did you mean ${cidr.network}/${cidr.prefixLength}?`,
        path,
      )
    return cidr
  }

  /** Parses an interface's address with its prefix length, `172.17.0.5/16`. @throws NfbridgeError NFB_INVALID_ADDRESS */
  static parseInterface(text: string, path?: string): Cidr {
    const slash = typeof text === 'string' ? text.indexOf('/') : -1
    if (slash < 0)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.parse',
        `${quote(text)} has no prefix length, such as 172.17.0.0/16`,
        path,
      )
    const address = parseAddress(text.slice(0, slash), path)
    const length = text.slice(slash + 1)
    const longest = width(address)
    if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > longest)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.parse',
        `the prefix length ${quote(length)} of ${quote(text)} is no number from 0 to ${longest}`,
        path,
      )
    return new Cidr(address, Number(length))
  }

  /** @throws NfbridgeError NFB_INVALID_ADDRESS for a prefix length that the family does not have */
  static of(address: IPAddress, prefixLength: number): Cidr {
    if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > width(address))
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.cidr',
        `${String(prefixLength)} is no prefix length from 0 to ${width(address)}`,
        undefined,
      )
    return new Cidr(address, prefixLength)
  }

  get family(): 4 | 6 {
    return this.address.family
  }

  /** The first address: all host bits zero. */
  get network(): IPAddress {
    return like(this.address, this.#start)
  }

  /** The IPv4 broadcast address; undefined for IPv6, and for /31 and /32, which have none (RFC 3021). */
  get broadcast(): IPv4Address | undefined {
    if (this.address.family !== 4 || this.prefixLength > 30) return undefined
    return IPv4Address.fromNumber(Number(this.#end))
  }

  /**
   * The first address that a host may have. It is the network's own address only where there is no other
   * choice: /31 and /32 (RFC 3021), /127 and /128 (RFC 6164). In IPv6 the network's own is the routers' anycast address.
   */
  get firstHost(): IPAddress {
    return like(this.address, this.#hostBits < 2 ? this.#start : this.#start + 1n)
  }

  /** The last address that a host may have: the last before the broadcast address, where there is one. */
  get lastHost(): IPAddress {
    return like(this.address, this.broadcast ? this.#end - 1n : this.#end)
  }

  /** The number of addresses, network and broadcast included. */
  get size(): bigint {
    return 1n << BigInt(this.#hostBits)
  }

  /** The address `index` after the network's own. @throws NfbridgeError NFB_INVALID_ADDRESS outside the network */
  addressAt(index: number | bigint): IPAddress {
    const offset = typeof index === 'bigint' || Number.isInteger(index) ? BigInt(index) : -1n
    if (offset < 0n || offset >= this.size)
      throw rejected('NFB_INVALID_ADDRESS', 'address.cidr', `${index} is outside of ${this}`, undefined)
    return like(this.address, this.#start + offset)
  }

  contains(address: IPAddress): boolean {
    if (address.family !== this.family) return false
    const value = BigInt(address.value)
    return value >= this.#start && value <= this.#end
  }

  /** Whether any address is in both; networks of different families never overlap. */
  overlaps(other: Cidr): boolean {
    return this.contains(other.network) || other.contains(this.network)
  }

  equals(other: Cidr): boolean {
    return this.prefixLength === other.prefixLength && this.address.equals(other.address)
  }

  toString(): string {
    return `${this.address.toString()}/${this.prefixLength}`
  }

  toJSON(): string {
    return this.toString()
  }

  get #hostBits(): number {
    return width(this.address) - this.prefixLength
  }

  get #start(): bigint {
    return BigInt(this.address.value) & ~(this.size - 1n)
  }

  get #end(): bigint {
    return this.#start + this.size - 1n
  }
}

function width(address: IPAddress): 32 | 128 {
  return address.family === 4 ? 32 : 128
}

function like(address: IPAddress, value: bigint): IPAddress {
  return address.family === 4 ? IPv4Address.fromNumber(Number(value)) : IPv6Address.fromBigInt(value)
}
