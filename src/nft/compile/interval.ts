/** Ranges and prefixes, and how interval sets keep them: as half-open intervals with a marked end. */
import { type Datatype, encodeText, InvalidValue, quote } from '../datatype/index.js'
import type { Expression, PrefixExpression, RangeExpression } from '../model/index.js'
import { isObject, writeConstant } from './constant.js'

export function isRange(expression: Expression): expression is RangeExpression {
  return isObject(expression) && 'range' in expression
}

export function isPrefix(expression: Expression): expression is PrefixExpression {
  return isObject(expression) && 'prefix' in expression
}

/** `eth*`: names that begin alike. A backslash before the star means the star itself. */
export function isWildcard(expression: Expression, type: Datatype): expression is string {
  return (
    type.text && typeof expression === 'string' && expression.endsWith('*') && !expression.endsWith('\\*')
  )
}

/** Whether an expression stands for more than one value. */
export function isInterval(expression: Expression, type: Datatype): boolean {
  return isRange(expression) || isPrefix(expression) || isWildcard(expression, type)
}

/** Checks the length of a prefix against the bits of its type. */
export function prefixLength(prefix: PrefixExpression['prefix'], bits: number): number {
  if (!Number.isInteger(prefix.len) || prefix.len < 0 || prefix.len > bits)
    throw new InvalidValue(`a prefix of ${quote(prefix.len)} bits does not exist, the value has ${bits}`)
  return prefix.len
}

/**
 * Writes the lowest and the highest value that an expression stands for, most significant byte first: in that order
 * intervals compare as numbers, whatever the order of the type.
 */
export function writeBounds(
  expression: Expression,
  type: Datatype,
  low: Uint8Array,
  high: Uint8Array,
  offset: number,
  length: number,
): void {
  if (isRange(expression)) {
    const [first, last] = expression.range
    writeConstant(first, type, low, offset, length, 'big')
    writeConstant(last, type, high, offset, length, 'big')
    if (compareBytes(low.subarray(offset, offset + length), high.subarray(offset, offset + length)) > 0)
      throw new InvalidValue(`the range ${quote(expression.range)} ends before it begins`)
  } else if (isPrefix(expression)) {
    const bits = prefixLength(expression.prefix, length * 8)
    type.write(expression.prefix.addr, low, offset, length, 'big')
    splitAt(low, high, offset, length, bits)
  } else if (isWildcard(expression, type)) {
    const text = expression.slice(0, -1)
    if (text === '') throw new InvalidValue('"*" stands for every name: leave the test out')
    type.write(text, low, offset, length, 'big')
    splitAt(low, high, offset, length, encodeText(text).length * 8)
  } else {
    writeConstant(expression, type, low, offset, length, 'big')
    high.set(low.subarray(offset, offset + length), offset)
  }
}

/** Keeps the first `bits` of `low`, clears the rest, and sets the rest in `high`. */
function splitAt(low: Uint8Array, high: Uint8Array, offset: number, length: number, bits: number): void {
  for (let index = 0; index < length; index++) {
    const free = Math.min(8, Math.max(0, (index + 1) * 8 - bits))
    const mask = (1 << free) - 1
    const byte = (low[offset + index] ?? 0) & ~mask
    low[offset + index] = byte
    high[offset + index] = byte | mask
  }
}

/** The bytes of a mask with `bits` leading ones. */
export function prefixMask(bits: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => {
    const ones = Math.min(8, Math.max(0, bits - index * 8))
    return (0xff00 >> ones) & 0xff
  })
}

export function compareBytes(first: Uint8Array, second: Uint8Array): number {
  for (let index = 0; index < first.length; index++) {
    const difference = (first[index] ?? 0) - (second[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The next value, or `undefined` after the last. */
export function successor(bytes: Uint8Array): Uint8Array | undefined {
  const next = bytes.slice()
  for (let index = next.length - 1; index >= 0; index--) {
    const byte = next[index] ?? 0
    next[index] = byte + 1
    if (byte !== 0xff) return next
  }
  return undefined
}
