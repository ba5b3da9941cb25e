/** What a rule writes: fields of headers, meta data, properties of the connection. */
import type {
  ExprCtRecord,
  ExprExthdrRecord,
  ExprMetaRecord,
  ExprPayloadRecord,
} from '../../native/records.js'
import { type Checksums, checksumsOf, formerChecksums } from '../datatype/checksums.js'
import { ctEventKey, ctKeys, datatype, extensionOps, metaKeys } from '../datatype/index.js'
import { CHECKSUM_PSEUDO_HEADER, ChecksumTypes, ctDirections, payloadBases } from '../kernel/constants.js'
import type {
  CtTarget,
  Expression,
  MetaTargetKey,
  PayloadBase,
  PayloadExpression,
  TcpOptionExpression,
} from '../model/index.js'
import { type Argument, readSingle } from './argument.js'
import { isZero, maskBounds, maskRange } from './bits.js'
import { readFlags } from './constants.js'
import { extensionPart } from './extension.js'
import { findField } from './fields.js'
import { fieldPart, type Part, said, use } from './operand.js'
import type { RuleState } from './rule-state.js'

const metaTargets: readonly MetaTargetKey[] = ['mark', 'priority', 'nftrace', 'pkttype', 'secmark', 'broute']

/** `meta key set`; false when it is not understood. */
export function readMetaWrite(state: RuleState, { key, sreg }: ExprMetaRecord): boolean {
  const name = metaTargets.find((target) => metaKeys.find((each) => each.name === target)?.number === key)
  const known = metaKeys.find((each) => each.name === name)
  if (name === undefined || !known) return false
  const { order, length } = known
  const value = readSingle(state, sreg, { type: datatype(known.type), order, length, shift: 0 })
  if (!value) return false
  use(value.parts, state.protocols)
  state.say({ mangle: { key: { meta: { key: name } }, value: value.expression } }, value.from)
  return true
}

/** `ct key set`; false when it is not understood. */
export function readCtWrite(state: RuleState, { key, sreg, direction }: ExprCtRecord): boolean {
  const known = [...ctKeys, ctEventKey].find(({ number }) => number === key)
  const target = known && ctTarget(known.name, direction)
  if (!known || !target) return false
  const { type, order, length } = known
  const value = readSingle(state, sreg, { type: datatype(type), order, length, shift: 0 })
  if (!value) return false
  use(value.parts, state.protocols)
  state.say({ mangle: { key: { ct: target }, value: value.expression } }, value.from)
  return true
}

function ctTarget(name: string, direction: number | undefined): CtTarget | undefined {
  switch (name) {
    case 'mark':
    case 'label':
    case 'event':
    case 'secmark':
      return direction === undefined ? { key: name } : undefined
    case 'zone':
      if (direction === undefined) return { key: name }
      return { key: name, dir: direction === ctDirections.original ? 'original' : 'reply' }
    default:
      return undefined
  }
}

/** `tcp option maxseg size set`; false when it is not understood. */
export function readOptionWrite(state: RuleState, record: ExprExthdrRecord): boolean {
  const { sreg, op, type = 0, offset, len, flags = 0 } = record
  if (op !== extensionOps['tcp option'] || offset === undefined || !len || flags !== 0) return false
  const part = extensionPart({ kind: 'extension', extension: 'tcp option', type, offset }, len)
  if (!part || !isTcpOption(part.expression)) return false
  const value = readSingle(state, sreg, { type: part.type, order: 'big', length: len, shift: 0 })
  if (!value) return false
  use(value.parts, state.protocols)
  state.say({ mangle: { key: part.expression, value: value.expression } }, value.from)
  return true
}

function isTcpOption(expression: Expression): expression is TcpOptionExpression {
  return typeof expression === 'object' && 'tcp option' in expression
}

/** Where a payload expression writes, and what. */
interface Write {
  readonly base: PayloadBase
  readonly offset: number
  readonly len: number
}

/** What is written, and the value. */
interface Written {
  readonly target: PayloadExpression
  readonly value: Argument
  readonly parts: readonly Part[]
}

/** `ip ttl set`; false when it is not understood. */
export function readPayloadWrite(state: RuleState, record: ExprPayloadRecord): boolean {
  const { sreg, base, offset, len } = record
  const name = (Object.entries(payloadBases) as [PayloadBase, number][]).find(
    ([, each]) => each === base,
  )?.[0]
  if (sreg === undefined || name === undefined || offset === undefined || !len) return false
  const write = { base: name, offset, len }
  const written =
    partOfWord(state, sreg, write, true) ??
    wholeField(state, sreg, write, true) ??
    changedField(state, sreg, write) ??
    partOfWord(state, sreg, write, false) ??
    wholeField(state, sreg, write, false)
  if (!written || !hasItsChecksum(record, written.target)) return false
  use([...written.parts, ...written.value.parts], state.protocols)
  state.say({ mangle: { key: written.target, value: written.value.expression } }, written.value.from)
  return true
}

/** A field of whole bytes, or any bytes without a name. */
function wholeField(
  state: RuleState,
  register: number,
  { base, offset, len }: Write,
  named: boolean,
): Written | undefined {
  const field = named
    ? findField({ base }, state.protocols, (each) => each.offset === offset * 8 && each.bits === len * 8)
    : undefined
  if (named && !field) return undefined
  const type = field?.type ?? datatype('integer')
  const value = readSingle(state, register, { type, order: 'big', length: len, shift: 0 })
  if (!value) return undefined
  const target = field?.expression ?? { payload: { base, offset: offset * 8, len: len * 8 } }
  return { target, value, parts: field ? [fieldPart(field, len)] : [] }
}

/** A field inside some bytes, of which the others are loaded and written back: `(bytes & mask) ^ value`. */
function partOfWord(
  state: RuleState,
  register: number,
  { base, offset, len }: Write,
  named: boolean,
): Written | undefined {
  const loaded = state.registers.at(register)
  if (loaded?.value.kind !== 'bits' || loaded.length !== len) return undefined
  const { of, mask, xor } = loaded.value
  if (of.kind !== 'payload' || of.base !== base || of.tunnel !== undefined || of.offset !== offset)
    return undefined
  const run = maskRange(mask.map((byte) => ~byte))
  if (!run || !isZero(xor.map((byte, index) => byte & (mask[index] ?? 0)))) return undefined
  const start = offset * 8 + run.offset
  const field = named
    ? findField({ base }, state.protocols, (each) => each.offset === start && each.bits === run.length)
    : undefined
  if (named && !field) return undefined
  const type = field?.type ?? datatype('integer')
  const shift = len * 8 - run.offset - run.length
  const expression = readFlags(xor, { type, order: 'big', length: len, shift })
  const target = field?.expression ?? { payload: { base, offset: start, len: run.length } }
  const value = { expression, from: [loaded], parts: [] }
  return { target, value, parts: field ? [fieldPart(field, len, shift)] : [] }
}

/** A field of which some bits are changed: `ip dscp set ip dscp & 0x1f`. */
function changedField(state: RuleState, register: number, { base, offset, len }: Write): Written | undefined {
  const loaded = state.registers.at(register)
  if (loaded?.value.kind !== 'bits' || loaded.length !== len) return undefined
  const { of, mask, xor } = loaded.value
  if (of.kind !== 'payload' || of.base !== base || of.tunnel !== undefined || of.offset !== offset)
    return undefined
  const changed = maskBounds(mask.map((byte, index) => ~byte | (xor[index] ?? 0)))
  if (!changed) return undefined
  const start = offset * 8 + changed.offset
  const field = findField(
    { base },
    state.protocols,
    (each) => each.offset <= start && each.offset + each.bits >= start + changed.length,
  )
  if (!field || field.offset < offset * 8 || field.offset + field.bits > (offset + len) * 8) return undefined
  const part = fieldPart(field, len, (offset + len) * 8 - field.offset - field.bits)
  // What is outside of the field stays as it is.
  const first = field.offset - offset * 8
  const inside = mask.map((_, index) => bitsOfByte(first, field.bits, index))
  const bits = isZero(xor)
    ? { mask: mask.map((byte, index) => byte & (inside[index] ?? 0)), xor }
    : { mask, xor }
  if (!isZero(xor) && !mask.every((byte, index) => (byte | (xor[index] ?? 0)) === 0xff)) return undefined
  return {
    target: field.expression,
    value: { expression: said({ ...part, bits }), from: [loaded], parts: [] },
    parts: [part],
  }
}

/** The ones of a byte in a mask of some bits from the given one on. */
function bitsOfByte(first: number, count: number, index: number): number {
  let byte = 0
  for (let bit = 0; bit < 8; bit++) {
    const at = index * 8 + bit
    if (at >= first && at < first + count) byte |= 0x80 >> bit
  }
  return byte
}

/** Whether the kernel corrects the checksums that the field makes wrong, or those that nft 1.0.6 knew of. */
function hasItsChecksum(record: ExprPayloadRecord, { payload }: PayloadExpression): boolean {
  if ('base' in payload) return isCorrected(record, { transport: false })
  const { protocol, field } = payload
  return (
    isCorrected(record, checksumsOf(protocol, field)) || isCorrected(record, formerChecksums(protocol, field))
  )
}

function isCorrected(
  { csumType = 0, csumOffset = 0, csumFlags = 0 }: ExprPayloadRecord,
  { own, transport }: Checksums,
): boolean {
  if (csumFlags !== (transport ? CHECKSUM_PSEUDO_HEADER : 0)) return false
  if (own === undefined) return csumType === ChecksumTypes.none
  return csumType === ChecksumTypes[own.kind] && csumOffset === own.offset
}
