/** What the kernel says of a set that a transaction changes, and the ranges that it holds. */
import type { NftElementRecord, NftSetRecord } from '../native/records.js'
import { sorted } from '../native/slices.js'
import { declarationOf, type SetDeclaration } from './compile/index.js'
import { type KeyField, paddedLength } from './datatype/index.js'
import { keyEncoding, readSet, readUserdata, withoutUserdata } from './decompile/index.js'
import { ElementFlags, familyNumbers, SetFlags, UserdataTypes } from './kernel/constants.js'
import {
  type Attributes,
  type Box,
  BoxList,
  boxKey,
  describeBox,
  describeRange,
  type Range,
  type RangedSet,
  RangeList,
  type RangeSettings,
  type SetName,
  toNumber,
} from './ranges/index.js'
import { type Asking, all, elementsOf, inSteps, one, setOf } from './requests.js'

/** A set as the kernel declares it. */
export interface ToldSet {
  readonly record: NftSetRecord
  readonly isInterval: boolean
  /** Undefined where the model cannot say it. */
  readonly declaration: SetDeclaration | undefined
}

/** Undefined when there is none. */
export function* readDeclaration(set: SetName, operation: string): Asking<ToldSet | undefined> {
  const { family, table, name } = set
  const asked = { family: familyNumbers[family], table, name }
  const record = yield* one('nftGetSet', asked, setOf, operation)
  if (record === undefined) return undefined
  const known = yield* inSteps(readSet({ record, elements: [] }))
  return {
    record,
    isInterval: ((record.flags ?? 0) & SetFlags.interval) !== 0,
    declaration: known && declarationOf('set' in known ? known.set : known.map),
  }
}

/** @param filled whether its elements matter: else it is taken for empty */
export function* readRanged(
  { family, table, name }: SetName,
  { record }: ToldSet,
  filled: boolean,
  operation: string,
): Asking<RangedSet> {
  const asked = { family: familyNumbers[family], table, set: name }
  const messages = filled ? yield* all('nftGetElement', asked, elementsOf, operation) : []
  const elements: NftElementRecord[] = []
  for (const message of messages) for (const element of message.elements ?? []) elements.push(element)
  return yield* inSteps(rangedSet(record, elements))
}

/** What an interval set holds. */
export function* rangedSet(
  record: NftSetRecord,
  elements: readonly NftElementRecord[],
): Generator<undefined, RangedSet, undefined> {
  const { flags = 0, keyLen = 0, timeout } = record
  const lasting =
    (flags & (SetFlags.timeout | SetFlags.dynamic)) === 0 &&
    record.expr === undefined &&
    record.expressions === undefined
  const isMap = record.dataType !== undefined || record.objType !== undefined
  const known = keyEncoding(record)
  const lengths = record.desc?.concat?.map(({ len = 0 }) => len)
  if (lengths !== undefined && lengths.length > 1) {
    const fields = known ?? fieldsOf(lengths)
    const describe = known ? describeBox(known) : hexadecimal
    return { lasting, content: new BoxList(yield* boxes(elements), { isMap, fields, describe }) }
  }
  const [field] = known ?? []
  const settings: RangeSettings = {
    isMap,
    isConstant: (flags & SetFlags.constant) !== 0,
    merges: !isMap && merges(record),
    timeout,
    last: (1n << BigInt(8 * keyLen)) - 1n,
    describe: field ? describeRange(field) : (low, high) => `0x${low.toString(16)}-0x${high.toString(16)}`,
  }
  return { lasting, content: new RangeList(yield* ranges(elements, settings.last), settings) }
}

function merges({ userdata }: NftSetRecord): boolean {
  return (
    readUserdata(userdata)
      ?.get(UserdataTypes.setMergeElements)
      ?.some((byte) => byte !== 0) ?? false
  )
}

function fieldsOf(lengths: readonly number[]): Pick<KeyField, 'offset' | 'length'>[] {
  let offset = 0
  return lengths.map((length) => {
    const field = { offset, length }
    offset += paddedLength(length)
    return field
  })
}

function hexadecimal(low: Uint8Array, high: Uint8Array): string {
  return `0x${Buffer.from(low).toString('hex')}-0x${Buffer.from(high).toString('hex')}`
}

function* boxes(
  elements: readonly NftElementRecord[],
): Generator<undefined, ReadonlyMap<string, Box>, undefined> {
  const found = new Map<string, Box>()
  for (const element of elements) {
    yield
    const { key, keyEnd = key, ...attributes } = element
    const [low, high] = [key?.value, keyEnd?.value]
    if (low !== undefined && high !== undefined) found.set(boxKey({ low, high }), { low, high, attributes })
  }
  return found
}

interface Endpoint {
  readonly at: bigint
  readonly isEnd: boolean
  readonly element: NftElementRecord
}

function* ranges(
  elements: readonly NftElementRecord[],
  last: bigint,
): Generator<undefined, readonly Range[], undefined> {
  const endpoints: Endpoint[] = []
  for (const element of elements) {
    yield
    if (element.key?.value === undefined) continue
    const isEnd = ((element.flags ?? 0) & ElementFlags.intervalEnd) !== 0
    endpoints.push({ at: toNumber(element.key.value), isEnd, element })
  }
  // Where one ends another may begin: the end comes first.
  const ordered = yield* sorted(endpoints, (one, other) =>
    one.at === other.at ? Number(other.isEnd) - Number(one.isEnd) : one.at < other.at ? -1 : 1,
  )
  const found: Range[] = []
  for (const [index, { at, isEnd, element }] of ordered.entries()) {
    yield
    if (isEnd) continue
    const next = ordered[index + 1]
    const high = next === undefined ? last : next.at - 1n
    found.push({ low: at, high, attributes: attributesOf(element), closed: next?.isEnd ?? false })
  }
  return found
}

function attributesOf(element: NftElementRecord): Attributes {
  const { key: _, keyEnd: _end, userdata, ...attributes } = element
  // Whether a range has an end is said anew, of the range that it becomes.
  const rest = withoutUserdata(userdata, UserdataTypes.elementFlags)
  return rest === undefined ? attributes : { ...attributes, userdata: rest }
}
