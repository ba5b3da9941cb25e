import type { Expression, Statement } from '../../nft/index.js'
import {
  ACCEPT,
  anyOf,
  both,
  type ChainRules,
  concat,
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
  notInSet,
  PKTTYPE,
} from './expressions.js'

const ARP_SADDR_ETHER: Expression = { payload: { protocol: 'arp', field: 'saddr ether' } }
const ARP_SADDR_IP: Expression = { payload: { protocol: 'arp', field: 'saddr ip' } }
const IP_SADDR: Expression = { payload: { protocol: 'ip', field: 'saddr' } }
const IP6_SADDR: Expression = { payload: { protocol: 'ip6', field: 'saddr' } }
/** The address that a neighbour advertisement is about (RFC 4861 4.4); nft has a word for it only since 1.0.8. */
const ND_TARGET: Expression = { payload: { base: 'th', offset: 64, len: 128 } }

const ROUTER_SOLICITATION: Statement = is(ICMPV6_TYPE, 'nd-router-solicit')

const NOTRACK: Statement = { notrack: null }

/** 01:80:c2:00:00:00 to :0f, by which bridges and stations of one link speak: IEEE 802.1D, table 7-10. */
const LINK_LOCAL_GROUP: Statement = is({ '&': [ETHER_DADDR, 'ff:ff:ff:ff:ff:f0'] }, '01:80:c2:00:00:00')
/** For everybody, or for a group. */
const IP_GROUP: Readonly<Record<FamilyWords['family'], Expression>> = {
  ip: { set: [{ prefix: { addr: '224.0.0.0', len: 4 } }, '255.255.255.255'] },
  ip6: { prefix: { addr: 'ff00::', len: 8 } },
}

/** The bridge table: a container sends from the addresses that it was given, or not at all. */
export const SENDER_CHAINS: readonly ChainRules[] = [
  {
    chain: { name: 'onward' },
    rules: [
      // For somebody else on the bridge: no connection to track, where br_netfilter shows its frames to connection tracking.
      [is(PKTTYPE, 'other'), inSet(IIFNAME, 'tracked_ports'), ACCEPT],
      [is(PKTTYPE, 'other'), NOTRACK, ACCEPT],
      // The host would send errors about it, and what the host sends to a network that it has no route to leaves by the default route.
      [is(PKTTYPE, 'host'), inSet(concat(IIFNAME, ETHER_TYPE), 'isolated_ports'), DROP],
      [is(PKTTYPE, 'host'), ACCEPT],
      // For a group of MAC addresses. No bridge of ours has anything to say to a container by these, and a bridge of others must not hear of it.
      [LINK_LOCAL_GROUP, DROP],
      // br_netfilter confirms the connection of whatever comes to a group (br_nf_local_in, Linux 6.8): one for a single address, which nobody
      // sends who means well (RFC 1122, 3.3.6), would be known before a rule has judged it, and its other end could answer.
      ...both(({ family, daddr }) => [[is(daddr, IP_GROUP[family]), ACCEPT]]),
      [NOTRACK],
    ],
  },
  {
    // From ports whose senders nobody checks: most are of bridges that are not ours.
    chain: { name: 'unchecked' },
    rules: [
      [inSet(IIFNAME, 'forging_ports'), goto('onward')],
      [is(PKTTYPE, anyOf('host', 'other')), ACCEPT],
      // No such connection to a container either.
      ...both(({ daddr, set }) => [[inSet(daddr, set('pools')), NOTRACK]]),
      [ACCEPT],
    ],
  },
  {
    chain: { name: 'senders', type: 'filter', hook: 'prerouting', prio: -250, policy: 'accept' },
    rules: [
      // What nearly every frame is comes first.
      [is(ETHER_TYPE, 'ip'), inSet(concat(IIFNAME, ETHER_SADDR, IP_SADDR), 'senders'), goto('onward')],
      [
        is(ETHER_TYPE, 'ip6'),
        isNot(L4PROTO, 'ipv6-icmp'),
        inSet(concat(IIFNAME, ETHER_SADDR, IP6_SADDR), 'senders6'),
        goto('onward'),
      ],
      // Ports that may send from any address still have no way around the rules, which see nothing but IP.
      [inSet(IIFNAME, 'closed_forging_ports'), isNot(ETHER_TYPE, anyOf('ip', 'arp', 'ip6')), DROP],
      [inSet(IIFNAME, 'closed_forging_ports'), NEIGHBOUR_DISCOVERY, jump('neighbour_discovery')],
      [inSet(IIFNAME, 'closed_forging_ports'), ROUTER_SOLICITATION, jump('router_solicitations')],
      [notInSet(IIFNAME, 'ports'), goto('unchecked')],
      // The frame's sender too: the bridge learns its ports from it.
      [
        is(ETHER_TYPE, 'arp'),
        inSet(concat(IIFNAME, ETHER_SADDR, ARP_SADDR_IP), 'senders'),
        inSet(concat(IIFNAME, ARP_SADDR_ETHER, ARP_SADDR_IP), 'senders'),
        goto('onward'),
      ],
      // A container is nobody's router, and answers only for its own addresses.
      [is(ICMPV6_TYPE, anyOf('nd-router-advert', 'nd-redirect')), DROP],
      [
        is(ICMPV6_TYPE, 'nd-neighbor-advert'),
        notInSet(concat(IIFNAME, ETHER_SADDR, ND_TARGET), 'senders6'),
        DROP,
      ],
      [NEIGHBOUR_DISCOVERY, jump('neighbour_discovery')],
      [ROUTER_SOLICITATION, jump('router_solicitations')],
      [is(ETHER_TYPE, 'ip6'), inSet(concat(IIFNAME, ETHER_SADDR, IP6_SADDR), 'senders6'), goto('onward')],
      [DROP],
    ],
  },
]
