/** Named sets and maps. */
import { type ByteOrder, InvalidValue, type KeyLayout, notedTypes, quote } from '../datatype/index.js'
import { SetFlags, SetPolicies, UserdataTypes } from '../kernel/constants.js'
import type { NamedMap, NamedSet, SetFlag } from '../model/index.js'
import {
  type DataLayout,
  dataAttributes,
  dataFlags,
  dataLayout,
  dataOrder,
  declaredKey,
  hasRanges,
  isDescribed,
} from './data-layout.js'
import { type ElementLayout, elementsOf, keyedElements, milliseconds } from './element.js'
import { addElements } from './element-messages.js'
import { namedLayout } from './interfaces.js'
import { countElements } from './interval-elements.js'
import type { Draft, Removal, SetRecord } from './message.js'
import { checkName, familyNumber } from './names.js'
import { changeRanged, newRangedSet, type RangedChange, settledRecords } from './ranged-elements.js'
import type { BatchContext } from './rule-context.js'
import { statefulExpression } from './stateful.js'
import type { Trail } from './trail.js'
import { hasUserdata, unknownAttributes, unknownFlags, withUnknownUserdata } from './unknown.js'
import { Userdata } from './userdata.js'

/** nft's numbers of byte orders (`enum byteorder`, include/datatype.h). */
export function byteOrderNumber(order: ByteOrder | undefined): number {
  if (order === undefined) return 0
  return order === 'host' ? 1 : 2
}

function flagBits(flags: readonly SetFlag[]): number {
  const given: unknown = flags
  if (!Array.isArray(given)) throw new InvalidValue(`a list of flags is expected, [${quote(given)}]`)
  let bits = 0
  for (const flag of flags) {
    const bit: number | undefined = Object.hasOwn(SetFlags, flag) ? SetFlags[flag] : undefined
    if (bit === undefined || !['constant', 'interval', 'timeout', 'dynamic'].includes(flag))
      throw new InvalidValue(
        `${quote(flag)} is no flag of a set: constant, interval, timeout or dynamic is expected`,
      )
    bits |= bit
  }
  return bits
}

/** Adds a named set or map, and the elements that it is given; the trail stands at the set. */
export function addSet(batch: BatchContext, set: NamedSet | NamedMap, flags: number): void {
  const { trail } = batch
  const family = familyNumber(set.family)
  trail.enter('type')
  const key = namedLayout(batch, declaredKey(set))
  trail.leave()
  const data = 'map' in set ? declaredData(batch, set) : undefined
  const interval = set.flags?.includes('interval') ?? false
  trail.enter('flags')
  let bits = flagBits(set.flags ?? []) | unknownFlags(set.unknown)
  trail.leave()
  // The kernel needs the lengths of fields for ranges; we, too, for integers, to list them.
  const tellsLengths = interval || key.fields.some(({ type }) => type.bits === 0)
  if (tellsLengths && key.fields.length > 1) bits |= SetFlags.concat
  if (data !== undefined) bits |= dataFlags(data)
  if (set.timeout !== undefined) bits |= SetFlags.timeout
  const record: Draft<SetRecord> = {
    ...(data !== undefined && dataAttributes(data)),
    family,
    table: checkName(set.table, 'table'),
    name: checkName(set.name, 'set'),
    flags: bits,
    keyType: key.typeId,
    keyLen: key.length,
    id: ++batch.nextSetId,
    ...unknownAttributes(set.unknown, 'attributes', trail),
  }
  if (set.timeout !== undefined) record.timeout = milliseconds(set.timeout, 'timeout', trail)
  if (set['gc-interval'] !== undefined)
    record.gcInterval = Number(milliseconds(set['gc-interval'], 'gc-interval', trail))
  if (set.policy === 'memory') record.policy = SetPolicies.memory
  setStates(record, set.stmt, trail)
  if (interval) batch.ranged?.declare(set, () => newRangedSet(set, key, bits))
  const { removed, added: elements } = compileDeclared(batch, set, { key, data, interval })
  const size = set.flags?.includes('constant') && elements.length > 0 ? countElements(elements) : set.size
  const fields =
    tellsLengths && key.fields.length > 1 ? key.fields.map(({ length }) => ({ len: length })) : undefined
  const description = unknownAttributes(set.unknown, 'description', trail)
  if (size !== undefined || fields !== undefined || description.opaque) {
    record.desc = {
      ...(size === undefined ? {} : { size: checkSize(size, batch) }),
      ...(fields === undefined ? {} : { concat: fields }),
      ...description,
    }
  }
  const userdata = withUnknownUserdata(setUserdata(set, key, data, batch), set.unknown, trail)
  if (userdata !== undefined) record.userdata = userdata
  batch.sink.add('nftNewSet', flags, record)
  batch.scope.declare(set)
  const { family: name, table } = set
  if (removed.length > 0) addElements(batch.sink, name, table, set.name, undefined, removed, 'Del')
  if (elements.length > 0) addElements(batch.sink, name, table, set.name, undefined, elements, 'New')
}

/** What every element has for itself: one expression, or a list of them, as nft says it. */
function setStates(
  record: Draft<Pick<SetRecord, 'expr' | 'expressions' | 'flags'>>,
  statements: NamedSet['stmt'],
  trail: Trail,
): void {
  if (statements === undefined) return
  trail.enter('stmt')
  const states = statements.map((statement, index) => {
    trail.enter(index)
    const state = statefulExpression(statement)
    trail.leave()
    return state
  })
  trail.leave()
  const [only] = states
  if (states.length === 1 && only !== undefined) record.expr = only
  else if (states.length > 1) {
    record.expressions = states
    record.flags = (record.flags ?? 0) | SetFlags.expressions
  }
}

/** The elements that a set is declared with; one that is there already may have others, with which they merge. */
function compileDeclared(
  batch: BatchContext,
  set: NamedSet | NamedMap,
  layout: Pick<ElementLayout, 'key' | 'data' | 'interval'>,
): RangedChange {
  if (set.elem === undefined) return { removed: [], added: [] }
  batch.trail.enter('elem')
  const whole = { ...layout, removing: false, anonymous: false, shift: 0, first: true }
  const elements = keyedElements(set.elem, whole, batch.trail)
  const known = layout.interval ? batch.ranged?.find(set) : undefined
  const change: RangedChange = known
    ? changeRanged(batch, { set, known, elements, layout: whole, change: 'New', exclusive: false })
    : { removed: [], added: elementsOf(elements, whole) }
  batch.trail.leave()
  // The size of such a set is the number of its elements.
  const settled = set.flags?.includes('constant') ? batch.ranged?.settleOne(set) : undefined
  if (settled === undefined) return change
  const { removed, added } = settledRecords(settled)
  return { removed: [...removed, ...change.removed], added: [...added, ...change.added] }
}

function declaredData(batch: BatchContext, set: NamedMap): DataLayout {
  batch.trail.enter('map')
  const data = dataLayout(set.map, set)
  batch.trail.leave()
  return data
}

function checkSize(size: number, batch: BatchContext): number {
  batch.trail.enter('size')
  if (!Number.isInteger(size) || size < 1 || size > 0xffffffff)
    throw new InvalidValue(`${quote(size)} is no number of elements`)
  batch.trail.leave()
  return size
}

/** What nft 1.0.6 writes, since its listing reads it: the byte orders of key and data, merging, the comment. */
function setUserdata(
  set: NamedSet | NamedMap,
  key: KeyLayout,
  data: DataLayout | undefined,
  batch: BatchContext,
): Uint8Array | undefined {
  const userdata = new Userdata().number(UserdataTypes.setKeyByteOrder, byteOrderNumber(key.order))
  if (data !== undefined && isDescribed(data))
    userdata.number(UserdataTypes.setDataByteOrder, byteOrderNumber(dataOrder(data)))
  if (set['auto-merge']) userdata.number(UserdataTypes.setMergeElements, 1)
  const notes = notedTypes(
    key.fields,
    typeof data === 'object' ? data.fields : data === 'verdict' ? data : undefined,
  )
  if (!hasUserdata(set.unknown, UserdataTypes.setKeyTypeof))
    userdata.value(UserdataTypes.setKeyTypeof, notes.key)
  if (!hasUserdata(set.unknown, UserdataTypes.setDataTypeof))
    userdata.value(UserdataTypes.setDataTypeof, notes.data)
  if (data !== undefined)
    userdata.number(UserdataTypes.setDataInterval, isDescribed(data) && hasRanges(data) ? 1 : 0)
  batch.trail.enter('comment')
  userdata.comment(UserdataTypes.setComment, set.comment)
  batch.trail.leave()
  return userdata.bytes()
}

/** What names a set or map. */
export type SetReferenceObject = Pick<NamedSet, 'family' | 'table' | 'name'>

/** Deletes a set or map, which no rule may refer to. */
export function deleteSet(batch: BatchContext, set: SetReferenceObject, removal: Removal = 'Del'): void {
  batch.sink.add(`nft${removal}Set`, 0, {
    family: familyNumber(set.family),
    table: checkName(set.table, 'table'),
    name: checkName(set.name, 'set'),
  })
}

/** Deletes the elements of a set or map. */
export function flushSet(batch: BatchContext, set: SetReferenceObject): void {
  batch.sink.add('nftDelElement', 0, {
    family: familyNumber(set.family),
    table: checkName(set.table, 'table'),
    set: checkName(set.name, 'set'),
  })
}
