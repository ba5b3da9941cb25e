/** Turns expressions into operands: what to load, and what must be tested before. */
import { InvalidValue, paddedLength, quote } from '../datatype/index.js'
import type { Expression } from '../model/index.js'
import { binaryParts, isConcat, isConstant, isObject } from './constant.js'
import { ctOperand } from './ct.js'
import { extensionOperand } from './extension.js'
import { fibOperand } from './fib.js'
import { jhashOperand, numgenOperand, symhashOperand } from './generator.js'
import { namedType } from './interfaces.js'
import { ipsecOperand, tunnelOperand } from './ipsec.js'
import { metaOperand } from './meta.js'
import type { ConcatOperand, Operand, ValueOperand } from './operand.js'
import { payloadOperand } from './payload.js'
import { rtOperand } from './route.js'
import type { RuleContext } from './rule-context.js'
import { osfOperand, socketOperand } from './socket.js'
import { combine, combineFields, widened } from './transform.js'

/**
 * The operand of an expression, whose dependencies are emitted. The trail stands at the expression.
 * @param length bytes that a number shall have, where it has fewer: bit operations are on as many
 */
export function resolve(context: RuleContext, expression: Expression, length = 0): Operand {
  if (isConcat(expression)) return concatenation(context, expression.concat)
  return resolveValue(context, expression, length)
}

/** An operand that is one value. */
function resolveValue(context: RuleContext, expression: Expression, length = 0): ValueOperand {
  const parts = binaryParts(expression)
  if (parts !== undefined) return binary(context, parts.operator, parts.operands, length)
  return widened(resolveField(context, expression), length)
}

function resolveField(context: RuleContext, expression: Expression): ValueOperand {
  if (isObject(expression)) {
    if ('payload' in expression) return payloadOperand(context, expression.payload)
    if ('meta' in expression) return named(context, metaOperand(expression.meta.key))
    if ('ct' in expression) return ctOperand(context, expression.ct)
    if ('fib' in expression) return named(context, fibOperand(expression.fib, false))
    const other = rarerOperand(context, expression)
    if (other !== undefined) return other
  }
  throw new InvalidValue(
    `${quote(expression)} is nothing that a packet has: payload, meta, ct, fib and their like are expected`,
  )
}

/** Interfaces may be said by their names where their indexes are compared. */
function named(context: RuleContext, operand: ValueOperand): ValueOperand {
  const type = namedType(context.batch, operand.type)
  return type === operand.type ? operand : { ...operand, type }
}

/** What is asked for less often; `undefined` for an expression of another kind. */
function rarerOperand(
  context: RuleContext,
  expression: Extract<Expression, object>,
): ValueOperand | undefined {
  if (
    'exthdr' in expression ||
    'tcp option' in expression ||
    'ip option' in expression ||
    'sctp chunk' in expression
  )
    return extensionOperand(context, expression)
  if ('rt' in expression) return rtOperand(context, expression.rt)
  if ('socket' in expression) return socketOperand(expression.socket)
  if ('osf' in expression) return osfOperand(expression.osf)
  if ('numgen' in expression) return numgenOperand(expression.numgen)
  if ('symhash' in expression) return symhashOperand(expression.symhash)
  if ('ipsec' in expression) return ipsecOperand(expression.ipsec)
  if ('tunnel' in expression) return tunnelOperand(expression.tunnel)
  if (!('jhash' in expression)) return undefined
  context.trail.enter('jhash')
  context.trail.enter('expr')
  const of = resolve(context, expression.jhash.expr)
  context.trail.leave()
  const operand = jhashOperand(expression.jhash, of)
  context.trail.leave()
  return operand
}

/** `field & constant` and its like, and two fields. */
function binary(
  context: RuleContext,
  operator: string,
  operands: readonly Expression[],
  length: number,
): ValueOperand {
  const [first, ...rest] = operands
  if (first === undefined || rest.length === 0) throw new InvalidValue(`${operator} needs two operands`)
  context.trail.enter(operator)
  context.trail.enter(0)
  let operand = resolveValue(context, first, length)
  context.trail.leave()
  for (const [index, second] of rest.entries()) {
    context.trail.enter(index + 1)
    operand = isConstant(second)
      ? combine(operand, operator, second)
      : combineFields(operand, operator, resolveValue(context, second, operand.length))
    context.trail.leave()
  }
  context.trail.leave()
  return operand
}

function concatenation(context: RuleContext, expressions: readonly Expression[]): ConcatOperand {
  if (!Array.isArray(expressions) || expressions.length < 2 || expressions.length > 5)
    throw new InvalidValue('a concatenation has from 2 to 5 fields')
  const list: readonly Expression[] = expressions
  const parts: ValueOperand[] = []
  let length = 0
  context.trail.enter('concat')
  for (const [index, expression] of list.entries()) {
    context.trail.enter(index)
    const part = resolveValue(context, expression)
    parts.push(part)
    length += paddedLength(part.length)
    context.trail.leave()
  }
  context.trail.leave()
  return { kind: 'concat', parts, length }
}
