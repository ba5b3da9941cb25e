import { onTestFinished } from 'vitest'

/** Runs when the test ends, well or not; last in, first out. */
export function cleanUp(work: () => unknown): void {
  onTestFinished(async () => {
    await work()
  })
}
