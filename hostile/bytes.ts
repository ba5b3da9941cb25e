/** What encoders share. */

export function word(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff]
}

export function long(value: number): number[] {
  return [...word(value >>> 16), ...word(value)]
}

/** RFC 1071. */
export function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2)
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export function macBytes(text: string): number[] {
  return text.split(':').map((byte) => Number.parseInt(byte, 16))
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
