import fc from 'fast-check'
import { expect, it } from 'vitest'
import { atOnce, inSlices, picked, sorted } from '../../../src/native/slices.js'

it('sorts as Array.prototype.sort does, equal items in their order', () => {
  const item = fc.record({ key: fc.nat(20), place: fc.nat() })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 5000, size: 'max' }), (items) => {
      const compare = (one: { key: number }, other: { key: number }): number => one.key - other.key
      expect(atOnce(sorted(items, compare))).toEqual(items.toSorted(compare))
    }),
    { numRuns: 30 },
  )
})

it('picks what is defined', () => {
  expect(atOnce(picked([1, 2, 3, 4], (n) => (n % 2 === 0 ? n * 10 : undefined)))).toEqual([20, 40])
})

it('lets others have their turn during long work', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  function* work(): Generator<undefined, string, undefined> {
    // Ends when the others had their turns; without, at a limit.
    const end = performance.now() + 30_000
    while (turns <= 5 && performance.now() < end) yield
    return 'done'
  }
  expect(await inSlices(work())).toBe('done')
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
})

it('fails as the work fails', async () => {
  // biome-ignore lint/correctness/useYield: it fails before
  function* work(): Generator<undefined, string, undefined> {
    throw new Error('broken')
  }
  await expect(inSlices(work())).rejects.toThrow('broken')
})
