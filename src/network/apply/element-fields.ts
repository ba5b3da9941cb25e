import type { SetElement } from '../../nft/index.js'

/** The fields of an element's key, as it was listed; nothing where it has but one. */
export function keyFields(element: SetElement): readonly unknown[] {
  const key = keyOf(element)
  const fields = typeof key === 'object' && key !== null && 'concat' in key ? key.concat : undefined
  return isFields(fields) ? fields : []
}

/** An element without its time. */
export function keyOf(element: SetElement): SetElement {
  return typeof element === 'object' && element !== null && 'elem' in element ? element.elem.val : element
}

/** An array has a method of the same name. */
function isFields(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
