import type { Expression, Statement } from '../../nft/index.js'
import type { SetName } from '../plan/elements.js'
import {
  ACCEPT,
  BRIDGED,
  byFamily,
  type ChainRules,
  CT_STATUS,
  chainOfEach,
  concat,
  DPORT,
  DROP,
  type FamilyWords,
  FROM_BRIDGE,
  flagged,
  goto,
  IIFNAME,
  inSet,
  is,
  isNot,
  L4PROTO,
  LOOPBACK_DESTINATION,
  MASQUERADE,
  NFPROTO,
  notInSet,
  OIFNAME,
  SAME_BRIDGE,
  verdictOf,
} from './expressions.js'

const dnat = ({ family }: FamilyWords, key: Expression, map: SetName): Statement => ({
  dnat: { family, addr: { map: { key, data: `@${map}` } } },
})
const localDestination: Statement = is({ fib: { result: 'type', flags: ['daddr'] } }, 'local')

/** Addresses and ports translated: published ports inward, containers' addresses outward. */
export const TRANSLATION_CHAINS: readonly ChainRules[] = [
  ...chainOfEach('to_container', (words) => [
    // The kernel would not take the answer (IPv6 has no route_localnet): refused at once rather than lost.
    ...(words.family === 'ip6' ? [[is(words.daddr, words.loopback), { return: null }]] : []),
    [dnat(words, concat(words.daddr, L4PROTO, DPORT), words.set('publish'))],
    [localDestination, goto(words.chain('to_container_by_any'))],
  ]),
  // By any address of the host.
  ...chainOfEach('to_container_by_any', (words) => {
    const key = concat(words.daddr, L4PROTO, DPORT)
    return [
      [dnat(words, concat(L4PROTO, DPORT), words.set('publish_any'))],
      [dnat(words, key, words.set('publish_ranges'))],
      // The helper before the translation: the kernel makes room for what it changes in packets when it translates.
      [
        { 'ct helper': { map: { key, data: `@${words.set('publish_helpers')}` } } },
        dnat(words, key, words.set('publish_helped')),
      ],
    ]
  }),
  ...chainOfEach('from_container', ({ family, daddr, set }) => [
    [inSet(daddr, set('peers')), ACCEPT],
    [inSet(concat(IIFNAME, daddr), set('not_masqueraded')), ACCEPT],
    [{ snat: { family, addr: { map: { key: IIFNAME, data: `@${set('snat_to')}` } } } }],
    [inSet(concat(NFPROTO, IIFNAME), 'masqueraded'), MASQUERADE],
  ]),
  {
    chain: { name: 'prerouting', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' },
    rules: [
      // route_localnet on our bridges would let neighbours reach what listens on 127.0.0.1, and a publication on it would be
      // found from outside: loopback addresses belong to lo alone. A connection's first packet meets this; `input` has the rest.
      [LOOPBACK_DESTINATION, isNot(IIFNAME, 'lo'), DROP],
      [byFamily('jump', 'to_container')],
    ],
  },
  {
    chain: { name: 'output', type: 'nat', hook: 'output', prio: -100, policy: 'accept' },
    rules: [[byFamily('jump', 'to_container')]],
  },
  // Who could not be answered: the host by its loopback address, a container that meets itself, and a neighbour by a published port where
  // the bridge would carry the answer past connection tracking. All others are seen as they are.
  ...chainOfEach('towards_container', ({ family, saddr, daddr, loopback, set }) => {
    const published = flagged(CT_STATUS, 'dnat')
    const near = (bridge: Expression): Statement => inSet(concat(bridge, daddr), set('near'))
    return [
      ...(family === 'ip' ? [[is(saddr, loopback), MASQUERADE]] : []),
      [inSet(concat(saddr, daddr), set('hairpin')), MASQUERADE],
      [published, near(IIFNAME), MASQUERADE],
      // A frame that br_netfilter shows to the rules and that stays on its bridge.
      [...BRIDGED, published, near(OIFNAME), MASQUERADE],
      // The chain `same_lan` lets pass what the machines of an adopted bridge send each other. What the host itself routes back there
      // could lead to a container by an address that it was not given, or come from one.
      [
        inSet(concat(IIFNAME, OIFNAME), 'adopted_bridges'),
        notInSet(concat(IIFNAME, saddr), set('adopted_addresses')),
        notInSet(concat(OIFNAME, daddr), set('adopted_addresses')),
        DROP,
      ],
    ]
  }),
  {
    chain: { name: 'postrouting', type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' },
    rules: [
      [inSet(OIFNAME, 'bridges'), byFamily('goto', 'towards_container')],
      [inSet(IIFNAME, 'bridges'), notInSet(OIFNAME, 'host_bridges'), byFamily('goto', 'from_container')],
      // What the host itself routes back to the bridge that it came from is forwarded. Here alone does it differ from a frame
      // that the bridge passes: the kernel names no input for those (br_nf_post_routing).
      [FROM_BRIDGE, notInSet(IIFNAME, 'host_bridges'), ...SAME_BRIDGE, verdictOf(NFPROTO, 'forward_policy')],
    ],
  },
]
