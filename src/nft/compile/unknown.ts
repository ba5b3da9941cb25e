/** What was listed without a property of its own goes back as it was. */
import type { OpaqueEntry } from '../../native/records.js'
import { fromHexadecimal, InvalidValue, quote } from '../datatype/index.js'
import { USERDATA_MAX } from '../kernel/constants.js'
import type { UnknownParts, UnknownValue } from '../model/index.js'
import type { Trail } from './trail.js'

/** The user data of an object: what the model has of it, then the rest. The trail stands at the object. */
export function withUnknownUserdata(
  known: Uint8Array | undefined,
  unknown: UnknownParts | undefined,
  trail: Trail,
): Uint8Array | undefined {
  if (unknown?.userdata === undefined) return known
  trail.enter('unknown')
  trail.enter('userdata')
  const bytes = joined(known, userdataBytes(unknown.userdata, trail))
  if (bytes.length > USERDATA_MAX)
    throw new InvalidValue(`user data is longer than the ${USERDATA_MAX} bytes that the kernel keeps`)
  trail.leave()
  trail.leave()
  return bytes
}

/** Whether a value of user data is among it. */
export function hasUserdata(unknown: UnknownParts | undefined, type: number): boolean {
  const userdata = unknown?.userdata
  return Array.isArray(userdata) && userdata.some((value: UnknownValue) => value?.type === type)
}

function userdataBytes(userdata: NonNullable<UnknownParts['userdata']>, trail: Trail): Uint8Array {
  if (typeof userdata === 'string') return fromHexadecimal(userdata)
  return eachValue(userdata, trail, ({ type, value }) => {
    const bytes = fromHexadecimal(value)
    if (type > 0xff || bytes.length > 0xff)
      throw new InvalidValue('a value of user data has a type and a length below 256')
    return Uint8Array.of(type, bytes.length, ...bytes)
  }).reduce(joined, new Uint8Array(0))
}

function joined(one: Uint8Array | undefined, other: Uint8Array): Uint8Array {
  if (one === undefined) return other
  const bytes = new Uint8Array(one.length + other.length)
  bytes.set(one)
  bytes.set(other, one.length)
  return bytes
}

/** Attributes for the record of an object, or of a part of it. The trail stands at the object. */
export function unknownAttributes(
  unknown: UnknownParts | undefined,
  part: 'attributes' | 'hook' | 'description',
  trail: Trail,
): { readonly opaque?: readonly OpaqueEntry[] } {
  const values = unknown?.[part]
  if (values === undefined) return {}
  trail.enter('unknown')
  trail.enter(part)
  const opaque = eachValue(values, trail, ({ type, value }) => ({ type, bytes: fromHexadecimal(value) }))
  trail.leave()
  trail.leave()
  return { opaque }
}

/** Bits of flags that have no names. */
export function unknownFlags(unknown: UnknownParts | undefined): number {
  const flags = unknown?.flags ?? 0
  if (!isWord(flags)) throw new InvalidValue(`${quote(flags)} is no number of 32 bits`)
  return flags
}

function eachValue<T>(
  values: readonly UnknownValue[],
  trail: Trail,
  read: (value: UnknownValue) => T,
): readonly T[] {
  if (!Array.isArray(values)) throw new InvalidValue(`a list of values is expected, not ${quote(values)}`)
  return values.map((value: UnknownValue, index) => {
    trail.enter(index)
    if (!isWord(value?.type)) throw new InvalidValue(`${quote(value)} is no value of an unknown type`)
    const made = read(value)
    trail.leave()
    return made
  })
}

function isWord(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}
