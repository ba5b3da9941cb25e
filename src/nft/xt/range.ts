/** Ranges of numbers, as options have them. */

import { InvalidValue, quote } from '../datatype/index.js'
import type { Expression, XtRange } from '../model/index.js'
import type { XtTest } from './codec.js'

/** Refuses what is no range from 0 to `highest`. */
export function checkRange(range: XtRange, highest = 0xffff): XtRange {
  const [low, high] = range
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < 0 || low > high || high > highest)
    throw new InvalidValue(`${quote(range)} is no range of numbers from 0 to ${highest}`)
  return range
}

/** `80`, `80:90` */
export function rangeText([low, high]: XtRange): string {
  return low === high ? String(low) : `${low}:${high}`
}

/** A range as an expression of nft. */
export function rangeExpression([low, high]: XtRange): Expression {
  return low === high ? low : { range: [low, high] }
}

/** A test of the whole range says nothing, unless it is inverted. */
export function testedRange(
  range: readonly number[],
  highest: number,
  inv: boolean,
): XtTest<XtRange> | undefined {
  const [low = 0, high = 0] = range
  if (low === 0 && high === highest && !inv) return undefined
  return { value: [low, high], ...(inv && { inv: true }) }
}
