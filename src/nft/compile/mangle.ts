/** `mangle`: writes a field of the packet, its meta data, or a property of its connection. */

import { checksumsOf } from '../datatype/checksums.js'
import {
  ctEventKey,
  ctKeys,
  datatype,
  headers,
  InvalidValue,
  quote,
  type RegisterKey,
} from '../datatype/index.js'
import {
  BitwiseOps,
  CHECKSUM_PSEUDO_HEADER,
  ChecksumTypes,
  ctDirections,
  headerBases,
  payloadBases,
} from '../kernel/constants.js'
import type { MangleStatement, TcpOptionExpression } from '../model/index.js'
import { loadSingle } from './argument.js'
import { binaryParts, constantNumber, isConstant, isObject } from './constant.js'
import { loadPayload } from './emit.js'
import { extensionOperand } from './extension.js'
import { numberBytes } from './load.js'
import { metaOperand } from './meta.js'
import type { ValueOperand } from './operand.js'
import { furtherBits, payloadOperand } from './payload.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'

type Payload = Extract<MangleStatement['mangle']['key'], { readonly payload: unknown }>['payload']

/** The trail stands at the statement's object. */
export function compileMangle(context: RuleContext, { key, value }: MangleStatement['mangle']): void {
  if (!isObject(key)) throw new InvalidValue(`something to be written is expected, not ${quote(key)}`)
  if ('payload' in key) writePayload(context, key.payload, value)
  else if ('meta' in key) writeMeta(context, key.meta.key, value)
  else if ('ct' in key) writeCt(context, key.ct, value)
  else if ('tcp option' in key) writeTcpOption(context, key, value)
  else throw new InvalidValue(`${quote(key)} cannot be written: payload, tcp option, meta or ct is expected`)
}

type Value = MangleStatement['mangle']['value']

const metaTargets: ReadonlySet<string> = new Set([
  'mark',
  'priority',
  'nftrace',
  'pkttype',
  'secmark',
  'broute',
])
const writable: ReadonlySet<string> = new Set(['mark', 'label', 'secmark', 'zone'])
const ctTargets: ReadonlyMap<string, RegisterKey<string>> = new Map(
  [...ctKeys.filter(({ name }) => writable.has(name)), ctEventKey].map((key) => [key.name, key]),
)

function writeMeta(context: RuleContext, key: string, value: Value): void {
  const operand = metaOperand(key)
  if (!metaTargets.has(key) || operand.source.kind !== 'meta')
    throw new InvalidValue(`meta ${key} cannot be written`)
  loadInto(context, operand, value)
  context.out.push({ name: 'meta', data: { sreg: register(0), key: operand.source.key } })
}

function writeCt(
  context: RuleContext,
  target: Extract<MangleStatement['mangle']['key'], { readonly ct: unknown }>['ct'],
  value: Value,
): void {
  const { key, dir } = target
  const known = ctTargets.get(key)
  if (known === undefined) throw new InvalidValue(`ct ${quote(key)} cannot be written`)
  if (dir !== undefined && key !== 'zone')
    throw new InvalidValue(`ct ${quote(key)} has no direction when it is written`)
  const { number, type, length, order } = known
  loadInto(context, { type: datatype(type), length, order }, value)
  const direction = dir === undefined ? {} : { direction: ctDirections[dir] }
  context.out.push({ name: 'ct', data: { sreg: register(0), key: number, ...direction } })
}

function writeTcpOption(context: RuleContext, target: TcpOptionExpression, value: Value): void {
  context.trail.enter('key')
  const { source, type, bits, length } = extensionOperand(context, target)
  const data = source.kind === 'load' ? source.load(register(0), context.out, 0).data : undefined
  const place =
    data !== undefined && 'offset' in data && 'op' in data && !('flags' in data) ? data : undefined
  // The kernel writes no other lengths (nft_exthdr_tcp_set_init).
  if (place === undefined || bits !== length * 8 || (length !== 2 && length !== 4))
    throw new InvalidValue('of a TCP option only fields of two or four bytes can be written')
  context.trail.leave()
  loadInto(context, { type, length, order: 'big' }, value)
  const { type: kind, offset, len, op } = place
  context.out.push({ name: 'exthdr', data: { sreg: register(0), type: kind, offset, len, op } })
}

function loadInto(context: RuleContext, field: Parameters<typeof loadSingle>[3], value: Value): void {
  context.trail.enter('value')
  loadSingle(context, 0, value, field)
  context.trail.leave()
}

/** The bits that a field has in the packet. */
interface Place {
  readonly base: number
  readonly offset: number
  readonly bits: number
}

function placeOf(context: RuleContext, reference: Payload): Place {
  if ('base' in reference)
    return { base: payloadBases[reference.base], offset: reference.offset, bits: reference.len }
  const header = headers[reference.protocol]
  const field = Object.entries(header.fields).find(([name]) => name === reference.field)?.[1]
  if (field === undefined) throw new InvalidValue(`${quote(reference)} is no field of a header`)
  const offset = field.offset + furtherBits(context, reference.protocol)
  return { base: headerBases[header.base], offset, bits: field.bits }
}

function writePayload(context: RuleContext, reference: Payload, value: Value): void {
  const { out, trail } = context
  trail.enter('key')
  trail.enter('payload')
  if ('tunnel' in reference && reference.tunnel !== undefined)
    throw new InvalidValue('the kernel writes no fields of what a tunnel carries')
  const operand = payloadOperand(context, reference)
  const { base, offset, bits } = placeOf(context, reference)
  trail.leave()
  trail.leave()
  const checksums = 'base' in reference ? undefined : checksumsOf(reference.protocol, reference.field)
  const checksum = checksums?.own
  const first = Math.floor(offset / 8)
  const length = Math.ceil((offset + bits) / 8) - first
  const whole = offset % 8 === 0 && bits % 8 === 0
  // The kernel corrects a checksum by words of two bytes.
  const odd = checksum !== undefined && length % 2 === 1
  let start = first
  let size = length
  if (whole && !odd) loadInto(context, { type: operand.type, length, order: 'big' }, value)
  else {
    trail.enter('value')
    const change = changeOf(context, operand, bits, value)
    trail.leave()
    let shift = (first + length) * 8 - offset - bits
    if (odd) {
      size += 1
      if (first % 2 === 1) start -= 1
      else shift += 8
    }
    writePart(context, base, start, size, change.replaced << BigInt(shift), change.value << BigInt(shift))
  }
  const corrected =
    checksum === undefined ? {} : { csumType: ChecksumTypes[checksum.kind], csumOffset: checksum.offset }
  out.push({
    name: 'payload',
    data: {
      sreg: register(0),
      base,
      offset: start,
      len: size,
      ...corrected,
      ...(checksums?.transport ? { csumFlags: CHECKSUM_PSEUDO_HEADER } : {}),
    },
  })
}

/** What is written into a part of a word: the bits that are replaced, and those that change them. */
interface Change {
  readonly replaced: bigint
  readonly value: bigint
}

/** A constant replaces the whole field; a bit operation on the field itself, some bits of it. */
function changeOf(context: RuleContext, field: ValueOperand, bits: number, value: Value): Change {
  const full = (1n << BigInt(bits)) - 1n
  if (isConstant(value)) return { replaced: full, value: constantNumber(value, field.type, bits) }
  const operand = binaryParts(value) === undefined ? undefined : resolve(context, value)
  const steps =
    operand?.kind === 'value' && isSameSource(operand.source, field.source) ? operand.transforms : []
  // The last step of a field that has no others than its mask was merged with that.
  const own = field.transforms.length
  const last = steps.at(-1)
  if (last?.kind !== 'bool' || (steps.length !== own + 1 && !(steps.length === own && own === 1)))
    throw new InvalidValue(
      'the kernel writes a part of a word, such as this field, as a constant, or with bits of it changed by &, | and ^',
    )
  return { replaced: full ^ (last.mask & full), value: last.xor & full }
}

function isSameSource(one: ValueOperand['source'], other: ValueOperand['source']): boolean {
  return (
    one.kind === 'payload' &&
    other.kind === 'payload' &&
    one.tunnel === other.tunnel &&
    one.base === other.base &&
    one.offset === other.offset &&
    one.length === other.length
  )
}

/** Loads what is there, with the field's bits replaced. */
function writePart(
  { out }: RuleContext,
  base: number,
  start: number,
  size: number,
  field: bigint,
  value: bigint,
): void {
  const full = (1n << BigInt(size * 8)) - 1n
  const place = register(0)
  loadPayload(out, 0, base, start, size)
  out.push({
    name: 'bitwise',
    data: {
      sreg: place,
      dreg: place,
      op: BitwiseOps.bool,
      len: size,
      mask: { value: numberBytes(full ^ field, size, 'big') },
      xor: { value: numberBytes(value, size, 'big') },
    },
  })
}
