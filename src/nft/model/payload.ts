/** The packet headers that rules can name, and their fields, as `nft` spells them (`man nft`, PAYLOAD EXPRESSIONS). */

/** The fields of each header. */
export interface PayloadFields {
  ether: 'daddr' | 'saddr' | 'type'
  vlan: 'pcp' | 'dei' | 'id' | 'type'
  arp:
    | 'htype'
    | 'ptype'
    | 'hlen'
    | 'plen'
    | 'operation'
    | 'saddr ether'
    | 'saddr ip'
    | 'daddr ether'
    | 'daddr ip'
  ip:
    | 'version'
    | 'hdrlength'
    | 'dscp'
    | 'ecn'
    | 'length'
    | 'id'
    | 'frag-off'
    | 'ttl'
    | 'protocol'
    | 'checksum'
    | 'saddr'
    | 'daddr'
  icmp: 'type' | 'code' | 'checksum' | 'id' | 'sequence' | 'mtu' | 'gateway'
  igmp: 'type' | 'mrt' | 'checksum' | 'group'
  ip6: 'version' | 'dscp' | 'ecn' | 'flowlabel' | 'length' | 'nexthdr' | 'hoplimit' | 'saddr' | 'daddr'
  icmpv6:
    | 'type'
    | 'code'
    | 'checksum'
    | 'parameter-problem'
    | 'mtu'
    | 'id'
    | 'sequence'
    | 'max-delay'
    | 'taddr'
    | 'daddr'
  ah: 'nexthdr' | 'hdrlength' | 'reserved' | 'spi' | 'sequence'
  esp: 'spi' | 'sequence'
  comp: 'nexthdr' | 'flags' | 'cpi'
  udp: 'sport' | 'dport' | 'length' | 'checksum'
  udplite: 'sport' | 'dport' | 'csumcov' | 'checksum'
  tcp:
    | 'sport'
    | 'dport'
    | 'sequence'
    | 'ackseq'
    | 'doff'
    | 'reserved'
    | 'flags'
    | 'window'
    | 'checksum'
    | 'urgptr'
  dccp: 'sport' | 'dport' | 'type'
  sctp: 'sport' | 'dport' | 'vtag' | 'checksum'
  gre: 'flags' | 'version' | 'protocol'
  /** The headers of tunnels in UDP, with the tunnel itself: `{ tunnel: 'vxlan', protocol: 'vxlan', field: 'vni' }`. */
  vxlan: 'flags' | 'vni'
  geneve: 'type' | 'vni'
  /** Whatever transport protocol the packet has: the ports that they all keep in one place. */
  th: 'sport' | 'dport'
}

/** A header by name. */
export type PayloadProtocol = keyof PayloadFields

/**
 * Tunnels whose packets rules see into (nft 1.0.7, kernel 6.2). `vxlan` and `geneve` come after a match of UDP, by the port
 * that the tunnel has; `gretap` is GRE that carries frames of Ethernet.
 */
export type TunnelName = 'vxlan' | 'geneve' | 'gre' | 'gretap'

/**
 * A named field of a named header: `{ protocol: 'tcp', field: 'dport' }`. Wrong pairs do not compile. With `tunnel` it is one
 * of the packet inside: `{ tunnel: 'vxlan', protocol: 'ip', field: 'saddr' }`.
 */
export type PayloadReference = {
  [P in PayloadProtocol]: {
    readonly protocol: P
    readonly field: PayloadFields[P]
    readonly tunnel?: TunnelName | undefined
  }
}[PayloadProtocol]

/** Where raw offsets count from: link, network or transport header, or what the transport header carries. */
export type PayloadBase = 'll' | 'nh' | 'th' | 'ih'

/** Any bits of the packet: `offset` and `len` in bits, as in `@nh,96,32`. */
export interface RawPayloadReference {
  readonly base: PayloadBase
  readonly offset: number
  readonly len: number
}
