/** Keys of named sets that a rule has in registers. */
import type { NftSetRecord } from '../../native/records.js'
import { readValue } from './constants.js'
import { keyEncoding } from './encodings.js'
import type { Loaded } from './value.js'

/** Constants among the fields of a key, as the set's types have them. */
export function namedConstants(loaded: readonly Loaded[], set: NftSetRecord): readonly Loaded[] {
  if (!loaded.some(({ value }) => value.kind === 'constant')) return loaded
  const fields = keyEncoding(set) ?? []
  return loaded.map((each, index) => {
    const field = fields[index]
    if (each.value.kind !== 'constant' || field?.length !== each.length) return each
    const expression = readValue(each.value.bytes, field)
    return { ...each, value: { kind: 'key', expression, type: field.type, order: field.order } }
  })
}
