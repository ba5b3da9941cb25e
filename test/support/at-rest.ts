/** Comparisons with what the kernel changes by itself: duplicate address detection, carriers, neighbours, timers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { PATIENCE_MS } from '../../lab/machine.js'

const INTERVAL_MS = 5

/**
 * Fails unless two listings of one thing agree. They are taken one after the other: so the first is taken again after the second,
 * and where it changed meanwhile all is done anew. What differs while the first stands still is a difference.
 * @param ours what we list, in the terms of the other
 * @param theirs what another program prints; JSON in which undefined is absent
 * @param patienceMs how long the kernel may go on changing
 */
export async function expectSameAtRest<T>(
  ours: () => Promise<T>,
  theirs: () => Promise<unknown>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs
  for (;;) {
    const before = await ours()
    const between = await theirs()
    const after = await ours()
    if (isDeepStrictEqual(before, after) || performance.now() > end) {
      expect(before).toEqual(between)
      return
    }
    await sleep(INTERVAL_MS)
  }
}
