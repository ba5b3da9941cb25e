import { InvalidValue } from '../datatype/index.js'
import type { Element } from '../model/index.js'
import { dataLayout, declaredKey } from './data-layout.js'
import { compileElements, type ElementLayout, elementsOf, keyedElements } from './element.js'
import { addElements } from './element-messages.js'
import { namedLayout } from './interfaces.js'
import type { ElementRecord, Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import { changeRanged } from './ranged-elements.js'
import type { BatchContext } from './rule-context.js'

const NLM_F_EXCL = 0x200

/**
 * Adds or removes elements of a named set or map: one function, so that both name the same elements. The trail stands at
 * the element object.
 * @param first the index of the first element, when they are a part of many
 */
export function changeElements(
  batch: BatchContext,
  element: Element,
  change: 'New' | Removal,
  flags: number,
  first = 0,
): void {
  const { sink, trail } = batch
  const { family } = element
  familyNumber(family)
  const layout = elementLayout(batch, element, change !== 'New')
  trail.enter('elem')
  const elements = keyedElements(element.elem, layout, trail, first)
  const known = layout.interval ? batch.ranged?.find(element) : undefined
  const exclusive = (flags & NLM_F_EXCL) !== 0
  const ranged = known && changeRanged(batch, { set: element, known, elements, layout, change, exclusive })
  trail.leave()
  const [table, set] = [checkName(element.table, 'table'), checkName(element.name, 'set')]
  if (ranged === undefined) {
    addElements(sink, family, table, set, undefined, elementsOf(elements, layout), change, flags)
    return
  }
  const { removed, added } = ranged
  // What is destroyed is there, by now.
  if (removed.length > 0) addElements(sink, family, table, set, undefined, removed, 'Del')
  if (added.length > 0) addElements(sink, family, table, set, undefined, added, 'New', flags)
}

/** The kernel's records of elements; `removing`: their keys only. The trail stands at the element object. */
export function elementRecords(
  batch: Pick<BatchContext, 'scope' | 'trail' | 'interfaces'>,
  element: Element,
  removing: boolean,
  first = 0,
): ElementRecord[] {
  familyNumber(element.family)
  const layout = elementLayout(batch, element, removing)
  batch.trail.enter('elem')
  const records = compileElements(element.elem, layout, batch.trail, first)
  batch.trail.leave()
  return records
}

function elementLayout(
  batch: Pick<BatchContext, 'scope' | 'trail' | 'interfaces' | 'told'>,
  element: Element,
  removing: boolean,
): ElementLayout {
  const { trail } = batch
  const own = batch.scope.find(element.family, element.table, element.name)
  const told = own === undefined ? batch.told?.find(element) : undefined
  const declared = own ?? told
  const type = element.type ?? declared?.type
  trail.enter('type')
  if (type === undefined)
    throw new InvalidValue(
      `the type of ${element.name} is expected: no set or map of this name is there or declared by the transaction`,
    )
  const types = { ...declared, ...element, type }
  const key = namedLayout(batch, declaredKey(types))
  trail.leave()
  const map = element.map ?? declared?.map
  trail.enter('map')
  const data = map === undefined ? undefined : dataLayout(map, types)
  trail.leave()
  // The kernel knows it better than who names the set.
  const flags = told?.flags ?? element.flags ?? declared?.flags
  const interval = flags?.includes('interval') ?? false
  return { key, data, interval, removing, anonymous: false, shift: 0, first: false }
}
