/** Where a value is the index of an interface, the names of the namespace's interfaces are taken as well. */
import type { Datatype, KeyLayout } from '../datatype/index.js'
import type { BatchContext } from './rule-context.js'

/** The type with the names that the batch knows. */
export function namedType(batch: Pick<BatchContext, 'interfaces'>, type: Datatype): Datatype {
  return type.name === 'iface_index' ? (batch.interfaces ?? type) : type
}

/** A layout whose fields have such types. */
export function namedLayout(batch: Pick<BatchContext, 'interfaces'>, layout: KeyLayout): KeyLayout {
  const { interfaces } = batch
  if (interfaces === undefined || layout.fields.every(({ type }) => type.name !== 'iface_index'))
    return layout
  return {
    ...layout,
    fields: layout.fields.map((field) => ({ ...field, type: namedType(batch, field.type) })),
  }
}
