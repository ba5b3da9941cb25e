/** Constants of rules and elements as numbers and texts that can be compared. */
import { datatype } from '../nft/datatype/index.js'
import type { DatatypeName, Expression, Immediate } from '../nft/index.js'
import type { Environment } from './environment.js'

/** A value of one field: text for names of interfaces, else an unsigned number whatever its byte order was. */
export type Scalar = bigint | string

/** A number that is not known but for its bounds, both included. */
export interface Interval {
  readonly low: bigint
  readonly high: bigint
}

/** What a packet has in a field; undefined where nothing is known of it. */
export type Value = Scalar | Interval | undefined

/** What a field holds. */
export interface FieldType {
  readonly type: DatatypeName
  readonly bits: number
}

/** Which values of one field are meant: one, a range, a beginning of a text, or all. */
export type Pattern =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'beginning'; readonly text: string }
  | { readonly kind: 'range'; readonly low: bigint; readonly high: bigint }
  | { readonly kind: 'any' }

/** A constant as a number or text; undefined for one that this field cannot have, or whose meaning is not known. */
export function scalar(
  value: Immediate,
  { type, bits }: FieldType,
  environment: Environment,
): Scalar | undefined {
  const known = datatype(type)
  if (known.text) return typeof value === 'string' ? value.replace(/\\\*$/, '*') : undefined
  if (type === 'iface_index' && typeof value === 'string' && !/^\d+$/.test(value)) {
    const index = environment.linkNamed(value)?.index
    return index === undefined ? undefined : BigInt(index)
  }
  try {
    if (known.parse) return BigInt(known.parse(value, bits))
    const bytes = new Uint8Array(Math.ceil(bits / 8))
    known.write(value, bytes, 0, bytes.length, 'big')
    return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  } catch {
    // A value that its type does not have: a name of a later nft's, which is therefore not known.
    return undefined
  }
}

/** Values that a constant of one field stands for: one, a list of flags, a prefix, a range. */
export function pattern(value: Expression, type: FieldType, environment: Environment): Pattern | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    if (value === '*') return { kind: 'any' }
    if (datatype(type.type).text && typeof value === 'string' && /[^\\]\*$/.test(value))
      return { kind: 'beginning', text: value.slice(0, -1) }
    return single(scalar(value, type, environment))
  }
  if (isList(value)) return single(flagBits(value, type, environment))
  if ('prefix' in value) {
    const address = scalar(value.prefix.addr, type, environment)
    if (typeof address !== 'bigint') return undefined
    const host = (1n << BigInt(type.bits - value.prefix.len)) - 1n
    return { kind: 'range', low: address & ~host, high: address | host }
  }
  if ('range' in value) {
    const low = pattern(value.range[0], type, environment)
    const high = pattern(value.range[1], type, environment)
    return low?.kind === 'range' && high?.kind === 'range'
      ? { kind: 'range', low: low.low, high: high.high }
      : undefined
  }
  if ('|' in value) return single(flagBits(value['|'], type, environment))
  return undefined
}

/** Several flags as one number. */
export function flagBits(
  list: readonly Expression[],
  type: FieldType,
  environment: Environment,
): bigint | undefined {
  let bits = 0n
  for (const each of list) {
    const one =
      typeof each === 'string' || typeof each === 'number' || typeof each === 'boolean'
        ? scalar(each, type, environment)
        : undefined
    if (typeof one !== 'bigint') return undefined
    bits |= one
  }
  return bits
}

/** Whether a value is among those of a pattern; undefined when one of the two is not known. */
export function fits(expected: Pattern | undefined, value: Value): boolean | undefined {
  if (expected?.kind === 'any') return true
  if (expected === undefined || value === undefined) return undefined
  if (typeof value === 'object') {
    if (expected.kind !== 'range') return undefined
    if (expected.low <= value.low && value.high <= expected.high) return true
    return expected.high < value.low || value.high < expected.low ? false : undefined
  }
  if (expected.kind === 'range')
    return typeof value === 'bigint' ? expected.low <= value && value <= expected.high : undefined
  if (typeof value !== 'string') return undefined
  return expected.kind === 'text' ? expected.text === value : value.startsWith(expected.text)
}

/** An array, which `Array.isArray` does not tell of read-only ones. */
export function isList(value: Expression): value is readonly Expression[] {
  return Array.isArray(value)
}

function single(value: Scalar | undefined): Pattern | undefined {
  if (value === undefined) return undefined
  return typeof value === 'string'
    ? { kind: 'text', text: value }
    : { kind: 'range', low: value, high: value }
}
