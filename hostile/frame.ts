/**
 * Frames as data. A frame is what it departs by from an honest one: every property may be left out, and is then as an honest sender would
 * have it. So a frame gets shorter by leaving out, and what is left when nothing more can go says what it takes.
 *
 * Addresses are named by whose they are (`server@closed`, `bridge`, `group-0e`), not by their value: the same frame can be sent again in a
 * world that was built anew. `hostile/roles.ts` knows them.
 */

export interface Frame {
  /** To the bridge, under the sender's own MAC. */
  readonly ethernet?: Ethernet
  readonly packet: Packet
  /** So many bytes are sent of it, and no more. */
  readonly cut?: number
}

export interface Ethernet {
  readonly source?: string
  readonly destination?: string
  /** As the packet has it. */
  readonly type?: number
  /** From the outermost on. */
  readonly tags?: readonly Tag[]
}

export interface Tag {
  readonly type: number
  readonly vlan: number
}

export type Packet = Ip | Arp | Foreign

/** Both families: what is said of one alone is passed over in the other. */
export interface Ip {
  readonly kind: 'ipv4' | 'ipv6'
  readonly source?: string
  /** The bridge's own address; from outside the host's. */
  readonly destination?: string
  readonly hops?: number
  readonly fragment?: { readonly offset: number; readonly more: boolean }
  /** IPv4: options of the header, each a type and what follows its length. */
  readonly options?: readonly Option[]
  /** IPv6: headers between that of IP and the payload. */
  readonly extensions?: readonly Extension[]
  /** What the version's four bits say. */
  readonly version?: number
  /** IPv4: what the header says of its own length, in units of 4 bytes. */
  readonly headerWords?: number
  /** How much more (or less) the header says than there is. */
  readonly excess?: number
  readonly badChecksum?: true
  readonly payload: Payload
}

export interface Option {
  readonly type: number
  /** An address within it, of a source route. */
  readonly address?: string
}

export interface Extension {
  /** The number of its protocol: 0 hop by hop, 43 routing, 60 destination, 51 authentication, 135 mobility, 44 fragment. */
  readonly type: number
  /** Of routing: the type; of options: that of the only one. */
  readonly subtype?: number
  readonly address?: string
}

export type Payload = Udp | Tcp | Sctp | Icmp | Plain | Tunnel

export interface Udp {
  readonly kind: 'udp'
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** How much more (or less) the header says than there is. */
  readonly excess?: number
}

export interface Tcp {
  readonly kind: 'tcp'
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** SYN alone. */
  readonly flags?: number
}

export interface Sctp {
  readonly kind: 'sctp'
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** INIT. */
  readonly chunk?: number
  readonly tag?: number
}

/** ICMP of the packet's family, neighbour discovery included. */
export interface Icmp {
  readonly kind: 'icmp'
  /** An echo request. */
  readonly type?: number
  readonly code?: number
  /** Whom a message of neighbour discovery, or a redirect, is about. */
  readonly target?: string
  /** A redirect's destination (ICMPv6). */
  readonly about?: string
  readonly options?: readonly DiscoveryOption[]
  /** What an error quotes. */
  readonly quoted?: Ip
}

export interface DiscoveryOption {
  /** 1 the source's MAC, 2 the target's, 3 prefix, 5 MTU, 24 route, 25 DNS servers, 31 search list. */
  readonly type: number
  readonly mac?: string
}

/** A protocol with nothing in it that matters. */
export interface Plain {
  readonly kind: 'plain'
  readonly protocol: number
}

export interface Tunnel {
  readonly kind: 'tunnel'
  readonly by: 'ip' | 'gre' | 'vxlan' | 'geneve'
  readonly inner: Ip
}

export interface Arp {
  readonly kind: 'arp'
  /** A request. */
  readonly operation?: number
  readonly senderMac?: string
  readonly sender?: string
  readonly targetMac?: string
  readonly target?: string
  /** What it says of the lengths of its addresses: 6 and 4. */
  readonly lengths?: readonly [number, number]
}

/** Of a type that is neither IP nor ARP. */
export interface Foreign {
  readonly kind: 'foreign'
  readonly type: number
  /** What follows the header of that type. */
  readonly inner?: Ip
}
