/** Constants of rules and sets: bytes of a known type, as the model writes them. */
import { type ByteOrder, type Datatype, readNumber, writeNumber } from '../datatype/index.js'
import type { Expression, Immediate } from '../model/index.js'
import { isZero, prefixOfMask, prefixOfRange } from './bits.js'

/** How the bytes of a value are to be read. */
export interface Encoding {
  readonly type: Datatype
  readonly order: ByteOrder
  readonly length: number
  /** How far the value is from the low end of the bytes. */
  readonly shift: number
}

/** One value. */
export function readValue(bytes: Uint8Array, encoding: Encoding): Immediate {
  const { type, order, length, shift } = encoding
  return type.read(shiftRight(bytes, order, shift), 0, Math.min(length, bytes.length), order)
}

/** One value as a number where its type is one. */
function readNumeric(bytes: Uint8Array, encoding: Encoding): Immediate {
  if (!encoding.type.symbols) return readValue(bytes, encoding)
  const { order, shift } = encoding
  const number = readNumber(shiftRight(bytes, order, shift), 0, bytes.length, order)
  return typeof number === 'bigint' ? `0x${number.toString(16)}` : number
}

/** A value that may be several flags: a name, or `{ '|': names }` as `nft` writes a constant of several. */
export function readFlags(bytes: Uint8Array, encoding: Encoding): Expression {
  const names = encoding.type.bitmask ? flagNames(bytes, encoding) : []
  return names.length > 1 ? { '|': names } : readValue(bytes, encoding)
}

/** Flags that are alternatives to each other: a name, or a list. */
export function readAlternatives(bytes: Uint8Array, encoding: Encoding): Expression {
  const names = encoding.type.bitmask ? flagNames(bytes, encoding) : []
  return names.length > 1 ? names : readValue(bytes, encoding)
}

/** The mask of a bit operation: flags, else the bits as the type writes them, without looking for a name. */
export function readMask(bytes: Uint8Array, encoding: Encoding): Expression {
  if (encoding.type.bitmask) return readAlternatives(bytes, encoding)
  return readNumeric(bytes, encoding)
}

/** The names of the bits that are set, lowest first; empty when one of them has no name. */
function flagNames(bytes: Uint8Array, { type, order, shift }: Encoding): Immediate[] {
  const value = BigInt(readNumber(shiftRight(bytes, order, shift), 0, bytes.length, order))
  const names: Immediate[] = []
  for (let bit = 0n; 1n << bit <= value; bit++) {
    if ((value & (1n << bit)) === 0n) continue
    const single = new Uint8Array(bytes.length)
    writeNumber(1n << bit, single, 0, single.length, order)
    const name = type.read(single, 0, single.length, order)
    if (typeof name === 'number' && type.symbols) return []
    names.push(name)
  }
  return names
}

/** Types that have networks, and are written `address/length`. */
function hasPrefixes({ type }: Encoding): boolean {
  return type.name === 'ipv4_addr' || type.name === 'ipv6_addr'
}

/** A network; undefined when the mask is none, or the address has bits beyond it. */
export function readPrefix(bytes: Uint8Array, mask: Uint8Array, encoding: Encoding): Expression | undefined {
  const len = hasPrefixes(encoding) ? prefixOfMask(mask) : undefined
  if (len === undefined || bytes.some((byte, index) => (byte & ~(mask[index] ?? 0)) !== 0)) return undefined
  return { prefix: { addr: String(readValue(bytes, encoding)), len } }
}

const BACKSLASH = 0x5c

/** The text that names with a common beginning share: `eth*`. Undefined for what no rule can say. */
function readWildcard(bytes: Uint8Array, encoding: Encoding): string | undefined {
  if (!encoding.type.text || bytes.length === 0 || bytes.includes(0)) return undefined
  // The star would be that of a name.
  if (bytes.at(-1) === BACKSLASH) return undefined
  return `${encoding.type.read(bytes, 0, bytes.length, encoding.order)}*`
}

/** A name that is compared in fewer bytes than it has room: with its end it is the whole name, without it a beginning. */
export function readShortText(bytes: Uint8Array, encoding: Encoding): string | undefined {
  const end = bytes.indexOf(0)
  if (end < 0) return readWildcard(bytes, encoding)
  return encoding.type.text && end === bytes.length - 1 && end > 0
    ? String(readValue(bytes, encoding))
    : undefined
}

/** All values from one to another: a network where it is one, else a range. */
export function readInterval(
  first: Uint8Array,
  last: Uint8Array,
  encoding: Encoding,
): Expression | undefined {
  if (first.every((byte, index) => byte === last[index])) return readFlags(first, encoding)
  if (encoding.type.text) {
    const shared = prefixOfRange(first, last)
    if (shared === undefined || shared % 8 !== 0) return undefined
    return readWildcard(first.subarray(0, shared / 8), encoding)
  }
  const len = hasPrefixes(encoding) ? prefixOfRange(first, last) : undefined
  if (len !== undefined) return { prefix: { addr: String(readValue(first, encoding)), len } }
  return readRange(first, last, encoding)
}

export function readRange(first: Uint8Array, last: Uint8Array, encoding: Encoding): Expression {
  // Like nft: of all names, only those of protocols have no place in a range.
  const read = encoding.type.name === 'inet_proto' ? readNumeric : readValue
  return { range: [read(first, encoding), read(last, encoding)] }
}

/** The value that a bit field holds, at the low end. */
function shiftRight(bytes: Uint8Array, order: ByteOrder, shift: number): Uint8Array {
  if (shift === 0) return bytes
  const value = BigInt(readNumber(bytes, 0, bytes.length, order)) >> BigInt(shift)
  const result = new Uint8Array(bytes.length)
  writeNumber(value, result, 0, result.length, order)
  return result
}

/** Whether a constant has bits that a bit field at this place cannot have. */
export function exceeds(bytes: Uint8Array, { order, shift }: Encoding): boolean {
  if (shift === 0 || isZero(bytes)) return false
  const value = BigInt(readNumber(bytes, 0, bytes.length, order))
  return (value & ((1n << BigInt(shift)) - 1n)) !== 0n
}
