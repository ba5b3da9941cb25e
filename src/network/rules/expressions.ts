import type {
  Chain,
  ConcatExpression,
  Expression,
  PayloadExpression,
  Rule,
  Statement,
} from '../../nft/index.js'
import { ofFamily, type SetName } from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'

/** A chain of ours with its rules. */
export interface ChainRules {
  readonly chain: Omit<Chain, 'family' | 'table'>
  readonly rules: readonly Rule['expr'][]
}

/** 0 where the packet came by no interface: see {@link BRIDGED}. */
const IIF: Expression = { meta: { key: 'iif' } }
export const IIFNAME: Expression = { meta: { key: 'iifname' } }
export const OIFNAME: Expression = { meta: { key: 'oifname' } }
export const IIFKIND: Expression = { meta: { key: 'iifkind' } }
export const NFPROTO: Expression = { meta: { key: 'nfproto' } }
export const L4PROTO: Expression = { meta: { key: 'l4proto' } }
export const SPORT: Expression = { payload: { protocol: 'th', field: 'sport' } }
export const DPORT: Expression = { payload: { protocol: 'th', field: 'dport' } }
/** Of a frame: `host` is for the bridge's own MAC address, `other` for somebody else's (br_handle_frame). */
export const PKTTYPE: Expression = { meta: { key: 'pkttype' } }
export const ETHER_SADDR: Expression = { payload: { protocol: 'ether', field: 'saddr' } }
export const ETHER_DADDR: Expression = { payload: { protocol: 'ether', field: 'daddr' } }
export const ETHER_TYPE: Expression = { payload: { protocol: 'ether', field: 'type' } }
export const ICMPV6_TYPE: Expression = { payload: { protocol: 'icmpv6', field: 'type' } }
export const CT_STATE: Expression = { ct: { key: 'state' } }
export const CT_STATUS: Expression = { ct: { key: 'status' } }
export const CT_PROTOCOL: Expression = { ct: { key: 'protocol' } }

export const ACCEPT: Statement = { accept: null }
export const DROP: Statement = { drop: null }
export const MASQUERADE: Statement = { masquerade: null }

export const is = (left: Expression, right: Expression): Statement => ({ match: { op: '==', left, right } })
export const isNot = (left: Expression, right: Expression): Statement => ({
  match: { op: '!=', left, right },
})
export const atLeast = (left: Expression, right: Expression): Statement => ({
  match: { op: '>=', left, right },
})
/** One of several bits: of a connection's state or status. */
export const flagged = (left: Expression, right: Expression): Statement => ({
  match: { op: 'in', left, right },
})
export const concat = (...fields: Expression[]): ConcatExpression => ({ concat: fields })
export const anyOf = (...values: (string | number)[]): Expression => ({ set: values })
export const jump = (target: string): Statement => ({ jump: { target } })
export const goto = (target: string): Statement => ({ goto: { target } })
export const inSet = (key: Expression, set: SetName): Statement => is(key, `@${set}`)
export const notInSet = (key: Expression, set: SetName): Statement => isNot(key, `@${set}`)
export const verdictOf = (key: Expression, map: SetName): Statement => ({ vmap: { key, data: `@${map}` } })

/** Each family to a chain of its own, so that no packet meets the other family's rules. */
export const byFamily = (action: 'jump' | 'goto', target: string): Statement => ({
  vmap: {
    key: NFPROTO,
    data: {
      set: eachFamily.map((family) => {
        const chain = { target: ofFamily(target, family) }
        return [`ipv${family}`, action === 'jump' ? { jump: chain } : { goto: chain }]
      }),
    },
  },
})

/** How neighbours find each other's MAC addresses, without which no packet goes from one to the other (RFC 4861). */
export const NEIGHBOUR_DISCOVERY: Statement = is(
  ICMPV6_TYPE,
  anyOf('nd-neighbor-solicit', 'nd-neighbor-advert'),
)

/** It came from a bridge, of whomever. */
export const FROM_BRIDGE: Statement = is(IIFKIND, 'bridge')

/**
 * The packet leaves by the bridge that it came from. nf_tables compares with constants, and not two fields of a packet: the
 * pair of the bridge and itself is put into a set, in which the pair of input and output is then found or not.
 */
export const SAME_BRIDGE: readonly Statement[] = [
  { set: { op: 'update', elem: concat(IIFNAME, IIFNAME), set: '@same_bridge' } },
  inSet(concat(IIFNAME, OIFNAME), 'same_bridge'),
]

/**
 * In postrouting: a frame that a bridge passes, for which the kernel names no input (br_nf_post_routing), and not what the host itself
 * sends, which has none either.
 */
export const BRIDGED: readonly Statement[] = [
  is(IIF, 0),
  isNot({ fib: { result: 'type', flags: ['saddr'] } }, 'local'),
]

/** The addresses of the interface itself: never seen on a wire. */
export const LOOPBACK: Expression = { prefix: { addr: '127.0.0.0', len: 8 } }
export const LOOPBACK_DESTINATION: Statement = is({ payload: { protocol: 'ip', field: 'daddr' } }, LOOPBACK)

/** What is written once for each address family: names of fields, of sets and of chains. */
export interface FamilyWords {
  readonly family: 'ip' | 'ip6'
  readonly saddr: Expression
  readonly daddr: Expression
  /** The address of the interface itself: never seen on a wire. */
  readonly loopback: Expression
  readonly set: <Name extends SetName>(name: Name & SetOfBoth) => SetName
  /** The family's own of two chains: see {@link chainOfEach}. */
  readonly chain: (name: string) => string
}

/** Sets that there are for each family. */
type SetOfBoth = {
  [Name in SetName]: `${Name}6` extends SetName ? Name : never
}[SetName]

const field = (family: 'ip' | 'ip6', name: 'saddr' | 'daddr'): PayloadExpression => ({
  payload: { protocol: family, field: name },
})

const IP: FamilyWords = {
  family: 'ip',
  saddr: field('ip', 'saddr'),
  daddr: field('ip', 'daddr'),
  loopback: LOOPBACK,
  set: (name) => name,
  chain: (name) => ofFamily(name, 4),
}

const IP6: FamilyWords = {
  family: 'ip6',
  saddr: field('ip6', 'saddr'),
  daddr: field('ip6', 'daddr'),
  loopback: '::1',
  set: (name) => `${name}6`,
  chain: (name) => ofFamily(name, 6),
}

/** A chain for IPv4 and one for IPv6, whose name ends with 6: see {@link byFamily}. */
export function chainOfEach(
  name: string,
  rules: (words: FamilyWords) => readonly Rule['expr'][],
): ChainRules[] {
  return [
    { chain: { name: ofFamily(name, 4) }, rules: rules(IP) },
    { chain: { name: ofFamily(name, 6) }, rules: rules(IP6) },
  ]
}

/** The same rules for IPv4 and for IPv6. */
export function both(rules: (words: FamilyWords) => readonly Rule['expr'][]): Rule['expr'][] {
  return [IP, IP6].flatMap((words) => rules(words))
}
