/** Statements that put elements into sets: `set`, `map`, `meter`. */
import { InvalidValue, type KeyField, keyLayout, quote } from '../datatype/index.js'
import { DYNSET_EXPRESSIONS, DynsetOps } from '../kernel/constants.js'
import type {
  DynamicKey,
  Expression,
  MapStatement,
  SetOperation,
  SetStatement,
  StatefulStatement,
} from '../model/index.js'
import { prepareSingle } from './argument.js'
import { isConcat, isConstant, isObject, setReference } from './constant.js'
import { isObjectKind } from './data-layout.js'
import { milliseconds } from './element.js'
import type { DynsetData } from './kernel-expression.js'
import { keyOperand } from './key.js'
import { loadOperand } from './load.js'
import { namedSet } from './lookup.js'
import type { Draft } from './message.js'
import type { Operand } from './operand.js'
import { checkSlots, register, slots } from './registers.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'
import { statefulExpression } from './stateful.js'

/** `add @set { ip saddr timeout 5s limit rate 5/second }`; the trail stands at its object. */
export function compileSetStatement(context: RuleContext, statement: SetStatement['set']): void {
  const { trail } = context
  trail.enter('set')
  const name = setName(statement.set)
  trail.leave()
  trail.enter('elem')
  const { operand, timeout } = dynamicKey(context, statement.elem, name)
  trail.leave()
  loadOperand(context.out, 0, operand, false)
  const data = dynsetData(context, statement.op, name, timeout)
  addStates(context, data, statement.stmt)
  context.out.push({ name: 'dynset', data })
}

/** `add @map { ip saddr : meta mark }` */
export function compileMapStatement(context: RuleContext, statement: MapStatement['map']): void {
  const { trail } = context
  trail.enter('map')
  const name = setName(statement.map)
  trail.leave()
  trail.enter('elem')
  const { operand, timeout } = dynamicKey(context, statement.elem, name)
  trail.leave()
  trail.enter('data')
  const loadData = prepareData(context, name, statement.data, statement.type)
  trail.leave()
  loadOperand(context.out, 0, operand, false)
  // As in nft: a single value has a register of sixteen bytes, a concatenation just what it needs.
  const slot = operand.kind === 'value' ? 4 : slots(operand.length)
  loadData(slot)
  const data = dynsetData(context, statement.op, name, timeout)
  data.sregData = register(slot)
  addStates(context, data, statement.stmt)
  context.out.push({ name: 'dynset', data })
}

function prepareData(
  context: RuleContext,
  name: string,
  data: MapStatement['map']['data'],
  said: MapStatement['map']['type'],
): (slot: number) => void {
  const declared = context.batch.scope.find(context.family, context.table, name)?.map
  const type = said ?? declared
  const fields = type === undefined || type === 'verdict' || isObjectKind(type) ? [] : keyLayout(type).fields
  const [field] = fields
  if (fields.length > 1) return prepareConcatenation(context, name, data, fields)
  if (field !== undefined) return prepareSingle(context, data, field)
  if (!isConstant(data)) {
    const operand = resolve(context, data)
    return (slot) => loadOperand(context.out, slot, operand, false)
  }
  throw new InvalidValue(`what @${name} gives is not known here: say its type, such as type: 'mark'`)
}

/** `10.0.0.1 . 80`: constants and fields, in registers one behind the other. */
function prepareConcatenation(
  context: RuleContext,
  name: string,
  data: Expression,
  fields: readonly KeyField[],
): (slot: number) => void {
  if (!isConcat(data) || data.concat.length !== fields.length)
    throw new InvalidValue(`@${name} gives ${fields.length} fields: a concatenation of as many is expected`)
  const loads: ((slot: number) => void)[] = []
  context.trail.enter('concat')
  for (const [index, field] of fields.entries()) {
    context.trail.enter(index)
    const part = data.concat[index]
    if (part !== undefined) loads.push(prepareSingle(context, part, field))
    context.trail.leave()
  }
  context.trail.leave()
  return (slot) => {
    let next = slot
    for (const [index, load] of loads.entries()) {
      const length = fields[index]?.length ?? 0
      checkSlots(next, length)
      load(next)
      next += slots(length)
    }
  }
}

function setName(reference: unknown): string {
  const name = setReference(reference)
  if (name === undefined) throw new InvalidValue(`a set is expected, '@name', not ${quote(reference)}`)
  return name
}

/**
 * The key, and the lifetime of its element in milliseconds.
 * @param set whose key it is: of constants among its fields the declaration says the types
 */
export function dynamicKey(
  context: RuleContext,
  key: DynamicKey,
  set?: string,
): { readonly operand: Operand; readonly timeout: bigint | undefined } {
  if (!isObject(key) || Array.isArray(key) || !('elem' in key))
    return { operand: keyOperand(context, key, set), timeout: undefined }
  const { trail } = context
  trail.enter('elem')
  trail.enter('val')
  const operand = keyOperand(context, key.elem.val, set)
  trail.leave()
  const timeout =
    key.elem.timeout === undefined ? undefined : milliseconds(key.elem.timeout, 'timeout', trail)
  trail.leave()
  return { operand, timeout }
}

export function dynsetData(
  context: RuleContext,
  op: SetOperation,
  name: string,
  timeout: bigint | undefined,
): Draft<DynsetData> {
  const number: number | undefined = Object.hasOwn(DynsetOps, op) ? DynsetOps[op] : undefined
  if (number === undefined)
    throw new InvalidValue(`${quote(op)} is nothing that is done with elements: add, update, delete`)
  const { set, setId } = namedSet(context, name).handle
  return {
    setName: set,
    op: number,
    sregKey: register(0),
    ...(setId === undefined ? {} : { setId }),
    ...(timeout === undefined ? {} : { timeout }),
  }
}

/** What the element counts or limits: one expression by itself, several as a list. */
function addStates(
  context: RuleContext,
  data: Draft<DynsetData>,
  statements: readonly StatefulStatement[] = [],
): void {
  context.trail.enter('stmt')
  const expressions = statements.map((statement, index) => {
    context.trail.enter(index)
    const expression = statefulExpression(statement)
    context.trail.leave()
    return expression
  })
  context.trail.leave()
  const [only] = expressions
  if (expressions.length > 1) {
    data.expressions = expressions
    data.flags = DYNSET_EXPRESSIONS
  } else if (only !== undefined) data.expr = only
}
