/** Ranges as people write them, for messages. */
import type { KeyField } from '../datatype/index.js'
import { toBytes } from './range.js'

type Field = Pick<KeyField, 'type' | 'offset' | 'length'>

/** Of one field, whose values are most significant byte first. */
export function describeRange(field: Field): (low: bigint, high: bigint) => string {
  return (low, high) =>
    fieldText({ ...field, offset: 0 }, toBytes(low, field.length), toBytes(high, field.length))
}

/** Of several. */
export function describeBox(fields: readonly Field[]): (low: Uint8Array, high: Uint8Array) => string {
  return (low, high) => fields.map((field) => fieldText(field, low, high)).join(' . ')
}

function fieldText({ type, offset, length }: Field, low: Uint8Array, high: Uint8Array): string {
  const [first, last] = [low, high].map((bytes) => String(type.read(bytes, offset, length, 'big')))
  return first === last ? `${first}` : `${first}-${last}`
}
