/** The fields that rules ask for, read from a packet. */

import { transportHeaders } from '../nft/datatype/headers.js'
import type {
  CtReference,
  FibExpression,
  MetaKey,
  PayloadReference,
  RawPayloadReference,
  SctpChunkExpression,
} from '../nft/index.js'
import type { Link } from '../rtnl/index.js'
import { scalar, type Value } from './constant.js'
import type { Environment } from './environment.js'
import { type Packet, type PacketTuple, type Port, type PortRange, PROTOCOL_NUMBERS } from './packet.js'

/** A field's value, undefined where it is not known; `absent`: the packet has no such thing, and the rule ends there. */
export type Found = { readonly value: Value } | 'absent'

const known = (value: Value | number): Found => ({
  value: typeof value === 'number' ? BigInt(value) : value,
})
const unknown: Found = { value: undefined }

const ETHER_TYPES = { ip: 0x0800, ip6: 0x86dd, arp: 0x0806 } as const
const NF_PROTOCOLS = { ip: 2, ip6: 10, arp: 3 } as const
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136])

/** An address as a number. */
function addressNumber(address: string, environment: Environment): bigint | undefined {
  const type = address.includes(':')
    ? ({ type: 'ipv6_addr', bits: 128 } as const)
    : ({ type: 'ipv4_addr', bits: 32 } as const)
  const value = scalar(address, type, environment)
  return typeof value === 'bigint' ? value : undefined
}

function mac(address: string | undefined, environment: Environment): Found {
  return address === undefined
    ? unknown
    : known(scalar(address, { type: 'ether_addr', bits: 48 }, environment))
}

/** A field of a header. */
export function payloadField(
  reference: PayloadReference | RawPayloadReference,
  packet: Packet,
  environment: Environment,
): Found {
  if ('base' in reference) return rawField(reference, packet, environment)
  const { protocol, field } = reference
  switch (protocol) {
    case 'ether':
      if (field === 'type') return known(ETHER_TYPES[packet.family])
      return mac(field === 'saddr' ? packet.etherSource : packet.etherDestination, environment)
    case 'vlan':
      return 'absent'
    case 'arp':
      return arpField(field, packet, environment)
    case 'ip':
    case 'ip6':
      return packet.family === protocol ? networkField(field, packet, environment) : 'absent'
    case 'th':
      if (!packet.protocol) return 'absent'
      // In a header without ports, something else stands in their place.
      return WITH_PORTS.has(packet.protocol) ? portField(field, packet) : unknown
    default:
      if (transportHeaders.get(packet.protocol) !== protocol) return 'absent'
      return protocol === 'icmpv6' && field === 'taddr' && packet.discovery
        ? known(addressNumber(packet.discovery.target, environment))
        : transportField(field, packet)
  }
}

/** Bits without a name. */
function rawField(
  { base, offset, len }: RawPayloadReference,
  packet: Packet,
  environment: Environment,
): Found {
  const { discovery, protocol, sctpChunk, tcpFlags } = packet
  if (discovery) {
    const read = DISCOVERY_BITS.get(`${base} ${offset} ${len}`)
    return read ? read(discovery, environment) : unknown
  }
  // TCP's flags, with the first half of the window behind them.
  if (base === 'th' && offset === 104 && len === 16 && protocol === PROTOCOL_NUMBERS.tcp)
    return tcpFlags === undefined
      ? unknown
      : known({ low: BigInt(tcpFlags << 8), high: BigInt((tcpFlags << 8) | 0xff) })
  // The type of the first chunk behind SCTP's common header.
  const isFirstChunk = base === 'th' && offset === 96 && len === 8 && protocol === PROTOCOL_NUMBERS.sctp
  return isFirstChunk && sctpChunk !== undefined ? known(CHUNK_TYPES[sctpChunk]) : unknown
}

type Discovery = NonNullable<Packet['discovery']>

type DiscoveryBits = (message: Discovery, environment: Environment) => Found

/** Where a message of neighbour discovery with one option has what, in IPv6 without extension headers: base, offset and length. */
const DISCOVERY_BITS: ReadonlyMap<string, DiscoveryBits> = new Map<string, DiscoveryBits>([
  // Version 6, without traffic class and flow label; 32 bytes of ICMPv6 with hop limit 255.
  ['nh 0 32', () => known(0x6000_0000)],
  ['nh 32 32', () => known(0x0020_3aff)],
  ['th 8 8', () => known(0)],
  // An answer says that it is one, and that it overrides what was known.
  ['th 32 32', ({ kind }) => known(kind === 'solicitation' ? 0 : 0x6000_0000)],
  ['th 64 128', ({ target }, environment) => known(addressNumber(target, environment))],
  ['th 192 16', ({ kind }) => known(kind === 'solicitation' ? 0x0101 : 0x0201)],
  ['th 208 48', ({ mac: address }, environment) => mac(address, environment)],
])

/** A verification tag, whatever it is: only what begins an association has none (RFC 9260, 8.5.1). */
const SOME_TAG: Value = { low: 1n, high: 0xffff_ffffn }

function networkField(field: string, packet: Packet, environment: Environment): Found {
  if (field === 'saddr') return known(addressNumber(packet.source, environment))
  if (field === 'daddr') return known(addressNumber(packet.destination, environment))
  if (field === 'protocol' || field === 'nexthdr') return known(packet.protocol)
  if (field === 'version') return known(packet.family === 'ip' ? 4 : 6)
  // Neighbour discovery that has been routed is none (RFC 4861, 7.1).
  if (field === 'hoplimit' && packet.discovery) return known(255)
  return unknown
}

/** Of each range of ports always the same object: a port that is not known is itself all the same. */
const intervals = new WeakMap<PortRange, Value>()

function port(value: Port | undefined): Found {
  if (typeof value !== 'object') return known(value)
  const interval = intervals.get(value) ?? { low: BigInt(value.low), high: BigInt(value.high) }
  intervals.set(value, interval)
  return known(interval)
}

/** The bits of a field that are 0 in every packet that is looked at here, though the others are not known. */
export function zeroBits(reference: PayloadReference | RawPayloadReference): bigint {
  // The first packet of a connection and its answer are no fragments; whether they may become some (DF) is not known.
  return 'protocol' in reference && reference.protocol === 'ip' && reference.field === 'frag-off'
    ? ~DONT_FRAGMENT
    : 0n
}

const DONT_FRAGMENT = 0x4000n

/** Whether the packet has a header of extension, or what is in it (nft_exthdr_ipv6_eval). */
export function extensionField(hasField: boolean, { family }: Packet): Found {
  // The first packet of a connection and its answer have none. Where it is asked, the rule asks for IPv6 before.
  return hasField || family !== 'ip6' ? 'absent' : known(0)
}

/** Whether there is such a chunk, or a field of it (nft_exthdr_sctp_eval). */
export function chunkField({ name, field }: ChunkReference, { protocol, sctpChunk }: Packet): Found {
  if (protocol !== PROTOCOL_NUMBERS.sctp) return field === undefined ? known(0) : 'absent'
  if (sctpChunk === undefined) return unknown
  if (field === undefined) return known(name === sctpChunk ? 1 : 0)
  if (name !== sctpChunk) return 'absent'
  return field === 'type' ? known(CHUNK_TYPES[sctpChunk]) : unknown
}

type ChunkReference = SctpChunkExpression['sctp chunk']
const CHUNK_TYPES = { init: 1, 'init-ack': 2 } as const

function portField(field: string, packet: Packet): Found {
  return port(field === 'sport' ? packet.sourcePort : packet.destinationPort)
}

function transportField(field: string, packet: Packet): Found {
  if (field === 'sport' || field === 'dport') return portField(field, packet)
  if (field === 'flags') return known(packet.tcpFlags)
  const icmp = packet.protocol === PROTOCOL_NUMBERS.icmp || packet.protocol === PROTOCOL_NUMBERS.icmpv6
  if (icmp && field === 'type') return known(packet.icmpType)
  if (icmp && field === 'code') return known(packet.icmpCode)
  if (field === 'vtag' && packet.sctpChunk !== undefined)
    return known(packet.sctpChunk === 'init' ? 0 : SOME_TAG)
  return unknown
}

function arpField(field: string, { arp, family }: Packet, environment: Environment): Found {
  if (family !== 'arp') return 'absent'
  if (field === 'htype') return known(1)
  if (field === 'ptype') return known(ETHER_TYPES.ip)
  if (field === 'hlen') return known(6)
  if (field === 'plen') return known(4)
  if (arp === undefined) return unknown
  if (field === 'operation') return known(arp.operation === 'request' ? 1 : 2)
  if (field === 'saddr ether') return mac(arp.senderMac, environment)
  if (field === 'saddr ip') return known(addressNumber(arp.senderAddress, environment))
  if (field === 'daddr ether') return mac(arp.targetMac, environment)
  if (field === 'daddr ip') return known(addressNumber(arp.targetAddress, environment))
  return unknown
}

/** Meta data of the packet (net/netfilter/nft_meta.c). */
export function metaField(key: MetaKey, packet: Packet): Found {
  const { inputDevice, outputDevice } = packet
  switch (key) {
    case 'protocol':
      return known(ETHER_TYPES[packet.family])
    case 'nfproto':
      return known(NF_PROTOCOLS[packet.family])
    case 'l4proto':
      return packet.family === 'arp' ? 'absent' : known(packet.protocol)
    case 'mark':
      return known(packet.mark)
    case 'length':
      return packet.length === undefined ? unknown : known(packet.length)
    case 'iif':
      return known(inputDevice?.index ?? 0)
    case 'oif':
      return known(outputDevice?.index ?? 0)
    // Without a device the kernel compares with an empty name.
    case 'iifname':
      return known(inputDevice?.name ?? '')
    case 'oifname':
      return known(outputDevice?.name ?? '')
    case 'ibrname':
    case 'ibridgename':
    case 'ibriport':
      return known(packet.inputBridge?.name ?? '')
    case 'obrname':
    case 'obridgename':
    case 'obriport':
      return known(packet.outputBridge?.name ?? '')
    case 'pkttype':
      return packetType(packet)
    case 'iifgroup':
      return deviceField(inputDevice, ({ group }) => group)
    case 'oifgroup':
      return deviceField(outputDevice, ({ group }) => group)
    case 'iiftype':
      return deviceField(inputDevice, ({ record }) => record.type)
    case 'oiftype':
      return deviceField(outputDevice, ({ record }) => record.type)
    case 'iifkind':
      return deviceField(inputDevice, ({ kind }) => kind)
    case 'oifkind':
      return deviceField(outputDevice, ({ kind }) => kind)
    case 'ipsec':
    case 'secpath':
      return known(0)
    case 'skuid':
    case 'skgid':
    case 'cgroup':
      // Only what this host sends has a socket.
      return inputDevice === undefined ? unknown : 'absent'
    default:
      return unknown
  }
}

const PACKET_TYPES = { host: 0, broadcast: 1, multicast: 2, other: 3 } as const

/** For whom a frame is, as the one sees it who takes it in (eth_type_trans, br_handle_frame). */
function packetType({ inputDevice, inputBridge, etherDestination, destination, isForHost }: Packet): Found {
  // What is sent by the host itself.
  if (inputDevice === undefined) return unknown
  if (etherDestination === 'ff:ff:ff:ff:ff:ff') return known(PACKET_TYPES.broadcast)
  const group = etherDestination === undefined ? 0 : Number.parseInt(etherDestination.slice(0, 2), 16) & 1
  if (group === 1 || /^(ff|22[4-9]\.|23\d\.)/.test(destination)) return known(PACKET_TYPES.multicast)
  // To the hooks of IP nothing comes that is for others, and br_netfilter takes what it shows them to be the host's.
  if (isForHost || inputBridge === undefined || inputBridge.index === inputDevice.index)
    return known(PACKET_TYPES.host)
  if (etherDestination === undefined) return unknown
  const own = [inputBridge, inputDevice].some(({ mac }) => mac?.toString() === etherDestination)
  return known(own ? PACKET_TYPES.host : PACKET_TYPES.other)
}

function deviceField(device: Link | undefined, read: (link: Link) => number | string | undefined): Found {
  return device === undefined ? 'absent' : known(read(device))
}

const CT_STATES = { new: 8, established: 2, related: 4, untracked: 64 } as const
const CT_INVALID = 1

/** What connection tracking knows (net/netfilter/nft_ct.c). */
export function ctField(reference: CtReference, packet: Packet, environment: Environment): Found {
  const { connection } = packet
  if (reference.key === 'state') return known(connection ? CT_STATES[connection.state] : CT_INVALID)
  if (connection === undefined || connection.state === 'untracked') return 'absent'
  const tuple = reference.dir === 'reply' ? connection.reply : connection.original
  switch (reference.key) {
    case 'direction':
      return known(connection.direction === 'original' ? 0 : 1)
    case 'status':
      return known(connection.status)
    case 'mark':
      return known(connection.mark)
    case 'zone':
      return known(connection.zone ?? 0)
    case 'l3proto':
      return known(NF_PROTOCOLS[packet.family])
    case 'protocol':
      return known(tuple.protocol)
    case 'helper':
      return unknown
    default:
      return tupleField(reference.key, tuple, environment)
  }
}

function tupleField(key: string, tuple: PacketTuple, environment: Environment): Found {
  const [first = '', second = first] = key.split(' ')
  if (second === 'saddr' || second === 'daddr') {
    const address = second === 'saddr' ? tuple.source : tuple.destination
    if (first !== second && (first === 'ip6') !== address.includes(':')) return 'absent'
    return known(addressNumber(address, environment))
  }
  if (key === 'proto-src') return port(tuple.sourcePort)
  if (key === 'proto-dst') return port(tuple.destinationPort)
  return unknown
}

/** A question to the routing table (net/ipv4/netfilter/nft_fib_ipv4.c). */
export function fibField({ fib }: FibExpression, packet: Packet, environment: Environment): Found {
  const flags = [fib.flags].flat()
  const address = flags.includes('daddr') ? packet.destination : packet.source
  const device = flags.includes('iif')
    ? packet.inputDevice
    : flags.includes('oif')
      ? packet.outputDevice
      : undefined
  if (packet.family === 'arp') return 'absent'
  if (fib.result === 'type') {
    const type = environment.addressType(address, device)
    return type === undefined ? unknown : known(scalar(type, { type: 'fib_addrtype', bits: 32 }, environment))
  }
  // What came in by the loopback interface counts as reached by it (nft_fib_is_loopback).
  if (packet.inputDevice?.name === 'lo')
    return known(fib.result === 'oifname' ? 'lo' : packet.inputDevice.index)
  const forwarded = packet.inputDevice !== undefined && packet.outputDevice !== undefined
  const towards = environment.deviceTowards(address, {
    source: flags.includes('daddr') ? packet.source : packet.destination,
    ...(flags.includes('mark') && packet.mark !== undefined && { mark: packet.mark }),
    ...(device && { device }),
    ...(forwarded &&
      flags.includes('saddr') &&
      flags.includes('iif') && { inputDevice: packet.outputDevice }),
  })
  if (towards === undefined) return unknown
  const found = towards !== null && (device === undefined || device.index === towards.index) ? towards : null
  return fib.result === 'oifname' ? known(found?.name ?? '') : known(found?.index ?? 0)
}
