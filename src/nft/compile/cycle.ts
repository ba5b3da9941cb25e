/** Ranges of values that go round, such as the hours of a day: from the evening to the morning, in whichever time zone. */
import type { Datatype, KeyLayout } from '../datatype/index.js'
import type { Expression, MapElement, RangeExpression, SetElement } from '../model/index.js'
import { isConcat, isImmediate } from './constant.js'
import { isElem, isPair } from './element-key.js'
import { isRange } from './interval.js'

/** A range as it is, or as the two that lie before and behind the end of the cycle. */
export function unwound(range: RangeExpression, type: Datatype): readonly RangeExpression[] {
  const [first, last] = range.range
  if (type.unwind === undefined || !isImmediate(first) || !isImmediate(last)) return [range]
  return type.unwind(first, last).map((bounds) => ({ range: bounds }))
}

/** Elements whose ranges do not go over the end of a cycle: those that do become two, with the same attributes and data. */
export function unwoundElements<E extends SetElement | MapElement>(
  element: E,
  { fields }: KeyLayout,
  isMap: boolean,
): readonly (SetElement | MapElement)[] {
  if (!fields.some(({ type }) => type.unwind !== undefined)) return [element]
  const types = fields.map(({ type }) => type)
  if (isMap && isPair(element)) return unwoundKeys(element[0], types).map((key) => [key, element[1]])
  return isPair(element) ? [element] : unwoundKeys(element, types)
}

function unwoundKeys(key: SetElement, types: readonly Datatype[]): readonly SetElement[] {
  if (isElem(key)) return unwoundValues(key.elem.val, types).map((val) => ({ elem: { ...key.elem, val } }))
  return unwoundValues(key, types)
}

function unwoundValues(value: Expression, types: readonly Datatype[]): readonly Expression[] {
  const [type] = types
  if (types.length === 1 && type !== undefined) return isRange(value) ? unwound(value, type) : [value]
  if (!isConcat(value)) return [value]
  const fields = value.concat.map((part, index) => {
    const of = types[index]
    return of !== undefined && isRange(part) ? unwound(part, of) : [part]
  })
  const every = fields.reduce<readonly (readonly Expression[])[]>(
    (known, parts) => known.flatMap((before) => parts.map((part) => [...before, part])),
    [[]],
  )
  return every.map((concat) => ({ concat }))
}
