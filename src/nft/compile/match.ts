/** `match`: comparisons of what a packet has with constants, ranges and sets. */
import { encodeText, InvalidValue, quote, readNumber } from '../datatype/index.js'
import { CmpOps, RangeOps } from '../kernel/constants.js'
import type { Expression, MatchOperator, MatchStatement, SetExpression } from '../model/index.js'
import { constantBytes, constantNumber, isObject, setReference } from './constant.js'
import { unwound } from './cycle.js'
import { compare, mask, toNetworkOrder } from './emit.js'
import { optionPresence } from './extension.js'
import { fibOperand } from './fib.js'
import { isPrefix, isRange, isWildcard, prefixLength, prefixMask, writeBounds } from './interval.js'
import { keyOperand } from './key.js'
import { learn, learnSet, teaches } from './learn.js'
import { isSwapped, loadOperand, loadValue, numberBytes } from './load.js'
import { emitLookup, resolveSet, rightShift, withoutShift } from './lookup.js'
import type { Operand, ValueOperand } from './operand.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

const compareOps: ReadonlyMap<MatchOperator, number> = new Map([
  ['==', CmpOps.eq],
  ['in', CmpOps.eq],
  ['!=', CmpOps.neq],
  ['<', CmpOps.lt],
  ['<=', CmpOps.lte],
  ['>', CmpOps.gt],
  ['>=', CmpOps.gte],
])

/** Compiles one match; the trail stands at its object. */
export function compileMatch(context: RuleContext, match: MatchStatement['match']): void {
  const { trail } = context
  const { op, left, right } = match
  if (op !== '!' && !compareOps.has(op)) throw new InvalidValue(`${quote(op)} is no operator of a match`)
  trail.enter('left')
  const operand = operandFor(context, left, right)
  trail.leave()
  trail.enter('right')
  if (setReference(right) !== undefined || isSet(right)) matchSet(context, operand, op, right)
  else if (operand.kind === 'concat')
    throw new InvalidValue('a concatenation is looked up in a set: { set: [...] }')
  else matchValue(context, operand, op, right)
  trail.leave()
}

/** `fib … oif exists`: the question, not the interface. */
function operandFor(context: RuleContext, left: Expression, right: Expression): Operand {
  const asksPresence = typeof right === 'boolean' || right === 'exists' || right === 'missing'
  if (asksPresence && isObject(left)) {
    if ('fib' in left) return fibOperand(left.fib, true)
    const option = 'tcp option' in left ? optionPresence(left) : undefined
    if (option !== undefined) return option
  }
  return keyOperand(context, left, setReference(right))
}

function isSet(expression: Expression): expression is SetExpression {
  return isObject(expression) && 'set' in expression
}

function matchSet(context: RuleContext, operand: Operand, op: MatchOperator, right: Expression): void {
  if (op !== '==' && op !== 'in' && op !== '!=')
    throw new InvalidValue(`a set is compared by ==, != or in, not by ${op}`)
  const only = isSet(right) ? right.set[0] : undefined
  if (isSet(right) && right.set.length === 1 && operand.kind === 'value' && isPlain(only)) {
    context.trail.enter('set')
    context.trail.enter(0)
    matchValue(context, operand, op === 'in' ? '==' : op, only)
    context.trail.leave()
    context.trail.leave()
    return
  }
  const found = resolveSet(context, operand, right, undefined)
  emitLookup(context, found.operand, found.set, 0, { inverted: op === '!=' })
  if (op !== '!=' && operand.kind === 'value' && isSet(right)) learnSet(context, operand, right)
}

/** A set of one element without attributes is that element. */
function isPlain(element: SetExpression['set'][number] | undefined): element is Expression {
  if (element === undefined || element === '*') return false
  return typeof element !== 'object' || 'range' in element || 'prefix' in element
}

function matchValue(context: RuleContext, operand: ValueOperand, op: MatchOperator, right: Expression): void {
  if (isRange(right)) matchRange(context, operand, op, right)
  else if (isPrefix(right)) matchPrefix(context, operand, op, right)
  else if (isWildcard(right, operand.type)) matchWildcard(context, operand, op, right)
  else if (operand.type.bitmask && (op === 'in' || op === '!')) matchFlags(context, operand, op, right)
  else if (op === '!') throw new InvalidValue(`! is for flags; ${operand.type.name} has none`)
  else matchConstant(context, operand, op, right)
}

function matchConstant(
  context: RuleContext,
  operand: ValueOperand,
  op: MatchOperator,
  right: Expression,
): void {
  const { out } = context
  const code = compareOps.get(op) ?? CmpOps.eq
  const ordered = op !== '==' && op !== '!=' && op !== 'in'
  if (operand.transforms.length !== 0) {
    const number = constantNumber(right, operand.type, operand.bits) << BigInt(rightShift(operand))
    const plain = withoutShift(operand)
    const swap = ordered && isSwapped(plain)
    loadOperand(out, 0, plain, swap)
    compare(out, 0, code, numberBytes(number, plain.length, swap ? 'big' : plain.order))
    return
  }
  const swap = ordered && isSwapped(operand)
  const value = constantBytes(right, operand.type, operand.length, swap ? 'big' : operand.order)
  const { source } = operand
  if (source.kind === 'payload' && source.tunnel === undefined && code === CmpOps.eq) {
    const { base, offset, protocolKey } = source
    context.candidates.push({ index: out.length, base, offset, value, protocolKey })
  }
  loadValue(out, 0, operand)
  if (swap) toNetworkOrder(out, 0, operand.length)
  compare(out, 0, code, value)
  if (code === CmpOps.eq && teaches(source))
    learn(context, operand, Number(constantNumber(right, operand.type, operand.bits)))
}

function requireEquality(op: MatchOperator, what: string): boolean {
  if (op !== '==' && op !== '!=' && op !== 'in')
    throw new InvalidValue(`${what} is compared by == or !=, not by ${op}`)
  return op !== '!='
}

function matchRange(context: RuleContext, operand: ValueOperand, op: MatchOperator, right: Expression): void {
  const isEqual = requireEquality(op, 'a range')
  // What goes over the end of a cycle is not the rest of it, as nft writes it.
  const [only, ...others] = isRange(right) ? unwound(right, operand.type) : []
  const rest = others[0]
  const equal = rest === undefined ? isEqual : !isEqual
  const range =
    only === undefined
      ? right
      : rest === undefined
        ? only
        : { range: [rest.range[1], only.range[0]] as const }
  const { out } = context
  const plain = withoutShift(operand)
  const { length } = plain
  const low = new Uint8Array(length)
  const high = new Uint8Array(length)
  if (rightShift(operand) === 0) {
    writeBounds(range, operand.type, low, high, 0, length)
  } else if (isRange(right)) {
    const by = BigInt(rightShift(operand))
    const [first, last] = right.range
    low.set(numberBytes(constantNumber(first, operand.type, operand.bits) << by, length, 'big'))
    high.set(numberBytes(constantNumber(last, operand.type, operand.bits) << by, length, 'big'))
  }
  loadOperand(out, 0, plain, true)
  if (equal) {
    compare(out, 0, CmpOps.gte, low)
    compare(out, 0, CmpOps.lte, high)
  } else {
    const data = { sreg: register(0), op: RangeOps.neq, fromData: { value: low }, toData: { value: high } }
    out.push({ name: 'range', data })
  }
}

function matchPrefix(
  context: RuleContext,
  operand: ValueOperand,
  op: MatchOperator,
  right: Expression,
): void {
  const code = requireEquality(op, 'a prefix') ? CmpOps.eq : CmpOps.neq
  if (!isPrefix(right)) return
  const { out } = context
  const { length } = operand
  const bits = prefixLength(right.prefix, length * 8)
  const low = new Uint8Array(length)
  writeBounds(right, operand.type, low, new Uint8Array(length), 0, length)
  if (operand.order === 'big' && bits > 0 && bits % 8 === 0 && operand.transforms.length === 0) {
    loadValue(out, 0, operand, bits / 8)
    compare(out, 0, code, low.subarray(0, bits / 8))
    return
  }
  loadValue(out, 0, operand)
  mask(out, 0, ordered(prefixMask(bits, length), operand), new Uint8Array(length))
  compare(out, 0, code, ordered(low, operand))
}

/** Bytes with the most significant first, in the operand's order. */
function ordered(bytes: Uint8Array, operand: ValueOperand): Uint8Array {
  return operand.order === 'big'
    ? bytes
    : numberBytes(BigInt(readNumber(bytes, 0, bytes.length, 'big')), bytes.length, operand.order)
}

function matchWildcard(context: RuleContext, operand: ValueOperand, op: MatchOperator, right: string): void {
  const code = requireEquality(op, 'a name with a star') ? CmpOps.eq : CmpOps.neq
  const text = encodeText(right.slice(0, -1))
  if (text.length === 0) throw new InvalidValue('"*" stands for every name: leave the match out')
  if (text.length >= operand.length)
    throw new InvalidValue(`${quote(right)} is too long: at most ${operand.length - 1} bytes before the star`)
  loadValue(context.out, 0, operand)
  compare(context.out, 0, code, text)
}

/** `ct state established,related`: any of the flags; `!`: none of them. */
function matchFlags(context: RuleContext, operand: ValueOperand, op: 'in' | '!', right: Expression): void {
  const { out } = context
  const { length, order } = operand
  const flags = constantBytes(right, operand.type, length, order)
  loadValue(out, 0, operand)
  if (operand.transforms.length !== 0) {
    compare(out, 0, op === 'in' ? CmpOps.eq : CmpOps.neq, flags)
    return
  }
  const zero = new Uint8Array(length)
  mask(out, 0, flags, zero)
  compare(out, 0, op === 'in' ? CmpOps.neq : CmpOps.eq, zero)
}
