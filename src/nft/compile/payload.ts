/** `payload`: fields of headers, and any bits of the packet. */
import {
  type Datatype,
  datatype,
  headers,
  InvalidValue,
  quote,
  type Tunnel,
  tunnelNamed,
  VLAN_HEADER_BYTES,
} from '../datatype/index.js'
import { headerBases, payloadBases } from '../kernel/constants.js'
import type { PayloadProtocol, PayloadReference, RawPayloadReference } from '../model/index.js'
import { emitInside, requireHeader, requireIcmpType, requireTunnel } from './dependency.js'
import { noTransforms, type Source, type Transform, type ValueOperand } from './operand.js'
import type { RuleContext } from './rule-context.js'
import { isShiftable } from './transform.js'

/** By protocol and field; of `vlan` those of the first header. */
const cachedFields = new Map<string, Map<string, ValueOperand>>()

/** The operand of a payload expression; what must be tested for it to mean something is emitted. */
export function payloadOperand(
  context: RuleContext,
  reference: PayloadReference | RawPayloadReference,
): ValueOperand {
  if ('base' in reference) return rawPayload(reference)
  const { protocol, field, tunnel } = reference
  if (tunnel === undefined) return headerField(context, protocol, field)
  const known = tunnelNamed(tunnel)
  requireTunnel(context, known)
  if (protocol === tunnel) return insideTunnel(makeField(protocol, field, 0), known)
  const operand = emitInside(context, known, (inside) => headerField(inside, protocol, field))
  return insideTunnel(operand, known)
}

/** The same field of the packet that a tunnel carries, or of the header of the tunnel. */
function insideTunnel(operand: ValueOperand, tunnel: Tunnel): ValueOperand {
  const { source, inPlace } = operand
  if (source.kind !== 'payload') return operand
  return {
    ...operand,
    source: { ...source, tunnel },
    ...(inPlace && { inPlace: { ...inPlace, operand: insideTunnel(inPlace.operand, tunnel) } }),
  }
}

function headerField(context: RuleContext, protocol: PayloadProtocol, field: string): ValueOperand {
  const operand = cachedFields.get(protocol)?.get(field) ?? describeField(protocol, field)
  requireHeader(context, protocol)
  const further = furtherBits(context, protocol)
  if (further > 0) return makeField(protocol, field, further)
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

/** How far behind the first header of its kind a header stands, in bits: the last of several VLAN headers. */
export function furtherBits({ protocols }: RuleContext, protocol: string): number {
  return protocol === 'vlan' && protocols.tags > 1 ? (protocols.tags - 1) * VLAN_HEADER_BYTES * 8 : 0
}

function describeField(protocol: string, field: string): ValueOperand {
  const operand = makeField(protocol, field, 0)
  const ofProtocol = cachedFields.get(protocol) ?? new Map<string, ValueOperand>()
  cachedFields.set(protocol, ofProtocol.set(field, operand))
  return operand
}

function makeField(protocol: string, field: string, further: number): ValueOperand {
  const header = Object.entries(headers).find(([name]) => name === protocol)?.[1]
  if (header === undefined) throw new InvalidValue(`${quote(protocol)} is no header that is known here`)
  const found = Object.entries(header.fields).find(([name]) => name === field)?.[1]
  if (found === undefined) throw new InvalidValue(`the header ${protocol} has no field ${quote(field)}`)
  const base = headerBases[header.base]
  const protocolKey = protocolKeys.has(`${protocol} ${field}`)
  return bitField(found.offset + further, found.bits, datatype(found.type), (offset, length) => ({
    kind: 'payload',
    base,
    offset,
    length,
    protocolKey,
  }))
}

function rawPayload(reference: RawPayloadReference): ValueOperand {
  const { base, offset, len } = reference
  const number: number | undefined = Object.hasOwn(payloadBases, base) ? payloadBases[base] : undefined
  if (number === undefined) throw new InvalidValue(`${quote(base)} is no base: ll, nh, th or ih is expected`)
  if (!Number.isInteger(offset) || offset < 0 || !Number.isInteger(len) || len < 1 || len > 128)
    throw new InvalidValue(`offset and len are counted in bits, len from 1 to 128: ${quote(reference)}`)
  const isPort = base === 'th' && len === 16 && (offset === 0 || offset === 16)
  return bitField(offset, len, datatype(isPort ? 'inet_service' : 'integer'), (first, length) => ({
    kind: 'payload',
    base: number,
    offset: first,
    length,
    protocolKey: false,
  }))
}

/**
 * A field of a header: whole bytes as they are, others masked, and shifted down to the lowest bit.
 * @param source how some bytes are loaded, by their place
 */
export function bitField(
  offset: number,
  bits: number,
  type: Datatype,
  source: (first: number, length: number) => Source,
): ValueOperand {
  const first = Math.floor(offset / 8)
  const length = Math.ceil((offset + bits) / 8) - first
  const shift = (first + length) * 8 - offset - bits
  const operand: ValueOperand = {
    kind: 'value',
    source: source(first, length),
    type,
    bits,
    length,
    order: 'big',
    transforms: bits === length * 8 ? noTransforms : [fieldMask(bits, shift, length)],
  }
  if (shift === 0) return operand
  return { ...moved(operand, first, shift, source), inPlace: { operand, shift } }
}

function fieldMask(bits: number, shift: number, length: number): Transform {
  return { kind: 'bool', mask: ((1n << BigInt(bits)) - 1n) << BigInt(shift), xor: 0n, length, order: 'big' }
}

/**
 * A field of a few bits as a number by itself. The kernel shifts words of the machine: what lies in several bytes is turned
 * round before, and afterwards has the order of packets again.
 */
function moved(
  field: ValueOperand,
  first: number,
  shift: number,
  source: (first: number, length: number) => Source,
): ValueOperand {
  const { bits, length: exact } = field
  if (exact === 1)
    return {
      ...field,
      transforms: [...field.transforms, { kind: 'shift', direction: 'right', by: shift, length: 1 }],
    }
  // More bytes than the field has, where the kernel cannot turn round as many: those before it, if there are any.
  const length = isShiftable(exact) ? exact : 4 * Math.ceil(exact / 4)
  const start = Math.max(0, first - (length - exact))
  const behind = start + length - first - exact
  const width = Math.ceil(bits / 8)
  // A number of one byte is the first in a word of the machine; others begin where the word does.
  const by = shift + behind * 8 - (width === 1 ? 0 : (length - width) * 8)
  const steps: Transform[] = [
    fieldMask(bits, shift + behind * 8, length),
    { kind: 'swap', to: 'host', length },
    { kind: 'shift', direction: by < 0 ? 'left' : 'right', by: Math.abs(by), length },
    ...(width === 1 ? [] : [{ kind: 'swap', to: 'big', length } as const]),
  ]
  return { ...field, source: source(start, length), length: width, transforms: steps }
}
