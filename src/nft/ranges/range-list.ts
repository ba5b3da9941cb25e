/**
 * The ranges of an interval set of one field, and what a change makes of them. The kernel keeps where each begins and ends,
 * and cannot tell whether a new range covers others: what overlaps is found here, as nft does it, or merged.
 */
import { type Describe, isSameData, type Range, RangeRefused } from './range.js'

/** What a change does to the kernel's elements, and the ranges that there are then. */
export interface RangeChange {
  readonly list: RangeList
  readonly removed: readonly Range[]
  readonly added: readonly Range[]
  /** What was there just so and was asked for again: the kernel takes it, and may set the time anew that it has to live. */
  readonly again: readonly Range[]
}

export interface RangeSettings {
  /** Touching and overlapping ranges become one. Not of maps, as in nft. */
  readonly merges: boolean
  readonly isMap: boolean
  /** Its elements stay as they are once a rule uses it. */
  readonly isConstant: boolean
  /** Milliseconds that an element lives for which nothing is said; undefined: for ever. */
  readonly timeout: bigint | undefined
  /** The last value that a key can have. */
  readonly last: bigint
  readonly describe: Describe
}

/** In ascending order, without overlaps. Never changed: a change gives another one. */
export class RangeList {
  readonly ranges: readonly Range[]
  readonly settings: RangeSettings

  constructor(ranges: readonly Range[], settings: RangeSettings) {
    this.ranges = ranges
    this.settings = settings
  }

  get size(): number {
    return this.ranges.length
  }

  /** The range with these bounds. */
  find({ low, high }: Pick<Range, 'low' | 'high'>): Range | undefined {
    const range = this.ranges[firstFrom(this.ranges, low)]
    return range?.low === low && range.high === high ? range : undefined
  }

  /**
   * @param exclusive refuses also what is there already just so
   * @throws RangeRefused
   */
  add(asked: readonly Range[], exclusive: boolean): RangeChange {
    const sorted = inOrder(asked)
    return this.settings.merges ? this.#merge(sorted, exclusive) : this.#put(sorted, exclusive)
  }

  /**
   * @param must refuses what is not there; else only what is there goes
   * @throws RangeRefused
   */
  remove(asked: readonly Range[], must: boolean): RangeChange {
    const sorted = inOrder(asked)
    return this.settings.merges ? this.#cut(sorted, must) : this.#take(sorted, must)
  }

  #put(asked: readonly Range[], exclusive: boolean): RangeChange {
    const added: Range[] = []
    const again: Range[] = []
    const result = this.#within(asked, (before) => {
      const merged: Range[] = []
      for (const [range, isNew] of interleaved(before, asked)) {
        const last = merged.at(-1)
        if (last === undefined || last.high < range.low) {
          merged.push(range)
          if (isNew) added.push(range)
          continue
        }
        // Equal beginnings come with what is there first, so that `last` may only be new where both are.
        const [mine, other] = isNew ? [range, last] : [last, range]
        if (last.low !== range.low || last.high !== range.high) throw this.#overlap(mine, other, asked)
        if (exclusive) throw this.#refusal('NFB_EXISTS', mine, 'is in the set already')
        if (this.settings.isMap && !isSameData(mine.attributes, other.attributes))
          throw this.#refusal('NFB_EXISTS', mine, 'is in the map already, with other data')
        again.push(mine)
      }
      return merged
    })
    return { list: result, removed: [], added, again }
  }

  #take(asked: readonly Range[], must: boolean): RangeChange {
    const removed: Range[] = []
    const ended: Range[] = []
    const result = this.#within(asked, (before) => {
      const going = new Set<Range>()
      for (const range of asked) {
        const found = before[firstFrom(before, range.low)]
        if (found !== undefined && found.low === range.low && found.high === range.high) going.add(found)
        else if (must) throw this.#notThere(range)
      }
      return before.flatMap((range, index) => {
        const next = before[index + 1]
        if (going.has(range)) {
          removed.push(range)
          return []
        }
        if (range.closed || next === undefined || !going.has(next)) return [range]
        // Only the beginning of the next range ended this one.
        const closed = { ...range, closed: true }
        ended.push(closed)
        return [closed]
      })
    })
    return { list: result, removed, added: ended, again: [] }
  }

  #merge(asked: readonly Range[], exclusive: boolean): RangeChange {
    return this.#replace(asked, (before) => {
      const result: Range[] = []
      for (const [range, isNew] of interleaved(before, asked)) {
        const over: Range[] = []
        for (let last = result.at(-1); last !== undefined && last.high >= range.low; last = result.at(-1)) {
          over.unshift(last)
          result.pop()
        }
        if (isNew && exclusive && covers(over, range))
          throw this.#refusal('NFB_EXISTS', range, 'is in the set already')
        this.#lay(range, over, result)
      }
      return result
    })
  }

  /** Lays a range over those that it overlaps: where both are, the one that lives longer stays. */
  #lay(range: Range, over: readonly Range[], result: Range[]): void {
    const life = this.#life(range)
    let at = range.low
    for (const other of over) {
      if (other.low > range.high) {
        if (at <= range.high) this.#push(result, part(range, at, range.high))
        at = range.high + 1n
        this.#push(result, other)
        continue
      }
      if (other.low < range.low) this.#push(result, part(other, other.low, range.low - 1n))
      const first = other.low > range.low ? other.low : range.low
      const last = other.high < range.high ? other.high : range.high
      if (at < first) this.#push(result, part(range, at, first - 1n))
      this.#push(result, part(life > this.#life(other) ? range : other, first, last))
      if (other.high > range.high) this.#push(result, part(other, range.high + 1n, other.high))
      at = last + 1n
    }
    if (at <= range.high) this.#push(result, part(range, at, range.high))
  }

  /** Neighbours that live equally long become one, with what is said of the lower. */
  #push(result: Range[], range: Range): void {
    const last = result.at(-1)
    if (last === undefined || last.high + 1n !== range.low || this.#life(last) !== this.#life(range)) {
      result.push(range)
      return
    }
    result[result.length - 1] = { ...last, high: range.high, closed: range.high !== this.settings.last }
  }

  /** Milliseconds from now. */
  #life({ attributes: { expiration, timeout = this.settings.timeout } }: Range): number {
    const left = expiration ?? timeout
    return left === undefined || left === 0n ? Number.POSITIVE_INFINITY : Number(left)
  }

  #cut(asked: readonly Range[], must: boolean): RangeChange {
    return this.#replace(asked, (before) => {
      if (must) for (const range of asked) if (!covers(before, range)) throw this.#notThere(range)
      const left: Range[] = []
      let next = 0
      for (const range of before) {
        while ((asked[next]?.high ?? range.low) < range.low) next++
        let rest: Range | undefined = range
        for (let at = next; rest !== undefined; at++) {
          const cut = asked[at]
          if (cut === undefined || cut.low > rest.high) break
          if (cut.high < rest.low) continue
          if (rest.low < cut.low) left.push(part(rest, rest.low, cut.low - 1n))
          rest = cut.high < rest.high ? part(rest, cut.high + 1n, rest.high) : undefined
        }
        if (rest !== undefined) left.push(rest)
      }
      return left
    })
  }

  /** Makes the ranges near to those asked for anew; what became the same again stays itself. */
  #replace(asked: readonly Range[], make: (before: readonly Range[]) => readonly Range[]): RangeChange {
    const list = this.#within(asked, (before) => {
      const old = new Map(before.map((range) => [range.low, range]))
      return make(before).map((range) => {
        const same = old.get(range.low)
        return same !== undefined && isSame(same, range) ? same : range
      })
    })
    return { list, ...differenceOf(this, list), again: [] }
  }

  /** Replaces the ranges that overlap or touch the span of those asked for. */
  #within(asked: readonly Range[], make: (before: readonly Range[]) => readonly Range[]): RangeList {
    const [first] = asked
    if (first === undefined) return this
    const highest = asked.reduce((high, range) => (range.high > high ? range.high : high), first.high)
    const start = Math.max(0, firstFrom(this.ranges, first.low) - 1)
    let end = firstFrom(this.ranges, highest + 1n)
    if (this.ranges[end]?.low === highest + 1n) end++
    const made = make(this.ranges.slice(start, end))
    const ranges = [...this.ranges.slice(0, start), ...made, ...this.ranges.slice(end)]
    return new RangeList(ranges, this.settings)
  }

  #overlap(mine: Range, other: Range, asked: readonly Range[]): RangeRefused {
    const text = this.settings.describe(other.low, other.high)
    const where = asked.includes(other) ? 'is added with it' : 'is in the set already'
    return this.#refusal('NFB_EXISTS', mine, `overlaps ${text}, which ${where}`)
  }

  #notThere(range: Range): RangeRefused {
    const { describe } = this.settings
    const near = this.ranges.filter((other) => other.high >= range.low && other.low <= range.high)
    const has = near.slice(0, 2).map((other) => describe(other.low, other.high))
    const rest = near.length > 2 ? `, and ${near.length - 2} more` : ''
    const known = near.length === 0 ? 'nothing of it' : `${has.join(' and ')}${rest}`
    return this.#refusal('NFB_MISSING', range, `is no range of the set, which has ${known}`)
  }

  #refusal(code: RangeRefused['code'], range: Range, what: string): RangeRefused {
    return new RangeRefused(code, `${this.settings.describe(range.low, range.high)} ${what}`, range.place)
  }
}

/** What leads from one list to another. A range that only got an end is added, and not removed. */
export function differenceOf(before: RangeList, after: RangeList): Pick<RangeChange, 'removed' | 'added'> {
  const [old, now] = [before.ranges, after.ranges]
  let start = 0
  while (start < old.length && old[start] === now[start]) start++
  let same = 0
  const most = Math.min(old.length, now.length) - start
  while (same < most && old[old.length - 1 - same] === now[now.length - 1 - same]) same++
  const going = new Map(old.slice(start, old.length - same).map((range) => [range.low, range]))
  const added = now.slice(start, now.length - same).filter((range) => {
    const known = going.get(range.low)
    if (known === undefined || !isSame(known, range)) return true
    going.delete(range.low)
    return range.closed && !known.closed
  })
  return { removed: [...going.values()], added }
}

function isSame(one: Range, other: Range): boolean {
  return one.low === other.low && one.high === other.high && one.attributes === other.attributes
}

/** A part of a range; the whole of it is itself. */
function part(range: Range, low: bigint, high: bigint): Range {
  if (low === range.low && high === range.high) return range
  const { attributes, place } = range
  const closed = high < range.high || range.closed
  return { low, high, attributes, closed, ...(place !== undefined && { place }) }
}

function inOrder(ranges: readonly Range[]): readonly Range[] {
  return ranges.toSorted((one, other) =>
    one.low === other.low ? compare(one.high, other.high) : compare(one.low, other.low),
  )
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** Two sorted lists as one; of equal beginnings what is there comes first. */
function* interleaved(
  before: readonly Range[],
  asked: readonly Range[],
): Generator<readonly [Range, isNew: boolean], void, undefined> {
  let at = 0
  for (const range of asked) {
    for (let next = before[at]; next !== undefined && next.low <= range.low; next = before[++at])
      yield [next, false]
    yield [range, true]
  }
  for (let next = before[at]; next !== undefined; next = before[++at]) yield [next, false]
}

/** The index of the first range that begins at a value or above. */
function firstFrom(ranges: readonly Range[], low: bigint): number {
  let [start, end] = [0, ranges.length]
  while (start < end) {
    const middle = (start + end) >>> 1
    const range = ranges[middle]
    if (range !== undefined && range.low < low) start = middle + 1
    else end = middle
  }
  return start
}

/** Whether ranges, sorted, have every value of a range. */
function covers(ranges: readonly Range[], { low, high }: Range): boolean {
  let at = low
  for (let index = Math.max(0, firstFrom(ranges, low) - 1); index < ranges.length; index++) {
    const range = ranges[index]
    if (range === undefined || range.low > at) return false
    if (range.high >= high) return true
    if (range.high >= at) at = range.high + 1n
  }
  return false
}
