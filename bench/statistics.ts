/** The few numbers that a comparison on a noisy machine needs. */

/** The middle value; of an even count, the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const above = sorted[Math.floor(middle)] ?? Number.NaN
  if (sorted.length % 2 === 1) return above
  return (above + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/**
 * The median of the ratios of values measured side by side: `values[i]` and `base[i]` come from the same round, so a
 * machine that was slow for a while was slow for both.
 */
export function medianRatio(values: readonly number[], base: readonly number[]): number {
  return median(values.map((value, index) => value / (base[index] ?? Number.NaN)))
}
