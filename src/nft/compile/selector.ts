/** Turns expressions into operands: what to load, and what must be tested before. */
import {
  ctKeys,
  type Datatype,
  datatype,
  headers,
  InvalidValue,
  metaKeys,
  paddedLength,
  quote,
} from '../datatype/index.js'
import { ctDirections, FIB_PRESENT, fibFlags, fibResults, payloadBases } from '../kernel/constants.js'
import type {
  CtReference,
  Expression,
  FibExpression,
  PayloadReference,
  RawPayloadReference,
} from '../model/index.js'
import { binaryParts, constantNumber, isConcat, isConstant, isObject } from './constant.js'
import { requireHeader, requireIcmpType } from './dependency.js'
import {
  type ConcatOperand,
  noTransforms,
  type Operand,
  type Transform,
  type ValueOperand,
} from './operand.js'
import type { RuleContext } from './rule-context.js'

/** The operand of an expression, whose dependencies are emitted. The trail stands at the expression. */
export function resolve(context: RuleContext, expression: Expression): Operand {
  if (isConcat(expression)) return concatenation(context, expression.concat)
  return resolveValue(context, expression)
}

/** An operand that is one value. */
export function resolveValue(context: RuleContext, expression: Expression): ValueOperand {
  if (isObject(expression)) {
    if ('payload' in expression) return payload(context, expression.payload)
    if ('meta' in expression) return meta(expression.meta.key)
    if ('ct' in expression) return ct(context, expression.ct)
    if ('fib' in expression) return fib(expression.fib, false)
    const parts = binaryParts(expression)
    if (parts !== undefined) return binary(context, parts.operator, parts.operands)
  }
  throw new InvalidValue(
    `${quote(expression)} is nothing that a packet has: payload, meta, ct or fib is expected`,
  )
}

const cachedFields = new Map<string, ValueOperand>()

function payload(context: RuleContext, reference: PayloadReference | RawPayloadReference): ValueOperand {
  if ('base' in reference) return rawPayload(reference)
  const { protocol, field } = reference
  const cacheKey = `${protocol} ${field}`
  const operand = cachedFields.get(cacheKey) ?? describeField(cacheKey, protocol, field)
  requireHeader(context, protocol)
  if (protocol === 'icmp' || protocol === 'icmpv6') requireIcmpType(context, protocol, field)
  return operand
}

const protocolKeys: ReadonlySet<string> = new Set([
  'ether type',
  'vlan type',
  'ip protocol',
  'ip6 nexthdr',
  'icmp type',
  'icmpv6 type',
  'ah nexthdr',
  'comp nexthdr',
])

function describeField(cacheKey: string, protocol: string, field: string): ValueOperand {
  const header = Object.entries(headers).find(([name]) => name === protocol)?.[1]
  if (header === undefined) throw new InvalidValue(`${quote(protocol)} is no header that is known here`)
  const found = Object.entries(header.fields).find(([name]) => name === field)?.[1]
  if (found === undefined) throw new InvalidValue(`the header ${protocol} has no field ${quote(field)}`)
  const type = datatype(found.type)
  const operand = bitField(
    payloadBases[header.base],
    found.offset,
    found.bits,
    type,
    protocolKeys.has(cacheKey),
  )
  cachedFields.set(cacheKey, operand)
  return operand
}

function rawPayload(reference: RawPayloadReference): ValueOperand {
  const { base, offset, len } = reference
  const number: number | undefined = Object.hasOwn(payloadBases, base) ? payloadBases[base] : undefined
  if (number === undefined) throw new InvalidValue(`${quote(base)} is no base: ll, nh, th or ih is expected`)
  if (!Number.isInteger(offset) || offset < 0 || !Number.isInteger(len) || len < 1 || len > 128)
    throw new InvalidValue(`offset and len are counted in bits, len from 1 to 128: ${quote(reference)}`)
  const isPort = base === 'th' && len === 16 && (offset === 0 || offset === 16)
  return bitField(number, offset, len, datatype(isPort ? 'inet_service' : 'integer'), false)
}

/** A field of a header: whole bytes as they are, others masked, and shifted down to the lowest bit. */
function bitField(
  base: number,
  offset: number,
  bits: number,
  type: Datatype,
  protocolKey: boolean,
): ValueOperand {
  const first = Math.floor(offset / 8)
  const length = Math.ceil((offset + bits) / 8) - first
  const shift = (first + length) * 8 - offset - bits
  const transforms: Transform[] = []
  if (bits !== length * 8) {
    transforms.push({ kind: 'bool', mask: ((1n << BigInt(bits)) - 1n) << BigInt(shift), xor: 0n })
    if (shift !== 0) transforms.push({ kind: 'shift', direction: 'right', by: shift })
  }
  return {
    kind: 'value',
    source: { kind: 'payload', base, offset: first, protocolKey },
    type,
    bits,
    length,
    order: 'big',
    transforms: transforms.length === 0 ? noTransforms : transforms,
  }
}

const metaOperands: ReadonlyMap<string, ValueOperand> = new Map(
  metaKeys.map((key) => [
    key.name,
    {
      kind: 'value',
      source: { kind: 'meta', key: key.number },
      type: datatype(key.type),
      bits: key.length * 8,
      length: key.length,
      order: key.order,
      transforms: noTransforms,
    },
  ]),
)

function meta(key: string): ValueOperand {
  const operand = metaOperands.get(key)
  if (operand === undefined) throw new InvalidValue(`${quote(key)} is no key of meta`)
  return operand
}

const ctByName = new Map<string, (typeof ctKeys)[number]>(ctKeys.map((key) => [key.name, key]))
const ctEither: ReadonlySet<string> = new Set(['l3proto', 'protocol', 'zone', 'packets', 'bytes', 'avgpkt'])
const ctDirected: ReadonlySet<string> = new Set([
  'saddr',
  'daddr',
  'ip saddr',
  'ip daddr',
  'ip6 saddr',
  'ip6 daddr',
  'proto-src',
  'proto-dst',
])

function ct(context: RuleContext, reference: CtReference): ValueOperand {
  const direction = reference.dir === undefined ? undefined : ctDirections[reference.dir]
  const name = ctName(context, reference)
  const key = ctByName.get(name)
  if (key === undefined) throw new InvalidValue(`${quote(reference.key)} is no key of ct`)
  if (ctDirected.has(name) && direction === undefined)
    throw new InvalidValue(`ct ${reference.key} needs dir: 'original' or 'reply'`)
  if (direction !== undefined && !ctDirected.has(name) && !ctEither.has(name))
    throw new InvalidValue(`ct ${reference.key} has no direction`)
  return {
    kind: 'value',
    source: { kind: 'ct', key: key.number, direction },
    type: datatype(key.type),
    bits: key.length * 8,
    length: key.length,
    order: key.order,
    transforms: noTransforms,
  }
}

/** `saddr` and `daddr` of either family by its own key, as nft has it. */
function ctName(context: RuleContext, reference: CtReference): string {
  if (reference.key !== 'saddr' && reference.key !== 'daddr') return reference.key
  const { network } = context.protocols
  const family = reference.family ?? (network === 'ip' || network === 'ip6' ? network : undefined)
  if (family === undefined) throw new InvalidValue(`ct ${reference.key} needs family: 'ip' or 'ip6' here`)
  return `${family} ${reference.key}`
}

const fibFlagBits = new Map<string, number>(Object.entries(fibFlags))

/** @param present ask only whether there is a route */
export function fib(reference: FibExpression['fib'], present: boolean): ValueOperand {
  const result: number | undefined = Object.hasOwn(fibResults, reference.result)
    ? fibResults[reference.result]
    : undefined
  if (result === undefined)
    throw new InvalidValue(`${quote(reference.result)} is no result of fib: oif, oifname or type is expected`)
  let flags = present ? FIB_PRESENT : 0
  for (const flag of [reference.flags].flat()) {
    const bit = fibFlagBits.get(flag)
    if (bit === undefined) throw new InvalidValue(`${quote(flag)} is no flag of fib`)
    flags |= bit
  }
  const isName = reference.result === 'oifname' && !present
  const name = present
    ? 'boolean'
    : isName
      ? 'ifname'
      : reference.result === 'oif'
        ? 'iface_index'
        : 'fib_addrtype'
  const length = isName ? 16 : 4
  return {
    kind: 'value',
    source: { kind: 'fib', result, flags },
    type: datatype(name),
    bits: length * 8,
    length,
    order: 'host',
    transforms: noTransforms,
  }
}

/** `field & constant` and its like. */
function binary(context: RuleContext, operator: string, operands: readonly Expression[]): ValueOperand {
  const [first, ...rest] = operands
  if (first === undefined || rest.length === 0) throw new InvalidValue(`${operator} needs two operands`)
  context.trail.enter(operator)
  context.trail.enter(0)
  let operand = resolveValue(context, first)
  context.trail.leave()
  for (const [index, constant] of rest.entries()) {
    context.trail.enter(index + 1)
    if (!isConstant(constant)) throw new InvalidValue('the kernel combines a field with constants only')
    operand = { ...operand, transforms: combine(operand, operator, constant) }
    context.trail.leave()
  }
  context.trail.leave()
  return operand
}

function combine(operand: ValueOperand, operator: string, constant: Expression): Transform[] {
  const width = BigInt(operand.length * 8)
  const full = (1n << width) - 1n
  if (operator === '<<' || operator === '>>') {
    const by = Number(constantNumber(constant, datatype('integer'), 32))
    return [...operand.transforms, { kind: 'shift', direction: operator === '<<' ? 'left' : 'right', by }]
  }
  const value = constantNumber(constant, operand.type, operand.length * 8)
  const step = operator === '&' ? [value, 0n] : operator === '|' ? [~value & full, value] : [full, value]
  const [mask = full, xor = 0n] = step
  const last = operand.transforms.at(-1)
  if (last?.kind !== 'bool') return [...operand.transforms, { kind: 'bool', mask, xor }]
  // (v & m1 ^ x1) & m2 ^ x2 = v & (m1 & m2) ^ (x1 & m2 ^ x2)
  const merged: Transform = { kind: 'bool', mask: last.mask & mask, xor: (last.xor & mask) ^ xor }
  return [...operand.transforms.slice(0, -1), merged]
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
