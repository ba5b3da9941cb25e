/** The names of nft's data types (`nft describe`), as sets and maps declare them. Their encodings: `../datatype/`. */
export type DatatypeName =
  | 'integer'
  /** `comp flags` */
  | 'bitmask'
  | 'string'
  | 'mark'
  | 'boolean'
  // link layer
  | 'll_addr'
  | 'ether_addr'
  | 'ether_type'
  | 'arp_op'
  // network layer
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'inet_proto'
  | 'inet_service'
  | 'dscp'
  | 'ecn'
  | 'nf_proto'
  // transport layer
  | 'icmp_type'
  | 'icmp_code'
  | 'icmpv6_type'
  | 'icmpv6_code'
  | 'icmpx_code'
  | 'igmp_type'
  | 'tcp_flag'
  | 'dccp_pkttype'
  | 'mh_type'
  // packet meta data
  | 'ifname'
  | 'iface_index'
  | 'iface_type'
  | 'devgroup'
  | 'uid'
  | 'gid'
  | 'pkt_type'
  | 'realm'
  | 'classid'
  | 'time'
  /** `meta time`; nft 1.0.6 prints it as "time", too. */
  | 'date'
  | 'hour'
  | 'day'
  | 'cgroupsv2'
  | 'fib_addrtype'
  // connection tracking
  | 'ct_state'
  | 'ct_dir'
  | 'ct_status'
  | 'ct_label'
  | 'ct_event'

/** One type, or the types of a concatenation in their order. */
export type TypeSpecification = DatatypeName | readonly DatatypeName[]
