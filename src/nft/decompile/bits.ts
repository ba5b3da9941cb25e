/** Masks: bits counted from the most significant of the first byte. */

function bitAt(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1
}

/** Where the ones of a mask are, when they are all next to each other; undefined otherwise. */
export function maskRange(
  mask: Uint8Array,
): { readonly offset: number; readonly length: number } | undefined {
  const bits = mask.length * 8
  let offset = 0
  while (offset < bits && bitAt(mask, offset) === 0) offset++
  let end = offset
  while (end < bits && bitAt(mask, end) === 1) end++
  const length = end - offset
  while (end < bits && bitAt(mask, end) === 0) end++
  return length > 0 && end === bits ? { offset, length } : undefined
}

/** Where the first and the last one of a mask are, whatever is between them; undefined without any. */
export function maskBounds(
  mask: Uint8Array,
): { readonly offset: number; readonly length: number } | undefined {
  const ones = Array.from({ length: mask.length * 8 }, (_, bit) => bit).filter(
    (bit) => bitAt(mask, bit) === 1,
  )
  const [offset] = ones
  const last = ones.at(-1)
  return offset === undefined || last === undefined ? undefined : { offset, length: last - offset + 1 }
}

/** The length of a network's prefix that a mask is; undefined for a mask that is none. */
export function prefixOfMask(mask: Uint8Array): number | undefined {
  if (mask.every((byte) => byte === 0)) return 0
  const range = maskRange(mask)
  return range?.offset === 0 ? range.length : undefined
}

/** The length of the prefix that the addresses from `first` to `last` share, when they are all that share it. */
export function prefixOfRange(first: Uint8Array, last: Uint8Array): number | undefined {
  const bits = first.length * 8
  let length = 0
  while (length < bits && bitAt(first, length) === bitAt(last, length)) length++
  for (let bit = length; bit < bits; bit++)
    if (bitAt(first, bit) !== 0 || bitAt(last, bit) !== 1) return undefined
  return length
}

/** One less, as a big-endian number; all ones for zero. */
export function predecessor(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice()
  for (let index = result.length - 1; index >= 0; index--) {
    const byte = result[index] ?? 0
    result[index] = byte === 0 ? 0xff : byte - 1
    if (byte !== 0) break
  }
  return result
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
