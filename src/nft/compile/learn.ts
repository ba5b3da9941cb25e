/** What a comparison says about the protocols of the packets that pass it (nft's `…_pctx_update`). */
import { transportHeaders } from '../datatype/index.js'
import { payloadBases } from '../kernel/constants.js'
import type { SetExpression } from '../model/index.js'
import { constantNumber } from './constant.js'
import type { Source, ValueOperand } from './operand.js'
import { vlanTypeOffset } from './protocols.js'
import type { RuleContext } from './rule-context.js'

const META_PROTOCOL = 1
const META_IIFTYPE = 8
const META_NFPROTO = 15
const META_L4PROTO = 16
const CT_L3PROTO = 7
const CT_PROTOCOL = 10
const ARPHRD_ETHER = 1
const IP_PROTOCOL_OFFSET = 9
const IP6_NEXTHDR_OFFSET = 6

/** Whether an equality of the source can say something about protocols. */
export function teaches(source: Source): boolean {
  if (source.kind === 'payload') return source.protocolKey
  if (source.kind === 'meta')
    return (
      source.key === META_L4PROTO ||
      source.key === META_NFPROTO ||
      source.key === META_PROTOCOL ||
      source.key === META_IIFTYPE
    )
  return source.kind === 'ct' && (source.key === CT_L3PROTO || source.key === CT_PROTOCOL)
}

/** What an equality says about the protocols of the packet (nft's `…_pctx_update`). */
export function learn(context: RuleContext, operand: ValueOperand, value: number): void {
  const { protocols } = context
  const { source } = operand
  if (source.kind === 'meta') {
    if (source.key === META_L4PROTO) protocols.learnTransport(transportHeaders.get(value) ?? 'other')
    else if (source.key === META_NFPROTO && context.family === 'inet') learnNfproto(context, value)
    else if (source.key === META_PROTOCOL && (context.family === 'bridge' || context.family === 'netdev'))
      protocols.learnEtherType(value)
    else if (source.key === META_IIFTYPE && context.family !== 'bridge' && value === ARPHRD_ETHER)
      protocols.link = 'ether'
  } else if (source.kind === 'ct') {
    if (source.key === CT_L3PROTO && protocols.link === 'inet') learnNfproto(context, value)
    else if (source.key === CT_PROTOCOL && protocols.network !== undefined)
      protocols.learnTransport(transportHeaders.get(value) ?? 'other')
  } else if (source.kind === 'payload' && source.protocolKey) {
    learnHeader(scopeOf(context, source), source.base, source.offset, value)
  }
}

/** What is known of the packet that a value is from: itself, or what a tunnel carries. */
function scopeOf(context: RuleContext, source: Source): RuleContext {
  return source.kind === 'payload' && source.tunnel !== undefined ? context.inside(source.tunnel) : context
}

function learnNfproto(context: RuleContext, value: number): void {
  context.protocols.network = value === 2 ? 'ip' : value === 10 ? 'ip6' : 'other'
}

function learnHeader(context: RuleContext, base: number, offset: number, value: number): void {
  const { protocols } = context
  if (base === payloadBases.ll) {
    if (protocols.tags > 0 && offset === vlanTypeOffset(protocols.tags)) protocols.learnVlanType(value)
    else protocols.learnEtherType(value)
  } else if (base === payloadBases.nh) {
    const isProtocol =
      (protocols.network === 'ip' && offset === IP_PROTOCOL_OFFSET) ||
      (protocols.network === 'ip6' && offset === IP6_NEXTHDR_OFFSET)
    if (isProtocol) protocols.learnTransport(transportHeaders.get(value) ?? 'other')
  } else if (protocols.transport === 'icmp' || protocols.transport === 'icmpv6') protocols.icmpTypes = [value]
}

/** A set of transport protocols says that it is one of several, a set of ICMP types which fields there are. */
export function learnSet(context: RuleContext, operand: ValueOperand, right: SetExpression): void {
  const { name } = operand.type
  if (name !== 'inet_proto' && name !== 'icmp_type' && name !== 'icmpv6_type') return
  const values = right.set.flatMap((element) =>
    typeof element === 'string' || typeof element === 'number'
      ? [Number(constantNumber(element, operand.type, operand.bits))]
      : [],
  )
  if (name === 'inet_proto') for (const value of values) learn(context, operand, value)
  else if (values.length === right.set.length) scopeOf(context, operand.source).protocols.icmpTypes = values
}
