/** Time limits of probes. */

const STEP_MS = 10

/**
 * Calls back after so many milliseconds of this thread's own time: in steps, each of which begins when the one before it was
 * run. On a busy machine a thread gets no processor for a while; the answer may then be there already and not yet read, and a
 * plain timer that is overdue would be run before it.
 * @returns a function that ends the limit
 */
export function startTimeLimit(milliseconds: number, expired: () => void): () => void {
  let left = milliseconds
  const step = (): NodeJS.Timeout => {
    const length = Math.min(STEP_MS, left)
    left -= length
    return setTimeout(() => {
      if (left > 0) timer = step()
      else expired()
    }, length)
  }
  let timer = step()
  return () => clearTimeout(timer)
}
