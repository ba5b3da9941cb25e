/** Changes of interval sets whose ranges are known: what the kernel cannot tell is refused, or merged, before it is sent. */
import { InvalidValue, type KeyLayout } from '../datatype/index.js'
import { ELEMENT_INTERVAL_OPEN, ElementFlags, SetFlags, UserdataTypes } from '../kernel/constants.js'
import type { NamedMap, NamedSet } from '../model/index.js'
import {
  type Box,
  BoxList,
  describeBox,
  describeRange,
  type Range,
  type RangedSet,
  RangeList,
  RangeRefused,
  type SetName,
  type Settled,
  toBytes,
  toNumber,
} from '../ranges/index.js'
import type { CompiledElements, ElementLayout } from './element.js'
import { addElements } from './element-messages.js'
import type { IntervalElement } from './interval-elements.js'
import type { ElementRecord, MessageSink, Removal } from './message.js'
import type { BatchContext } from './rule-context.js'
import { Userdata } from './userdata.js'

/** What is to be sent at once for a change: what goes, by its keys, before what comes. */
export interface RangedChange {
  readonly removed: readonly ElementRecord[]
  readonly added: readonly ElementRecord[]
}

/** What is asked of a set whose content is known. */
export interface RangedRequest {
  readonly set: SetName
  readonly known: RangedSet
  readonly elements: CompiledElements
  readonly layout: ElementLayout
  /** `Destroy`: what is not there is no error. */
  readonly change: 'New' | Removal
  /** What is there already is refused. */
  readonly exclusive: boolean
}

/** An interval set that has no elements yet. */
export function newRangedSet(set: NamedSet | NamedMap, key: KeyLayout, bits: number): RangedSet {
  const lasting = (bits & (SetFlags.timeout | SetFlags.dynamic)) === 0 && set.stmt === undefined
  const isMap = 'map' in set
  const [field] = key.fields
  if (field === undefined || key.fields.length > 1) {
    const settings = { isMap, fields: key.fields, describe: describeBox(key.fields) }
    return { lasting, content: new BoxList(new Map(), settings) }
  }
  const settings = {
    isMap,
    isConstant: (bits & SetFlags.constant) !== 0,
    merges: !isMap && set['auto-merge'] === true,
    timeout: set.timeout === undefined ? undefined : BigInt(Math.round(set.timeout * 1000)),
    last: (1n << BigInt(8 * field.length)) - 1n,
    describe: describeRange(field),
  }
  return { lasting, content: new RangeList([], settings) }
}

/** Adds or removes elements of a set whose content is known, which is another then. The trail stands at the elements. */
export function changeRanged(batch: BatchContext, request: RangedRequest): RangedChange {
  const { content } = request.known
  try {
    return content instanceof RangeList
      ? changeRanges(batch, request, content)
      : changeBoxes(batch, request, content)
  } catch (error) {
    if (!(error instanceof RangeRefused)) throw error
    if (error.place !== undefined) batch.trail.enter(error.place)
    throw new InvalidValue(error.message, error.code)
  }
}

function changeRanges({ ranged }: BatchContext, request: RangedRequest, list: RangeList): RangedChange {
  const { set, elements, layout, change, exclusive } = request
  const { last } = list.settings
  const asked = elements.intervals.map((interval) => rangeOf(interval, last))
  const made = change === 'New' ? list.add(asked, exclusive) : list.remove(asked, change === 'Del')
  ranged?.change(set, list, made, { isFirst: layout.first, keyLength: layout.key.length })
  // What no range matches is told as it is: the kernel knows whether it is there.
  return change === 'New'
    ? { removed: [], added: elements.records }
    : { removed: elements.records, added: [] }
}

/** Sends what has changed in a set of ranges. */
export function sendSettled(sink: MessageSink, settled: Settled): void {
  const { family, table, name } = settled.set
  const { removed, added } = settledRecords(settled)
  if (removed.length > 0) addElements(sink, family, table, name, undefined, removed, 'Del')
  if (added.length > 0) addElements(sink, family, table, name, undefined, added, 'New')
}

export function settledRecords({ list, removed, added, isFirst, keyLength }: Settled): RangedChange {
  const [first] = list.ranges
  const hasOutside = isFirst && added.length > 0 && first !== undefined && first.low !== 0n
  return {
    removed: removed.flatMap((range) => endpoints(range, keyLength, true)),
    added: [
      ...(hasOutside ? [end(0n, keyLength)] : []),
      ...added.flatMap((range) => endpoints(range, keyLength, false)),
    ],
  }
}

function changeBoxes({ ranged }: BatchContext, request: RangedRequest, list: BoxList): RangedChange {
  const { set, elements, change, exclusive } = request
  const asked: Box[] = []
  const others: ElementRecord[] = []
  for (const [index, record] of elements.records.entries()) {
    const { key, keyEnd = key, ...attributes } = record
    const [low, high] = [key?.value, keyEnd?.value]
    if (low === undefined || high === undefined) others.push(record)
    else asked.push({ low, high, attributes, place: elements.places[index] ?? 0 })
  }
  const made = change === 'New' ? list.add(asked, exclusive) : list.remove(asked, change === 'Del')
  if (made.list.boxes.size !== list.boxes.size) ranged?.put(set, made.list)
  const records = made.boxes.map(
    ({ low, high, attributes }): ElementRecord => ({
      key: { value: low },
      keyEnd: { value: high },
      ...attributes,
    }),
  )
  return change === 'New'
    ? { removed: [], added: [...records, ...others] }
    : { removed: [...records, ...others], added: [] }
}

function rangeOf({ low, high, comment, draft, place }: IntervalElement, last: bigint): Range {
  const { key: _, keyEnd: _end, ...attributes } = draft
  const userdata = new Userdata()
    .comment(UserdataTypes.elementComment, comment)
    .values(draft.userdata)
    .bytes()
  const top = toNumber(high)
  return {
    low: toNumber(low),
    high: top,
    attributes: { ...attributes, ...(userdata !== undefined && { userdata }) },
    closed: top !== last,
    place,
  }
}

/** The kernel keeps where a range begins, and marks where it ends. */
function endpoints(range: Range, keyLength: number, keysOnly: boolean): ElementRecord[] {
  const { low, high, attributes, closed } = range
  const key = { value: toBytes(low, keyLength) }
  if (closed) return [keysOnly ? { key } : { ...attributes, key }, end(high + 1n, keyLength)]
  if (keysOnly) return [{ key }]
  const userdata = new Userdata()
    .values(attributes.userdata)
    .number(UserdataTypes.elementFlags, ELEMENT_INTERVAL_OPEN)
    .bytes()
  return [{ ...attributes, key, ...(userdata !== undefined && { userdata }) }]
}

function end(value: bigint, keyLength: number): ElementRecord {
  return { key: { value: toBytes(value, keyLength) }, flags: ElementFlags.intervalEnd }
}
