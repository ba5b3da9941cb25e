/** What `meta` and `ct` can load into a register: the kernel's numbers and the types of the values. */
import type { CtDirectionKey, CtKey, DatatypeName, MetaKey } from '../model/index.js'
import type { ByteOrder } from './byte-order.js'

/** A value that the kernel puts into a register. */
export interface RegisterKey<Name extends string> {
  readonly name: Name
  /** The kernel's number for it (linux/netfilter/nf_tables.h). */
  readonly number: number
  readonly type: DatatypeName
  /** Bytes in the register. */
  readonly length: number
  readonly order: ByteOrder
}

const key = <Name extends string>(
  name: Name,
  number: number,
  type: DatatypeName,
  length: number,
  order: ByteOrder = 'host',
): RegisterKey<Name> => ({ name, number, type, length, order })

/** `enum nft_meta_keys`, as far as the model names them. Where two names have one number, the first is listed. */
export const metaKeys: readonly RegisterKey<MetaKey>[] = [
  key('length', 0, 'integer', 4),
  key('protocol', 1, 'ether_type', 2, 'big'),
  key('priority', 2, 'classid', 4),
  key('mark', 3, 'mark', 4),
  key('iif', 4, 'iface_index', 4),
  key('oif', 5, 'iface_index', 4),
  key('iifname', 6, 'ifname', 16),
  key('oifname', 7, 'ifname', 16),
  key('iiftype', 8, 'iface_type', 2),
  key('oiftype', 9, 'iface_type', 2),
  key('skuid', 10, 'uid', 4),
  key('skgid', 11, 'gid', 4),
  key('nftrace', 12, 'integer', 1),
  key('rtclassid', 13, 'realm', 4),
  key('secmark', 14, 'integer', 4),
  key('nfproto', 15, 'nf_proto', 1),
  key('l4proto', 16, 'inet_proto', 1),
  key('ibrname', 17, 'ifname', 16),
  key('obrname', 18, 'ifname', 16),
  key('ibridgename', 17, 'ifname', 16),
  key('obridgename', 18, 'ifname', 16),
  key('ibriport', 17, 'ifname', 16),
  key('obriport', 18, 'ifname', 16),
  key('pkttype', 19, 'pkt_type', 1),
  key('cpu', 20, 'integer', 4),
  key('iifgroup', 21, 'devgroup', 4),
  key('oifgroup', 22, 'devgroup', 4),
  key('cgroup', 23, 'integer', 4),
  key('random', 24, 'integer', 4, 'big'),
  key('ipsec', 25, 'boolean', 1),
  key('secpath', 25, 'boolean', 1),
  key('iifkind', 26, 'ifname', 16),
  key('oifkind', 27, 'ifname', 16),
  key('ibrpvid', 28, 'integer', 2),
  key('ibrvproto', 29, 'ether_type', 2, 'big'),
  key('time', 30, 'date', 8),
  key('day', 31, 'day', 1),
  key('hour', 32, 'hour', 4),
  key('sdif', 33, 'iface_index', 4),
  key('sdifname', 34, 'ifname', 16),
  key('broute', 35, 'integer', 1),
  key('ibrhwaddr', 37, 'ether_addr', 6),
]

/**
 * `enum nft_ct_keys`, as far as the model names them. `saddr` and `daddr` are the older keys, whose family is the
 * table's, or for IPv6 twelve bytes longer than said here.
 */
export const ctKeys: readonly RegisterKey<CtKey | CtDirectionKey>[] = [
  key('state', 0, 'ct_state', 4),
  key('direction', 1, 'ct_dir', 1),
  key('status', 2, 'ct_status', 4),
  key('mark', 3, 'mark', 4),
  key('secmark', 4, 'integer', 4),
  key('expiration', 5, 'time', 4),
  key('helper', 6, 'string', 16),
  key('l3proto', 7, 'nf_proto', 1),
  key('saddr', 8, 'ipv4_addr', 4, 'big'),
  key('daddr', 9, 'ipv4_addr', 4, 'big'),
  key('protocol', 10, 'inet_proto', 1),
  key('proto-src', 11, 'inet_service', 2, 'big'),
  key('proto-dst', 12, 'inet_service', 2, 'big'),
  key('label', 13, 'ct_label', 16),
  key('packets', 14, 'integer', 8),
  key('bytes', 15, 'integer', 8),
  key('avgpkt', 16, 'integer', 8),
  key('zone', 17, 'integer', 2),
  key('ip saddr', 19, 'ipv4_addr', 4, 'big'),
  key('ip daddr', 20, 'ipv4_addr', 4, 'big'),
  key('ip6 saddr', 21, 'ipv6_addr', 16, 'big'),
  key('ip6 daddr', 22, 'ipv6_addr', 16, 'big'),
  key('id', 23, 'integer', 4, 'big'),
]

/** NFT_CT_EVENTMASK, which rules can write and not read: which changes of the connection are told to programs. */
export const ctEventKey: RegisterKey<'event'> = key('event', 18, 'ct_event', 4)

/** `enum nft_rt_keys`; the next hop by its family. */
export const rtKeys: readonly RegisterKey<'classid' | 'ip nexthop' | 'ip6 nexthop' | 'mtu' | 'ipsec'>[] = [
  key('classid', 0, 'realm', 4),
  key('ip nexthop', 1, 'ipv4_addr', 4, 'big'),
  key('ip6 nexthop', 2, 'ipv6_addr', 16, 'big'),
  // The kernel calls it tcpmss.
  key('mtu', 3, 'integer', 2),
  key('ipsec', 4, 'boolean', 1),
]

/** `enum nft_socket_keys` */
export const socketKeys: readonly RegisterKey<'transparent' | 'mark' | 'wildcard' | 'cgroupv2'>[] = [
  key('transparent', 0, 'integer', 1),
  key('mark', 1, 'mark', 4),
  key('wildcard', 2, 'integer', 1),
  key('cgroupv2', 3, 'cgroupsv2', 8),
]

/** `enum nft_xfrm_keys`; addresses by their family. */
export const xfrmKeys: readonly RegisterKey<
  'ip daddr' | 'ip6 daddr' | 'ip saddr' | 'ip6 saddr' | 'reqid' | 'spi'
>[] = [
  key('ip daddr', 1, 'ipv4_addr', 4, 'big'),
  key('ip6 daddr', 2, 'ipv6_addr', 16, 'big'),
  key('ip saddr', 3, 'ipv4_addr', 4, 'big'),
  key('ip6 saddr', 4, 'ipv6_addr', 16, 'big'),
  key('reqid', 5, 'integer', 4),
  key('spi', 6, 'integer', 4, 'big'),
]

/** `enum nft_tunnel_keys` */
export const tunnelKeys: readonly RegisterKey<'path' | 'id'>[] = [
  key('path', 0, 'boolean', 1),
  key('id', 1, 'integer', 4),
]
