/** From a frame to its bytes: the only encoder, whatever is in the frame. */
import { crc32c } from '../lab/sctp.js'
import { checksum, long, word } from './bytes.js'
import type { Arp, Extension, Foreign, Frame, Icmp, Ip, Packet, Payload } from './frame.js'

/** Who says what the names in a frame stand for. */
export interface Names {
  mac(role: string): readonly number[]
  /** 4 or 16 bytes. */
  address(role: string, family: 4 | 6): readonly number[]
}

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const
export const PROTOCOL = {
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  icmp6: 58,
  sctp: 132,
} as const

const FRAGMENT_HEADER = 44
const AUTHENTICATION_HEADER = 51
const ROUTING_HEADER = 43

/** What is in each frame, so that who gets it can tell which it was: `mark` at its end, `number` wherever a header has room for one. */
export interface Mark {
  readonly mark: readonly number[]
  readonly number: number
}

export function encode(frame: Frame, names: Names, mark: Mark): Uint8Array {
  const { ethernet = {}, packet, cut } = frame
  const { source = 'own', destination = 'bridge', type = typeOf(packet), tags = [] } = ethernet
  const bytes = [
    ...names.mac(destination),
    ...names.mac(source),
    ...tags.flatMap((tag) => [...word(tag.type), ...word(tag.vlan)]),
    ...word(type),
    ...packetBytes(packet, names, mark),
  ]
  return Uint8Array.from(cut === undefined ? bytes : bytes.slice(0, Math.max(14, cut)))
}

function typeOf(packet: Packet): number {
  return packet.kind === 'foreign' ? packet.type : ETHER_TYPE[packet.kind]
}

function packetBytes(packet: Packet, names: Names, mark: Mark): number[] {
  switch (packet.kind) {
    case 'arp':
      return arpBytes(packet, names, mark)
    case 'foreign':
      return foreignBytes(packet, names, mark)
    default:
      return ipBytes(packet, names, mark)
  }
}

function arpBytes(arp: Arp, names: Names, { mark }: Mark): number[] {
  const { operation = 1, senderMac = 'own', sender = 'own', targetMac = 'zero', target = 'bridge' } = arp
  const [macs, addresses] = arp.lengths ?? [6, 4]
  return [
    ...[0, 1, 8, 0, macs, addresses],
    ...word(operation),
    ...names.mac(senderMac),
    ...names.address(sender, 4),
    ...names.mac(targetMac),
    ...names.address(target, 4),
    ...new Array<number>(10).fill(0),
    ...mark,
  ]
}

/** What stands between the type and the packet of those that carry one: enough for PPPoE, MPLS, and LLC with SNAP. */
const CARRIERS: Readonly<Record<number, (length: number, family: 4 | 6) => number[]>> = {
  34916: (length, family) => [0x11, 0, 0, 1, ...word(length + 2), 0, family === 4 ? 0x21 : 0x57],
  34887: () => [0, 1, 1, 64],
  38: (_, family) => [0xaa, 0xaa, 3, 0, 0, 0, ...word(family === 4 ? ETHER_TYPE.ipv4 : ETHER_TYPE.ipv6)],
}

function foreignBytes({ type, inner }: Foreign, names: Names, mark: Mark): number[] {
  if (inner === undefined) return [...new Array<number>(38).fill(0), ...mark.mark]
  const bytes = ipBytes(inner, names, mark)
  return [...(CARRIERS[type]?.(bytes.length, familyOf(inner)) ?? []), ...bytes]
}

export function familyOf({ kind }: Ip): 4 | 6 {
  return kind === 'ipv4' ? 4 : 6
}

function ipBytes(ip: Ip, names: Names, mark: Mark): number[] {
  const family = familyOf(ip)
  const source = names.address(ip.source ?? 'own', family)
  const destination = names.address(ip.destination ?? 'bridge', family)
  const { protocol, bytes } = payloadBytes(ip.payload, { family, source, destination }, names, mark)
  return family === 4
    ? ipv4Bytes(ip, { source, destination, protocol, payload: bytes }, names, mark)
    : ipv6Bytes(ip, { source, destination, protocol, payload: bytes }, names, mark)
}

interface Body {
  readonly source: readonly number[]
  readonly destination: readonly number[]
  readonly protocol: number
  readonly payload: readonly number[]
}

function ipv4Bytes(
  ip: Ip,
  { source, destination, protocol, payload }: Body,
  names: Names,
  { number }: Mark,
): number[] {
  const options = (ip.options ?? []).flatMap(({ type, address }) => {
    if (type < 2) return [type]
    const data = address === undefined ? [0, 0] : [4, ...names.address(address, 4)]
    return [type, 2 + data.length, ...data]
  })
  while (options.length % 4 !== 0) options.push(0)
  const words = ip.headerWords ?? 5 + options.length / 4
  const { offset = 0, more = false } = ip.fragment ?? {}
  const header = [
    ((ip.version ?? 4) << 4) | words,
    0,
    ...word(20 + options.length + payload.length + (ip.excess ?? 0)),
    ...word(number),
    ...word((offset >> 3) | (more ? 0x2000 : 0)),
    ip.hops ?? 64,
    protocol,
    0,
    0,
    ...source,
    ...destination,
    ...options,
  ]
  const sum = checksum(header.slice(0, Math.max(20, words * 4)))
  header.splice(10, 2, ...word(ip.badChecksum ? sum ^ 0x5555 : sum))
  return [...header, ...payload]
}

function ipv6Bytes(
  ip: Ip,
  { source, destination, protocol, payload }: Body,
  names: Names,
  { number }: Mark,
): number[] {
  const extensions: readonly Extension[] = [
    ...(ip.extensions ?? []),
    ...(ip.fragment === undefined ? [] : [{ type: FRAGMENT_HEADER }]),
  ]
  const types = [...extensions.map(({ type }) => type), protocol]
  const headers = extensions.flatMap((extension, index) => [
    types[index + 1] ?? 0,
    ...extensionBytes(extension, ip.fragment ?? { offset: 0, more: false }, number, names),
  ])
  const body = [...headers, ...payload]
  return [
    ((ip.version ?? 6) << 4) | 0,
    (number >> 16) & 0xf,
    ...word(number),
    ...word(body.length + (ip.excess ?? 0)),
    types[0] ?? protocol,
    ip.hops ?? (ip.payload.kind === 'icmp' ? 255 : 64),
    ...source,
    ...destination,
    ...body,
  ]
}

/** Behind the number of what follows. */
function extensionBytes(
  { type, subtype = 0, address = 'server' }: Extension,
  { offset, more }: { readonly offset: number; readonly more: boolean },
  number: number,
  names: Names,
): number[] {
  switch (type) {
    case FRAGMENT_HEADER:
      return [0, ...word((offset & 0xfff8) | (more ? 1 : 0)), ...long(number)]
    case ROUTING_HEADER:
      return [2, subtype, 1, 0, 0, 0, 0, ...names.address(address, 6)]
    case AUTHENTICATION_HEADER:
      return [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    default:
      // One option of four bytes; of mobility no more than its length is right.
      return [0, subtype, 4, 0, 0, 0, 0]
  }
}

interface Ends {
  readonly family: 4 | 6
  readonly source: readonly number[]
  readonly destination: readonly number[]
}

function payloadBytes(
  payload: Payload,
  ends: Ends,
  names: Names,
  mark: Mark,
): { readonly protocol: number; readonly bytes: readonly number[] } {
  const sourcePort = 'sourcePort' in payload ? (payload.sourcePort ?? 1024) : 1024
  const destinationPort = 'destinationPort' in payload ? (payload.destinationPort ?? 5555) : 5555
  const ports = [...word(sourcePort), ...word(destinationPort)]
  switch (payload.kind) {
    case 'udp':
      return { protocol: PROTOCOL.udp, bytes: udpBytes(ports, mark.mark, ends, payload.excess) }
    case 'tcp': {
      const bytes = [
        ...ports,
        ...long(mark.number),
        0,
        0,
        0,
        0,
        0x50,
        payload.flags ?? 2,
        16,
        0,
        0,
        0,
        0,
        0,
        ...mark.mark,
      ]
      bytes.splice(16, 2, ...word(pseudoChecksum(ends, PROTOCOL.tcp, bytes)))
      return { protocol: PROTOCOL.tcp, bytes }
    }
    case 'sctp': {
      const { chunk = 1, tag = 0 } = payload
      const head = [
        ...ports,
        ...long(tag),
        0,
        0,
        0,
        0,
        chunk,
        0,
        0,
        20,
        0,
        0,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        1,
      ]
      const bytes = Buffer.from([...head, ...mark.mark])
      bytes.writeUInt32LE(crc32c(bytes), 8)
      return { protocol: PROTOCOL.sctp, bytes: [...bytes] }
    }
    case 'icmp':
      return icmpBytes(payload, ends, names, mark)
    case 'plain':
      return { protocol: payload.protocol, bytes: [...new Array<number>(16).fill(0), ...mark.mark] }
    case 'tunnel':
      return tunnelBytes(payload.by, payload.inner, ends, names, mark)
  }
}

function udpBytes(ports: readonly number[], data: readonly number[], ends: Ends, excess = 0): number[] {
  const bytes = [...ports, ...word(8 + data.length + excess), 0, 0, ...data]
  bytes.splice(6, 2, ...word(pseudoChecksum(ends, PROTOCOL.udp, bytes)))
  return bytes
}

function tunnelBytes(
  by: 'ip' | 'gre' | 'vxlan' | 'geneve',
  inner: Ip,
  ends: Ends,
  names: Names,
  mark: Mark,
): { readonly protocol: number; readonly bytes: readonly number[] } {
  const packet = ipBytes(inner, names, mark)
  const type = word(ETHER_TYPE[inner.kind])
  // To whoever unpacks it, from the sender.
  const frame = [...names.mac('broadcast'), ...names.mac('own'), ...type, ...packet]
  switch (by) {
    case 'ip':
      return { protocol: familyOf(inner) === 4 ? PROTOCOL.ipv4 : PROTOCOL.ipv6, bytes: packet }
    case 'gre':
      return { protocol: PROTOCOL.gre, bytes: [0, 0, ...type, ...packet] }
    case 'vxlan':
      return {
        protocol: PROTOCOL.udp,
        bytes: udpBytes([...word(1024), ...word(4789)], [8, 0, 0, 0, 0, 0, 1, 0, ...frame], ends),
      }
    case 'geneve':
      return {
        protocol: PROTOCOL.udp,
        bytes: udpBytes([...word(1024), ...word(6081)], [0, 0, 0x65, 0x58, 0, 0, 1, 0, ...frame], ends),
      }
  }
}

/** Of those types of ICMPv6 that say whom they are about, behind four bytes of their own. */
const WITH_TARGET = new Set([135, 136, 137])

function icmpBytes(
  icmp: Icmp,
  ends: Ends,
  names: Names,
  mark: Mark,
): { readonly protocol: number; readonly bytes: readonly number[] } {
  const { family } = ends
  const { type = family === 4 ? 8 : 128, code = 0 } = icmp
  const protocol = family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6
  const quoted = icmp.quoted === undefined ? [] : ipBytes(icmp.quoted, names, mark)
  const bytes = [
    type,
    code,
    0,
    0,
    ...icmpBody(icmp, type, ends, names),
    ...quoted,
    ...(family === 4 ? [] : options(icmp, names, mark)),
  ]
  if (family === 4 || bytes.length < 24) bytes.push(...mark.mark)
  const sum = family === 4 ? checksum(bytes) : pseudoChecksum(ends, protocol, bytes)
  bytes.splice(2, 2, ...word(sum))
  return { protocol, bytes }
}

function icmpBody(
  { target, about }: Icmp,
  type: number,
  { family, destination }: Ends,
  names: Names,
): readonly number[] {
  // A redirect's gateway, of IPv4.
  if (family === 4 && type === 5) return names.address(target ?? 'own', 4)
  // Behind number and sequence three times, into which who answers writes.
  if (family === 4 && type === 13) return [0, 0, 0, 1, ...new Array<number>(12).fill(0)]
  if (family === 4) return [0, 0, 0, 1]
  // A router advertisement that wants to be the default: preference high, half an hour, reachable and retransmission time.
  if (type === 134) return [64, 0x08, ...word(1800), ...long(0), ...long(0)]
  if (!WITH_TARGET.has(type)) return [0, 0, 0, 1]
  const flags = type === 136 ? [0x60, 0, 0, 0] : [0, 0, 0, 0]
  const whom =
    target === undefined ? (type === 135 ? destination : names.address('own', 6)) : names.address(target, 6)
  return [...flags, ...whom, ...(type === 137 ? names.address(about ?? 'public', 6) : [])]
}

/** Those of neighbour discovery, and last one for experiments (RFC 4727) with the mark. */
function options(icmp: Icmp, names: Names, { mark }: Mark): number[] {
  const { type = 128 } = icmp
  if (type < 133 || type > 137) return []
  const own = (icmp.options ?? []).flatMap(({ type: kind, mac = 'own' }) => {
    switch (kind) {
      case 1:
      case 2:
        return [kind, 1, ...names.mac(mac)]
      case 3:
        return [3, 4, 64, 0xc0, ...long(7200), ...long(7200), ...long(0), ...names.address('prefix', 6)]
      case 5:
        return [5, 1, 0, 0, ...long(1280)]
      case 24:
        return [24, 3, 64, 0x08, ...long(1800), ...names.address('prefix', 6)]
      default:
        return [kind, 1, 0, 0, 0, 0, 0, 0]
    }
  })
  return [...own, 253, 2, 0, 0, 0, 0, 0, 0, ...mark]
}

function pseudoChecksum({ source, destination }: Ends, protocol: number, bytes: readonly number[]): number {
  return checksum([...source, ...destination, 0, protocol, ...word(bytes.length), ...bytes])
}
