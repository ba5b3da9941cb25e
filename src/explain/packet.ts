/** A packet as the kernel's hooks see it: what rules can ask of it, as a value. */
import type { Link } from '../rtnl/index.js'

/** Protocols by the numbers of IANA that this folder knows by name. */
export const PROTOCOL_NUMBERS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const

/** Which protocol the frame carries: `ip`, `ip6` and `arp` as rules name them. */
export type PacketFamily = 'ip' | 'ip6' | 'arp'

/** A port that is not known but for its bounds, both included: what a kernel chooses for who does not say. */
export interface PortRange {
  readonly low: number
  readonly high: number
}
export type Port = number | PortRange

/** One direction of a connection. Ports are left out where the protocol has none or nobody knows them. */
export interface PacketTuple {
  readonly source: string
  readonly destination: string
  /** Number of the transport protocol. */
  readonly protocol: number
  readonly sourcePort?: Port
  readonly destinationPort?: Port
}

/** What connection tracking knows of the packet's connection. */
export interface PacketConnection {
  readonly state: 'new' | 'established' | 'related' | 'untracked'
  /** The bits of `ct status` (IPS_*, linux/netfilter/nf_conntrack_common.h). */
  readonly status: number
  readonly direction: 'original' | 'reply'
  readonly original: PacketTuple
  /** As the answers come in: from where the packets were translated to. */
  readonly reply: PacketTuple
  /** Undefined where a rule set it to something that is not known. */
  readonly mark: number | undefined
  readonly zone?: number
  /** The zone in which answers are looked for, where it is another. */
  readonly replyZone?: number
  /** Which addresses were decided about: no rule translates them again. */
  readonly settled?: readonly ('source' | 'destination')[]
}

/** Bits of {@link PacketConnection.status}. */
export const CONNECTION_STATUS = {
  seenReply: 2,
  assured: 4,
  confirmed: 8,
  sourceTranslated: 16,
  destinationTranslated: 32,
} as const

/** What an ARP message says. */
interface ArpMessage {
  readonly operation: 'request' | 'reply'
  readonly senderMac: string
  readonly senderAddress: string
  readonly targetMac?: string
  readonly targetAddress: string
}

/** What a message of neighbour discovery says (RFC 4861, 4.3 and 4.4): about which address, and the MAC address of who sends it. */
interface DiscoveryMessage {
  readonly kind: 'solicitation' | 'advertisement'
  readonly target: string
  readonly mac?: string
}

/** What rules can know of a packet. What is left out is unknown, not empty. */
export interface Packet {
  readonly family: PacketFamily
  readonly inputDevice?: Link
  readonly outputDevice?: Link
  /** Where {@link outputDevice} hands it to, if that is not the destination itself. */
  readonly nextHop?: string
  /** The bridge that {@link inputDevice} is a port of, for rules of family bridge. */
  readonly inputBridge?: Link
  readonly outputBridge?: Link
  readonly etherSource?: string
  readonly etherDestination?: string
  /** The frame was sent to the host, and stays one for the host (pkttype) where a bridge passes it on translated. */
  readonly isForHost?: true
  /** Network layer addresses as text; for ARP the sender's and the target's. */
  readonly source: string
  readonly destination: string
  /** Number of the transport protocol; 0 for ARP. */
  readonly protocol: number
  readonly sourcePort?: Port
  readonly destinationPort?: Port
  readonly icmpType?: number
  readonly icmpCode?: number
  /** The bits of the TCP header's flags; a first packet has `syn` alone. */
  readonly tcpFlags?: number
  /** The one chunk that the SCTP packet consists of. */
  readonly sctpChunk?: 'init' | 'init-ack'
  readonly arp?: ArpMessage
  readonly discovery?: DiscoveryMessage
  /** Bytes from the network layer's header on. */
  readonly length?: number
  /** Undefined where a rule set it to something that is not known. */
  readonly mark: number | undefined
  /** Undefined before connection tracking has seen it. */
  readonly connection?: PacketConnection
  /** The zone that a rule put it in, for each direction, before connection tracking looks for its connection. */
  readonly zone?: { readonly original: number; readonly reply: number }
  /** The connections that connection tracking of the namespace has, and that the packet may be an answer of. */
  readonly remembered?: readonly PacketConnection[]
}

/** The tuple of the packet as it is now. */
export function tupleOf(packet: Packet): PacketTuple {
  const { source, destination, protocol, sourcePort, destinationPort } = packet
  return {
    source,
    destination,
    protocol,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
  }
}

/** The tuple of the answers to it. */
export function reversed(tuple: PacketTuple): PacketTuple {
  const { source, destination, protocol, sourcePort, destinationPort } = tuple
  return {
    source: destination,
    destination: source,
    protocol,
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
  }
}

/** What connection tracking leaves alone. */
export function untracked(tuple: PacketTuple): PacketConnection {
  return { state: 'untracked', status: 0, direction: 'original', original: tuple, reply: tuple, mark: 0 }
}

/** The packet as connection tracking hands it on: an answer in a connection that it knows, or the beginning of another. */
export function tracked(packet: Packet): Packet {
  const { remembered = [], zone, ...rest } = packet
  const known = remembered.find(
    (each) => isOf(packet, each.reply) && (each.replyZone ?? each.zone ?? 0) === (zone?.reply ?? 0),
  )
  if (known) {
    const { settled: _, ...connection } = known
    const status = connection.status | CONNECTION_STATUS.seenReply | CONNECTION_STATUS.confirmed
    return { ...rest, connection: { ...connection, state: 'established', direction: 'reply', status } }
  }
  const original = tupleOf(packet)
  return {
    ...rest,
    connection: {
      state: 'new',
      status: 0,
      direction: 'original',
      original,
      reply: reversed(original),
      mark: 0,
      ...(zone && { zone: zone.original, replyZone: zone.reply }),
    },
  }
}

/** Whether a packet is of a direction of a connection. */
export function isOf(
  packet: Packet,
  { source, destination, sourcePort, destinationPort }: PacketTuple,
): boolean {
  return (
    packet.source === source &&
    packet.destination === destination &&
    packet.sourcePort === sourcePort &&
    packet.destinationPort === destinationPort
  )
}
