/** Elements of sets of ranges: the kernel keeps where each begins, and marks where it ends. */
import { InvalidValue } from '../datatype/index.js'
import { ELEMENT_INTERVAL_OPEN, ElementFlags, UserdataTypes } from '../kernel/constants.js'
import type { ElementLayout } from './element.js'
import { compareBytes, successor } from './interval.js'
import type { Draft, ElementRecord } from './message.js'
import { Userdata } from './userdata.js'

/** One range, both ends included, and what is to be said of it beside its key. */
export interface IntervalElement {
  readonly low: Uint8Array
  high: Uint8Array
  readonly comment: string | undefined
  readonly draft: Draft<ElementRecord>
  /** Its index in what the caller gave. */
  readonly place: number
}

/** Intervals as the kernel wants them: their beginnings, and ends that are marked; sorted. */
export function halfOpen(intervals: IntervalElement[], layout: ElementLayout): ElementRecord[] {
  intervals.sort((a, b) => compareBytes(a.low, b.low))
  const records: ElementRecord[] = []
  const merged = layout.anonymous ? mergeTouching(intervals, layout.data !== undefined) : intervals
  let end: Uint8Array | undefined
  for (const [index, interval] of merged.entries()) {
    if (index === 0 && layout.first && interval.low.some((byte) => byte !== 0))
      records.push({ key: { value: new Uint8Array(layout.key.length) }, flags: ElementFlags.intervalEnd })
    if (end !== undefined && !(layout.anonymous && compareBytes(end, interval.low) === 0))
      records.push({ key: { value: end }, flags: ElementFlags.intervalEnd })
    end = successor(interval.high)
    const userdata = new Userdata().comment(UserdataTypes.elementComment, interval.comment)
    if (end === undefined) userdata.number(UserdataTypes.elementFlags, ELEMENT_INTERVAL_OPEN)
    const bytes = userdata.values(interval.draft.userdata).bytes()
    if (bytes !== undefined) interval.draft.userdata = bytes
    interval.draft.key = { value: interval.low }
    records.push(interval.draft)
  }
  if (end !== undefined) records.push({ key: { value: end }, flags: ElementFlags.intervalEnd })
  return records
}

/** An anonymous set may say the same twice; a map may not say two things of one key. */
function mergeTouching(intervals: readonly IntervalElement[], isMap: boolean): IntervalElement[] {
  const merged: IntervalElement[] = []
  for (const interval of intervals) {
    const last = merged.at(-1)
    const after = last === undefined ? undefined : successor(last.high)
    const touches = last !== undefined && (after === undefined || compareBytes(interval.low, after) <= 0)
    if (last === undefined || !touches) {
      merged.push(interval)
    } else if (!isMap) {
      if (compareBytes(interval.high, last.high) > 0) last.high = interval.high
    } else if (after === undefined || compareBytes(interval.low, after) < 0) {
      throw new InvalidValue('two ranges of the map overlap')
    } else {
      merged.push(interval)
    }
  }
  return merged
}

/** The number of elements as nft counts it: each interval has a beginning and an end, also where two share one. */
export function countElements(records: readonly ElementRecord[]): number {
  const plain = records.filter(({ flags }) => flags === undefined).length
  const ends = records.some(({ flags }) => flags === ElementFlags.intervalEnd)
  if (!ends) return records.length
  const catchalls = records.filter(({ flags }) => flags === ElementFlags.catchall).length
  return 2 * plain + catchalls + (records[0]?.flags === ElementFlags.intervalEnd ? 1 : 0)
}
