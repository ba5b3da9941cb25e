/** Set elements: keys, data, timeouts and comments as the kernel's records. */
import { InvalidValue, type KeyField, type KeyLayout, quote, writeField } from '../datatype/index.js'
import { ElementFlags, UserdataTypes } from '../kernel/constants.js'
import type {
  ElemExpression,
  Expression,
  MapElement,
  SetElement,
  StatefulStatement,
  UnknownParts,
  Verdict,
} from '../model/index.js'
import { constantNumber, isConcat, isImmediate, writeConstant } from './constant.js'
import { unwoundElements } from './cycle.js'
import type { DataLayout, ValueLayout } from './data-layout.js'
import { isElem, isPair, setKey } from './element-key.js'
import { isInterval, isRange, writeBounds } from './interval.js'
import { halfOpen, type IntervalElement } from './interval-elements.js'
import type { KernelData, StatefulExpression } from './kernel-expression.js'
import type { Draft, ElementRecord } from './message.js'
import { checkName } from './names.js'
import { statefulExpression } from './stateful.js'
import type { Trail } from './trail.js'
import { unknownAttributes, unknownFlags, withUnknownUserdata } from './unknown.js'
import { commentData } from './userdata.js'
import { verdictData } from './verdict.js'

/** What a set's elements consist of. */
export interface ElementLayout {
  readonly key: KeyLayout
  /** What a map gives; `undefined` for a set. */
  readonly data: DataLayout | undefined
  readonly interval: boolean
  /** Elements are deleted: of a map's pairs only the keys matter, and keys alone will do. */
  readonly removing: boolean
  /** Anonymous: intervals may touch, and their sets are complete. */
  readonly anonymous: boolean
  /** Bits by which values are shifted to where their field lies in the loaded bytes. */
  readonly shift: number
  /** The set has no other elements: what lies below the first interval must be marked as outside. */
  readonly first: boolean
}

/** Elements whose keys are known, each with its index in what the caller gave. */
export interface CompiledElements {
  /** Single keys, ranges in each of several fields, and what no other element matches. */
  readonly records: ElementRecord[]
  readonly places: number[]
  /** Ranges of a set of one field. */
  readonly intervals: IntervalElement[]
}

/** Compiles elements; the trail stands at their array, in which they begin at `first`. */
export function compileElements(
  elements: readonly (SetElement | MapElement)[],
  layout: ElementLayout,
  trail: Trail,
  first = 0,
): ElementRecord[] {
  return elementsOf(keyedElements(elements, layout, trail, first), layout)
}

/** What is sent of them. */
export function elementsOf({ records, intervals }: CompiledElements, layout: ElementLayout): ElementRecord[] {
  return intervals.length === 0 ? records : [...halfOpen(intervals, layout), ...records]
}

/** As {@link compileElements}, before ranges become where they begin and end. */
export function keyedElements(
  elements: readonly (SetElement | MapElement)[],
  layout: ElementLayout,
  trail: Trail,
  first = 0,
): CompiledElements {
  if (!Array.isArray(elements))
    throw new InvalidValue(`an array of elements is expected, not ${quote(elements)}`)
  const into: CompiledElements = { records: [], places: [], intervals: [] }
  const list: readonly (SetElement | MapElement)[] = elements
  for (let index = 0; index < list.length; index++) {
    const element = list[index]
    if (element === undefined) continue
    trail.enter(first + index)
    for (const one of unwoundElements(element, layout.key, layout.data !== undefined))
      compileElement(one, layout, trail, into, first + index)
    trail.leave()
  }
  return into
}

function compileElement(
  element: SetElement | MapElement,
  layout: ElementLayout,
  trail: Trail,
  into: CompiledElements,
  place: number,
): void {
  const draft: Draft<ElementRecord> = {}
  let key: SetElement
  const pair = layout.data !== undefined && isPair(element)
  if (layout.data === undefined || (layout.removing && !isPair(element))) {
    key = setKey(element)
  } else {
    if (!isPair(element))
      throw new InvalidValue(`a pair of a key and what it maps to is expected, not ${quote(element)}`)
    key = element[0]
    if (!layout.removing) {
      trail.enter(1)
      setData(draft, element[1], layout.data, trail)
      trail.leave()
    }
    trail.enter(0)
  }
  if (isElem(key)) {
    trail.enter('elem')
    setAttributes(draft, key.elem, trail)
    trail.enter('val')
    compileKey(key.elem.val, key.elem.comment, draft, layout, trail, into, place)
    trail.leave()
    if (key.elem.unknown !== undefined) setUnknown(draft, key.elem.unknown, trail)
    trail.leave()
  } else {
    compileKey(key, undefined, draft, layout, trail, into, place)
  }
  if (pair) trail.leave()
}

function compileKey(
  value: Expression,
  comment: string | undefined,
  draft: Draft<ElementRecord>,
  layout: ElementLayout,
  trail: Trail,
  { records, places, intervals }: CompiledElements,
  place: number,
): void {
  if (value === '*') {
    draft.flags = ElementFlags.catchall
  } else if (!layout.interval) {
    draft.key = { value: exactKey(value, layout, trail) }
  } else {
    const low = new Uint8Array(layout.key.length)
    const high = new Uint8Array(layout.key.length)
    keyBounds(value, layout, low, high, trail)
    if (layout.key.fields.length === 1) {
      intervals.push({ low, high, comment, draft, place })
      return
    }
    draft.key = { value: low }
    draft.keyEnd = { value: high }
  }
  if (comment !== undefined) {
    const userdata = commentData(UserdataTypes.elementComment, comment)
    if (userdata !== undefined) draft.userdata = userdata
  }
  records.push(draft)
  places.push(place)
}

function isVerdict(value: Expression | Verdict): value is Verdict {
  return verdictData(value) !== undefined
}

function setData(
  draft: Draft<ElementRecord>,
  value: Expression | Verdict,
  layout: DataLayout,
  trail: Trail,
): void {
  if (typeof layout !== 'string' || layout === 'verdict') draft.data = mapData(value, layout, trail)
  else if (typeof value === 'string') draft.objref = checkName(value, layout)
  else throw new InvalidValue(`the name of a ${layout} is expected, not ${quote(value)}`)
}

function mapData(value: Expression | Verdict, layout: ValueLayout | 'verdict', trail: Trail): KernelData {
  if (layout === 'verdict') {
    const verdict = verdictData(value)
    if (verdict === undefined) throw new InvalidValue(`a verdict is expected, not ${quote(value)}`)
    return verdict
  }
  if (isVerdict(value)) throw new InvalidValue(`the map gives values, ${quote(value)} is a verdict`)
  if (layout.ranges) return { value: rangeBytes(value, layout, trail) }
  return { value: fieldBytes(value, layout, trail) }
}

/** The lowest and the highest of the values that a map gives for a key, one behind the other. */
function rangeBytes(value: Expression, layout: KeyLayout, trail: Trail): Uint8Array {
  const bytes = new Uint8Array(2 * layout.length)
  const [low, high] = [bytes.subarray(0, layout.length), bytes.subarray(layout.length)]
  keyBounds(value, { key: layout, shift: 0 }, low, high, trail)
  return bytes
}

/** The bytes of a key or of data, whose fields are all constants. */
function fieldBytes(value: Expression, layout: KeyLayout, trail: Trail): Uint8Array {
  const bytes = new Uint8Array(layout.length)
  const { fields } = layout
  const only = fields.length === 1 ? fields[0] : undefined
  if (only !== undefined) {
    writeValue(only, value, bytes)
    return bytes
  }
  const parts = concatParts(value, layout)
  trail.enter('concat')
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]
    const part = parts[index]
    if (field === undefined || part === undefined) continue
    trail.enter(index)
    writeValue(field, part, bytes)
    trail.leave()
  }
  trail.leave()
  return bytes
}

function concatParts(value: Expression, layout: KeyLayout): readonly Expression[] {
  const parts = isConcat(value) ? value.concat : undefined
  if (parts === undefined || parts.length !== layout.fields.length) {
    const wanted = layout.fields.map((field) => field.type.name).join(' . ')
    throw new InvalidValue(`{ concat: [...] } of ${wanted} is expected, not ${quote(value)}`)
  }
  return parts
}

function writeValue(field: KeyField, value: Expression, target: Uint8Array): void {
  if (isImmediate(value)) writeField(field, value, target)
  else if (isInterval(value, field.type))
    throw new InvalidValue(
      `${quote(value)} is several values, but the set is not declared with flags: ['interval']`,
    )
  else writeConstant(value, field.type, target, field.offset, field.length, field.order)
}

function exactKey(value: Expression, layout: ElementLayout, trail: Trail): Uint8Array {
  if (layout.shift === 0) return fieldBytes(value, layout.key, trail)
  const [field] = layout.key.fields
  if (field === undefined) return new Uint8Array(0)
  const shifted = constantNumber(value, field.type, valueBits(field, layout.shift)) << BigInt(layout.shift)
  const bytes = new Uint8Array(layout.key.length)
  writeNumberField(field, shifted, bytes)
  return bytes
}

/** How many bits a value may have: those of its type, or, of a number without a type, those above the shift. */
function valueBits(field: KeyField, shift: number): number {
  return field.type.bits === 0 ? field.length * 8 - shift : field.type.bits
}

function writeNumberField(field: KeyField, value: bigint, target: Uint8Array): void {
  let rest = value
  for (let index = field.length - 1; index >= 0; index--) {
    target[field.offset + index] = Number(rest & 0xffn)
    rest >>= 8n
  }
}

function keyBounds(
  value: Expression,
  layout: Pick<ElementLayout, 'key' | 'shift'>,
  low: Uint8Array,
  high: Uint8Array,
  trail: Trail,
): void {
  const { fields } = layout.key
  const only = fields.length === 1 ? fields[0] : undefined
  if (only !== undefined) {
    if (layout.shift === 0) writeBounds(value, only.type, low, high, 0, only.length)
    else shiftedBounds(value, only, layout.shift, low, high)
    return
  }
  const parts = concatParts(value, layout.key)
  trail.enter('concat')
  for (const [index, field] of fields.entries()) {
    const part = parts[index]
    if (part === undefined) continue
    trail.enter(index)
    writeBounds(part, field.type, low, high, field.offset, field.length)
    trail.leave()
  }
  trail.leave()
}

/** Bounds of a field of single bits, moved to where the field lies in its bytes. */
function shiftedBounds(
  value: Expression,
  field: KeyField,
  shift: number,
  low: Uint8Array,
  high: Uint8Array,
): void {
  const [first, last] = isRange(value) ? value.range : [value, value]
  const bound = (end: Expression): bigint =>
    constantNumber(end, field.type, valueBits(field, shift)) << BigInt(shift)
  writeNumberField(field, bound(first), low)
  writeNumberField(field, bound(last), high)
}

/** What the element has for itself, in the order in which it is said. */
function elementStates(elem: ElemExpression['elem'], trail: Trail): StatefulExpression[] {
  const states: StatefulExpression[] = []
  const add = (name: string, statement: StatefulStatement): void => {
    trail.enter(name)
    states.push(statefulExpression(statement))
    trail.leave()
  }
  for (const name of Object.keys(elem)) {
    if (name === 'counter' && elem.counter !== undefined) add(name, { counter: elem.counter })
    else if (name === 'limit' && elem.limit !== undefined) add(name, { limit: elem.limit })
    else if (name === 'quota' && elem.quota !== undefined) add(name, { quota: elem.quota })
    else if (name === 'ct count' && elem['ct count'] !== undefined)
      add(name, { 'ct count': elem['ct count'] })
    else if (name === 'last' && elem.last !== undefined) add(name, { last: elem.last })
  }
  return states
}

function setAttributes(draft: Draft<ElementRecord>, elem: ElemExpression['elem'], trail: Trail): void {
  if (elem.timeout !== undefined) draft.timeout = milliseconds(elem.timeout, 'timeout', trail)
  if (elem.expires !== undefined) draft.expiration = milliseconds(elem.expires, 'expires', trail)
  const states = elementStates(elem, trail)
  const [only] = states
  if (states.length === 1 && only !== undefined) draft.expr = only
  else if (states.length > 1) draft.expressions = states
}

/** After all that is known. A range of one field has no other user data yet: what is known of it comes in front. */
function setUnknown(draft: Draft<ElementRecord>, unknown: UnknownParts, trail: Trail): void {
  const flags = unknownFlags(unknown)
  if (flags !== 0) draft.flags = (draft.flags ?? 0) | flags
  const { opaque } = unknownAttributes(unknown, 'attributes', trail)
  if (opaque !== undefined) draft.opaque = opaque
  const userdata = withUnknownUserdata(draft.userdata, unknown, trail)
  if (userdata !== undefined) draft.userdata = userdata
}

/** Seconds as the kernel's milliseconds. */
export function milliseconds(seconds: number, name: string, trail: Trail): bigint {
  trail.enter(name)
  if (typeof seconds !== 'number' || !(seconds >= 0) || !Number.isFinite(seconds))
    throw new InvalidValue(`seconds are expected, not ${quote(seconds)}`)
  trail.leave()
  return BigInt(Math.round(seconds * 1000))
}
