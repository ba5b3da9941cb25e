/** Which shape a set element has: a key, a key with attributes, or a pair of a key and what it maps to. */
import { InvalidValue, quote } from '../datatype/index.js'
import type { ElemExpression, Expression, MapElement, SetElement } from '../model/index.js'
import { isObject } from './constant.js'

export function isPair(element: SetElement | MapElement): element is MapElement {
  return Array.isArray(element) && element.length === 2
}

export function isElem(key: SetElement): key is ElemExpression {
  return isObject(key) && 'elem' in key
}

/** An element of a set, in which an array is a list of flags, whatever its length. */
export function setKey(element: SetElement | MapElement): SetElement {
  if (!isPair(element)) return element
  const list: readonly unknown[] = element
  return list.map((item) => {
    if (typeof item === 'string' || typeof item === 'number') return item
    throw new InvalidValue(`${quote(element)} is no element of a set: is it meant for a map?`)
  })
}

/** The value that an element is found by; `undefined` when a map's element is no pair. */
export function keyValue(element: SetElement | MapElement, isMap: boolean): Expression | undefined {
  const key = isMap ? (isPair(element) ? element[0] : undefined) : setKey(element)
  return key !== undefined && isElem(key) ? key.elem.val : key
}
