import type { Expression, Statement } from '../../nft/index.js'
import type { SetName } from '../plan/elements.js'
import {
  ACCEPT,
  both,
  type ChainRules,
  concat,
  DPORT,
  DROP,
  type FamilyWords,
  FROM_BRIDGE,
  goto,
  IIFNAME,
  inSet,
  is,
  isNot,
  jump,
  L4PROTO,
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
  {
    chain: { name: 'to_container' },
    rules: [
      // The kernel would not take the answer (IPv6 has no route_localnet): refused at once rather than lost.
      [is({ payload: { protocol: 'ip6', field: 'daddr' } }, '::1'), { return: null }],
      ...both((words) => [[dnat(words, concat(words.daddr, L4PROTO, DPORT), words.set('publish'))]]),
      [localDestination, goto('to_container_by_any')],
    ],
  },
  {
    // By any address of the host.
    chain: { name: 'to_container_by_any' },
    rules: [
      ...both((words) => [
        [dnat(words, concat(L4PROTO, DPORT), words.set('publish_any'))],
        [dnat(words, concat(words.daddr, L4PROTO, DPORT), words.set('publish_ranges'))],
      ]),
      // The helper before the translation: the kernel makes room for what it changes in packets when it translates.
      ...both((words) => {
        const key = concat(words.daddr, L4PROTO, DPORT)
        return [
          [
            { 'ct helper': { map: { key, data: `@${words.set('publish_helpers')}` } } },
            dnat(words, key, words.set('publish_helped')),
          ],
        ]
      }),
    ],
  },
  {
    chain: { name: 'from_container' },
    rules: [
      ...both(({ daddr, set }) => [
        [inSet(daddr, set('peers')), ACCEPT],
        [inSet(concat(IIFNAME, daddr), set('not_masqueraded')), ACCEPT],
      ]),
      ...both(({ family, set }) => [
        [{ snat: { family, addr: { map: { key: IIFNAME, data: `@${set('snat_to')}` } } } }],
      ]),
      [inSet(concat(NFPROTO, IIFNAME), 'masqueraded'), MASQUERADE],
    ],
  },
  {
    // route_localnet on our bridges would let neighbours reach what listens on 127.0.0.1, and a publication on it would
    // be found from outside: before any translation, loopback addresses belong to lo alone.
    chain: { name: 'loopback', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' },
    rules: both(({ daddr, loopback }) => [[isNot(IIFNAME, 'lo'), is(daddr, loopback), DROP]]),
  },
  {
    chain: { name: 'prerouting', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' },
    rules: [[jump('to_container')]],
  },
  {
    chain: { name: 'output', type: 'nat', hook: 'output', prio: -100, policy: 'accept' },
    rules: [[jump('to_container')]],
  },
  {
    chain: { name: 'postrouting', type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' },
    rules: [
      // The host by its loopback address, and a container to itself: nobody could answer these. All others are seen as they are.
      [
        inSet(OIFNAME, 'bridges'),
        is({ payload: { protocol: 'ip', field: 'saddr' } }, { prefix: { addr: '127.0.0.0', len: 8 } }),
        MASQUERADE,
      ],
      ...both(({ saddr, daddr, set }) => [[inSet(concat(saddr, daddr), set('hairpin')), MASQUERADE]]),
      [inSet(IIFNAME, 'bridges'), notInSet(OIFNAME, 'host_bridges'), jump('from_container')],
      // What the host itself routes back to the bridge that it came from is forwarded. Here alone does it differ from a frame
      // that the bridge passes: the kernel names no input for those (br_nf_post_routing).
      [FROM_BRIDGE, notInSet(IIFNAME, 'host_bridges'), ...SAME_BRIDGE, verdictOf(NFPROTO, 'forward_policy')],
    ],
  },
]
