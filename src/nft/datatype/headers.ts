/** Where the fields of packet headers lie, and of what type they are: shared by the compiler and the decompiler. */
import type { HeaderBase } from '../kernel/constants.js'
import type { DatatypeName, PayloadFields, PayloadProtocol } from '../model/index.js'

/** A field of a header: bits counted from the most significant of the first byte, as RFCs draw them. */
export interface HeaderField {
  readonly offset: number
  readonly bits: number
  readonly type: DatatypeName
  /** nft 1.0.6 has no word for it: it is read by its name, and listed as the bits that it is. */
  readonly unlisted?: true
}

/** A header: what its offsets count from, and its fields in the order of the wire. */
export interface Header<P extends PayloadProtocol = PayloadProtocol> {
  readonly base: HeaderBase
  readonly fields: { readonly [F in PayloadFields[P]]: HeaderField }
}

/** A VLAN header: its tag, and the type of what it carries. Several stand one behind the other. */
export const VLAN_HEADER_BYTES = 4

const at = (offset: number, bits: number, type: DatatypeName = 'integer'): HeaderField => ({
  offset,
  bits,
  type,
})

/** Every header that the model names. Sources: the RFCs, and nftables src/proto.c for the types. */
export const headers: { readonly [P in PayloadProtocol]: Header<P> } = {
  ether: {
    base: 'll',
    fields: {
      daddr: at(0, 48, 'ether_addr'),
      saddr: at(48, 48, 'ether_addr'),
      type: at(96, 16, 'ether_type'),
    },
  },
  // Behind the addresses and the type of Ethernet: the tag stands where the type would be.
  vlan: {
    base: 'll',
    fields: { pcp: at(112, 3), dei: at(115, 1), id: at(116, 12), type: at(128, 16, 'ether_type') },
  },
  arp: {
    base: 'nh',
    fields: {
      htype: at(0, 16),
      ptype: at(16, 16, 'ether_type'),
      hlen: at(32, 8),
      plen: at(40, 8),
      operation: at(48, 16, 'arp_op'),
      'saddr ether': at(64, 48, 'ether_addr'),
      'saddr ip': at(112, 32, 'ipv4_addr'),
      'daddr ether': at(144, 48, 'ether_addr'),
      'daddr ip': at(192, 32, 'ipv4_addr'),
    },
  },
  ip: {
    base: 'nh',
    fields: {
      version: at(0, 4),
      hdrlength: at(4, 4),
      dscp: at(8, 6, 'dscp'),
      ecn: at(14, 2, 'ecn'),
      length: at(16, 16),
      id: at(32, 16),
      'frag-off': at(48, 16),
      ttl: at(64, 8),
      protocol: at(72, 8, 'inet_proto'),
      checksum: at(80, 16),
      saddr: at(96, 32, 'ipv4_addr'),
      daddr: at(128, 32, 'ipv4_addr'),
    },
  },
  icmp: {
    base: 'th',
    fields: {
      type: at(0, 8, 'icmp_type'),
      code: at(8, 8, 'icmp_code'),
      checksum: at(16, 16),
      id: at(32, 16),
      sequence: at(48, 16),
      mtu: at(48, 16),
      gateway: at(32, 32),
    },
  },
  igmp: {
    base: 'th',
    fields: { type: at(0, 8, 'igmp_type'), mrt: at(8, 8), checksum: at(16, 16), group: at(32, 32) },
  },
  ip6: {
    base: 'nh',
    fields: {
      version: at(0, 4),
      dscp: at(4, 6, 'dscp'),
      ecn: at(10, 2, 'ecn'),
      flowlabel: at(12, 20),
      length: at(32, 16),
      nexthdr: at(48, 8, 'inet_proto'),
      hoplimit: at(56, 8),
      saddr: at(64, 128, 'ipv6_addr'),
      daddr: at(192, 128, 'ipv6_addr'),
    },
  },
  icmpv6: {
    base: 'th',
    fields: {
      type: at(0, 8, 'icmpv6_type'),
      code: at(8, 8, 'icmpv6_code'),
      checksum: at(16, 16),
      'parameter-problem': at(32, 32),
      mtu: at(32, 32),
      id: at(32, 16),
      sequence: at(48, 16),
      'max-delay': at(32, 16),
      taddr: { ...at(64, 128, 'ipv6_addr'), unlisted: true },
      daddr: { ...at(192, 128, 'ipv6_addr'), unlisted: true },
    },
  },
  ah: {
    base: 'th',
    fields: {
      nexthdr: at(0, 8, 'inet_proto'),
      hdrlength: at(8, 8),
      reserved: at(16, 16),
      spi: at(32, 32),
      sequence: at(64, 32),
    },
  },
  esp: { base: 'th', fields: { spi: at(0, 32), sequence: at(32, 32) } },
  comp: {
    base: 'th',
    fields: { nexthdr: at(0, 8, 'inet_proto'), flags: at(8, 8, 'bitmask'), cpi: at(16, 16) },
  },
  udp: {
    base: 'th',
    fields: {
      sport: at(0, 16, 'inet_service'),
      dport: at(16, 16, 'inet_service'),
      length: at(32, 16),
      checksum: at(48, 16),
    },
  },
  udplite: {
    base: 'th',
    fields: {
      sport: at(0, 16, 'inet_service'),
      dport: at(16, 16, 'inet_service'),
      csumcov: at(32, 16),
      checksum: at(48, 16),
    },
  },
  tcp: {
    base: 'th',
    fields: {
      sport: at(0, 16, 'inet_service'),
      dport: at(16, 16, 'inet_service'),
      sequence: at(32, 32),
      ackseq: at(64, 32),
      doff: at(96, 4),
      reserved: at(100, 4),
      flags: at(104, 8, 'tcp_flag'),
      window: at(112, 16),
      checksum: at(128, 16),
      urgptr: at(144, 16),
    },
  },
  dccp: {
    base: 'th',
    fields: {
      sport: at(0, 16, 'inet_service'),
      dport: at(16, 16, 'inet_service'),
      type: at(67, 4, 'dccp_pkttype'),
    },
  },
  sctp: {
    base: 'th',
    fields: {
      sport: at(0, 16, 'inet_service'),
      dport: at(16, 16, 'inet_service'),
      vtag: at(32, 32),
      checksum: at(64, 32),
    },
  },
  gre: {
    base: 'th',
    fields: { flags: at(0, 5), version: at(13, 3), protocol: at(16, 16, 'ether_type') },
  },
  vxlan: { base: 'tun', fields: { flags: at(0, 8, 'bitmask'), vni: at(32, 24) } },
  geneve: { base: 'tun', fields: { type: at(16, 16, 'ether_type'), vni: at(32, 24) } },
  th: {
    base: 'th',
    fields: { sport: at(0, 16, 'inet_service'), dport: at(16, 16, 'inet_service') },
  },
}

/** The transport headers by the protocol's number (`meta l4proto`, `ip protocol`). */
export const transportHeaders: ReadonlyMap<number, PayloadProtocol> = new Map([
  [1, 'icmp'],
  [2, 'igmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmpv6'],
  [108, 'comp'],
  [132, 'sctp'],
  [136, 'udplite'],
])
