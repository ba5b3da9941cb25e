/** Records of the kernel's as values that JSON can hold, and back. */
import { fromHexadecimal, hexadecimal, InvalidValue, quote } from '../datatype/index.js'
import type { OpaqueRecord, OpaqueValue } from '../model/index.js'

/** The record with bytes as `{ hex }` and numbers of 64 bits as `{ integer }`. */
export function plainRecord(record: object): OpaqueRecord {
  const plain: { [property: string]: OpaqueValue } = {}
  for (const [name, value] of Object.entries(record)) if (value !== undefined) plain[name] = plainValue(value)
  return plain
}

function plainValue(value: unknown): OpaqueValue {
  if (value instanceof Uint8Array) return { hex: hexadecimal(value) }
  if (typeof value === 'bigint') return { integer: value.toString() }
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value === 'object' && value !== null) return plainRecord(value)
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value
  throw new TypeError(`a record has no value of type ${typeof value}`)
}

/**
 * The record that a plain one stands for. Whether its properties are those of its message is for the packer to see, which
 * looks at each of them.
 * @throws InvalidValue
 */
export function kernelRecord<R extends object>(plain: OpaqueRecord): R {
  if (!isRecord(plain)) throw new InvalidValue(`a record is expected, not ${quote(plain)}`)
  const record: { [property: string]: unknown } = {}
  for (const [name, value] of Object.entries(plain)) record[name] = kernelValue(value)
  return record as R
}

function kernelValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kernelValue)
  if (!isRecord(value)) return value
  const [[name, inner] = ['', undefined], ...more] = Object.entries(value)
  if (more.length === 0 && typeof inner === 'string') {
    if (name === 'hex') return fromHexadecimal(inner)
    if (name === 'integer' && /^\d+$/.test(inner)) return BigInt(inner)
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, kernelValue(each)]))
}

function isRecord(value: unknown): value is { readonly [property: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
