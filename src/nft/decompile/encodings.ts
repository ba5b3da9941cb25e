/** How the keys and the data of a set are laid out, from what the kernel says of it. */

import type { NftSetRecord } from '../../native/records.js'
import {
  type ByteOrder,
  type Datatype,
  datatype,
  paddedLength,
  readNumber,
  typesFromId,
} from '../datatype/index.js'
import { SetFlags, UserdataTypes } from '../kernel/constants.js'
import type { DatatypeName, Expression } from '../model/index.js'
import { type Encoding, readFlags, readInterval } from './constants.js'
import type { Part } from './operand.js'
import { notedFields } from './typeof.js'
import { readUserdata } from './userdata.js'

/** One field of a key, or of a map's data. */
export interface FieldEncoding extends Encoding {
  readonly offset: number
}

/** enum byteorder of nftables (include/datatype.h) */
const nftByteOrders = { host: 1, big: 2 } as const

/**
 * The fields of a set's key; undefined when they are not known.
 * @param parts what a rule looks up: types without a length of their own (`integer`) have its length there, and keys
 * of anonymous sets stand where the bits of a field stand in the packet
 */
export function keyEncoding(
  set: NftSetRecord,
  parts?: readonly Part[],
): readonly FieldEncoding[] | undefined {
  const types = typesFromId(set.keyType ?? 0)
  return (
    types &&
    encoding(
      types,
      set.keyLen ?? 0,
      declaredOrder(set, UserdataTypes.setKeyByteOrder),
      isInterval(set),
      parts,
      declaredFields(set, UserdataTypes.setKeyTypeof, set.desc?.concat),
    )
  )
}

/** The fields of what a map gives; undefined for verdicts, and when they are not known. */
export function dataEncoding(set: NftSetRecord): readonly FieldEncoding[] | undefined {
  const types = typesFromId(set.dataType ?? 0)
  const length = (set.dataLen ?? 0) / (givesRanges(set) ? 2 : 1)
  const declared = declaredFields(set, UserdataTypes.setDataTypeof)
  return (
    types &&
    encoding(types, length, declaredOrder(set, UserdataTypes.setDataByteOrder), false, undefined, declared)
  )
}

/** What a set tells of fields whose types have no length and order of their own. */
interface DeclaredField {
  readonly length: number | undefined
  readonly order: ByteOrder | undefined
}

function declaredFields(
  set: NftSetRecord,
  type: number,
  concat?: readonly { readonly len?: number }[],
): readonly DeclaredField[] | undefined {
  const noted = notedFields(readUserdata(set.userdata)?.get(type))
  const count = Math.max(concat?.length ?? 0, noted?.length ?? 0)
  if (count === 0) return undefined
  return Array.from({ length: count }, (_, index) => ({
    length: concat?.[index]?.len ?? noted?.[index]?.length,
    order: noted?.[index]?.order,
  }))
}

/** The lengths and the order that a declaration must tell: of types that have none of their own. */
export function declaredLengths(
  fields: readonly FieldEncoding[],
  order: 'host' | 'big' | undefined,
): { readonly lengths?: number | readonly number[]; readonly order?: 'host' } {
  const [first] = fields
  if (first === undefined || fields.every(({ type }) => type.bits !== 0)) return {}
  const lengths = fields.length === 1 ? first.length : fields.map(({ length }) => length)
  const isHost = order === 'host' && fields.length === 1 && !first.type.text
  return { lengths, ...(isHost && { order }) }
}

/** What a set says of the byte order of its key, or of its data. */
export function declaredOrders(set: NftSetRecord): {
  readonly key: 'host' | 'big' | undefined
  readonly data: 'host' | 'big' | undefined
} {
  return {
    key: declaredOrder(set, UserdataTypes.setKeyByteOrder),
    data: declaredOrder(set, UserdataTypes.setDataByteOrder),
  }
}

/** Whether a map gives ranges: the lowest value and, behind it, the highest. */
export function givesRanges(set: NftSetRecord): boolean {
  return (
    readUserdata(set.userdata)
      ?.get(UserdataTypes.setDataInterval)
      ?.some((byte) => byte !== 0) ?? false
  )
}

/** Ranges are compared byte by byte: such a set has all numbers in the order of the network. */
export function isInterval(set: NftSetRecord): boolean {
  return ((set.flags ?? 0) & SetFlags.interval) !== 0
}

function encoding(
  types: readonly DatatypeName[],
  length: number,
  declared: 'host' | 'big' | undefined,
  interval: boolean,
  parts?: readonly Part[],
  told?: readonly DeclaredField[],
): readonly FieldEncoding[] | undefined {
  if (parts && parts.length !== types.length) return undefined
  // One value is as long as the key; of several, the padding hides how long each is, unless the set says it.
  const alone = types.length === 1 ? length : undefined
  const fields: FieldEncoding[] = []
  let offset = 0
  for (const [index, name] of types.entries()) {
    const part = parts?.[index]
    const own = datatype(name)
    // A type without a length of its own says less than what is looked up.
    const type = part && (own.bits === 0 || part.type.name === name) ? part.type : own
    // A field of a few bits may be loaded with more bytes than its type has.
    const size = part?.length ?? fieldLength(own) ?? alone ?? told?.[index]?.length
    if (size === undefined || size <= 0) return undefined
    const order = interval ? 'big' : (own.order ?? part?.order ?? declared ?? told?.[index]?.order ?? 'big')
    fields.push({ type, offset, length: size, order, shift: part?.shift ?? 0 })
    offset += padded(size, types.length)
  }
  return offset === length ? fields : undefined
}

function fieldLength(type: Datatype): number | undefined {
  return type.bits === 0 ? undefined : Math.ceil(type.bits / 8)
}

function padded(length: number, fields: number): number {
  return fields === 1 ? length : paddedLength(length)
}

function declaredOrder(set: NftSetRecord, type: number): 'host' | 'big' | undefined {
  const bytes = readUserdata(set.userdata)?.get(type)
  if (bytes?.length !== 4) return undefined
  const number = readNumber(bytes, 0, 4, 'host')
  return number === nftByteOrders.host ? 'host' : number === nftByteOrders.big ? 'big' : undefined
}

/** A key, or a map's data, as an expression. */
export function readFields(bytes: Uint8Array, fields: readonly FieldEncoding[]): Expression | undefined {
  return joined(fields.map((field) => readFlags(slice(bytes, field), field)))
}

/** A key with a range in each of its fields. */
export function readFieldRanges(
  first: Uint8Array,
  last: Uint8Array,
  fields: readonly FieldEncoding[],
): Expression | undefined {
  return joined(fields.map((field) => readInterval(slice(first, field), slice(last, field), field)))
}

function joined(values: readonly (Expression | undefined)[]): Expression | undefined {
  const all: Expression[] = []
  for (const value of values) {
    if (value === undefined) return undefined
    all.push(value)
  }
  return all.length === 1 ? all[0] : { concat: all }
}

function slice(bytes: Uint8Array, { offset, length }: FieldEncoding): Uint8Array {
  return bytes.subarray(offset, offset + length)
}
