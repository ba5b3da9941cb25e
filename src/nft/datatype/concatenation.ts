import type { DatatypeName, Expression, Immediate, SetType, TypeofSpecification } from '../model/index.js'
import type { ByteOrder } from './byte-order.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'
import { datatype, datatypeById } from './registry.js'
import { typeofField } from './typeof-expression.js'
import type { Noted, TypeofField } from './typeof-note.js'

/** One field of a key: where it lies and how it is written. */
export interface KeyField {
  readonly type: Datatype
  readonly offset: number
  /** Bytes of the value, without the padding to four. */
  readonly length: number
  readonly order: ByteOrder
  /** Of a field that was declared by an expression: what nft notes of it. */
  readonly noted?: Noted
}

/** The layout of a key or of a map's data: one field, or several, each padded to four bytes. */
export interface KeyLayout {
  readonly fields: readonly KeyField[]
  /** Bytes in all: with one field, unpadded. */
  readonly length: number
  /** nft's number: 6 bits for each field, the last field lowest. */
  readonly typeId: number
  /** 0 where it has fields of both, as nft's `BYTEORDER_INVALID`. */
  readonly order: ByteOrder | undefined
}

const typeBits = 6
const layouts = new Map<string, KeyLayout>()

/** The number of bytes that a value takes in a concatenation. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3
}

/** What a declaration says of types that have no length of their own. */
export interface LengthOptions {
  /** In bytes, for each field; types with a length of their own need none. */
  readonly lengths?: number | readonly number[] | undefined
  /** Of numbers; default: of packets. */
  readonly order?: 'host' | undefined
}

/** The layout of a declared type. @throws InvalidValue when a type is unknown or has no length at all */
export function keyLayout(specification: SetType, options: LengthOptions = {}): KeyLayout {
  if (isTypeof(specification)) return layoutOf(typeofParts(specification).map(typeofField))
  if (options.lengths !== undefined || options.order !== undefined)
    return describe(typeof specification === 'string' ? [specification] : specification, options)
  const key = typeof specification === 'string' ? specification : specification.join(' . ')
  const cached = layouts.get(key)
  if (cached !== undefined) return cached
  const layout = describe(typeof specification === 'string' ? [specification] : specification, options)
  layouts.set(key, layout)
  return layout
}

function lengthOf(type: Datatype, lengths: LengthOptions['lengths'], index: number): number {
  if (type.bits !== 0) return Math.ceil(type.bits / 8)
  const length: unknown = typeof lengths === 'number' ? lengths : lengths?.[index]
  if (length === undefined)
    throw new InvalidValue(
      `the type ${quote(type.name)} has no length of its own; sets are declared with it only together with keyLen or dataLen`,
    )
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1 || length > 64)
    throw new InvalidValue(`${quote(length)} is no length of a field: from 1 to 64 bytes`)
  return length
}

/** Whether a set is declared by expressions, and not by the names of types. */
export function isTypeof(specification: unknown): specification is TypeofSpecification {
  return typeof specification === 'object' && specification !== null && 'typeof' in specification
}

/** The expressions of the fields: several as a list, or as the concatenation that nft prints. */
export function typeofParts({ typeof: given }: TypeofSpecification): readonly Expression[] {
  if (isList(given)) return given
  if (typeof given === 'object' && given !== null && 'concat' in given && isList(given.concat))
    return given.concat
  return [given]
}

function isList(given: Expression | readonly Expression[]): given is readonly Expression[] {
  return Array.isArray(given)
}

/** The names of the types, also of what is declared by expressions. @throws InvalidValue as {@link keyLayout} */
export function typeNames(specification: SetType): readonly DatatypeName[] {
  if (isTypeof(specification)) return typeofParts(specification).map((each) => typeofField(each).type.name)
  return typeof specification === 'string' ? [specification] : specification
}

function describe(names: readonly DatatypeName[], { lengths, order }: LengthOptions): KeyLayout {
  return layoutOf(
    names.map((name, index) => {
      const type = datatype(name)
      return { type, length: lengthOf(type, lengths, index), order: order ?? 'big' }
    }),
  )
}

function layoutOf(given: readonly TypeofField[]): KeyLayout {
  if (given.length === 0) throw new InvalidValue('a type is expected')
  const fields: KeyField[] = []
  let offset = 0
  // Not with shifts: five types of 6 bits need 30 bits, and a sixth must be refused and not wrapped around.
  let typeId = 0
  for (const { type, length, order, noted } of given) {
    fields.push({ type, offset, length, order: type.order ?? order, ...(noted && { noted }) })
    offset += paddedLength(length)
    typeId = typeId * 2 ** typeBits + type.id
  }
  if (given.length > 5) throw new InvalidValue('a key has at most 5 fields')
  if (offset > 64) throw new InvalidValue(`the key is ${offset} bytes long, at most 64 are possible`)
  const [only] = fields
  if (fields.length === 1 && only !== undefined)
    return { fields, length: only.length, typeId, order: only.type.bits === 0 ? only.order : only.type.order }
  return { fields, length: offset, typeId, order: undefined }
}

/** The types behind nft's number, in order; `undefined` when one of them is unknown. */
export function typesFromId(typeId: number): readonly DatatypeName[] | undefined {
  const names: DatatypeName[] = []
  for (let rest = typeId; rest > 0; rest = Math.floor(rest / 2 ** typeBits)) {
    const type = datatypeById(rest % 2 ** typeBits)
    if (type === undefined) return undefined
    names.unshift(type.name)
  }
  return names.length === 0 ? undefined : names
}

/** Writes one value into its field; the padding stays as it is. */
export function writeField(field: KeyField, value: Immediate, target: Uint8Array): void {
  field.type.write(value, target, field.offset, field.length, field.order)
}

/** Reads one field of a key. */
export function readField(field: KeyField, bytes: Uint8Array): Immediate {
  return field.type.read(bytes, field.offset, field.length, field.order)
}
