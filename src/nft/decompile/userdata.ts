/** User data of rules, sets, elements and the like: a byte of type, a byte of length, the value, repeated. */

const decoder = new TextDecoder()

/** The values by their types; undefined when the bytes are not what libnftnl writes: a list with each type once. */
export function readUserdata(bytes: Uint8Array | undefined): ReadonlyMap<number, Uint8Array> | undefined {
  const values = new Map<number, Uint8Array>()
  if (bytes === undefined) return values
  let at = 0
  while (at < bytes.length) {
    const type = bytes[at]
    const length = bytes[at + 1]
    if (type === undefined || length === undefined || at + 2 + length > bytes.length) return undefined
    if (values.has(type)) return undefined
    values.set(type, bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return values
}

/** The user data without what it says of one type; undefined when nothing is left. */
export function withoutUserdata(bytes: Uint8Array | undefined, type: number): Uint8Array | undefined {
  if (bytes === undefined || readUserdata(bytes)?.has(type) !== true) return bytes
  const kept: number[] = []
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] ?? 0))
    if (bytes[at] !== type) kept.push(...bytes.subarray(at, at + 2 + (bytes[at + 1] ?? 0)))
  return kept.length === 0 ? undefined : Uint8Array.from(kept)
}

/** Text with its terminating zero byte. */
export function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}
