/**
 * What links let pass within a network, in both tables. On one bridge no connection is tracked: the rules tell by a packet itself
 * whether it is a question or an answer. docs/rules.md explains each.
 */
import type { Expression, Rule, Statement } from '../../nft/index.js'
import { RESOLUTION_CHAINS } from './address-resolution.js'
import {
  ACCEPT,
  anyOf,
  atLeast,
  both,
  type ChainRules,
  chainOfEach,
  concat,
  DPORT,
  DROP,
  ETHER_DADDR,
  ETHER_SADDR,
  ETHER_TYPE,
  type FamilyWords,
  goto,
  ICMPV6_TYPE,
  IIFNAME,
  inSet,
  is,
  isNot,
  jump,
  L4PROTO,
  NEIGHBOUR_DISCOVERY,
  OIFNAME,
  PKTTYPE,
  SPORT,
} from './expressions.js'

/** How often a client may ask anew, before its questions are remembered without its port. */
const ASKING: Statement = { limit: { rate: 256, per: 'second', burst: 4096 } }

const udp = (field: 'sport' | 'dport'): Expression => ({ payload: { protocol: 'udp', field } })
const th = (offset: number, len: number): Expression => ({ payload: { base: 'th', offset, len } })
/**
 * TCP's flags and the byte behind them. A field of one byte, or of two at an even place, the kernel reads from later fragments too
 * (nft_payload_fast_eval), where it is whatever the sender likes.
 */
const TCP_FLAGS = th(104, 16)
const SYN = 0x0200
const SYN_ACK = 0x1200
/**
 * Of SCTP's common header. A packet that begins an association has none, wherever in it INIT may be; with one, whoever gets it must
 * discard it (RFC 9260, 8.5.1). So no chunk has to be looked for, which kernels before 5.14 cannot.
 */
const VERIFICATION_TAG: Expression = { payload: { protocol: 'sctp', field: 'vtag' } }
/** The type of the first chunk behind SCTP's common header. */
const FIRST_CHUNK = th(96, 8)
const INIT = 1

/** From a client to a port that it is linked to. */
const question = ({ saddr, daddr, set }: FamilyWords): Statement =>
  inSet(concat(saddr, daddr, L4PROTO, DPORT), set('links'))

/** From a linked port to its client, where links are stateless: Docker's second rule. */
const reply = ({ saddr, daddr, set }: FamilyWords): Statement =>
  inSet(concat(saddr, daddr, L4PROTO, SPORT), set('replies'))

/** From a linked port to its client. */
const answer = ({ saddr, daddr, set }: FamilyWords): Statement =>
  inSet(concat(daddr, saddr, L4PROTO, SPORT), set('links'))

/**
 * A fragment but the first has no ports. One that begins within 48 bytes, in units of 8, nobody sends who means well (RFC 3128): a
 * guest that let it overwrite the first would see other ports or flags than were judged.
 */
const LATER_FRAGMENT: Readonly<Record<FamilyWords['family'], Statement>> = {
  ip: atLeast({ '&': [{ payload: { protocol: 'ip', field: 'frag-off' } }, 0x1fff] }, 6),
  ip6: atLeast({ exthdr: { name: 'frag', field: 'frag-off' } }, 6),
}

/**
 * A server answers, and begins nothing. Each rule says what passes, so that a packet too short to be read does not.
 */
const ANSWERS: readonly ChainRules[] = chainOfEach('answers', ({ saddr, daddr, set }) => [
  [is(L4PROTO, 'tcp'), isNot({ '&': [TCP_FLAGS, SYN_ACK] }, SYN), ACCEPT],
  [inSet(concat(daddr, saddr, udp('dport'), udp('sport')), set('asked')), ACCEPT],
  [inSet(concat(daddr, saddr, udp('sport')), set('asked_of_links')), ACCEPT],
  [isNot(VERIFICATION_TAG, 0), isNot(FIRST_CHUNK, INIT), ACCEPT],
])

/** Table inet: what is routed between the bridges of a network or back into one, and what connection tracking sees. */
export const TRACKED_LINK_CHAINS: readonly ChainRules[] = [
  ...ANSWERS,
  ...chainOfEach('linked', (words) => [
    [question(words), ACCEPT],
    [reply(words), ACCEPT],
    [answer(words), goto(words.chain('answers'))],
  ]),
]

/** Where an ICMP error has the header of the packet that it is about: fields in bits from the error's own header. */
const QUOTED: Readonly<Record<FamilyWords['family'], QuotedHeader>> = {
  ip: {
    error: is(
      { payload: { protocol: 'icmp', field: 'type' } },
      anyOf('destination-unreachable', 'time-exceeded', 'parameter-problem'),
    ),
    // Version 4 and a header without options, of a packet that is whole or the first fragment: the ports stand behind it.
    readable: [is(th(64, 8), 0x45), is({ '&': [th(112, 16), 0x1fff] }, 0)],
    saddr: th(160, 32),
    daddr: th(192, 32),
    protocol: th(136, 8),
    dport: th(240, 16),
  },
  ip6: {
    error: is(
      ICMPV6_TYPE,
      anyOf('destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem'),
    ),
    // With an extension header it says another protocol than that of a link.
    readable: [is({ '&': [th(64, 8), 0xf0] }, 0x60)],
    saddr: th(128, 128),
    daddr: th(256, 128),
    protocol: th(112, 8),
    dport: th(400, 16),
  },
}

interface QuotedHeader {
  readonly error: Statement
  readonly readable: readonly Statement[]
  readonly saddr: Expression
  readonly daddr: Expression
  readonly protocol: Expression
  readonly dport: Expression
}

/** How MAC addresses are found: between two containers exactly so, and by others on the bridge as they are used to. */
const resolution = (ports: 'closed_ports' | 'adopted_ports' | 'tracked_closed_ports'): Rule['expr'][] => {
  const between = [inSet(IIFNAME, ports), inSet(OIFNAME, ports)]
  return [
    [is(ETHER_TYPE, 'arp'), ...between, goto('address_resolution')],
    [is(ETHER_TYPE, 'arp'), ACCEPT],
    [is(ETHER_TYPE, 'ip6'), is(ICMPV6_TYPE, 'nd-neighbor-solicit'), ...between, goto('solicitations')],
    [is(ETHER_TYPE, 'ip6'), is(ICMPV6_TYPE, 'nd-neighbor-advert'), ...between, goto('advertisements')],
    [is(ETHER_TYPE, 'ip6'), NEIGHBOUR_DISCOVERY, ACCEPT],
  ]
}

/** Table bridge: what stays on a bridge. */
export const BRIDGED_LINK_CHAINS: readonly ChainRules[] = [
  ...RESOLUTION_CHAINS,
  ...ANSWERS,
  ...chainOfEach('questions', ({ saddr, daddr, set }) => {
    const asked = concat(saddr, daddr, SPORT, DPORT)
    const remember: Statement = { set: { op: 'update', elem: asked, set: `@${set('asked')}` } }
    return [
      [isNot(L4PROTO, 'udp'), ACCEPT],
      [inSet(asked, set('asked')), remember, ACCEPT],
      // A client that asks too often costs its own answers their port, and nobody else's.
      [{ set: { op: 'update', elem: saddr, set: `@${set('askers')}`, stmt: [ASKING] } }, remember, ACCEPT],
      [
        { set: { op: 'update', elem: concat(saddr, daddr, DPORT), set: `@${set('asked_of_links')}` } },
        ACCEPT,
      ],
      [ACCEPT],
    ]
  }),
  // An error about a packet that a client sent to a port that it is linked to, from whom it was sent to to whom sent it.
  ...chainOfEach('link_errors', ({ family, daddr, set }) => {
    const { error, readable, ...quoted } = QUOTED[family]
    return [
      [
        error,
        ...readable,
        inSet(concat(IIFNAME, ETHER_SADDR, quoted.daddr), set('senders')),
        inSet(concat(OIFNAME, ETHER_DADDR, quoted.saddr), set('senders')),
        inSet(concat(OIFNAME, ETHER_DADDR, daddr), set('senders')),
        inSet(concat(quoted.saddr, quoted.daddr, quoted.protocol, quoted.dport), set('links')),
        ACCEPT,
      ],
    ]
  }),
  // What is neither a question nor an answer: the base chain finds those first.
  ...chainOfEach('linked', (words) => [
    [reply(words), ACCEPT],
    // A guest whose first fragment was dropped has nothing to put the others to.
    [LATER_FRAGMENT[words.family], inSet(concat(words.saddr, words.daddr), words.set('linked')), ACCEPT],
    [goto(words.chain('link_errors'))],
  ]),
  {
    chain: { name: 'same_network' },
    rules: [
      // No verdict map: while another version of the rules takes their place, the kernel runs these for some milliseconds more, and
      // maps of a deleted table lead nowhere by then, where its sets still hold.
      [is(ETHER_TYPE, 'ip'), jump('linked')],
      [is(ETHER_TYPE, 'ip6'), jump('linked6')],
      // What was sent to the host's MAC is bridged only where br_netfilter translated it, for a published port: table inet judges it.
      [is(PKTTYPE, 'host'), ACCEPT],
      ...resolution('closed_ports'),
      [DROP],
    ],
  },
  {
    // To or from a container on an adopted bridge whose network is tracked: table inet judges what it can tell to be its own. It sees
    // nothing but IP, and would take everything else, and what is for many, for the LAN's.
    chain: { name: 'same_lan' },
    rules: [
      ...resolution('adopted_ports'),
      ...both(({ family, saddr, daddr, set }) => [
        [is(ETHER_TYPE, family), inSet(concat(OIFNAME, daddr), set('port_addresses')), ACCEPT],
        [is(ETHER_TYPE, family), inSet(concat(IIFNAME, saddr), set('port_addresses')), ACCEPT],
      ]),
      [DROP],
    ],
  },
  {
    // From a container of such a network whose frames connection tracking sees: table inet judges all of them but these.
    chain: { name: 'tracked_network' },
    rules: resolution('tracked_closed_ports'),
  },
  {
    // What nearly every frame is comes first: whoever has a linked address sends from its own port, as `senders` saw to. Between two ports
    // that are not ours, of a bridge that is not ours, everything passes.
    chain: { name: 'forward', type: 'filter', hook: 'forward', prio: -200, policy: 'accept' },
    rules: [
      ...both((words) => [
        [question(words), goto(words.chain('questions'))],
        [answer(words), jump(words.chain('answers'))],
      ]),
      [inSet(IIFNAME, 'closed_ports'), goto('same_network')],
      [inSet(OIFNAME, 'closed_ports'), goto('same_network')],
      [inSet(IIFNAME, 'adopted_ports'), goto('same_lan')],
      [inSet(OIFNAME, 'adopted_ports'), goto('same_lan')],
      [inSet(IIFNAME, 'tracked_closed_ports'), goto('tracked_network')],
    ],
  },
]
