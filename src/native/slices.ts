/**
 * Long work in slices: a listing of a large table must not hold the thread that answers everybody else. What is long
 * is a generator that yields often; here it is run, at once or with rests.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long a slice may last, in milliseconds; a step beyond that is as long as it is. */
const sliceMs = 2

/** Runs all steps at once. */
export function atOnce<T>(steps: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Runs the steps, and lets others have their turn in between. */
export async function inSlices<T>(steps: Generator<undefined, T, undefined>): Promise<T> {
  let end = performance.now() + sliceMs
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (performance.now() < end) continue
    await nextTurn()
    end = performance.now() + sliceMs
  }
}

/** Picks from many: `undefined` leaves an item out. */
export function* picked<T, R>(
  items: Iterable<T>,
  pick: (item: T) => R | undefined,
): Generator<undefined, R[], undefined> {
  const found: R[] = []
  for (const item of items) {
    const result = pick(item)
    if (result !== undefined) found.push(result)
    yield
  }
  return found
}

/** How many items are sorted, or merged, in one step. */
const run = 1024

/** A sorted copy; equal items keep their order. */
export function* sorted<T>(
  items: readonly T[],
  compare: (one: T, other: T) => number,
): Generator<undefined, readonly T[], undefined> {
  let runs: (readonly T[])[] = []
  for (let start = 0; start < items.length; start += run) {
    runs.push(items.slice(start, start + run).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = []
    for (let index = 0; index < runs.length; index += 2)
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

function* merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (one: T, other: T) => number,
): Generator<undefined, readonly T[], undefined> {
  const result: T[] = []
  let at = 0
  for (const item of right) {
    for (let next = left[at]; at < left.length && next !== undefined; next = left[++at]) {
      if (compare(next, item) > 0) break
      result.push(next)
    }
    result.push(item)
    if (result.length % run === 0) yield
  }
  for (; at < left.length; at++) {
    const next = left[at]
    if (next !== undefined) result.push(next)
    if (result.length % run === 0) yield
  }
  return result
}
