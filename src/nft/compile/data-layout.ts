/** What a map gives for its keys: verdicts, named objects, values, or ranges of values. */
import { type ByteOrder, type KeyLayout, keyLayout, verdictTypeId } from '../datatype/index.js'
import { ObjectTypes, SetFlags } from '../kernel/constants.js'
import type { MapType, NamedMap, StatefulKind } from '../model/index.js'
import type { SetRecord } from './message.js'

/** Values; with `ranges` each is the lowest and, behind it, the highest of several (addresses to translate to). */
export interface ValueLayout extends KeyLayout {
  readonly ranges?: boolean
}

export type DataLayout = ValueLayout | 'verdict' | StatefulKind

/** Whether a map gives named objects. */
export function isObjectKind(map: MapType): map is StatefulKind {
  return typeof map === 'string' && Object.hasOwn(ObjectTypes, map)
}

/** The layout of what a map is declared to give. */
export function dataLayout(map: MapType, types: Omit<SetTypes, 'type'> = {}): DataLayout {
  if (map === 'verdict' || isObjectKind(map)) return map
  const layout = keyLayout(map, { lengths: types.dataLen, order: types.dataOrder })
  return types.ranges ? { ...layout, ranges: true } : layout
}

/** What a declaration says of a set's types. */
export type SetTypes = Pick<NamedMap, 'type' | 'keyLen' | 'keyOrder' | 'dataLen' | 'dataOrder' | 'ranges'>

/** The layout of the keys that a set is declared to have. */
export function declaredKey({ type, keyLen, keyOrder }: SetTypes): KeyLayout {
  return keyLayout(type, { lengths: keyLen, order: keyOrder })
}

/** How a set's message says what it maps to. */
export function dataAttributes(
  data: DataLayout,
): Pick<SetRecord, 'dataType' | 'dataLen'> | Pick<SetRecord, 'objType'> {
  if (data === 'verdict') return { dataType: verdictTypeId, dataLen: 0 }
  if (typeof data === 'string') return { objType: ObjectTypes[data] }
  return { dataType: data.typeId, dataLen: data.ranges ? 2 * data.length : data.length }
}

export function dataFlags(data: DataLayout): number {
  return typeof data === 'string' && data !== 'verdict' ? SetFlags.object : SetFlags.map
}

/** The byte order that a map's user data tells; undefined where there is none. */
export function dataOrder(data: DataLayout): ByteOrder | undefined {
  return typeof data === 'string' ? undefined : data.order
}

export function hasRanges(data: DataLayout): boolean {
  return typeof data !== 'string' && data.ranges === true
}

/** Whether user data tells of it at all: of named objects it does not. */
export function isDescribed(data: DataLayout): boolean {
  return typeof data !== 'string' || data === 'verdict'
}
