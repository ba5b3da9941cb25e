/** What changes make of the ranges of a set, compared with a model that knows each value by itself. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Range, RangeList, RangeRefused, type RangeSettings } from '../../../src/nft/ranges/index.js'

const LAST = 31
const values = Array.from({ length: LAST + 1 }, (_, value) => value)

function empty(settings: Partial<RangeSettings> = {}): RangeList {
  return new RangeList([], {
    merges: false,
    isMap: false,
    isConstant: false,
    timeout: undefined,
    last: BigInt(LAST),
    describe: (low, high) => `${low}-${high}`,
    ...settings,
  })
}

type Bounds = readonly [low: number, high: number]

const range = ([low, high]: Bounds, place: number, timeout?: number): Range => ({
  low: BigInt(low),
  high: BigInt(high),
  attributes: timeout === undefined ? {} : { timeout: BigInt(timeout) },
  closed: high !== LAST,
  place,
})

const bounds = fc
  .tuple(fc.nat(LAST), fc.nat(6))
  .map(([low, more]): Bounds => [low, Math.min(low + more, LAST)])

const isIn =
  ([low, high]: Bounds) =>
  (value: number): boolean =>
    value >= low && value <= high

const boundsOf = ({ low, high }: Range): Bounds => [Number(low), Number(high)]

/** In order, apart, and as the kernel would have them. */
function checkForm({ ranges }: RangeList): void {
  for (const [index, { low, high, closed }] of ranges.entries()) {
    expect(low <= high).toBe(true)
    expect(closed).toBe(Number(high) !== LAST)
    const before = ranges[index - 1]
    if (before !== undefined) expect(before.high < low).toBe(true)
  }
}

/** The difference that is sent leads from what was there to what is there. */
function checkDifference(before: RangeList, change: ReturnType<RangeList['add']>): void {
  const text = (one: Range): string => `${one.low}-${one.high}`
  const expected = new Set(before.ranges.map(text))
  for (const one of change.removed) expect(expected.delete(text(one))).toBe(true)
  for (const one of change.added) expected.add(text(one))
  expect(change.list.ranges.map(text).sort()).toEqual([...expected].sort())
}

const verbs = ['add', 'create', 'delete', 'destroy'] as const
const step = fc.record({
  verb: fc.constantFrom(...verbs),
  asked: fc.array(bounds, { minLength: 1, maxLength: 4 }),
})

/** The list after a step, or undefined when it was refused. */
function after(
  list: RangeList,
  verb: (typeof verbs)[number],
  asked: readonly Range[],
): RangeList | undefined {
  try {
    const change =
      verb === 'add' || verb === 'create'
        ? list.add(asked, verb === 'create')
        : list.remove(asked, verb === 'delete')
    checkDifference(list, change)
    checkForm(change.list)
    return change.list
  } catch (error) {
    if (error instanceof RangeRefused) return undefined
    throw error
  }
}

test('without merging, a set holds just the ranges that it was given', () => {
  const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    let list = empty()
    let model: readonly Bounds[] = []
    for (const { verb, asked } of steps) {
      const meets = (one: Bounds, other: Bounds): boolean => one[0] <= other[1] && other[0] <= one[1]
      const same = (one: Bounds, other: Bounds): boolean => one[0] === other[0] && one[1] === other[1]
      const has = (one: Bounds): boolean => model.some((other) => same(one, other))
      const adds = verb === 'add' || verb === 'create'
      const right = adds
        ? asked.every((one, index) =>
            [...model, ...asked.slice(0, index)].every((other) =>
              same(one, other) ? verb === 'add' : !meets(one, other),
            ),
          )
        : verb === 'destroy' || asked.every(has)
      const next = after(
        list,
        verb,
        asked.map((one, place) => range(one, place)),
      )
      expect(next !== undefined).toBe(right)
      if (next === undefined) continue
      list = next
      model = adds
        ? [
            ...model,
            ...asked.filter(
              (one, index) => !has(one) && asked.findIndex((other) => same(one, other)) === index,
            ),
          ]
        : model.filter((one) => !asked.some((other) => same(one, other)))
      expect(list.ranges.map(boundsOf)).toEqual(model.toSorted((one, other) => one[0] - other[0]))
    }
  })
  fc.assert(property, { numRuns: 500 })
})

test('merging, a set has each value that it was given, in as few ranges as can be', () => {
  const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    let list = empty({ merges: true })
    let model = new Set<number>()
    for (const { verb, asked } of steps) {
      const next = after(
        list,
        verb,
        asked.map((one, place) => range(one, place)),
      )
      const mine = values.filter((value) => asked.some((one) => isIn(one)(value)))
      if (verb === 'delete') expect(next !== undefined).toBe(mine.every((value) => model.has(value)))
      if (verb === 'add' || verb === 'destroy') expect(next).toBeDefined()
      if (next === undefined) continue
      list = next
      model =
        verb === 'add' || verb === 'create'
          ? new Set([...model, ...mine])
          : new Set([...model].filter((value) => !mine.includes(value)))
      expect(values.filter((value) => list.ranges.some((one) => isIn(boundsOf(one))(value)))).toEqual(
        [...model].sort((one, other) => one - other),
      )
      for (const [index, one] of list.ranges.entries())
        if (index > 0) expect(list.ranges[index - 1]?.high).not.toBe(one.low - 1n)
    }
  })
  fc.assert(property, { numRuns: 500 })
})

test('merging, each value lives as long as the longest that was said of it', () => {
  const one = fc.tuple(bounds, fc.constantFrom(undefined, 1000, 2000, 3000))
  const property = fc.property(
    fc.array(fc.array(one, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
    (steps) => {
      let list = empty({ merges: true })
      const model = new Map<number, number>()
      for (const asked of steps) {
        const next = after(
          list,
          'add',
          asked.map(([each, timeout], place) => range(each, place, timeout)),
        )
        expect(next).toBeDefined()
        if (next === undefined) continue
        list = next
        for (const [each, timeout = Number.POSITIVE_INFINITY] of asked)
          for (const value of values.filter(isIn(each)))
            model.set(value, Math.max(model.get(value) ?? 0, timeout))
        const lives = new Map(
          list.ranges.flatMap((each) =>
            values
              .filter(isIn(boundsOf(each)))
              .map((value) => [value, Number(each.attributes.timeout ?? Number.POSITIVE_INFINITY)] as const),
          ),
        )
        expect([...lives].sort(([a], [b]) => a - b)).toEqual([...model].sort(([a], [b]) => a - b))
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})

test('what is refused names both ranges, and which of those that were asked for it is', () => {
  const { list } = empty().add([range([23, 25], 0), range([28, 29], 1)], false)
  const refused = (work: () => unknown): RangeRefused => {
    try {
      work()
    } catch (error) {
      if (error instanceof RangeRefused) return error
    }
    throw new Error('it was not refused')
  }
  expect(refused(() => list.add([range([1, 2], 0), range([22, 29], 1)], false))).toMatchObject({
    code: 'NFB_EXISTS',
    message: '22-29 overlaps 23-25, which is in the set already',
    place: 1,
  })
  expect(refused(() => list.add([range([1, 5], 0), range([4, 9], 1)], false))).toMatchObject({
    message: '4-9 overlaps 1-5, which is added with it',
    place: 1,
  })
  expect(refused(() => list.remove([range([23, 29], 0)], true))).toMatchObject({
    code: 'NFB_MISSING',
    message: '23-29 is no range of the set, which has 23-25 and 28-29',
    place: 0,
  })
})

test('a range that only the beginning of the next one ended gets an end of its own when that goes', () => {
  const list = new RangeList(
    [
      { low: 1n, high: 4n, attributes: {}, closed: false },
      { low: 5n, high: 9n, attributes: {}, closed: true },
    ],
    empty().settings,
  )
  const { added, removed } = list.remove([range([5, 9], 0)], true)
  expect(removed.map(boundsOf)).toEqual([[5, 9]])
  expect(added).toMatchObject([{ low: 1n, high: 4n, closed: true }])
})
