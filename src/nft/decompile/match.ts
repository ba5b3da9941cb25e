/** Comparisons: cmp and range expressions with what they compare. */
import type { ExprCmpRecord, ExprRangeRecord } from '../../native/records.js'
import { readNumber } from '../datatype/index.js'
import { CmpOps, RangeOps } from '../kernel/constants.js'
import type { Expression, MatchOperator, MatchStatement } from '../model/index.js'
import { isZero } from './bits.js'
import {
  exceeds,
  readAlternatives,
  readFlags,
  readPrefix,
  readRange,
  readShortText,
  readValue,
} from './constants.js'
import { factOf } from './facts.js'
import { findField } from './fields.js'
import { fieldPart, operand, type Part, partOf, said, use } from './operand.js'
import type { RuleState } from './rule-state.js'
import type { Entry } from './statements.js'
import type { KeyValue, Loaded, PayloadValue } from './value.js'

const operators: ReadonlyMap<number, MatchOperator> = new Map([
  [CmpOps.eq, '=='],
  [CmpOps.neq, '!='],
  [CmpOps.lt, '<'],
  [CmpOps.lte, '<='],
  [CmpOps.gt, '>'],
  [CmpOps.gte, '>='],
])

/** False when it is not understood. */
export function readCmp(state: RuleState, { sreg, op, data }: ExprCmpRecord): boolean {
  const loaded = sreg === undefined ? undefined : state.registers.at(sreg)
  const operator = operators.get(op ?? -1)
  const bytes = data?.value && loaded && comparedBytes(data.value, loaded)
  if (!loaded || !operator || !bytes || bytes.length > loaded.length) return false
  const { value } = loaded
  if (operator === '<=' && isOpenRange(state, loaded)) return closeRange(state, loaded, bytes)
  if (value.kind === 'payload' && bytes.length === loaded.length && operator === '==') {
    const fields = split(state, value, bytes)
    if (fields.length > 0) {
      for (const field of fields) sayMatch(state, field.part, operator, field.bytes, loaded, field.right)
      return true
    }
  }
  if (value.kind === 'payload' && bytes.length === loaded.length && operator === '!=') {
    // The first bytes of an address: a network whose length is a multiple of eight.
    const field = prefixField(state, value, bytes)
    if (field) {
      sayMatch(state, field.part, operator, field.bytes, loaded, field.right)
      return true
    }
  }
  if (value.kind === 'key' && value.tunnel !== undefined)
    return readTunneledKey(state, value, loaded, operator, bytes)
  const part = partOf(value, loaded.length, state.protocols)
  if (!part) return false
  if (bytes.length < part.length) {
    const short = part.bits || part.shift !== 0 ? undefined : readShort(bytes, part)
    if (short === undefined || (operator !== '==' && operator !== '!=')) return false
    sayMatch(state, part, operator, bytes, loaded, short)
    return true
  }
  if (exceeds(bytes, part)) return false
  const entry = sayMatch(state, part, operator, bytes, loaded)
  if (operator === '>=') state.lowerBound = { loaded, bytes, entry }
  return true
}

/** Whether there is a route is one byte: nft 1.0.6 compares the word that it begins. */
function comparedBytes(bytes: Uint8Array, { value, length }: Loaded): Uint8Array {
  if (value.kind !== 'key' || value.type.name !== 'boolean' || bytes.length !== 4 || length !== 1)
    return bytes
  const number = Number(readNumber(bytes, 0, 4, 'host'))
  return number <= 1 ? Uint8Array.of(number) : bytes
}

/** What kind of packet a tunnel carries: a test that only fields of that packet say. */
function readTunneledKey(
  state: RuleState,
  { expression, type, order, tunnel }: KeyValue,
  loaded: Loaded,
  operator: MatchOperator,
  bytes: Uint8Array,
): boolean {
  if (operator !== '==' || bytes.length !== loaded.length) return false
  const part: Part = { expression, type, order, length: loaded.length, shift: 0 }
  const fact = factOf(part, bytes, state.protocols.inside(tunnel))
  if (fact === undefined) return false
  state.match(compare(part, operator, bytes), [loaded], fact, tunnel).unsayable = true
  return true
}

/** What a value is compared with in fewer bytes than it has: the beginning of a name, or of an address. */
function readShort(bytes: Uint8Array, part: Part): Expression | undefined {
  const text = readShortText(bytes, part)
  if (text !== undefined || part.order !== 'big') return text
  const whole = new Uint8Array(part.length)
  whole.set(bytes)
  return readPrefix(whole, new Uint8Array(part.length).fill(0xff, 0, bytes.length), part)
}

/** Whether the statement before is the lower bound of the same load. */
function isOpenRange({ lowerBound, statements }: RuleState, loaded: Loaded): boolean {
  return lowerBound !== undefined && lowerBound.loaded === loaded && statements.last === lowerBound.entry
}

/** The second comparison of a range: both ends included. */
function closeRange(state: RuleState, loaded: Loaded, upper: Uint8Array): boolean {
  const lower = state.lowerBound?.bytes
  const part = partOf(loaded.value, loaded.length, state.protocols)
  state.lowerBound = undefined
  if (!lower || !part || lower.length !== upper.length || exceeds(upper, part)) return false
  state.statements.extend({ match: { op: '==', left: said(part), right: readRange(lower, upper, part) } }, [
    state.index,
  ])
  return true
}

export function readRangeExpression(state: RuleState, record: ExprRangeRecord): boolean {
  const { sreg, op, fromData, toData } = record
  const loaded = sreg === undefined ? undefined : state.registers.at(sreg)
  const lower = fromData?.value
  const upper = toData?.value
  if (!loaded || !lower || !upper || lower.length !== loaded.length || upper.length !== loaded.length)
    return false
  const named = operand([loaded], state.protocols)
  const part = named?.parts[0]
  if (!named || !part || exceeds(lower, part) || exceeds(upper, part)) return false
  const right = readRange(lower, upper, part)
  use(named.parts, state.protocols)
  state.match({ match: { op: op === RangeOps.neq ? '!=' : '==', left: named.expression, right } }, [loaded])
  return true
}

interface SplitField {
  readonly part: Part
  readonly bytes: Uint8Array
  readonly right?: Expression | undefined
}

/**
 * The fields that a comparison of several bytes is about: `nft`, and this library, load adjacent fields at once. Empty
 * where the bytes are not whole fields, of which the last may be the first bytes of an address.
 */
function split(state: RuleState, value: PayloadValue, bytes: Uint8Array): SplitField[] {
  const protocols = state.protocols.inside(value.tunnel)
  const { tags, icmpTypes } = protocols
  try {
    return splitFields(state, value, bytes)
  } finally {
    protocols.tags = tags
    protocols.icmpTypes = icmpTypes
  }
}

function splitFields(state: RuleState, value: PayloadValue, bytes: Uint8Array): SplitField[] {
  const protocols = state.protocols.inside(value.tunnel)
  const fields: SplitField[] = []
  let at = 0
  while (at < bytes.length) {
    const start = (value.offset + at) * 8
    const rest = bytes.length - at
    const field = findField(
      value,
      state.protocols,
      (each) => each.offset === start && each.bits % 8 === 0 && each.bits <= rest * 8,
    )
    if (!field) {
      const prefix = prefixField(state, { ...value, offset: value.offset + at }, bytes.subarray(at))
      if (prefix) fields.push(prefix)
      return prefix ? fields : []
    }
    const length = field.bits / 8
    const part = fieldPart(field, length)
    const own = bytes.subarray(at, at + length)
    fields.push({ part, bytes: own })
    // What stands behind may depend on a field of the same comparison.
    const fact = factOf(part, own, protocols)
    if (fact?.layer === 'vlan') protocols.tags++
    if (fact?.layer === 'icmp') protocols.icmpTypes = fact.types
    at += length
  }
  return fields
}

function prefixField(state: RuleState, value: PayloadValue, bytes: Uint8Array): SplitField | undefined {
  const start = value.offset * 8
  const field = findField(
    value,
    state.protocols,
    (each) => each.offset === start && each.bits > bytes.length * 8,
  )
  if (!field) return undefined
  const length = Math.ceil(field.bits / 8)
  const part = fieldPart(field, length)
  const whole = new Uint8Array(length)
  whole.set(bytes)
  const mask = new Uint8Array(length).fill(0xff, 0, bytes.length)
  const right = readPrefix(whole, mask, part)
  return right === undefined ? undefined : { part, bytes: whole, right }
}

/** One comparison in the terms of the model. */
function sayMatch(
  state: RuleState,
  part: Part,
  op: MatchOperator,
  bytes: Uint8Array,
  loaded: Loaded,
  right?: Expression,
): Entry {
  const statement: MatchStatement =
    right !== undefined ? { match: { op, left: said(part), right } } : compare(part, op, bytes)
  const scope = state.protocols.inside(part.tunnel)
  const fact = op === '==' && !part.bits ? factOf(part, bytes, scope) : undefined
  use([part], state.protocols)
  return state.match(statement, [loaded], fact, part.tunnel)
}

/** Whether there is a route, as all versions of nft say it in a match: `fib daddr oif exists`. */
function asked(part: Part): Part {
  const { expression } = part
  if (typeof expression !== 'object' || !('fib' in expression) || expression.fib.result !== 'check')
    return part
  return { ...part, expression: { fib: { ...expression.fib, result: 'oif' } } }
}

function compare(compared: Part, op: MatchOperator, bytes: Uint8Array): MatchStatement {
  const part = asked(compared)
  const { bits, expression, type } = part
  const isAnd = bits && isZero(bits.xor)
  if (isAnd && (op === '==' || op === '!=')) {
    if (type.bitmask && isZero(bytes)) {
      const right = readAlternatives(bits.mask, part)
      // Any of the flags, none of the flags.
      return { match: { op: op === '!=' ? 'in' : '!', left: expression, right } }
    }
    if (type.bitmask) return { match: { op, left: said(part), right: readAlternatives(bytes, part) } }
    const prefix = readPrefix(bytes, bits.mask, part)
    if (prefix) return { match: { op, left: expression, right: prefix } }
  }
  // Like nft, which sees through the flags of a header field only where a mask precedes them.
  const right = type.bitmask && part.header === undefined ? readFlags(bytes, part) : readValue(bytes, part)
  return { match: { op, left: said(part), right } }
}
