/** What a listed object has that the model has no property for. */
import type { OpaqueEntry } from '../../native/records.js'
import { hexadecimal } from '../datatype/index.js'
import type { UnknownParts, UnknownValue, WithUnknown } from '../model/index.js'
import { readUserdata } from './userdata.js'

/** User data: the values of the types that are known, and the rest. */
interface Split {
  readonly values: ReadonlyMap<number, Uint8Array>
  readonly userdata: UnknownParts['userdata']
}

/** User data that is no list of values, each type once, is not known at all. */
export function splitUserdata(bytes: Uint8Array | undefined, known: readonly number[]): Split {
  const all = readUserdata(bytes)
  if (all === undefined) return { values: new Map(), userdata: bytes && hexadecimal(bytes) }
  const unknown: UnknownValue[] = []
  for (const [type, value] of all)
    if (!known.includes(type)) unknown.push({ type, value: hexadecimal(value) })
  return { values: all, userdata: unknown.length > 0 ? unknown : undefined }
}

/** The names of the bits that are set, in the order of the table, and the bits that it does not have. */
export function splitFlags<Name extends string>(
  table: { readonly [N in Name]: number },
  flags: number,
  silent = 0,
): { readonly names: Name[]; readonly flags: number | undefined } {
  const pairs = Object.entries(table) as [Name, number][]
  const known = pairs.reduce((all, [, bit]) => all | bit, silent)
  const rest = (flags & ~known) >>> 0
  return {
    names: pairs.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name),
    flags: rest === 0 ? undefined : rest,
  }
}

/** What of it there is, as the property of the model. */
export function unknownParts(parts: {
  readonly userdata?: UnknownParts['userdata'] | undefined
  readonly attributes?: readonly OpaqueEntry[] | undefined
  readonly hook?: readonly OpaqueEntry[] | undefined
  readonly description?: readonly OpaqueEntry[] | undefined
  readonly flags?: number | undefined
}): WithUnknown {
  const { userdata, attributes, hook, description, flags } = parts
  const unknown: UnknownParts = {
    ...(userdata !== undefined && { userdata }),
    ...(attributes && { attributes: attributes.map(asText) }),
    ...(hook && { hook: hook.map(asText) }),
    ...(description && { description: description.map(asText) }),
    ...(flags !== undefined && { flags }),
  }
  return Object.keys(unknown).length > 0 ? { unknown } : {}
}

function asText({ type, bytes }: OpaqueEntry): UnknownValue {
  return { type, value: hexadecimal(bytes) }
}
