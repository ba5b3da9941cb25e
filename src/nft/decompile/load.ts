/** Expressions that put a value into a register, and those that change one. */

import type {
  ExprBitwiseRecord,
  ExprByteorderRecord,
  ExprCtRecord,
  ExprFibRecord,
  ExprMetaRecord,
  ExprPayloadRecord,
} from '../../native/records.js'
import { ctKeys, datatype, metaKeys, readNumber } from '../datatype/index.js'
import {
  BitwiseOps,
  ByteorderOps,
  ctDirections,
  FIB_PRESENT,
  fibFlags,
  fibResults,
  type HeaderBase,
  headerBases,
} from '../kernel/constants.js'
import type { CtDirection, CtReference, FibFlag } from '../model/index.js'
import type { RuleState } from './rule-state.js'
import type { CombinedValue, KeyValue, Loaded, Value } from './value.js'

const bases = inverse<HeaderBase>(headerBases)
/** The base of offsets that a number of the kernel's stands for. */
export const baseOf = (base: number | undefined): HeaderBase | undefined => bases.get(base ?? -1)
const directions = inverse<CtDirection>(ctDirections)
const firstOf = <Key extends { readonly number: number }>(keys: readonly Key[]): ReadonlyMap<number, Key> =>
  new Map([...keys].reverse().map((key) => [key.number, key]))
const metaByNumber = firstOf(metaKeys)
const ctByNumber = firstOf(ctKeys)

function inverse<Name extends string>(table: { readonly [N in Name]: number }): ReadonlyMap<number, Name> {
  const pairs = Object.entries(table) as [Name, number][]
  return new Map(pairs.map(([name, number]) => [number, name]))
}

/** Notes what an expression puts into a register; `from` is what it read. */
export function load(
  state: RuleState,
  register: number | undefined,
  value: Value,
  length: number,
  from?: Loaded,
): boolean {
  if (register === undefined || register === 0) return false
  return state.registers.load(register, { value, length, sources: [...(from?.sources ?? []), state.index] })
}

/** False for what is not understood; such an expression is kept as it is. */
export function readPayload(state: RuleState, { dreg, base, offset, len, sreg }: ExprPayloadRecord): boolean {
  const name = baseOf(base)
  if (sreg !== undefined || name === undefined || offset === undefined || !len) return false
  return load(state, dreg, { kind: 'payload', base: name, offset }, len)
}

export function readMeta(state: RuleState, { dreg, key, sreg }: ExprMetaRecord): boolean {
  const known = metaValue(state, key)
  if (sreg !== undefined || !known) return false
  return load(state, dreg, known.value, known.length)
}

/** What a key of `meta` loads, and how many bytes. */
export function metaValue(
  state: RuleState,
  key: number | undefined,
): { readonly value: KeyValue; readonly length: number } | undefined {
  const known = metaByNumber.get(key ?? -1)
  return (
    known && {
      value: {
        kind: 'key',
        expression: { meta: { key: known.name } },
        type: state.sets.type(known.type),
        order: known.order,
      },
      length: known.length,
    }
  )
}

export function readCt(state: RuleState, { dreg, key, direction, sreg }: ExprCtRecord): boolean {
  const known = ctByNumber.get(key ?? -1)
  const dir = direction === undefined ? undefined : directions.get(direction)
  if (sreg !== undefined || !known || (direction !== undefined && dir === undefined)) return false
  // The older keys for addresses leave the family to what the rule matched before.
  const isAddress = known.name === 'saddr' || known.name === 'daddr'
  const family = isAddress ? state.protocols.network : undefined
  if (isAddress && family !== 'ip' && family !== 'ip6') return false
  const expression = reference(known.name, dir, state.family === family ? undefined : family)
  if (!expression) return false
  const value: Value = {
    kind: 'key',
    expression: { ct: expression },
    type: family === 'ip6' ? datatype('ipv6_addr') : datatype(known.type),
    order: known.order,
  }
  return load(state, dreg, value, family === 'ip6' ? 16 : known.length)
}

/** The key with its direction, where the model has the combination. */
function reference(
  key: (typeof ctKeys)[number]['name'],
  dir: CtDirection | undefined,
  family: 'ip' | 'ip6' | 'arp' | undefined,
): CtReference | undefined {
  switch (key) {
    case 'saddr':
    case 'daddr':
      if (dir === undefined) return undefined
      return { key, dir, ...(family !== undefined && family !== 'arp' && { family }) }
    case 'ip saddr':
    case 'ip daddr':
    case 'ip6 saddr':
    case 'ip6 daddr':
    case 'proto-src':
    case 'proto-dst':
      return dir && { key, dir }
    case 'l3proto':
    case 'protocol':
    case 'zone':
    case 'packets':
    case 'bytes':
    case 'avgpkt':
      return dir === undefined ? { key } : { key, dir }
    default:
      return dir === undefined ? { key } : undefined
  }
}

export function readFib(state: RuleState, { dreg, result, flags = 0 }: ExprFibRecord): boolean {
  const name = result === fibResults.type ? 'type' : result === fibResults.oif ? 'oif' : 'oifname'
  if (result !== fibResults[name]) return false
  const present = (flags & FIB_PRESENT) !== 0
  const pairs = Object.entries(fibFlags) as [FibFlag, number][]
  const names = pairs.filter(([, bit]) => (flags & bit) !== 0).map(([flag]) => flag)
  const knownBits = pairs.reduce((all, [, bit]) => all | bit, FIB_PRESENT)
  // Whether there is a route is asked of `oif`.
  if ((flags & ~knownBits) !== 0 || (present && name !== 'oif')) return false
  const type = present
    ? 'boolean'
    : name === 'type'
      ? 'fib_addrtype'
      : name === 'oif'
        ? 'iface_index'
        : 'string'
  const length = present ? 1 : name === 'oifname' ? 16 : 4
  return load(
    state,
    dreg,
    {
      kind: 'key',
      expression: { fib: { result: present ? 'check' : name, flags: names } },
      type: state.sets.type(type),
      order: 'host',
    },
    length,
  )
}

export function readBitwise(state: RuleState, record: ExprBitwiseRecord): boolean {
  const { sreg, dreg, len, op = BitwiseOps.bool, mask, xor, data, sreg2 } = record
  const from = widened(sreg === undefined ? undefined : state.registers.at(sreg), len)
  if (!from || len !== from.length) return false
  if (sreg2 !== undefined) return readCombined(state, record, from)
  if (op === BitwiseOps.bool) {
    if (mask?.value?.length !== len || xor?.value?.length !== len) return false
    return load(state, dreg, { kind: 'bits', of: from.value, mask: mask.value, xor: xor.value }, len, from)
  }
  if (op !== BitwiseOps.lshift && op !== BitwiseOps.rshift) return false
  const bits = data?.value
  if (bits?.length !== 4) return false
  const direction = op === BitwiseOps.lshift ? '<<' : '>>'
  const count = Number(readNumber(bits, 0, 4, 'host'))
  return load(state, dreg, { kind: 'shifted', of: from.value, direction, bits: count }, len, from)
}

/** A register as one of a whole word, of which it may fill a part. */
function widened(from: Loaded | undefined, length: number | undefined): Loaded | undefined {
  if (from === undefined || length !== WORD || from.length >= length) return from
  return { ...from, value: { kind: 'widened', of: from.value, length: from.length }, length }
}

const WORD = 4
const combiningOperators: ReadonlyMap<number, CombinedValue['operator']> = new Map([
  [BitwiseOps.and, '&'],
  [BitwiseOps.or, '|'],
  [BitwiseOps.xor, '^'],
])

function readCombined(state: RuleState, { op, sreg2, dreg }: ExprBitwiseRecord, left: Loaded): boolean {
  const operator = combiningOperators.get(op ?? -1)
  const right = sreg2 === undefined ? undefined : state.registers.at(sreg2)
  if (operator === undefined || right === undefined || right.length > left.length) return false
  const value: Value = {
    kind: 'combined',
    operator,
    left: left.value,
    right: right.value,
    rightLength: right.length,
  }
  const sources = [...left.sources, ...right.sources]
  return load(state, dreg, value, left.length, { ...left, sources })
}

export function readByteorder(state: RuleState, { sreg, dreg, op, len, size }: ExprByteorderRecord): boolean {
  const from = sreg === undefined ? undefined : state.registers.at(sreg)
  if (!from || len !== from.length || (op !== ByteorderOps.hton && op !== ByteorderOps.ntoh)) return false
  if (size === undefined || len === undefined) return false
  // A value of one byte has no order.
  return load(state, dreg, len === 1 ? from.value : { kind: 'swapped', of: from.value, size }, len, from)
}
