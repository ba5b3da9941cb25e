import type { NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'
import { IPv4Address } from './ipv4.js'

const highest = (1n << 128n) - 1n

/** An IPv6 address without a zone: an immutable value. */
export class IPv6Address {
  readonly family = 6 as const
  /** The address as an unsigned number of 128 bits. */
  readonly value: bigint

  private constructor(value: bigint) {
    this.value = value
    Object.freeze(this)
  }

  /**
   * Parses the text forms of RFC 4291, section 2.2: eight groups, `::` once, an embedded IPv4 address at the end.
   * A zone (`fe80::1%eth0`) is rejected: it names an interface of one machine and is no part of the address.
   * @param path where the text stands in the caller's input, for the error
   * @throws NfbridgeError NFB_INVALID_ADDRESS
   */
  static parse(text: string, path?: string): IPv6Address {
    const fail = (reason: string): NfbridgeError =>
      rejected('NFB_INVALID_ADDRESS', 'address.parse', `${quote(text)} is no IPv6 address: ${reason}`, path)
    if (typeof text !== 'string') throw fail('a string is expected')
    if (text.includes('%')) throw fail('it has a zone; give the interface apart from the address')
    if (/\s/.test(text)) throw fail('it contains white space')
    if (!text.includes(':')) throw fail('it has no colon')
    if (text.includes(':::')) throw fail('it has three colons in a row')
    const halves = text.split('::')
    if (halves.length > 2) throw fail('"::" occurs more than once')
    const [head = '', tail] = halves
    const before = parseGroups(head, tail === undefined, fail)
    const after = tail === undefined ? [] : parseGroups(tail, true, fail)
    const given = before.length + after.length
    if (tail === undefined && given !== 8) throw fail(`it has ${given} of the 8 groups`)
    if (tail !== undefined && given > 7) throw fail(`"::" stands for no group, ${given} are written out`)
    const groups = [...before, ...Array<number>(8 - given).fill(0), ...after]
    return new IPv6Address(groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n))
  }

  /** @throws NfbridgeError NFB_INVALID_ADDRESS unless `value` fits 128 bits, unsigned */
  static fromBigInt(value: bigint): IPv6Address {
    if (typeof value !== 'bigint' || value < 0n || value > highest)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.fromBigInt',
        `${String(value)} is no unsigned bigint of 128 bits`,
        undefined,
      )
    return new IPv6Address(value)
  }

  /** From sixteen bytes in network order. @throws NfbridgeError NFB_INVALID_ADDRESS for another length */
  static fromBytes(bytes: Uint8Array): IPv6Address {
    if (bytes.length !== 16)
      throw rejected(
        'NFB_INVALID_ADDRESS',
        'address.fromBytes',
        `an IPv6 address has 16 bytes, not ${bytes.length}`,
        undefined,
      )
    let value = 0n
    for (const byte of bytes) value = (value << 8n) | BigInt(byte)
    return new IPv6Address(value)
  }

  /** The multicast address by which its MAC address is asked for: ff02::1:ff00:0/104 and its last three bytes (RFC 4291, 2.7.1). */
  get solicitedNode(): IPv6Address {
    return new IPv6Address(0xff02_0000_0000_0000_0000_0001_ff00_0000n | (this.value & 0xff_ffffn))
  }

  /** Sixteen bytes in network order; a fresh copy each time. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, this.value >> 64n)
    view.setBigUint64(8, this.value & 0xffffffffffffffffn)
    return bytes
  }

  equals(other: { readonly family: 4 | 6; readonly value: number | bigint }): boolean {
    return other.family === 6 && other.value === this.value
  }

  /** The one canonical form of RFC 5952: lower case, no leading zeros, the first longest run of zeros as `::`. */
  toString(): string {
    // RFC 5952, section 5: mixed notation where a well-known prefix says that IPv4 is embedded.
    if (this.value >> 32n === 0xffffn)
      return `::ffff:${IPv4Address.fromNumber(Number(this.value & 0xffffffffn)).toString()}`
    const groups = Array.from({ length: 8 }, (_, index) =>
      Number((this.value >> BigInt(112 - 16 * index)) & 0xffffn),
    )
    const run = longestZeroRun(groups)
    const hex = groups.map((group) => group.toString(16))
    if (run.length < 2) return hex.join(':')
    return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`
  }

  toJSON(): string {
    return this.toString()
  }
}

function parseGroups(text: string, last: boolean, fail: (reason: string) => NfbridgeError): number[] {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      groups.push(...embeddedGroups(part, fail))
    } else if (part === '') {
      throw fail('a group is empty; a single colon stands at its beginning or end')
    } else if (!/^[0-9a-fA-F]{1,4}$/.test(part)) {
      throw fail(`the group ${quote(part)} is not one to four hexadecimal digits`)
    } else {
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

function embeddedGroups(text: string, fail: (reason: string) => NfbridgeError): [number, number] {
  try {
    const { value } = IPv4Address.parse(text)
    return [value >>> 16, value & 0xffff]
  } catch {
    throw fail(`its end ${quote(text)} is neither a group nor an IPv4 address`)
  }
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}
