/** Expressions of rules, computed for a packet. */
import type {
  Expression,
  MapElement,
  MapExpression,
  NamedMap,
  NamedSet,
  SetElement,
  Verdict,
} from '../nft/index.js'
import { type AddedKey, isSameKey } from './added-keys.js'
import { type FieldType, flagBits, type Interval, isList, scalar, type Value } from './constant.js'
import type { Environment } from './environment.js'
import {
  chunkField,
  ctField,
  extensionField,
  type Found,
  fibField,
  metaField,
  payloadField,
  zeroBits,
} from './field.js'
import { declaredTypes, operandsOf, typesOf } from './field-type.js'
import type { ElementIndex, FoundElement, LookupResult } from './lookup.js'
import type { Packet } from './packet.js'

/** The values of an expression, one for each field, undefined where not known; `absent`: the rule ends there. */
export type Values = readonly Value[] | 'absent'

/** What expressions are computed with: the packet, the sets of the rule's table, the rest of the namespace. */
export interface Scope {
  readonly packet: Packet
  readonly environment: Environment
  set(name: string): NamedSet | NamedMap | undefined
  /** The elements of a named or literal set as an index. */
  index(elements: readonly (SetElement | MapElement)[], types: readonly FieldType[]): ElementIndex
  /** Keys that rules put into a set from this packet, or from one of the same explanation, before the question. */
  added(name: string): readonly AddedKey[]
  /**
   * One of several possible answers, where the packet does not say which; undefined for none of them.
   * @param isUnreadable whether it is not the packet that does not say, but the rule that is not understood
   */
  choose<T>(candidates: readonly T[], why: string, isUnreadable?: boolean): T | undefined
}

/** The values of an expression. @param expected the types of constants and of what literal maps give */
export function valuesOf(expression: Expression, scope: Scope, expected?: readonly FieldType[]): Values {
  const { packet, environment } = scope
  if (typeof expression !== 'object')
    return expected ? constants(expression, expected, environment) : [undefined]
  if (isList(expression)) return [expected?.[0] ? flagBits(expression, expected[0], environment) : undefined]
  if ('concat' in expression) return concatenation(expression.concat, scope)
  if ('payload' in expression) return values(payloadField(expression.payload, packet, environment))
  if ('meta' in expression) return values(metaField(expression.meta.key, packet))
  if ('ct' in expression) return values(ctField(expression.ct, packet, environment))
  if ('fib' in expression) return values(fibField(expression, packet, environment))
  if ('exthdr' in expression) {
    const hasField = 'field' in expression.exthdr && expression.exthdr.field !== undefined
    return values(extensionField(hasField, packet))
  }
  if ('sctp chunk' in expression) return values(chunkField(expression['sctp chunk'], packet))
  if ('map' in expression) return mapped(expression.map, scope, expected)
  return computed(expression, scope)
}

/**
 * Looks the values of a key up in a named set or map, or in a literal one. `added`: a rule has put it there for this packet,
 * and no listing has it.
 */
export function lookUp(
  key: Expression,
  data: Expression,
  scope: Scope,
): LookupResult | { readonly kind: 'absent' } | { readonly kind: 'added' } {
  // The set's own types, where it has some: of bits without a name the key has none.
  const declared = typeof data === 'string' ? scope.set(data)?.type : undefined
  const types = declared ? declaredTypes(declared) : typesOf(key, scope.packet.family, scope.set)
  const found = valuesOf(key, scope)
  if (found === 'absent') return { kind: 'absent' }
  const elements = elementsOf(data, scope)
  const added = typeof data === 'string' ? addedAs(found, scope.added(data)) : false
  if (added === true) return { kind: 'added' }
  if (types === undefined || elements === undefined) return { kind: 'perhaps', candidates: [] }
  const listed = scope.index(elements, types).find(found)
  return listed.kind === 'none' && added === undefined ? { kind: 'perhaps', candidates: [] } : listed
}

/** Whether a key is one of those that were added; undefined: perhaps. */
function addedAs(key: readonly Value[], keys: readonly AddedKey[]): boolean | undefined {
  let answer: boolean | undefined = false
  for (const { values, isCertain } of keys) {
    const isSame = isSameKey(values, key)
    if (isSame === true && isCertain) return true
    if (isSame !== false) answer = undefined
  }
  return answer
}

/** Looks a key up in a map. @returns undefined where it has no such key */
export function lookUpData(
  key: Expression,
  data: Expression,
  scope: Scope,
  why: string,
): FoundElement | undefined {
  const result = lookUp(key, data, scope)
  if (result.kind === 'found') return result.found
  return result.kind === 'perhaps' ? scope.choose(result.candidates, why) : undefined
}

function elementsOf(data: Expression, scope: Scope): readonly (SetElement | MapElement)[] | undefined {
  if (typeof data === 'string') return scope.set(data)?.elem ?? (scope.set(data) ? [] : undefined)
  return typeof data === 'object' && !isList(data) && 'set' in data ? data.set : undefined
}

/** A constant, or the fields of a concatenation of constants, as values. */
export function constants(
  data: Expression | Verdict,
  types: readonly FieldType[],
  environment: Environment,
): readonly Value[] {
  const fields: readonly unknown[] =
    typeof data === 'object' && 'concat' in data && Array.isArray(data.concat) ? data.concat : [data]
  return types.map((type, index) => {
    const field = fields[index]
    return typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean'
      ? scalar(field, type, environment)
      : undefined
  })
}

function values(found: Found): Values {
  return found === 'absent' ? found : [found.value]
}

function concatenation(fields: readonly Expression[], scope: Scope): Values {
  const all: Value[] = []
  for (const field of fields) {
    const one = valuesOf(field, scope)
    if (one === 'absent') return 'absent'
    all.push(...one)
  }
  return all
}

function mapped(map: MapExpression['map'], scope: Scope, expected: readonly FieldType[] | undefined): Values {
  const types = typesOf({ map }, scope.packet.family, scope.set) ?? expected
  const result = lookUp(map.key, map.data, scope)
  if (result.kind === 'absent' || result.kind === 'none') return 'absent'
  if (result.kind === 'perhaps' || result.kind === 'added') return [undefined]
  const { data } = result.found
  return types === undefined || data === undefined ? [undefined] : constants(data, types, scope.environment)
}

/** Bit operations from left to right; constants among them are of the type of the first. */
function computed(expression: object, scope: Scope): Values {
  for (const [operator, operands] of Object.entries(operandsOf(expression))) {
    const [first, ...rest] = operands
    if (first === undefined) return [undefined]
    const type = typesOf(first, scope.packet.family, scope.set)?.[0]
    const start = valuesOf(first, scope)
    if (start === 'absent' || type === undefined) return start === 'absent' ? start : [undefined]
    let [value] = start
    for (const operand of rest) {
      const shift = operator === '<<' || operator === '>>'
      const other = operandValue(operand, shift ? { type: 'integer', bits: 32 } : type, scope)
      if (other === 'absent') return 'absent'
      const isMasked = operator === '&' && operand === rest[0] && typeof other === 'bigint'
      value = isMasked && isZeroUnder(first, other) ? 0n : combine(operator, value, other)
    }
    return [typeof value === 'bigint' ? value & ((1n << BigInt(type.bits)) - 1n) : value]
  }
  return [undefined]
}

function operandValue(operand: Expression, type: FieldType, scope: Scope): Value | 'absent' {
  if (typeof operand === 'string' || typeof operand === 'number' || typeof operand === 'boolean')
    return scalar(operand, type, scope.environment)
  if (isList(operand)) return flagBits(operand, type, scope.environment)
  const found = valuesOf(operand, scope)
  return found === 'absent' ? found : found[0]
}

function combine(operator: string, one: Value, other: Value): bigint | undefined {
  if (operator === '&' && typeof one === 'object' && typeof other === 'bigint') return commonBits(one, other)
  if (typeof one !== 'bigint' || typeof other !== 'bigint') return undefined
  if (operator === '&') return one & other
  if (operator === '|') return one | other
  if (operator === '^') return one ^ other
  return operator === '<<' ? one << other : one >> other
}

/** What a mask leaves of a number in a range, where it is the same of all that are in it. */
function commonBits({ low, high }: Interval, mask: bigint): bigint | undefined {
  const differing = (1n << BigInt((low ^ high).toString(2).length)) - 1n
  return (mask & differing) === 0n ? low & mask : undefined
}

/** Whether a mask leaves nothing of a field but bits that are known to be 0. */
function isZeroUnder(field: Expression, mask: bigint): boolean {
  if (typeof field !== 'object' || isList(field) || !('payload' in field)) return false
  return (mask & ~zeroBits(field.payload)) === 0n
}
