/** Constants of an expression as the bytes that registers, keys and data have. */
import {
  type ByteOrder,
  type Datatype,
  InvalidValue,
  quote,
  readNumber,
  writeNumber,
} from '../datatype/index.js'
import type { BinaryOperator, ConcatExpression, Expression, Immediate } from '../model/index.js'
import { isSlot, refuseSlot, writeSlot } from './slot.js'

/** `typeof null` is 'object': what a caller without types may pass. */
export function isObject<T>(value: T): value is Extract<T, object> {
  return typeof value === 'object' && value !== null
}

export function isImmediate(expression: Expression): expression is Immediate {
  return typeof expression === 'string' || typeof expression === 'number' || typeof expression === 'boolean'
}

/** `@name`, which refers to a set. The text `\@name` would be a constant, were there a type that has such. */
export function setReference(expression: unknown): string | undefined {
  return typeof expression === 'string' && expression.charCodeAt(0) === 64 ? expression.slice(1) : undefined
}

/** Not for arrays, which have a method of that name. */
export function isConcat(expression: Expression): expression is ConcatExpression {
  return isObject(expression) && !Array.isArray(expression) && 'concat' in expression
}

const operators: readonly BinaryOperator[] = ['&', '|', '^', '<<', '>>']

/** The operator and the operands of a bit operation; `undefined` for any other expression. */
export function binaryParts(
  expression: Expression,
): { readonly operator: BinaryOperator; readonly operands: readonly Expression[] } | undefined {
  if (!isObject(expression)) return undefined
  for (const operator of operators) {
    const operands: unknown = Reflect.get(expression, operator)
    if (Array.isArray(operands)) return { operator, operands }
  }
  return undefined
}

/** Whether an expression has no part that is only known when a packet comes. */
export function isConstant(expression: Expression): boolean {
  if (isImmediate(expression)) return setReference(expression) === undefined
  if (Array.isArray(expression)) return expression.every(isConstant)
  return isSlot(expression) || (binaryParts(expression)?.operands.every(isConstant) ?? false)
}

/** Writes a constant of `length` bytes. @throws InvalidValue when it is none, or none of the type */
export function writeConstant(
  expression: Expression,
  type: Datatype,
  target: Uint8Array,
  offset: number,
  length: number,
  order: ByteOrder,
): void {
  if (isImmediate(expression)) type.write(expression, target, offset, length, order)
  else if (isSlot(expression)) writeSlot(expression, type, target, offset, length, order)
  else writeNumber(constantNumber(expression, type, length * 8), target, offset, length, order)
}

/** The constant as `length` fresh bytes. */
export function constantBytes(
  expression: Expression,
  type: Datatype,
  length: number,
  order: ByteOrder,
): Uint8Array {
  const bytes = new Uint8Array(length)
  writeConstant(expression, type, bytes, 0, length, order)
  return bytes
}

/** The value of a constant of numbers: also a list of flags, and bit operations on constants. */
export function constantNumber(expression: Expression, type: Datatype, bits: number): bigint {
  if (isImmediate(expression)) return immediateNumber(expression, type, bits)
  if (Array.isArray(expression)) {
    const list: readonly Expression[] = expression
    if (!type.bitmask)
      throw new InvalidValue(
        `a list is for flags, and ${type.name} has none: { set: [...] } means any of them`,
      )
    return list.reduce((sum, item) => sum | constantNumber(item, type, bits), 0n)
  }
  if (isSlot(expression)) refuseSlot(expression)
  const parts = binaryParts(expression)
  if (parts === undefined) throw new InvalidValue(`a constant is expected, not ${quote(expression)}`)
  const [first, ...rest] = parts.operands.map((operand) => constantNumber(operand, type, bits))
  if (first === undefined) throw new InvalidValue(`operands of ${parts.operator} are expected`)
  return (
    rest.reduce((left, right) => calculate(parts.operator, left, right), first) & ((1n << BigInt(bits)) - 1n)
  )
}

function immediateNumber(value: Immediate, type: Datatype, bits: number): bigint {
  // Numbers are numbers even where the type has names for bits: `ct mark & 0xff`, `tcp flags & 0x3f`.
  if (type.parse !== undefined) return BigInt(type.parse(value, type.bits === 0 ? bits : type.bits))
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  const length = type.bits / 8
  const bytes = new Uint8Array(length)
  type.write(value, bytes, 0, length, 'big')
  return BigInt(readNumber(bytes, 0, length, 'big'))
}

function calculate(operator: BinaryOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '&':
      return left & right
    case '|':
      return left | right
    case '^':
      return left ^ right
    case '<<':
      return left << right
    case '>>':
      return left >> right
  }
}
