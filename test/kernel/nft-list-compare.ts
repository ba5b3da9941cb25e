/** Listings of nft and of ours made comparable: without handles, sets in one order. */
import { isObject, type JsonObject } from '../support/tools.js'

/** Sorted keys; elements of sets in an order of their own; no handles; bytes and big numbers as text. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (typeof value === 'bigint') return `${value}n`
  if (!isObject(value)) return value
  const pairs = Object.keys(value)
    .filter((key) => key !== 'handle')
    .sort()
    .map((key): [string, unknown] => {
      const child = value[key]
      return [
        key,
        (key === 'set' || key === 'elem') && Array.isArray(child) ? sorted(child) : comparable(child),
      ]
    })
  return Object.fromEntries(pairs)
}

function sorted(elements: readonly unknown[]): unknown[] {
  return elements
    .map(comparable)
    .map((element) => ({ element, text: JSON.stringify(element) }))
    .sort((one, other) => (one.text < other.text ? -1 : 1))
    .map(({ element }) => element)
}

/** The objects of one kind in a listing in JSON. */
export function kind(objects: readonly object[], name: string): JsonObject[] {
  return objects.flatMap((object) => {
    const child = isObject(object) ? object[name] : undefined
    return isObject(child) ? [child] : []
  })
}
