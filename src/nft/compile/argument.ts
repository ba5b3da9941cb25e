/** What statements take as arguments: constants, ranges, or what a map gives. */
import {
  type ByteOrder,
  type Datatype,
  InvalidValue,
  keyLayout,
  quote,
  typeNames,
} from '../datatype/index.js'
import type { DatatypeName, Expression, MapExpression, SetType } from '../model/index.js'
import { constantBytes, isConstant, isObject, setReference } from './constant.js'
import { isObjectKind, type ValueLayout } from './data-layout.js'
import { immediate, toNetworkOrder } from './emit.js'
import { namedType } from './interfaces.js'
import { isPrefix, isRange, writeBounds } from './interval.js'
import { keyOperand } from './key.js'
import { loadOperand } from './load.js'
import { emitLookup, resolveSet } from './lookup.js'
import type { Operand } from './operand.js'
import { register, slots } from './registers.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'

export function isMap(expression: Expression): expression is MapExpression {
  return isObject(expression) && !Array.isArray(expression) && 'map' in expression
}

/** The registers that an argument is in. */
export interface ArgumentRegisters {
  readonly min: number
  readonly max: number | undefined
}

/**
 * Prepares a constant, both ends of a range, or what a map gives. What must be tested before is emitted at once, for the
 * tests use the first register; the result puts the argument into registers of sixteen bytes from a slot on.
 */
export function prepareArgument(
  context: RuleContext,
  expression: Expression,
  type: Datatype,
): (slot: number) => ArgumentRegisters {
  const { out } = context
  const length = Math.ceil(type.bits / 8)
  if (isMap(expression)) {
    const { load } = prepareMap(context, expression.map, keyLayout(type.name))
    return (slot) => {
      load(slot)
      return { min: register(slot), max: undefined }
    }
  }
  if (isRange(expression) || isPrefix(expression)) {
    const low = new Uint8Array(length)
    const high = new Uint8Array(length)
    writeBounds(expression, type, low, high, 0, length)
    return (slot) => {
      immediate(out, slot, low)
      immediate(out, slot + 4, high)
      return { min: register(slot), max: register(slot + 4) }
    }
  }
  if (!isConstant(expression))
    throw new InvalidValue(
      `${quote(expression)} is no ${type.name}: a constant, a range or a map is expected`,
    )
  const bytes = constantBytes(expression, type, length, type.order ?? 'big')
  return (slot) => {
    immediate(out, slot, bytes)
    return { min: register(slot), max: undefined }
  }
}

/** A map whose key is resolved: what the key is, and how to load what the map gives for it. */
export interface PreparedMap {
  readonly key: Operand
  readonly load: (slot: number) => void
}

/** Prepares what a map gives; the trail stands at the map expression. */
export function prepareMap(context: RuleContext, map: MapExpression['map'], data: ValueLayout): PreparedMap {
  const { trail } = context
  trail.enter('map')
  trail.enter('key')
  const resolved = keyOperand(context, map.key, setReference(map.data))
  trail.leave()
  trail.enter('data')
  const { set, operand } = resolveSet(context, resolved, map.data, data)
  trail.leave()
  trail.leave()
  return {
    key: operand,
    load: (slot) => emitLookup(context, operand, set, slot, { dreg: register(slot) }),
  }
}

/** The types that a map gives: declared, said in the expression, or as its first element shows. */
export function mapTypes(
  context: RuleContext,
  map: MapExpression['map'],
): readonly DatatypeName[] | undefined {
  const declared = typeof map.data === 'string' ? declaredTypes(context, map.data) : undefined
  const types = declared ?? map.type
  return types === undefined ? undefined : typeNames(types)
}

function declaredTypes(context: RuleContext, reference: string): SetType | undefined {
  const declaration = context.batch.scope.find(context.family, context.table, reference.slice(1))
  const map = declaration?.map
  return map === undefined || map === 'verdict' || isObjectKind(map) ? undefined : map
}

/** The register right behind a value of so many bytes, where the rest of a concatenation lies. */
export function registerBehind(slot: number, length: number): number {
  return register(slot + slots(length))
}

/** What a statement takes one value for: of which type, in how many bytes. */
export interface ArgumentField {
  readonly type: Datatype
  readonly length: number
  readonly order: ByteOrder
}

/** Puts one value into the registers from `slot` on: a constant, what a map gives, or something of the packet. */
export function loadSingle(
  context: RuleContext,
  slot: number,
  expression: Expression,
  field: ArgumentField,
): void {
  prepareSingle(context, expression, field)(slot)
}

/** As {@link loadSingle}, in two steps: what must be tested before is emitted at once, the rest by the result. */
export function prepareSingle(
  context: RuleContext,
  expression: Expression,
  { type: plain, length, order }: ArgumentField,
): (slot: number) => void {
  const { out } = context
  const type = namedType(context.batch, plain)
  if (isMap(expression)) {
    const field = { type, offset: 0, length, order }
    return prepareMap(context, expression.map, { fields: [field], length, typeId: type.id, order }).load
  }
  if (isConstant(expression)) {
    const bytes = constantBytes(expression, type, length, order)
    return (slot) => immediate(out, slot, bytes)
  }
  // A number of the packet is one of the machine where such is expected: `meta mark set ip dscp`.
  const operand = resolve(context, expression, order === 'host' && !type.text ? length : 0)
  if (operand.kind !== 'value' || operand.length !== length)
    throw new InvalidValue(
      `${quote(expression)} has ${operand.length} bytes where a ${type.name} of ${length} is expected`,
    )
  return (slot) => {
    loadOperand(out, slot, operand, false)
    if (operand.order !== order && length > 1 && !type.text) toNetworkOrder(out, slot, length)
  }
}
