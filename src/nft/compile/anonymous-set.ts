/** Sets and maps that belong to one rule: declared and filled in front of it, referred to by number. */
import type { KeyLayout } from '../datatype/index.js'
import { familyNumbers, SetFlags, UserdataTypes } from '../kernel/constants.js'
import type { MapElement, SetElement } from '../model/index.js'
import {
  type DataLayout,
  dataAttributes,
  dataFlags,
  dataOrder,
  hasRanges,
  isDescribed,
} from './data-layout.js'
import { compileElements } from './element.js'
import { addElements } from './element-messages.js'
import { countElements } from './interval-elements.js'
import type { RuleContext } from './rule-context.js'
import { byteOrderNumber } from './set.js'
import { Userdata } from './userdata.js'

/** How a lookup refers to a set. */
export interface SetHandle {
  readonly set: string
  readonly setId?: number
}

/** What the elements of an anonymous set are. */
export interface AnonymousLayout {
  readonly key: KeyLayout
  readonly data: DataLayout | undefined
  readonly interval: boolean
  readonly shift: number
}

/** Adds the messages of an anonymous set; the trail stands at the array of its elements. */
export function anonymousSet(
  context: RuleContext,
  layout: AnonymousLayout,
  elements: readonly (SetElement | MapElement)[],
): SetHandle {
  const { batch, trail } = context
  const records = compileElements(
    elements,
    { ...layout, removing: false, anonymous: true, first: true },
    trail,
  )
  const id = ++batch.nextSetId
  const { data } = layout
  const name = data === undefined ? '__set%d' : isDescribed(data) ? '__map%d' : '__objmap%d'
  const concatenated = layout.key.fields.length > 1
  const userdata = new Userdata().number(UserdataTypes.setKeyByteOrder, byteOrderNumber(layout.key.order))
  let flags = SetFlags.anonymous | SetFlags.constant
  if (layout.interval) flags |= SetFlags.interval | (concatenated ? SetFlags.concat : 0)
  if (layout.interval && layout.data === undefined) userdata.number(UserdataTypes.setMergeElements, 1)
  if (data !== undefined) flags |= dataFlags(data)
  if (data !== undefined && isDescribed(data))
    userdata
      .number(UserdataTypes.setDataByteOrder, byteOrderNumber(dataOrder(data)))
      .number(UserdataTypes.setDataInterval, hasRanges(data) ? 1 : 0)
  const fields =
    layout.interval && concatenated ? layout.key.fields.map(({ length }) => ({ len: length })) : undefined
  const bytes = userdata.bytes()
  batch.sink.add('nftNewSet', NEW_SET, {
    family: familyNumbers[context.family],
    table: context.table,
    name,
    id,
    flags,
    keyType: layout.key.typeId,
    keyLen: layout.key.length,
    ...(data !== undefined && dataAttributes(data)),
    desc: { size: countElements(records), ...(fields === undefined ? {} : { concat: fields }) },
    ...(bytes === undefined ? {} : { userdata: bytes }),
  })
  addElements(batch.sink, context.family, context.table, name, id, records, 'New')
  return { set: name, setId: id }
}

const NEW_SET = 0x400 // NLM_F_CREATE
