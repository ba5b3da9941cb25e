import type { Expression } from '../../nft/index.js'
import {
  ACCEPT,
  anyOf,
  both,
  byFamily,
  type ChainRules,
  CT_PROTOCOL,
  CT_STATE,
  CT_STATUS,
  concat,
  DPORT,
  DROP,
  ETHER_DADDR,
  FROM_BRIDGE,
  flagged,
  goto,
  IIFNAME,
  inSet,
  is,
  isNot,
  jump,
  L4PROTO,
  LOOPBACK_DESTINATION,
  NEIGHBOUR_DISCOVERY,
  NFPROTO,
  notInSet,
  OIFNAME,
  SAME_BRIDGE,
  verdictOf,
} from './expressions.js'
import { TRACKED_LINK_CHAINS } from './links.js'
import { FORWARD_CHAIN, USER_CHAINS } from './names.js'
import { OFFLOAD_CHAIN, TO_OFFLOAD } from './offload.js'

const PAIR = concat(IIFNAME, OIFNAME)
/** By which addresses are asked for (RFC 4291, 2.7.1). */
const SOLICITED_NODES: Expression = { prefix: { addr: 'ff02::1:ff00:0', len: 104 } }
const CT_DIRECTION: Expression = { ct: { key: 'direction' } }
/** `local` for a unicast address of the interface that the packet came in by, which its broadcast and multicast addresses are not. */
const ADDRESS_OF_INTERFACE: Expression = { fib: { result: 'type', flags: ['daddr', 'iif'] } }

/** The flags that tell a connection's first packet from all others. */
const BEGINNING: Expression = {
  '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, ['fin', 'syn', 'rst', 'ack']],
}

/**
 * What is forwarded, between interfaces or within a bridge: the chains that are jumped to first. The number of rules does not grow with
 * containers, links or ports; docs/rules.md explains each.
 */
export const FORWARD_CHAINS: readonly ChainRules[] = [
  ...TRACKED_LINK_CHAINS,
  {
    // Within a network whose containers may speak only as they are linked.
    chain: { name: 'same_network' },
    rules: [
      // From port to port of a bridge. What the host routes has been counted down from the 255 with which it must begin (RFC 4861).
      [NEIGHBOUR_DISCOVERY, is({ payload: { protocol: 'ip6', field: 'hoplimit' } }, 255), ACCEPT],
      [byFamily('jump', 'linked')],
      [flagged(CT_STATE, 'related'), jump('related')],
      [DROP],
    ],
  },
  {
    // Within one bridge of such a network: a frame for an endpoint was judged in the bridge, if it comes by here at all
    // (net.bridge.bridge-nf-call-iptables). What was sent to the host, and is routed or translated back, was not.
    chain: { name: 'same_bridge' },
    rules: [
      [flagged(CT_STATUS, 'dnat'), goto('same_network')],
      [inSet(concat(IIFNAME, ETHER_DADDR), 'closed_macs'), ACCEPT],
      [goto('same_network')],
    ],
  },
  {
    // Within an adopted bridge of such a network, whose own machines are let alone: only what comes from a container or goes to one is
    // judged. A frame to or from a container's port that could not be told by its addresses is dropped in the bridge.
    chain: { name: 'same_lan' },
    rules: [
      ...both(({ daddr, set }) => [
        [
          flagged(CT_STATUS, 'dnat'),
          inSet(concat(OIFNAME, daddr), set('adopted_addresses')),
          goto('same_network'),
        ],
      ]),
      [inSet(concat(IIFNAME, ETHER_DADDR), 'closed_macs'), ACCEPT],
      ...both(({ saddr, daddr, set }) => [
        [inSet(concat(IIFNAME, saddr), set('adopted_addresses')), goto('same_network')],
        [inSet(concat(OIFNAME, daddr), set('adopted_addresses')), goto('same_network')],
      ]),
      [ACCEPT],
    ],
  },
  {
    // A connection that a helper expects is let through, as the one that named it was. Errors about a connection that
    // containers have: only from its other end. Who merely knows of it could forge one.
    chain: { name: 'related' },
    rules: [
      [flagged(CT_STATUS, 'expected'), is(L4PROTO, anyOf('tcp', 'udp')), ACCEPT],
      ...both(({ saddr, daddr, set }) => [
        [
          inSet(
            concat(daddr, saddr, CT_PROTOCOL, { ct: { key: 'proto-dst', dir: 'original' } }),
            set('links'),
          ),
          ACCEPT,
        ],
        ...(['published', 'published_ranges'] as const).map((published) => [
          flagged(CT_STATUS, 'dnat'),
          inSet(concat(saddr, CT_PROTOCOL, { ct: { key: 'proto-src', dir: 'reply' } }), set(published)),
          ACCEPT,
        ]),
      ]),
    ],
  },
  {
    chain: { name: 'published_ports' },
    rules: both(({ daddr, set }) =>
      (['published', 'published_ranges'] as const).map((published) => [
        inSet(concat(daddr, L4PROTO, DPORT), set(published)),
        ACCEPT,
      ]),
    ),
  },
  {
    chain: { name: 'routed' },
    rules: [[jump('published_ports')], [is(L4PROTO, anyOf('icmp', 'ipv6-icmp')), ACCEPT]],
  },
  {
    // From a network of this host to another.
    chain: { name: 'other_network' },
    rules: [
      [flagged(CT_STATE, 'related'), jump('related')],
      [inSet(IIFNAME, 'strict'), DROP],
      [inSet(OIFNAME, 'strict'), DROP],
      [verdictOf(concat(NFPROTO, OIFNAME), 'direct_between')],
      [inSet(PAIR, 'trusted'), jump('published_ports')],
      [inSet(IIFNAME, 'isolated'), inSet(OIFNAME, 'isolated'), DROP],
      [ACCEPT],
    ],
  },
  {
    // New traffic towards containers.
    chain: { name: 'inbound' },
    rules: [
      [notInSet(IIFNAME, 'bridges'), jump('from_elsewhere')],
      [jump(USER_CHAINS.inbound)],
      [flagged(CT_STATUS, 'dnat'), jump('published_ports')],
      [verdictOf(PAIR, 'icc')],
      [inSet(IIFNAME, 'host_bridges'), goto('other_network')],
      [flagged(CT_STATE, 'related'), ACCEPT],
      [inSet(PAIR, 'trusted'), jump('published_ports')],
      [verdictOf(concat(NFPROTO, OIFNAME), 'direct')],
      // From another host's containers, by the way that leads back to them.
      [inSet(concat(NFPROTO, OIFNAME), 'internal'), DROP],
      ...both(({ saddr, set }) => [
        [inSet(saddr, set('peers')), isNot({ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, 0), ACCEPT],
      ]),
      [DROP],
    ],
  },
  {
    // From a network that has no way out.
    chain: { name: 'from_internal' },
    rules: [[inSet(OIFNAME, 'bridges'), jump(USER_CHAINS.inbound)], [verdictOf(PAIR, 'icc')], [DROP]],
  },
  {
    // From containers outward. What belongs to no connection can't be translated, and would leave with their own address; so would
    // messages of ICMPv6 that connection tracking leaves alone. A TCP packet in the middle of a connection that nobody knows is of one that was revoked: its server goes on speaking, and
    // would open the connection anew from its side (net.netfilter.nf_conntrack_tcp_loose).
    chain: { name: 'outbound' },
    rules: [
      [flagged(CT_STATE, 'invalid'), DROP],
      [flagged(CT_STATE, 'untracked'), inSet(concat(NFPROTO, IIFNAME), 'masqueraded'), DROP],
      [isNot(BEGINNING, 'syn'), flagged(CT_STATE, 'new'), DROP],
      [ACCEPT],
    ],
  },
  {
    // The same of networks with helpers.
    chain: { name: 'outbound_helped' },
    rules: [
      [{ 'ct helper': { map: { key: concat(IIFNAME, L4PROTO, DPORT), data: '@outward_helpers' } } }],
      [goto('outbound')],
    ],
  },
  {
    chain: { name: 'input', type: 'filter', hook: 'input', prio: 0, policy: 'accept' },
    rules: [
      // What belongs to no connection passes by the translation, which keeps loopback addresses from everybody else.
      [LOOPBACK_DESTINATION, isNot(IIFNAME, 'lo'), flagged(CT_STATE, anyOf('invalid', 'untracked')), DROP],
      [verdictOf(concat(NFPROTO, IIFNAME), 'to_host')],
    ],
  },
  {
    // A network without a way out reaches the host by its own bridge's addresses alone, and finds them; whom the host asked may answer.
    chain: { name: 'from_internal_to_host' },
    rules: [
      [is(CT_DIRECTION, 'reply'), ACCEPT],
      [is(ADDRESS_OF_INTERFACE, 'local'), ACCEPT],
      [is({ payload: { protocol: 'ip6', field: 'daddr' } }, SOLICITED_NODES), NEIGHBOUR_DISCOVERY, ACCEPT],
      [DROP],
    ],
  },
  {
    // The same of an adopted bridge, from which others ask the host too: not by its other addresses.
    chain: { name: 'from_lan_to_host' },
    rules: [
      [is(CT_DIRECTION, 'reply'), ACCEPT],
      [
        is({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
        isNot(ADDRESS_OF_INTERFACE, 'local'),
        DROP,
      ],
    ],
  },
  {
    // Nobody outside has a container's address.
    chain: { name: 'from_elsewhere' },
    rules: both(({ saddr, set }) => [[inSet(saddr, set('pools')), DROP]]),
  },
  {
    // Whom the host would answer as if a container had asked: for translation, so that it meets a connection's first packet alone.
    chain: { name: 'from_elsewhere_to_host', type: 'nat', hook: 'input', prio: 80, policy: 'accept' },
    rules: [[notInSet(IIFNAME, 'host_bridges'), isNot(IIFNAME, 'lo'), jump('from_elsewhere')]],
  },
  OFFLOAD_CHAIN,
  {
    // Who knows of an open connection between containers could speak in it from outside, from one of their addresses. One whose source
    // alone is translated leads outward, and one from an address that no container can have is none of these.
    chain: { name: 'established' },
    rules: [
      TO_OFFLOAD,
      [is({ '&': [CT_STATUS, ['snat', 'dnat']] }, 'snat'), ACCEPT],
      ...both(({ saddr, set }) => [[notInSet(saddr, set('pools')), ACCEPT]]),
      [inSet(IIFNAME, 'bridges'), ACCEPT],
      [notInSet(OIFNAME, 'bridges'), ACCEPT],
      [DROP],
    ],
  },
  {
    // Frames that a bridge passes on, where all bridges ask for br_netfilter. One for an endpoint's MAC was judged in the bridge.
    chain: { name: 'untracked' },
    rules: [[inSet(concat(IIFNAME, ETHER_DADDR), 'closed_macs'), ACCEPT], [verdictOf(PAIR, 'icc')]],
  },
  {
    chain: { name: FORWARD_CHAIN, type: 'filter', hook: 'forward', prio: 0, policy: 'accept' },
    rules: [
      [jump(USER_CHAINS.forward)],
      [flagged(CT_STATE, 'established'), goto('established')],
      [flagged(CT_STATE, 'untracked'), jump('untracked')],
      // What follows concerns new connections alone.
      [inSet(concat(NFPROTO, IIFNAME), 'internal'), goto('from_internal')],
      [inSet(OIFNAME, 'bridges'), goto('inbound')],
      [verdictOf(IIFNAME, 'outward')],
      [flagged(CT_STATE, 'related'), ACCEPT],
      // Other hosts in this namespace have rules of their own for their bridges.
      [inSet(IIFNAME, 'host_bridges'), ACCEPT],
      [inSet(OIFNAME, 'host_bridges'), ACCEPT],
      // br_netfilter shows us the frames of all bridges (net.bridge.bridge-nf-call-iptables): what one that is not ours passes
      // from port to port is not forwarded by the host.
      [FROM_BRIDGE, ...SAME_BRIDGE, ACCEPT],
      [verdictOf(NFPROTO, 'forward_policy')],
    ],
  },
]
