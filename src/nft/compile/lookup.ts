/** Sets and maps that operands are looked up in. */
import { InvalidValue, type KeyField, type KeyLayout, paddedLength } from '../datatype/index.js'
import { LOOKUP_INVERTED } from '../kernel/constants.js'
import type { MapElement, SetElement } from '../model/index.js'
import { anonymousSet, type SetHandle } from './anonymous-set.js'
import { isConcat, setReference } from './constant.js'
import type { DataLayout } from './data-layout.js'
import { keyValue } from './element-key.js'
import { isInterval } from './interval.js'
import type { LookupData } from './kernel-expression.js'
import { isSwapped, loadOperand } from './load.js'
import type { Draft } from './message.js'
import { checkName } from './names.js'
import type { Operand, ValueOperand } from './operand.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'
import type { SetDeclaration } from './scope.js'

/** A set that exists by the time the rule refers to it. */
export interface ResolvedSet {
  readonly handle: SetHandle
  /** Whether it has ranges: keys are then compared in network order. */
  readonly interval: boolean
  /** The declaration, if the transaction has it. */
  readonly declaration: SetDeclaration | undefined
}

/** A named set of the rule's table; nothing is said about whether it exists. */
export function namedSet(context: RuleContext, name: string): ResolvedSet {
  checkName(name, 'set')
  const declaration = context.batch.scope.find(context.family, context.table, name)
  return {
    handle: { set: name },
    interval: declaration?.flags.includes('interval') ?? false,
    declaration,
  }
}

type Elements = readonly (SetElement | MapElement)[]

/** Declares a literal set in front of the rule; the trail stands at the array of its elements. */
function literalSet(
  context: RuleContext,
  operand: Operand,
  elements: Elements,
  data: DataLayout | undefined,
): ResolvedSet {
  if (!Array.isArray(elements) || elements.length === 0)
    throw new InvalidValue('a literal set has at least one element')
  const interval = hasIntervals(operand, elements, data !== undefined)
  const key = operandLayout(operand.kind === 'value' ? withoutShift(operand) : operand, interval)
  const shift = operand.kind === 'value' ? rightShift(operand) : 0
  const handle = anonymousSet(context, { key, data, interval, shift }, elements)
  return { handle, interval, declaration: undefined }
}

function hasIntervals(operand: Operand, elements: Elements, isMap: boolean): boolean {
  return elements.some((element) => {
    const value = keyValue(element, isMap)
    if (value === undefined) return false
    if (operand.kind === 'value') return isInterval(value, operand.type)
    if (!isConcat(value)) return false
    return operand.parts.some((part, index) => {
      const field = value.concat[index]
      return field !== undefined && isInterval(field, part.type)
    })
  })
}

/** The layout of the keys that an operand is looked up with. */
export function operandLayout(operand: Operand, networkOrder: boolean): KeyLayout {
  const parts = operand.kind === 'value' ? [operand] : operand.parts
  const fields: KeyField[] = []
  let offset = 0
  let typeId = 0
  for (const part of parts) {
    const order = networkOrder && isSwapped(part) ? 'big' : part.order
    fields.push({ type: part.type, offset, length: part.length, order })
    offset += paddedLength(part.length)
    typeId = typeId * 64 + part.type.id
  }
  return operand.kind === 'value'
    ? { fields, length: operand.length, typeId, order: operand.order }
    : { fields, length: operand.length, typeId, order: undefined }
}

/** The shift that a field's constants can take over. */
export function rightShift(operand: ValueOperand): number {
  return operand.inPlace?.shift ?? 0
}

/** The operand without the shift that constants have taken over. */
export function withoutShift(operand: ValueOperand): ValueOperand {
  return operand.inPlace?.operand ?? operand
}

/** `key @set`, `key != @set`, `key { … }`; for a map `dreg` says where its data goes. */
export function emitLookup(
  context: RuleContext,
  operand: Operand,
  set: ResolvedSet,
  slot: number,
  options: { readonly inverted?: boolean; readonly dreg?: number } = {},
): void {
  loadOperand(context.out, slot, operand, set.interval)
  const data: Draft<LookupData> = {
    set: set.handle.set,
    sreg: register(slot),
  }
  if (options.dreg !== undefined) data.dreg = options.dreg
  if (set.handle.setId !== undefined) data.setId = set.handle.setId
  if (options.inverted) data.flags = LOOKUP_INVERTED
  context.out.push({ name: 'lookup', data })
}

/** The named or literal set that stands on the right of an operand; the trail stands at it. */
export function resolveSet(
  context: RuleContext,
  operand: Operand,
  set: unknown,
  data: DataLayout | undefined,
): { readonly set: ResolvedSet; readonly operand: Operand } {
  const name = setReference(set)
  if (name !== undefined) return { set: namedSet(context, name), operand }
  if (typeof set !== 'object' || set === null || !('set' in set) || !Array.isArray(set.set))
    throw new InvalidValue("a set is expected: '@name' or { set: [...] }")
  context.trail.enter('set')
  const literal = literalSet(context, operand, set.set, data)
  context.trail.leave()
  return { set: literal, operand: operand.kind === 'value' ? withoutShift(operand) : operand }
}
