/**
 * How containers find MAC addresses, in the bridge: neighbour discovery of all, and the ARP of those that may speak only as they are linked, with nothing in
 * them that could be somebody's message. Between the latter each goes only to whom it is for. docs/rules.md explains each rule.
 */
import type { Expression, Statement } from '../../nft/index.js'
import {
  ACCEPT,
  anyOf,
  type ChainRules,
  concat,
  DROP,
  ETHER_DADDR,
  ETHER_SADDR,
  ICMPV6_TYPE,
  IIFNAME,
  inSet,
  is,
  isNot,
  notInSet,
  OIFNAME,
} from './expressions.js'

const arp = (
  field: 'htype' | 'ptype' | 'hlen' | 'plen' | 'operation' | 'daddr ether' | 'daddr ip',
): Expression => ({ payload: { protocol: 'arp', field } })
const ip6 = (field: 'saddr' | 'daddr'): Expression => ({ payload: { protocol: 'ip6', field } })
const bits = (base: 'nh' | 'th', offset: number, len: number): Expression => ({
  payload: { base, offset, len },
})

const SOLICITATION: Statement = is(ICMPV6_TYPE, 'nd-neighbor-solicit')
/** Of a frame without its Ethernet header. */
const LENGTH: Expression = { meta: { key: 'length' } }
const EVERYBODY = 'ff:ff:ff:ff:ff:ff'
/** What a question says of the MAC address that it asks for; some programs say that it is everybody's. */
const NOT_KNOWN: Statement = is(arp('daddr ether'), anyOf('00:00:00:00:00:00', EVERYBODY))

/** RFC 826: 28 bytes for IPv4, which some network cards fill up to Ethernet's 46. */
const ARP = { length: 28, padded: 46 } as const

/** RFC 4861, 4.3 and 4.4, in IPv6 (40 bytes) without extension headers: 24 bytes, or 32 with a link-layer address. */
const DISCOVERY = { length: 64, withOption: 72 } as const
/** RFC 4861, 4.1: 8 bytes, or 16 with the sender's link-layer address, of which the host makes an entry of its neighbours. */
const ROUTER_SOLICITATION = { length: 48, withOption: 56 } as const
/** Version 6, without traffic class and flow label. */
const VERSION = 0x6000_0000
/** Payload length, ICMPv6 and the hop limit 255, which no message has that was routed. */
const afterVersion = (payload: number): number => payload * 0x1_0000 + 0x3aff
/** Where a message has its flags, or what is reserved, and behind its target (64 bits on, 128 long) the only option. */
const FLAGS = bits('th', 32, 32)
const ND_TARGET = bits('th', 64, 128)
const OPTION_HEADER = bits('th', 192, 16)
const OPTION_MAC = bits('th', 208, 48)
/** Type and length, in units of 8 bytes. */
const SOURCE_LINK_LAYER_ADDRESS = 0x0101
const TARGET_LINK_LAYER_ADDRESS = 0x0201
/** All but S and O: a container is nobody's router, and the rest is reserved. */
const OTHER_FLAGS: Expression = { '&': [FLAGS, 0x9fff_ffff] }

/** Who has the port that a frame goes out by is asked, answered or told: the port's MAC address and the address with it. */
const isOfPort = (mac: Expression, address: Expression, set: 'senders' | 'senders6'): Statement =>
  inSet(concat(OIFNAME, mac, address), set)

export const RESOLUTION_CHAINS: readonly ChainRules[] = [
  {
    chain: { name: 'address_resolution' },
    rules: [
      [isNot(LENGTH, anyOf(ARP.length, ARP.padded)), DROP],
      [is(LENGTH, ARP.padded), isNot(bits('nh', 224, 128), 0), DROP],
      [is(LENGTH, ARP.padded), isNot(bits('nh', 352, 16), 0), DROP],
      [isNot(arp('htype'), 1), DROP],
      [isNot(arp('ptype'), 'ip'), DROP],
      [isNot(arp('hlen'), 6), DROP],
      [isNot(arp('plen'), 4), DROP],
      // An answer, to who asked.
      [
        is(arp('operation'), 'reply'),
        isOfPort(ETHER_DADDR, arp('daddr ip'), 'senders'),
        isOfPort(arp('daddr ether'), arp('daddr ip'), 'senders'),
        ACCEPT,
      ],
      [isNot(arp('operation'), anyOf('request', 'reply')), DROP],
      // A question, to everybody or to who is thought to have the address; and what is told to all, which is the sender's own address.
      [NOT_KNOWN, isOfPort(ETHER_DADDR, arp('daddr ip'), 'senders'), ACCEPT],
      [isNot(ETHER_DADDR, EVERYBODY), DROP],
      [NOT_KNOWN, inSet(concat(OIFNAME, arp('daddr ip')), 'port_addresses'), ACCEPT],
      [NOT_KNOWN, inSet(concat(IIFNAME, ETHER_SADDR, arp('daddr ip')), 'senders'), ACCEPT],
      [inSet(concat(IIFNAME, arp('daddr ether'), arp('daddr ip')), 'senders'), ACCEPT],
      [DROP],
    ],
  },
  {
    // From a port: nothing in it but what it is for, and a MAC address that is the sender's.
    chain: { name: 'neighbour_discovery' },
    rules: [
      [isNot(LENGTH, anyOf(DISCOVERY.length, DISCOVERY.withOption)), DROP],
      [isNot(bits('nh', 0, 32), VERSION), DROP],
      [is(LENGTH, DISCOVERY.length), isNot(bits('nh', 32, 32), afterVersion(24)), DROP],
      [is(LENGTH, DISCOVERY.withOption), isNot(bits('nh', 32, 32), afterVersion(32)), DROP],
      [isNot(bits('th', 8, 8), 0), DROP],
      [SOLICITATION, isNot(FLAGS, 0), DROP],
      [isNot(OTHER_FLAGS, 0), DROP],
      [is(LENGTH, DISCOVERY.length), { return: null }],
      [
        SOLICITATION,
        is(OPTION_HEADER, SOURCE_LINK_LAYER_ADDRESS),
        inSet(concat(IIFNAME, OPTION_MAC, ip6('saddr')), 'senders6'),
        { return: null },
      ],
      [
        is(ICMPV6_TYPE, 'nd-neighbor-advert'),
        is(OPTION_HEADER, TARGET_LINK_LAYER_ADDRESS),
        inSet(concat(IIFNAME, OPTION_MAC, ND_TARGET), 'senders6'),
        { return: null },
      ],
      [DROP],
    ],
  },
  {
    // The same for who looks for a router.
    chain: { name: 'router_solicitations' },
    rules: [
      [isNot(LENGTH, anyOf(ROUTER_SOLICITATION.length, ROUTER_SOLICITATION.withOption)), DROP],
      [isNot(bits('nh', 0, 32), VERSION), DROP],
      [is(LENGTH, ROUTER_SOLICITATION.length), isNot(bits('nh', 32, 32), afterVersion(8)), DROP],
      [is(LENGTH, ROUTER_SOLICITATION.withOption), isNot(bits('nh', 32, 32), afterVersion(16)), DROP],
      [isNot(bits('th', 8, 8), 0), DROP],
      [isNot(FLAGS, 0), DROP],
      [is(LENGTH, ROUTER_SOLICITATION.length), { return: null }],
      [
        is(bits('th', 64, 16), SOURCE_LINK_LAYER_ADDRESS),
        inSet(concat(IIFNAME, bits('th', 80, 48), ip6('saddr')), 'senders6'),
        { return: null },
      ],
      [DROP],
    ],
  },
  {
    // Who has an address is asked by the multicast address that belongs to it, or directly.
    chain: { name: 'solicitations' },
    rules: [
      [notInSet(concat(OIFNAME, ND_TARGET), 'port_addresses6'), DROP],
      [inSet(concat(OIFNAME, ETHER_DADDR, ip6('daddr')), 'solicited_nodes'), ACCEPT],
      [isOfPort(ETHER_DADDR, ip6('daddr'), 'senders6'), ACCEPT],
      [DROP],
    ],
  },
  {
    // Who asked is answered; what is told to all is the sender's own address, as the chain `senders` saw to.
    chain: { name: 'advertisements' },
    rules: [
      [isOfPort(ETHER_DADDR, ip6('daddr'), 'senders6'), ACCEPT],
      [is(ETHER_DADDR, '33:33:00:00:00:01'), is(ip6('daddr'), 'ff02::1'), ACCEPT],
      [DROP],
    ],
  },
]
