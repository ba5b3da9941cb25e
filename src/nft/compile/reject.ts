import { datatype, InvalidValue, quote } from '../datatype/index.js'
import { RejectTypes } from '../kernel/constants.js'
import type { DatatypeName, RejectStatement } from '../model/index.js'
import { requireNetworkProtocol, requireTcp } from './dependency.js'
import type { RuleContext } from './rule-context.js'

const ICMP_PORT_UNREACHABLE = 3
const ICMPV6_PORT_UNREACHABLE = 4
const ICMPX_PORT_UNREACHABLE = 1

/** `reject`, with what is known of the packet; the trail stands at its object. */
export function compileReject(context: RuleContext, reject: RejectStatement['reject']): void {
  if (context.family === 'arp') throw new InvalidValue('a table of family arp cannot reject')
  if (reject === null) rejectByDefault(context)
  else if (reject.type === 'tcp reset') rejectReset(context)
  else rejectIcmp(context, reject.type, reject.expr)
}

function emit(context: RuleContext, type: number, icmpCode: number): void {
  context.out.push({ name: 'reject', data: { type, icmpCode } })
}

function rejectByDefault(context: RuleContext): void {
  const { network } = context.protocols
  if (network === 'ip') emit(context, RejectTypes.icmp, ICMP_PORT_UNREACHABLE)
  else if (network === 'ip6') emit(context, RejectTypes.icmp, ICMPV6_PORT_UNREACHABLE)
  else if (network === undefined) emit(context, RejectTypes.icmpx, ICMPX_PORT_UNREACHABLE)
  else throw new InvalidValue('packets of this network protocol cannot be rejected')
}

function rejectReset(context: RuleContext): void {
  requireTcp(context)
  emit(context, RejectTypes['tcp reset'], 0)
}

const codeTypes = { icmp: 'icmp_code', icmpv6: 'icmpv6_code', icmpx: 'icmpx_code' } as const satisfies {
  [type: string]: DatatypeName
}

function rejectIcmp(
  context: RuleContext,
  type: 'icmp' | 'icmpv6' | 'icmpx',
  expr: string | number | undefined,
): void {
  const typeName: DatatypeName | undefined = codeTypes[type]
  if (typeName === undefined)
    throw new InvalidValue(`${quote(type)} is no way to reject: tcp reset, icmp, icmpv6 or icmpx is expected`)
  const code = Number(datatype(typeName).parse?.(expr ?? 'port-unreachable', 8) ?? 0)
  if (type === 'icmpx') {
    if (context.family === 'ip' || context.family === 'ip6')
      throw new InvalidValue('icmpx is for tables that see IPv4 and IPv6; here it is icmp or icmpv6')
    emit(context, RejectTypes.icmpx, code)
    return
  }
  requireNetworkProtocol(context, type === 'icmp' ? 'ip' : 'ip6')
  emit(context, RejectTypes.icmp, code)
}
