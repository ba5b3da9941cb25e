/** Comparisons of rules. */
import type { Expression, MatchStatement } from '../nft/index.js'
import { type FieldType, fits, isList, pattern, scalar, type Value } from './constant.js'
import { lookUp, type Scope, type Values, valuesOf } from './expression.js'
import { typesOf } from './field-type.js'
import type { FoundElement } from './lookup.js'

/** Whether a comparison holds, and by which element; undefined `holds`: what is known does not decide it. */
interface MatchResult {
  readonly holds: boolean | undefined
  readonly found?: FoundElement
}

/** Compares as the kernel does. */
export function matches({ match: { op, left, right } }: MatchStatement, scope: Scope): MatchResult {
  const negated = op === '!='
  if (isSet(right)) {
    const result = lookUp(left, right, scope)
    if (result.kind === 'absent') return { holds: false }
    if (result.kind === 'perhaps') return { holds: undefined }
    if (result.kind === 'added') return { holds: !negated }
    if (result.kind === 'none') return { holds: negated }
    return { holds: !negated, found: result.found }
  }
  const values = valuesOf(left, scope)
  // What the packet does not have ends the rule, also where the comparison is a negated one.
  if (values === 'absent') return { holds: false }
  const types = typesOf(left, scope.packet.family, scope.set)
  if (types === undefined) return { holds: undefined }
  if (op === '==' || op === '!=') return { holds: invert(equal(values, right, types, scope), negated) }
  const [value] = values
  const [type] = types
  if (type === undefined) return { holds: undefined }
  const other = rightValue(right, type, scope)
  if (typeof value === 'object' && typeof other === 'bigint') {
    const ends = [compare(op, value.low, other), compare(op, value.high, other)]
    return { holds: op !== 'in' && op !== '!' && ends[0] === ends[1] ? ends[0] : undefined }
  }
  if (typeof value !== 'bigint' || typeof other !== 'bigint') {
    // "in" of a single value that is no set of flags is equality.
    return { holds: op === 'in' && typeof value === 'string' ? value === other : undefined }
  }
  return { holds: compare(op, value, other) }
}

function compare(op: MatchStatement['match']['op'], one: bigint, other: bigint): boolean | undefined {
  switch (op) {
    case '<':
      return one < other
    case '>':
      return one > other
    case '<=':
      return one <= other
    case '>=':
      return one >= other
    case 'in':
      return (one & other) !== 0n
    case '!':
      return (one & other) === 0n
    default:
      return undefined
  }
}

function equal(
  values: Exclude<Values, 'absent'>,
  right: Expression,
  types: readonly FieldType[],
  scope: Scope,
): boolean | undefined {
  const [only] = types
  // `fib … oif missing`, `exthdr … exists`: whether there is one.
  if (typeof right === 'boolean' && only?.type !== 'boolean') {
    const [value] = values
    return value === undefined ? undefined : (value !== 0n && value !== '') === right
  }
  const fields = typeof right === 'object' && !isList(right) && 'concat' in right ? right.concat : [right]
  const answers = types.map((type, index) => {
    const field = fields[index]
    const value = values[index]
    if (field === undefined) return undefined
    const expected = pattern(field, type, scope.environment)
    if (expected !== undefined) return fits(expected, value)
    const computed = rightValue(field, type, scope)
    return typeof computed === 'object' ||
      typeof value === 'object' ||
      computed === undefined ||
      value === undefined
      ? undefined
      : computed === value
  })
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

/** A constant, a list of flags, or something computed from the packet. */
function rightValue(right: Expression, type: FieldType, scope: Scope): Value {
  if (typeof right === 'string' || typeof right === 'number' || typeof right === 'boolean')
    return scalar(right, type, scope.environment)
  const expected = pattern(right, type, scope.environment)
  if (expected?.kind === 'range' && expected.low === expected.high) return expected.low
  if (isList(right)) return undefined
  const values = valuesOf(right, scope)
  return values === 'absent' ? undefined : values[0]
}

function isSet(right: Expression): boolean {
  if (typeof right === 'string') return right.startsWith('@')
  return typeof right === 'object' && !isList(right) && 'set' in right
}

function invert(holds: boolean | undefined, negated: boolean): boolean | undefined {
  return holds === undefined ? undefined : holds !== negated
}
