import { InvalidValue } from '../datatype/index.js'
import type { Element } from '../model/index.js'
import { dataLayout, declaredKey } from './data-layout.js'
import { compileElements, type ElementLayout } from './element.js'
import { addElements } from './element-messages.js'
import { namedLayout } from './interfaces.js'
import type { ElementRecord, Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import type { BatchContext } from './rule-context.js'

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
  const records = elementRecords(batch, element, change !== 'New', first)
  const table = checkName(element.table, 'table')
  addElements(
    batch.sink,
    element.family,
    table,
    checkName(element.name, 'set'),
    undefined,
    records,
    change,
    flags,
  )
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
  batch: Pick<BatchContext, 'scope' | 'trail' | 'interfaces'>,
  element: Element,
  removing: boolean,
): ElementLayout {
  const { trail } = batch
  const declared = batch.scope.find(element.family, element.table, element.name)
  const type = element.type ?? declared?.type
  trail.enter('type')
  if (type === undefined)
    throw new InvalidValue(
      `the type of ${element.name} is expected, unless the same transaction declares the set`,
    )
  const types = { ...declared, ...element, type }
  const key = namedLayout(batch, declaredKey(types))
  trail.leave()
  const map = element.map ?? declared?.map
  trail.enter('map')
  const data = map === undefined ? undefined : dataLayout(map, types)
  trail.leave()
  const interval = (element.flags ?? declared?.flags)?.includes('interval') ?? false
  return { key, data, interval, removing, anonymous: false, shift: 0, first: false }
}
