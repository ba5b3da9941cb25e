/** The elements of a set or map. */

import type {
  ExprCounterRecord,
  NftElementRecord,
  NftExpressionRecord,
  NftSetRecord,
} from '../../native/records.js'
import { selects } from '../../native/select.js'
import { picked, sorted } from '../../native/slices.js'
import { verdictTypeId } from '../datatype/index.js'
import { ElementFlags, UserdataTypes } from '../kernel/constants.js'
import type {
  ElemExpression,
  Expression,
  MapElement,
  SetElement,
  Verdict,
  WithUnknown,
} from '../model/index.js'
import { predecessor } from './bits.js'
import { readInterval } from './constants.js'
import {
  dataEncoding,
  type FieldEncoding,
  givesRanges,
  isInterval,
  readFieldRanges,
  readFields,
} from './encodings.js'
import { readStateful } from './stateful.js'
import { splitUserdata, unknownParts } from './unknown.js'
import { readText, readUserdata } from './userdata.js'
import { readVerdict } from './verdict.js'

type Steps<T> = Generator<undefined, T, undefined>

/** A key, or the keys from one to another, of an element. */
interface Keyed {
  readonly element: NftElementRecord
  readonly key: Expression
}

/**
 * The elements in ascending order of their keys, but those with ranges in several fields; undefined when one of them is not understood. In steps, because a set
 * may have a great many.
 */
export function* readElements(
  set: NftSetRecord,
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): Steps<(SetElement | MapElement)[] | undefined> {
  const keyed = yield* isInterval(set) && fields.length === 1
    ? intervals(elements, fields)
    : singles(set, elements, fields)
  if (!keyed) return undefined
  const isMap = set.dataType !== undefined || set.objType !== undefined
  const isValued = set.dataType !== undefined && set.dataType !== verdictTypeId
  const data = isValued ? dataEncoding(set) : undefined
  const ranges = isValued && givesRanges(set)
  const result: (SetElement | MapElement)[] = []
  for (const { element, key } of keyed) {
    yield
    const listed = withAttributes(element, key)
    if (listed === undefined) return undefined
    if (!isMap) {
      result.push(listed)
      continue
    }
    const value = element.objref ?? readData(element, data, ranges)
    if (value === undefined) return undefined
    result.push([listed, value])
  }
  return result
}

const intervalEnd = (element: NftElementRecord): boolean =>
  ((element.flags ?? 0) & ElementFlags.intervalEnd) !== 0
const isCatchall = (element: NftElementRecord): boolean =>
  ((element.flags ?? 0) & ElementFlags.catchall) !== 0
const knownFlags = ElementFlags.intervalEnd | ElementFlags.catchall
const noKey = new Uint8Array(0)

function keyOf(element: NftElementRecord): Uint8Array {
  return element.key?.value ?? noKey
}

/** Bytes as text: compared at once, and in the same order. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

const compareText = (one: Ordered, other: Ordered): number =>
  one.text === other.text ? one.rank - other.rank : one.text < other.text ? -1 : 1

/** An element with what it is sorted by. */
interface Ordered {
  readonly element: NftElementRecord
  readonly text: string
  readonly rank: number
}

/** The elements that have a key, sorted. */
function* inOrder(
  elements: readonly NftElementRecord[],
  order: (element: NftElementRecord) => Ordered,
): Steps<readonly Ordered[]> {
  const keyed = yield* picked(elements, (element) => (isCatchall(element) ? undefined : order(element)))
  return yield* sorted(keyed, compareText)
}

/**
 * Elements that are one key each, or one range in each field. Of those with ranges one may cover another, and the one that
 * was added first is found first: they stay in the kernel's order, in which they can be added again.
 */
function* singles(
  set: NftSetRecord,
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): Steps<Keyed[] | undefined> {
  const length = set.keyLen ?? 0
  const [first] = fields
  // Numbers in the order of the host are sorted as numbers, not by their lowest byte.
  const reversed = fields.length === 1 && first?.order === 'host' && !first.type.text
  const ordered = isInterval(set)
    ? elements.filter((element) => !isCatchall(element)).map((element) => ({ element }))
    : yield* inOrder(elements, (element) => {
        const key = keyOf(element)
        return { element, text: textOf(reversed ? key.toReversed() : key), rank: 0 }
      })
  const keyed: Keyed[] = []
  for (const { element } of ordered) {
    const lower = keyOf(element)
    const upper = element.keyEnd?.value
    if (lower.length !== length || (upper && upper.length !== length)) return undefined
    const key = upper ? readFieldRanges(lower, upper, fields) : readFields(lower, fields)
    if (key === undefined) return undefined
    keyed.push({ element, key })
    yield
  }
  return keyed.concat(catchall(elements))
}

/** Starts and ends of half-open intervals, each an element of its own; the last may be without an end. */
function* intervals(
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): Steps<Keyed[] | undefined> {
  const [field] = fields
  if (!field) return undefined
  // Where one interval ends another may begin: the end comes first.
  const ordered = yield* inOrder(elements, (element) => ({
    element,
    text: textOf(keyOf(element)),
    rank: intervalEnd(element) ? 0 : 1,
  }))
  const keyed: Keyed[] = []
  for (const [index, { element }] of ordered.entries()) {
    yield
    const first = keyOf(element)
    if (first.length !== field.length) return undefined
    // An end that no start belongs to says that nothing below the first interval is in the set.
    if (intervalEnd(element)) continue
    // The start of the next interval ends this one as well: adjacent intervals of a map have no end between them.
    const next = ordered[index + 1]?.element
    const last = next ? predecessor(keyOf(next)) : new Uint8Array(field.length).fill(0xff)
    const key = readInterval(first, last, field)
    if (key === undefined) return undefined
    keyed.push({ element, key })
  }
  return keyed.concat(catchall(elements))
}

/** `*`: what no other element matches. */
function catchall(elements: readonly NftElementRecord[]): Keyed[] {
  return elements.filter(isCatchall).map((element) => ({ element, key: '*' }))
}

function readData(
  element: NftElementRecord,
  fields: readonly FieldEncoding[] | undefined,
  ranges: boolean,
): Expression | Verdict | undefined {
  const { verdict, value } = element.data ?? {}
  if (verdict) return readVerdict(verdict)
  const last = fields?.at(-1)
  if (!value || !fields || !last || value.length < last.offset + last.length) return undefined
  if (!ranges) return readFields(value, fields)
  const middle = value.length / 2
  return readFieldRanges(value.subarray(0, middle), value.subarray(middle), fields)
}

function withAttributes(element: NftElementRecord, key: Expression): SetElement | undefined {
  const { timeout, expiration, flags = 0, expr, expressions } = element
  const unknown = unknownOf(element, flags & ~knownFlags)
  const comment = readUserdata(element.userdata)?.get(UserdataTypes.elementComment)
  const states = expressions ?? (expr ? [expr] : [])
  const state: StateDraft = {}
  for (const one of states) if (!readState(state, one)) return undefined
  const isPlain = timeout === undefined && expiration === undefined && !comment && states.length === 0
  if (isPlain && unknown === undefined) return key
  const elem: ElemExpression['elem'] = {
    val: key,
    ...(timeout !== undefined && { timeout: seconds(timeout) }),
    ...(expiration !== undefined && { expires: seconds(expiration) }),
    ...(comment && { comment: readText(comment) }),
    ...state,
    ...unknown,
  }
  return { elem }
}

const knownUserdata = [UserdataTypes.elementComment, UserdataTypes.elementFlags]

/** Nothing is made for the many elements that have nothing of the kind. */
function unknownOf({ userdata, opaque }: NftElementRecord, flags: number): WithUnknown | undefined {
  if (userdata === undefined && opaque === undefined && flags === 0) return undefined
  const split = splitUserdata(userdata, knownUserdata)
  if (split.userdata === undefined && opaque === undefined && flags === 0) return undefined
  return unknownParts({
    userdata: split.userdata,
    attributes: opaque,
    flags: flags === 0 ? undefined : flags,
  })
}

type StateDraft = {
  -readonly [P in 'counter' | 'limit' | 'quota' | 'ct count' | 'last']?: ElemExpression['elem'][P] & {}
}

/** Adds what an element has for itself; false when it is not understood, or there is the same twice. */
function readState(draft: Record<string, unknown>, expression: NftExpressionRecord): boolean {
  // The numbers of a counter are said even while they are zero.
  const statement = selects(expression, 'name', 'counter')
    ? { counter: readCounter(expression.data ?? {}) }
    : readStateful(expression)
  const [pair] = Object.entries(statement ?? {})
  if (pair === undefined || pair[0] in draft) return false
  draft[pair[0]] = pair[1]
  return true
}

export function readCounter({ packets = 0n, bytes = 0n }: ExprCounterRecord): {
  packets: number
  bytes: number
} {
  return { packets: Number(packets), bytes: Number(bytes) }
}

/** Milliseconds of the kernel as the seconds of the model. */
export function seconds(milliseconds: bigint | number): number {
  return Number(milliseconds) / 1000
}
