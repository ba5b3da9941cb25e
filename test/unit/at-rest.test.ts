import { describe, expect, it } from 'vitest'
import { expectSameAtRest } from '../support/at-rest.js'

/** Gives one value after the other, the last for good; counts how often it was asked. */
function series<T>(...values: [T, ...T[]]): { readonly next: () => Promise<T>; asked: number } {
  const all = {
    asked: 0,
    next: async () => values[Math.min(all.asked++, values.length - 1)] ?? values[0],
  }
  return all
}

describe('expectSameAtRest', () => {
  it('passes where both agree at once', async () => {
    const ours = series(['a'])
    await expectSameAtRest(ours.next, async () => ['a'])
    expect(ours.asked).toBe(2)
  })

  it('compares anew what changed between the two', async () => {
    const ours = series<string[]>(['a'], ['a', 'b'], ['a', 'b'])
    const theirs = series(['a', 'b'])
    await expectSameAtRest(ours.next, theirs.next)
    expect(theirs.asked).toBe(2)
  })

  it('fails at once where what stands still differs', async () => {
    const [ours, theirs] = [series(['a']), series(['b'])]
    await expect(expectSameAtRest(ours.next, theirs.next)).rejects.toThrow(/to deeply equal/)
    expect(theirs.asked).toBe(1)
  })

  it('fails where nothing comes to rest and nothing agrees', async () => {
    let count = 0
    await expect(
      expectSameAtRest(
        async () => ++count,
        async () => -1,
        50,
      ),
    ).rejects.toThrow(/to deeply equal/)
    expect(count).toBeGreaterThan(2)
  })
})
