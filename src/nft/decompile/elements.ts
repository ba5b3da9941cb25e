/** The elements of a set or map. */

import type {
  ExprCounterRecord,
  NftElementRecord,
  NftExpressionRecord,
  NftSetRecord,
} from '../../native/records.js'
import { selects } from '../../native/select.js'
import { verdictTypeId } from '../datatype/index.js'
import { ElementFlags, UserdataTypes } from '../kernel/constants.js'
import type { ElemExpression, Expression, MapElement, SetElement, Verdict } from '../model/index.js'
import { compareBytes, predecessor } from './bits.js'
import { readInterval } from './constants.js'
import { dataEncoding, type FieldEncoding, isInterval, readFieldRanges, readFields } from './encodings.js'
import { hasOnly, readText, readUserdata } from './userdata.js'
import { readVerdict } from './verdict.js'

/** A key, or the keys from one to another, of an element. */
interface Keyed {
  readonly element: NftElementRecord
  readonly key: Expression
}

/** The elements in ascending order of their keys; undefined when one of them is not understood. */
export function readElements(
  set: NftSetRecord,
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): (SetElement | MapElement)[] | undefined {
  const keyed =
    isInterval(set) && fields.length === 1 ? intervals(elements, fields) : singles(set, elements, fields)
  if (!keyed) return undefined
  const isMap = set.dataType !== undefined
  const data = isMap && set.dataType !== verdictTypeId ? dataEncoding(set) : undefined
  const result: (SetElement | MapElement)[] = []
  for (const { element, key } of keyed) {
    const listed = withAttributes(element, key)
    if (listed === undefined) return undefined
    if (!isMap) {
      result.push(listed)
      continue
    }
    const value = readData(element, data)
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

/** Elements that are one key each, or one range in each field. */
function singles(
  set: NftSetRecord,
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): Keyed[] | undefined {
  const length = set.keyLen ?? 0
  const reversed = fields.length === 1 && fields[0]?.order === 'host' && !fields[0].type.text
  const order = (one: Uint8Array, other: Uint8Array): number =>
    reversed ? compareBytes(one.toReversed(), other.toReversed()) : compareBytes(one, other)
  const keyed: Keyed[] = []
  const sorted = elements
    .filter((each) => !isCatchall(each))
    .sort((one, other) => order(keyOf(one), keyOf(other)))
  for (const element of sorted) {
    const first = keyOf(element)
    const last = element.keyEnd?.value
    if (first.length !== length || (last && last.length !== length)) return undefined
    const key = last ? readFieldRanges(first, last, fields) : readFields(first, fields)
    if (key === undefined) return undefined
    keyed.push({ element, key })
  }
  return keyed.concat(catchall(elements))
}

/** Starts and ends of half-open intervals, each an element of its own; the last may be without an end. */
function intervals(
  elements: readonly NftElementRecord[],
  fields: readonly FieldEncoding[],
): Keyed[] | undefined {
  const [field] = fields
  if (!field) return undefined
  // Where one interval ends another may begin: the end comes first.
  const sorted = elements
    .filter((each) => !isCatchall(each))
    .sort(
      (one, other) =>
        compareBytes(keyOf(one), keyOf(other)) || Number(intervalEnd(other)) - Number(intervalEnd(one)),
    )
  const keyed: Keyed[] = []
  for (const [index, element] of sorted.entries()) {
    const first = keyOf(element)
    if (first.length !== field.length) return undefined
    // An end that no start belongs to says that nothing below the first interval is in the set.
    if (intervalEnd(element)) continue
    const next = sorted[index + 1]
    if (next && !intervalEnd(next)) return undefined
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
): Expression | Verdict | undefined {
  const { verdict, value } = element.data ?? {}
  if (verdict) return readVerdict(verdict)
  const last = fields?.at(-1)
  if (!value || !fields || !last || value.length < last.offset + last.length) return undefined
  return readFields(value, fields)
}

function withAttributes(element: NftElementRecord, key: Expression): SetElement | undefined {
  const { timeout, expiration, flags = 0, expr, expressions, objref } = element
  if ((flags & ~knownFlags) !== 0 || objref !== undefined) return undefined
  const userdata = readUserdata(element.userdata)
  if (!userdata || !hasOnly(userdata, [UserdataTypes.elementComment, UserdataTypes.elementFlags]))
    return undefined
  const comment = userdata.get(UserdataTypes.elementComment)
  const states = expressions ?? (expr ? [expr] : [])
  const counter = states.length === 1 ? counterOf(states[0]) : undefined
  if (states.length > 0 && !counter) return undefined
  if (timeout === undefined && expiration === undefined && !comment && !counter) return key
  const elem: ElemExpression['elem'] = {
    val: key,
    ...(timeout !== undefined && { timeout: seconds(timeout) }),
    ...(expiration !== undefined && { expires: seconds(expiration) }),
    ...(comment && { comment: readText(comment) }),
    ...(counter && { counter: readCounter(counter) }),
  }
  return { elem }
}

function counterOf(expression: NftExpressionRecord | undefined): ExprCounterRecord | undefined {
  return expression && selects(expression, 'name', 'counter') ? expression.data : undefined
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
