/** `payload`: fields of headers, and any bits of the packet. */
import { type Datatype, datatype, headers, InvalidValue, quote } from '../datatype/index.js'
import { payloadBases } from '../kernel/constants.js'
import type { PayloadReference, RawPayloadReference } from '../model/index.js'
import { requireHeader, requireIcmpType } from './dependency.js'
import { noTransforms, type Transform, type ValueOperand } from './operand.js'
import type { RuleContext } from './rule-context.js'

/** By protocol and field. */
const cachedFields = new Map<string, Map<string, ValueOperand>>()

/** The operand of a payload expression; what must be tested for it to mean something is emitted. */
export function payloadOperand(
  context: RuleContext,
  reference: PayloadReference | RawPayloadReference,
): ValueOperand {
  if ('base' in reference) return rawPayload(reference)
  const { protocol, field } = reference
  const operand = cachedFields.get(protocol)?.get(field) ?? describeField(protocol, field)
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

function describeField(protocol: string, field: string): ValueOperand {
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
    protocolKeys.has(`${protocol} ${field}`),
  )
  const ofProtocol = cachedFields.get(protocol) ?? new Map<string, ValueOperand>()
  cachedFields.set(protocol, ofProtocol.set(field, operand))
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
export function bitField(
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
