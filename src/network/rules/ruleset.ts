import type {
  Chain,
  ConcatExpression,
  Expression,
  Rule,
  RulesetObject,
  Statement,
  TableObject,
} from '../../nft/index.js'
import { setObjects, TABLE, type TableFamily } from './sets.js'

/** Tells whoever lists the tables which version of the rules they hold. */
const RULESET_VERSION = 'nfbridge rules 1'

const IIFNAME: Expression = { meta: { key: 'iifname' } }
const OIFNAME: Expression = { meta: { key: 'oifname' } }
const L4PROTO: Expression = { meta: { key: 'l4proto' } }
const DPORT: Expression = { payload: { protocol: 'th', field: 'dport' } }
const IP_SADDR: Expression = { payload: { protocol: 'ip', field: 'saddr' } }
const IP_DADDR: Expression = { payload: { protocol: 'ip', field: 'daddr' } }
const ETHER_SADDR: Expression = { payload: { protocol: 'ether', field: 'saddr' } }
const ARP_SADDR_ETHER: Expression = { payload: { protocol: 'arp', field: 'saddr ether' } }
const ARP_SADDR_IP: Expression = { payload: { protocol: 'arp', field: 'saddr ip' } }
const CT_STATE: Expression = { ct: { key: 'state' } }
const CT_STATUS: Expression = { ct: { key: 'status' } }
const CT_PROTOCOL: Expression = { ct: { key: 'protocol' } }

const is = (left: Expression, right: Expression): Statement => ({ match: { op: '==', left, right } })
const isNot = (left: Expression, right: Expression): Statement => ({ match: { op: '!=', left, right } })
const flagged = (left: Expression, right: Expression): Statement => ({ match: { op: 'in', left, right } })
const concat = (...fields: Expression[]): ConcatExpression => ({ concat: fields })
const etherType = (type: 'ip' | 'arp'): Statement =>
  is({ payload: { protocol: 'ether', field: 'type' } }, type)
const localType = (flag: 'saddr' | 'daddr'): Statement =>
  is({ fib: { result: 'type', flags: [flag] } }, 'local')
const dnatTo = (key: Expression, data: '@publish' | '@publish_any'): Statement => ({
  dnat: { family: 'ip', addr: { map: { key, data } } },
})

const ACCEPT: Statement = { accept: null }
const DROP: Statement = { drop: null }
const MASQUERADE: Statement = { masquerade: null }

interface ChainRules {
  readonly chain: Omit<Chain, 'family' | 'table'>
  readonly rules: readonly (readonly Statement[])[]
}

/**
 * The chains of the inet table, those that are jumped to first. Their number, and that of their rules, is the same with
 * one container or ten thousand; docs/rules.md explains each.
 */
const INET_CHAINS: readonly ChainRules[] = [
  {
    chain: { name: 'same_bridge' },
    rules: [
      [is(concat(IP_SADDR, IP_DADDR, L4PROTO, DPORT), '@links'), ACCEPT],
      // An error about a linked connection, from its server; somebody else may know the connection and forge one.
      [
        flagged(CT_STATE, 'related'),
        is(concat(IP_DADDR, IP_SADDR, CT_PROTOCOL, { ct: { key: 'proto-dst', dir: 'original' } }), '@links'),
        ACCEPT,
      ],
      // The same about one by a published port: from the container behind it.
      [
        flagged(CT_STATE, 'related'),
        flagged(CT_STATUS, 'dnat'),
        is(concat(IP_SADDR, CT_PROTOCOL, { ct: { key: 'proto-src', dir: 'reply' } }), '@published'),
        ACCEPT,
      ],
      [DROP],
    ],
  },
  {
    chain: { name: 'to_container' },
    rules: [
      [dnatTo(concat(IP_DADDR, L4PROTO, DPORT), '@publish')],
      [localType('daddr'), dnatTo(concat(L4PROTO, DPORT), '@publish_any')],
    ],
  },
  {
    // route_localnet on our bridges would let neighbours reach what listens on 127.0.0.1, and a publication on it would
    // be found from outside: before any translation, loopback addresses belong to lo alone.
    chain: { name: 'loopback', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' },
    rules: [[isNot(IIFNAME, 'lo'), is(IP_DADDR, { prefix: { addr: '127.0.0.0', len: 8 } }), DROP]],
  },
  {
    chain: { name: 'prerouting', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' },
    rules: [[{ jump: { target: 'to_container' } }]],
  },
  {
    chain: { name: 'output', type: 'nat', hook: 'output', prio: -100, policy: 'accept' },
    rules: [[{ jump: { target: 'to_container' } }]],
  },
  {
    chain: { name: 'forward', type: 'filter', hook: 'forward', prio: 0, policy: 'accept' },
    rules: [
      [flagged(CT_STATE, 'established'), ACCEPT],
      [
        is(OIFNAME, '@bridges'),
        flagged(CT_STATUS, 'dnat'),
        is(concat(IP_DADDR, L4PROTO, DPORT), '@published'),
        ACCEPT,
      ],
      [{ vmap: { key: concat(IIFNAME, OIFNAME), data: '@icc' } }],
      [flagged(CT_STATE, 'related'), ACCEPT],
      [is(OIFNAME, '@bridges'), DROP],
      // What belongs to no connection can't be translated, and would leave with the container's own address.
      [is(IIFNAME, '@bridges'), flagged(CT_STATE, 'invalid'), DROP],
    ],
  },
  {
    chain: { name: 'postrouting', type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' },
    rules: [
      [is(OIFNAME, '@bridges'), localType('saddr'), MASQUERADE],
      [is(concat(IP_SADDR, IP_DADDR), '@hairpin'), MASQUERADE],
      [is(IIFNAME, '@bridges'), isNot(OIFNAME, '@bridges'), MASQUERADE],
    ],
  },
]

/** The bridge table: a container sends from the addresses that it was given, or not at all. */
const BRIDGE_CHAINS: readonly ChainRules[] = [
  {
    chain: { name: 'senders', type: 'filter', hook: 'prerouting', prio: -250, policy: 'accept' },
    rules: [
      [isNot(IIFNAME, '@ports'), ACCEPT],
      [etherType('ip'), is(concat(IIFNAME, ETHER_SADDR, IP_SADDR), '@senders'), ACCEPT],
      // The frame's sender too: the bridge learns its ports from it.
      [
        etherType('arp'),
        is(concat(IIFNAME, ETHER_SADDR, ARP_SADDR_IP), '@senders'),
        is(concat(IIFNAME, ARP_SADDR_ETHER, ARP_SADDR_IP), '@senders'),
        ACCEPT,
      ],
      [DROP],
    ],
  },
]

const CHAINS: Readonly<Record<TableFamily, readonly ChainRules[]>> = {
  inet: INET_CHAINS,
  bridge: BRIDGE_CHAINS,
}
const FAMILIES: readonly TableFamily[] = ['inet', 'bridge']

/** Our two tables; deleting them deletes all that is in them. */
export function tableObjects(): TableObject[] {
  return FAMILIES.map((family) => ({ table: { family, name: TABLE, comment: RULESET_VERSION } }))
}

/** What is in the tables, elements aside, in an order in which it can be added: chains, sets, rules. */
export function rulesetObjects(): RulesetObject[] {
  return FAMILIES.flatMap((family) => contentsOf(family, CHAINS[family]))
}

function contentsOf(family: TableFamily, chains: readonly ChainRules[]): RulesetObject[] {
  const owner = { family, table: TABLE }
  return [
    ...chains.map(({ chain }) => ({ chain: { ...owner, ...chain } })),
    ...setObjects(family),
    ...chains.flatMap(({ chain, rules }) =>
      rules.map((expr): { rule: Rule } => ({ rule: { ...owner, chain: chain.name, expr } })),
    ),
  ]
}
