/** Tables, chains, sets, maps and named objects of the kernel as objects of the model. */

import type { NftChainRecord, NftObjectRecord, NftTableRecord } from '../../native/records.js'
import {
  type Datatype,
  isEmptyNote,
  notedTypes,
  typesFromId,
  verdictNote,
  verdictTypeId,
} from '../datatype/index.js'
import {
  CHAIN_BASE,
  ChainFlags,
  familyNumbers,
  hookNumbers,
  SetFlags,
  SetPolicies,
  TableFlags,
  UserdataTypes,
} from '../kernel/constants.js'
import type {
  Chain,
  ChainFlag,
  ChainType,
  DatatypeName,
  Family,
  Hook,
  MapElement,
  MapType,
  NamedMap,
  NamedSet,
  SetElement,
  SetFlag,
  StatefulStatement,
  Table,
  TableFlag,
  TypeofSpecification,
  UnknownParts,
  WithUnknown,
} from '../model/index.js'
import { readCounter, readElements, seconds } from './elements.js'
import {
  dataEncoding,
  declaredLengths,
  declaredOrders,
  type FieldEncoding,
  givesRanges,
  keyEncoding,
} from './encodings.js'
import { objectKind } from './object-reference.js'
import { type KernelSet, withNames } from './set-catalog.js'
import { readStateful } from './stateful.js'
import { typeofSpecification } from './typeof.js'
import { splitFlags, splitUserdata, unknownParts } from './unknown.js'
import { readText } from './userdata.js'

const families: ReadonlyMap<number, Family> = inverse<Family>(familyNumbers)

function inverse<Name extends string>(table: { readonly [N in Name]?: number }): ReadonlyMap<number, Name> {
  const pairs = Object.entries(table) as [Name, number][]
  return new Map(pairs.map(([name, number]) => [number, name]))
}

/** The family of a message; undefined for one that the model does not have. */
export function readFamily(number: number | undefined): Family | undefined {
  return families.get(number ?? -1)
}

/** The comment, which is the one value of user data that most objects have, and the rest. */
function commentOf(
  bytes: Uint8Array | undefined,
  type: number,
): { readonly comment: { readonly comment?: string }; readonly userdata: UnknownParts['userdata'] } {
  const { values, userdata } = splitUserdata(bytes, [type])
  const text = values.get(type)
  return { comment: text ? { comment: readText(text) } : {}, userdata }
}

interface Common {
  readonly family: Family
  readonly name: string
  readonly handle?: number
}

function common(record: {
  readonly family?: number
  readonly name?: string
  readonly handle?: bigint
}): Common | undefined {
  const family = readFamily(record.family)
  const { name, handle } = record
  if (!family || name === undefined) return undefined
  return { family, name, ...(handle !== undefined && { handle: Number(handle) }) }
}

/** Undefined when the table is of a family that the model does not have. */
export function readTable(record: NftTableRecord): Table | undefined {
  const base = common(record)
  if (!base) return undefined
  const { names, flags } = splitFlags<TableFlag>(TableFlags, record.flags ?? 0)
  const { comment, userdata } = commentOf(record.userdata, UserdataTypes.tableComment)
  return {
    ...base,
    ...(names.length > 0 && { flags: names }),
    ...comment,
    ...unknownParts({ userdata, flags, attributes: record.opaque }),
  }
}

/** Undefined when the chain is of a family, type or hook that the model does not have. */
export function readChain(record: NftChainRecord): Chain | undefined {
  const base = common(record)
  const { table, hook, type, policy, counters } = record
  const { names, flags } = splitFlags<ChainFlag>(ChainFlags, record.flags ?? 0, CHAIN_BASE)
  const { comment, userdata } = commentOf(record.userdata, UserdataTypes.chainComment)
  if (!base || table === undefined) return undefined
  const { family, name, ...rest } = base
  const unknown = unknownParts({ userdata, flags, attributes: record.opaque, hook: hook?.opaque })
  const chain: Chain = {
    family,
    table,
    name,
    ...rest,
    ...comment,
    ...(names.length > 0 && { flags: names }),
    ...unknown,
  }
  if (!hook) return chain
  const hookName = inverse<Hook>(hookNumbers[family]).get(hook.hooknum ?? -1)
  if (!isChainType(type) || !hookName) return undefined
  const devices = hook.devs ?? (hook.dev === undefined ? [] : [hook.dev])
  const [device] = devices
  return {
    ...chain,
    type,
    hook: hookName,
    prio: hook.priority ?? 0,
    policy: policy === 0 ? 'drop' : 'accept',
    ...(device !== undefined && { dev: devices.length === 1 ? device : devices }),
    ...(counters && { counters: readCounter(counters) }),
  }
}

function isChainType(type: string | undefined): type is ChainType {
  return type === 'filter' || type === 'nat' || type === 'route'
}

/** What all named objects have; undefined for a family that the model does not have, and for unknown attributes within. */
export function named(record: NftObjectRecord): NamedCommon | undefined {
  const base = common(record)
  if (!base || record.table === undefined || (record.data && 'opaque' in record.data)) return undefined
  const { comment, userdata } = commentOf(record.userdata, UserdataTypes.objectComment)
  const { family, name, ...rest } = base
  return {
    family,
    name,
    table: record.table,
    ...rest,
    ...comment,
    ...unknownParts({ userdata, attributes: record.opaque }),
  }
}

export interface NamedCommon extends Common, WithUnknown {
  readonly table: string
  readonly comment?: string
}

/** Flags that the model says by other means: a map, a set with concatenated ranges. */
const impliedSetFlags = SetFlags.map | SetFlags.concat | SetFlags.object | SetFlags.expressions
const listedSetFlags: { readonly [F in SetFlag]: number } = {
  constant: SetFlags.constant,
  interval: SetFlags.interval,
  timeout: SetFlags.timeout,
  dynamic: SetFlags.dynamic,
}
/** What user data of sets may hold beside what they were declared by: the comment, and what follows from the types. */
const knownSetData = [
  UserdataTypes.setKeyByteOrder,
  UserdataTypes.setDataByteOrder,
  UserdataTypes.setMergeElements,
  UserdataTypes.setDataInterval,
  UserdataTypes.setComment,
]

/** As a declaration by names says it: numbers without a said order are in that of packets, whatever the kernel holds. */
function inDeclaredOrder(
  fields: readonly FieldEncoding[],
  order: 'host' | 'big' | undefined,
): readonly FieldEncoding[] {
  return fields.map((field) => (field.type.bits === 0 ? { ...field, order: order ?? 'big' } : field))
}

/** The expressions that a set was declared by, where they say more than its types do. */
function withoutNotes(
  userdata: UnknownParts['userdata'],
  values: ReadonlyMap<number, Uint8Array>,
  notes: ReadonlyMap<number, Uint8Array | undefined>,
): UnknownParts['userdata'] {
  if (userdata === undefined || typeof userdata === 'string') return userdata
  const kept = userdata.filter(({ type }) => {
    const bytes = values.get(type)
    if (bytes === undefined || !notes.has(type)) return true
    const own = notes.get(type)
    return !isEmptyNote(bytes) && (own === undefined || Buffer.compare(bytes, own) !== 0)
  })
  return kept.length > 0 ? kept : undefined
}

type Notes = ReadonlyMap<number, Uint8Array | undefined>

interface Declared {
  readonly key: TypeofSpecification
  /** Undefined for sets, and for maps that give no values. */
  readonly data: TypeofSpecification | undefined
}

/**
 * The expressions that a set was declared by. What we note of types that have no length of their own is none: whoever
 * declares them by their names lists them so.
 */
function expressionsOf(
  values: ReadonlyMap<number, Uint8Array>,
  own: Notes,
  fields: readonly FieldEncoding[],
  given: readonly FieldEncoding[] | undefined,
): Declared | undefined {
  const isOwn = [...own].every(([type, note]) => {
    const bytes = values.get(type)
    return note === undefined ? bytes === undefined : bytes && Buffer.compare(bytes, note) === 0
  })
  const key = isOwn ? undefined : typeofSpecification(values.get(UserdataTypes.setKeyTypeof), fields)
  const note = values.get(UserdataTypes.setDataTypeof)
  const data = typeofSpecification(note, given)
  if (key === undefined || (given !== undefined && data === undefined)) return undefined
  const isOther = given === undefined && note !== undefined && Buffer.compare(note, verdictNote) !== 0
  return isOther ? undefined : { key, data }
}

function withoutTypes(userdata: UnknownParts['userdata'], notes: Notes): UnknownParts['userdata'] {
  if (userdata === undefined || typeof userdata === 'string') return userdata
  const kept = userdata.filter(({ type }) => !notes.has(type))
  return kept.length > 0 ? kept : undefined
}

/**
 * A set or map that is not anonymous, with its elements, in steps; undefined when it has more than the model can say.
 */
export function* readSet(
  { record, elements }: KernelSet,
  interfaces?: Datatype,
): Generator<undefined, { set: NamedSet } | { map: NamedMap } | undefined, undefined> {
  const base = common(record)
  const { table, policy, timeout, gcInterval, desc } = record
  const types = typesFromId(record.keyType ?? 0)
  const { names: flags, flags: otherFlags } = splitFlags<SetFlag>(
    listedSetFlags,
    record.flags ?? 0,
    impliedSetFlags,
  )
  const { values: userdata, userdata: otherData } = splitUserdata(record.userdata, knownSetData)
  const stmt = readStates(record)
  if (!base || table === undefined || !types || !stmt) return undefined
  const fields = withNames(keyEncoding(record), interfaces)
  const listed = fields && (yield* readElements(record, elements, fields))
  if (!listed) return undefined
  // Of a set whose elements never change, their number is the size, whether it was said or not.
  const isOwnSize = flags.includes('constant') && desc?.size === listed.length
  const size = isOwnSize ? undefined : desc?.size
  const orders = declaredOrders(record)
  const key = declaredLengths(fields, orders.key)
  const given =
    record.dataType === undefined || record.dataType === verdictTypeId ? undefined : dataEncoding(record)
  const noted = notedTypes(
    inDeclaredOrder(fields, orders.key),
    record.dataType === verdictTypeId ? 'verdict' : given && inDeclaredOrder(given, orders.data),
  )
  const notes = new Map([
    [UserdataTypes.setKeyTypeof, noted.key],
    [UserdataTypes.setDataTypeof, noted.data],
  ])
  const declared = expressionsOf(userdata, notes, fields, given)
  const comment = userdata.get(UserdataTypes.setComment)
  const { family, name, ...rest } = base
  const properties = {
    family,
    name,
    table,
    type: declared?.key ?? oneOrMore(types),
    ...rest,
    ...(comment && { comment: readText(comment) }),
    ...(policy === SetPolicies.memory && { policy: 'memory' as const }),
    ...(size !== undefined && { size }),
    ...(flags.length > 0 && { flags }),
    ...(timeout !== undefined && { timeout: seconds(timeout) }),
    ...(gcInterval !== undefined && { 'gc-interval': seconds(gcInterval) }),
    ...(isSet(userdata.get(UserdataTypes.setMergeElements)) && { 'auto-merge': true }),
    ...(stmt.length > 0 && { stmt }),
    ...(!declared && key.lengths !== undefined && { keyLen: key.lengths }),
    ...(!declared && key.order !== undefined && { keyOrder: key.order }),
    ...unknownParts({
      userdata: declared ? withoutTypes(otherData, notes) : withoutNotes(otherData, userdata, notes),
      flags: otherFlags,
      attributes: record.opaque,
      description: desc?.opaque,
    }),
  }
  if (record.dataType === undefined && record.objType === undefined) {
    const sets = listed.filter((element): element is SetElement => !isMapElement(element))
    return { set: { ...properties, ...(sets.length > 0 && { elem: sets }) } }
  }
  const map = record.dataType === undefined ? objectKind(record.objType) : mapType(record.dataType)
  if (map === undefined) return undefined
  const maps = listed.filter(isMapElement)
  const data = declaredLengths(dataEncoding(record) ?? [], orders.data)
  return {
    map: {
      ...properties,
      map: declared?.data ?? map,
      ...(givesRanges(record) && { ranges: true }),
      ...(!declared?.data && data.lengths !== undefined && { dataLen: data.lengths }),
      ...(!declared?.data && data.order !== undefined && { dataOrder: data.order }),
      ...(maps.length > 0 && { elem: maps }),
    },
  }
}

/** What every element has for itself; undefined when one of it is not understood. */
function readStates({ expr, expressions }: KernelSet['record']): StatefulStatement[] | undefined {
  const states = (expressions ?? (expr ? [expr] : [])).map(readStateful)
  const known = states.filter((state) => state !== undefined)
  return known.length === states.length ? known : undefined
}

function isMapElement(element: SetElement | MapElement): element is MapElement {
  return Array.isArray(element)
}

function mapType(dataType: number): MapType | undefined {
  if (dataType === verdictTypeId) return 'verdict'
  const types = typesFromId(dataType)
  return types && oneOrMore(types)
}

function oneOrMore(types: readonly DatatypeName[]): DatatypeName | readonly DatatypeName[] {
  const [only] = types
  return types.length === 1 && only !== undefined ? only : types
}

function isSet(bytes: Uint8Array | undefined): boolean {
  return bytes?.some((byte) => byte !== 0) ?? false
}
