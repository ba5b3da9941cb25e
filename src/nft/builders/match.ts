/** `match.ip.saddr.eq('10.0.0.1')`: matches with completion, checked by the compiler. */
import type { Expression, FibFlag, FibResult, PayloadBase, TunnelName } from '../model/index.js'
import { type CtFields, ct } from './ct.js'
import { type ExtensionBuilders, extensionBuilders } from './extension.js'
import { Concatenation, expressionOf, FibField, Field, type Operand } from './field.js'
import { type Headers, headersIn } from './headers.js'
import { ipsec, type OsfFields, osf, type RouteFields, route, type SocketFields, socket } from './lookup.js'
import { type MetaFields, metaBuilders } from './meta.js'
import type { FibAddressType } from './values.js'

/** What the routing table says: `match.fib.type('daddr').eq('local')`, `match.fib.oif('saddr', 'iif').missing()`. */
export interface FibFields {
  type(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<FibAddressType>
  oif(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<number>
  oifname(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<string>
}

function fib(result: FibResult, flags: readonly FibFlag[]): Expression {
  return { fib: { result, flags } }
}

/** Everything that rules can ask a packet for. */
export interface Match extends Headers, ExtensionBuilders {
  readonly meta: MetaFields
  readonly ct: CtFields
  readonly fib: FibFields
  /** The packet's route: `match.rt.nexthop`. */
  readonly rt: RouteFields
  /** The local socket that the packet belongs to: `match.socket.transparent.eq(1)`. */
  readonly socket: SocketFields
  /** The sender's operating system: `match.osf.name().eq('Linux')`. */
  readonly osf: OsfFields
  readonly ipsec: typeof ipsec
  readonly iif: MetaFields['iif']
  readonly iifname: MetaFields['iifname']
  readonly oif: MetaFields['oif']
  readonly oifname: MetaFields['oifname']
  /** The packet that a tunnel carries: `match.inside('vxlan').ip.saddr.eq('10.0.0.1')`. */
  inside(tunnel: TunnelName): Headers
  /** Any bits of the packet, `offset` and `len` in bits: `match.raw('nh', 96, 32)`. */
  raw(base: PayloadBase, offset: number, len: number): Field<number>
}

export const match: Match = {
  ...headersIn(),
  inside: headersIn,
  meta: metaBuilders,
  ct,
  fib: {
    type: (...flags) => new FibField(fib('type', flags)),
    oif: (...flags) => new FibField(fib('oif', flags)),
    oifname: (...flags) => new FibField(fib('oifname', flags)),
  },
  ...extensionBuilders,
  rt: route,
  socket,
  osf,
  ipsec,
  iif: metaBuilders.iif,
  iifname: metaBuilders.iifname,
  oif: metaBuilders.oif,
  oifname: metaBuilders.oifname,
  raw: (base, offset, len) => new Field({ payload: { base, offset, len } }),
}

/** Joins fields: `concat(match.ip.saddr, match.tcp.dport).inSet('allowed')`. */
export function concat(...fields: readonly [Operand, Operand, ...Operand[]]): Concatenation {
  return new Concatenation({ concat: fields.map(expressionOf) })
}
