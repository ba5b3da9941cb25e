/** Packets of both families, byte by byte: what no socket would send. */
import { crc32c } from '../../../lab/sctp.js'
import { IPv4Address, IPv6Address } from '../../../src/address/index.js'
import { checksum, macBytes, word } from './frames.js'

/** Who sends or gets a packet. */
export interface Party {
  readonly mac: string
  readonly address: string
}

/** An IP packet without its Ethernet header, and where it goes. */
export interface Packet {
  readonly from: Party
  readonly to: Party
  readonly bytes: readonly number[]
  /** What is in it: the end of `bytes`. */
  readonly payload: readonly number[]
}

/** A packet that is sent in pieces. */
export interface Fragmented {
  readonly whole: Packet
  readonly pieces: readonly Packet[]
}

/** The two ends of what a transport's packet belongs to. */
export interface Ends {
  readonly from: Party
  readonly sourcePort: number
  readonly to: Party
  readonly destinationPort: number
}

export const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const
export type TcpFlag = keyof typeof TCP_FLAGS

export const SCTP_CHUNK = { data: 0, init: 1, initAck: 2, sack: 3, abort: 6, cookieAck: 11 } as const
export type SctpChunk = keyof typeof SCTP_CHUNK

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const
const DESTINATION_OPTIONS = 60
const FRAGMENT_HEADER = 44

/** What an IP header says beside addresses and protocol. */
export interface HeaderOptions {
  /** Puts options that do nothing in front of the payload: of IPv4 in the header, of IPv6 in a header of their own. */
  readonly options?: boolean
  readonly fragment?: Fragment
  /** TTL or hop limit. Default: 64. */
  readonly hops?: number
}

export interface Fragment {
  readonly id: number
  /** In bytes, a multiple of 8. */
  readonly offset: number
  readonly more: boolean
}

export function isIPv6(address: string): boolean {
  return address.includes(':')
}

export function addressBytes(address: string): readonly number[] {
  return [...(isIPv6(address) ? IPv6Address : IPv4Address).parse(address).bytes]
}

/** An IP header and what follows it. */
export function packet(
  from: Party,
  to: Party,
  protocol: number,
  payload: readonly number[],
  options: HeaderOptions = {},
): Packet {
  const bytes = isIPv6(from.address)
    ? ipv6(from, to, protocol, payload, options)
    : ipv4(from, to, protocol, payload, options)
  return { from, to, bytes, payload }
}

function ipv4(
  from: Party,
  to: Party,
  protocol: number,
  payload: readonly number[],
  { options = false, fragment, hops = 64 }: HeaderOptions,
): number[] {
  const noOperation = options ? [1, 1, 1, 1] : []
  const place = fragment === undefined ? 0 : (fragment.offset >> 3) | (fragment.more ? 0x2000 : 0)
  const length = 20 + noOperation.length
  const header = [
    0x40 | (length >> 2),
    0,
    ...word(length + payload.length),
    ...word(fragment?.id ?? 1),
    ...word(place),
    hops,
    protocol,
    0,
    0,
    ...addressBytes(from.address),
    ...addressBytes(to.address),
    ...noOperation,
  ]
  header.splice(10, 2, ...word(checksum(header)))
  return [...header, ...payload]
}

function ipv6(
  from: Party,
  to: Party,
  protocol: number,
  payload: readonly number[],
  { options = false, fragment, hops = 64 }: HeaderOptions,
): number[] {
  const chain: { readonly type: number; readonly rest: readonly number[] }[] = []
  if (fragment !== undefined) {
    const place = fragment.offset | (fragment.more ? 1 : 0)
    chain.push({ type: FRAGMENT_HEADER, rest: [0, ...word(place), 0, 0, ...word(fragment.id)] })
  }
  // One option of padding.
  if (options) chain.push({ type: DESTINATION_OPTIONS, rest: [0, 1, 4, 0, 0, 0, 0] })
  const types = [...chain.map(({ type }) => type), protocol]
  const extensions = chain.flatMap(({ rest }, index) => [types[index + 1] ?? 0, ...rest])
  const body = [...extensions, ...payload]
  return [
    0x60,
    0,
    0,
    0,
    ...word(body.length),
    types[0] ?? protocol,
    hops,
    ...addressBytes(from.address),
    ...addressBytes(to.address),
    ...body,
  ]
}

/** A packet cut in pieces, behind so many bytes of its payload, multiples of 8. */
export function fragmented(whole: Packet, id: number, ...cuts: readonly number[]): Fragmented {
  const { from, to, bytes, payload } = whole
  const protocol = bytes[isIPv6(from.address) ? 6 : 9] ?? 0
  const edges = [0, ...cuts, payload.length]
  const pieces = edges.slice(0, -1).map((offset, index) => {
    const end = edges[index + 1] ?? payload.length
    const fragment = { id, offset, more: end < payload.length }
    return packet(from, to, protocol, payload.slice(offset, end), { fragment })
  })
  return { whole, pieces }
}

export function tcp(
  { from, sourcePort, to, destinationPort }: Ends,
  flags: readonly TcpFlag[],
  text = '',
  options: HeaderOptions = {},
): Packet {
  const bits = flags.reduce((sum, flag) => sum | TCP_FLAGS[flag], 0)
  const segment = [
    ...word(sourcePort),
    ...word(destinationPort),
    ...[0, 0, 0, 1],
    ...[0, 0, 0, flags.includes('ack') ? 1 : 0],
    0x50,
    bits,
    ...word(0x1000),
    0,
    0,
    ...word(flags.includes('urg') ? 1 : 0),
    ...Buffer.from(text),
  ]
  segment.splice(16, 2, ...word(transportChecksum(from, to, PROTOCOL.tcp, segment)))
  return packet(from, to, PROTOCOL.tcp, segment, options)
}

export function udp(
  { from, sourcePort, to, destinationPort }: Ends,
  text: string,
  options: HeaderOptions = {},
): Packet {
  const length = 8 + Buffer.byteLength(text)
  const datagram = [
    ...word(sourcePort),
    ...word(destinationPort),
    ...word(length),
    0,
    0,
    ...Buffer.from(text),
  ]
  datagram.splice(6, 2, ...word(transportChecksum(from, to, PROTOCOL.udp, datagram)))
  return packet(from, to, PROTOCOL.udp, datagram, options)
}

/** Chunks one behind the other, each of them with a body of zeros. */
export function sctp(
  { from, sourcePort, to, destinationPort }: Ends,
  chunks: readonly SctpChunk[],
  options: HeaderOptions = {},
): Packet {
  // An INIT must have no tag (RFC 9260, 8.5.1).
  const tag = chunks.includes('init') ? [0, 0, 0, 0] : [0, 0, 0, 1]
  const bodies = chunks.flatMap((name) => [SCTP_CHUNK[name], 0, ...word(20), ...chunkBody()])
  const bytes = Buffer.from([...word(sourcePort), ...word(destinationPort), ...tag, 0, 0, 0, 0, ...bodies])
  bytes.writeUInt32LE(crc32c(bytes), 8)
  return packet(from, to, PROTOCOL.sctp, [...bytes], options)
}

/** As an INIT needs it: initiate tag, window, streams out and in, initial TSN. */
function chunkBody(): number[] {
  return [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]
}

/** An ICMP message with what it is about: as much of a packet as an error quotes. */
export function icmp(
  from: Party,
  to: Party,
  { type, code, value = 0 }: { readonly type: number; readonly code: number; readonly value?: number },
  about: readonly number[],
): Packet {
  const message = [type, code, 0, 0, 0, 0, ...word(value), ...about]
  const protocol = isIPv6(from.address) ? PROTOCOL.icmp6 : PROTOCOL.icmp
  const sum = isIPv6(from.address) ? transportChecksum(from, to, protocol, message) : checksum(message)
  message.splice(2, 2, ...word(sum))
  return packet(from, to, protocol, message)
}

function transportChecksum(from: Party, to: Party, protocol: number, bytes: readonly number[]): number {
  const ends = [...addressBytes(from.address), ...addressBytes(to.address)]
  return checksum([...ends, 0, protocol, ...word(bytes.length), ...bytes])
}

/** The packet in a frame from one to the other; `type` and `tags` are those of a frame that no stack would send. */
export function frame(
  { from, to, bytes }: Packet,
  { tags = [], via = to.mac }: { readonly tags?: readonly number[]; readonly via?: string } = {},
): Uint8Array {
  const type = isIPv6(from.address) ? [0x86, 0xdd] : [0x08, 0x00]
  return Uint8Array.from([...macBytes(via), ...macBytes(from.mac), ...tags, ...type, ...bytes])
}
