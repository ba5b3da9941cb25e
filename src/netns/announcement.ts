import { type IPAddress, IPv4Address, IPv6Address, MacAddress } from '../address/index.js'
import { isIPAddress } from '../address/ip.js'
import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkInteger, checkObject } from '../input.js'
import { errorOfAll, failed } from '../native/failure.js'
import { readInput } from '../read-input.js'
import type { Namespace } from './namespace.js'

/** What is told to the neighbours: these addresses are now at this MAC address. */
export interface Announcement {
  /** The link to send by, by index or by name; it must be up. */
  readonly device: number | string
  readonly mac: MacAddress
  /** Up to 1024. */
  readonly addresses: readonly IPAddress[]
}

/** kMostFrames of native/netlink/frames.h. */
const MOST = 1024

const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
/** ff02::1, and the link-layer address that stands for it (RFC 2464). */
const ALL_NODES = IPv6Address.parse('ff02::1').bytes
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1)

/**
 * Tells the neighbours at a link that addresses are at a MAC address now, so that they need not find out that what they
 * remember is wrong: for each IPv4 address a gratuitous ARP reply (RFC 5944, 4.6), for each IPv6 address an unsolicited
 * neighbour advertisement that overrides (RFC 4861, 7.2.6). They are sent once, on a thread of the addon's.
 * @throws NfbridgeError NFB_MISSING when there is no such link; NFB_REJECTED (ENETDOWN) when it is down;
 * NFB_NOT_PERMITTED without CAP_NET_RAW; NFB_INVALID_ARGUMENT
 */
export async function announce(namespace: Namespace, announcement: Announcement): Promise<void> {
  const operation = 'netns.announce'
  const given = readInput(announcement, operation, '')
  const { device, mac, addresses } = checkObject(given, ['device', 'mac', 'addresses'], operation, '')
  if (typeof device === 'number') checkInteger(device, [1, 2 ** 31 - 1], operation, 'device')
  else if (typeof device !== 'string' || device.includes('\0'))
    throw invalid('a link is given by its index or its name', operation, 'device')
  if (!(mac instanceof MacAddress)) throw invalid('a MacAddress is expected', operation, 'mac')
  if (checkArray(addresses, operation, 'addresses').length > MOST)
    throw invalid(`at most ${MOST} addresses are announced at once`, operation, 'addresses')
  for (const [index, address] of addresses.entries()) {
    if (isIPAddress(address)) continue
    throw invalid('an IPv4Address or an IPv6Address is expected', operation, joinPath('addresses', index))
  }
  if (addresses.length === 0) return
  const frames = sequence(addresses.map((address) => announcementFrame(address, mac)))
  const outcome = await namespace.sendFrames(device, frames, operation)
  if (!failed(outcome)) return
  const atDevice = outcome.some(({ index }) => index < 0)
  throw errorOfAll(outcome, operation, (index) => (atDevice ? 'device' : joinPath('addresses', index)))
}

/** The Ethernet frame that announces an address. */
export function announcementFrame(address: IPAddress, mac: MacAddress): Uint8Array {
  return address instanceof IPv4Address ? arpAnnouncement(address, mac) : advertisement(address, mac)
}

/**
 * struct ethhdr, then struct arphdr of a reply whose sender and target are the same (RFC 826). Not the request of RFC 5227:
 * a bridge that answers for its neighbours (`proxyarp_wifi`) would answer it, and tell nobody (`br_do_proxy_suppress_arp`).
 */
function arpAnnouncement(address: IPv4Address, mac: MacAddress): Uint8Array {
  return concatenate(
    ethernet(BROADCAST, mac, 0x0806),
    Uint8Array.of(0, 1, 0x08, 0x00, 6, 4, 0, 2), // Ethernet, IPv4, lengths of their addresses, reply
    mac.bytes,
    address.bytes,
    mac.bytes,
    address.bytes,
  )
}

const ICMPV6 = 58
const NEIGHBOUR_ADVERTISEMENT = 136
const OVERRIDE = 0x20
const TARGET_LINK_LAYER_ADDRESS = 2

/** Ethernet, IPv6 with the hop limit 255 that receivers insist on, ICMPv6 (RFC 4861, 4.4). */
function advertisement(address: IPv6Address, mac: MacAddress): Uint8Array {
  const message = concatenate(
    Uint8Array.of(NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, OVERRIDE, 0, 0, 0),
    address.bytes,
    Uint8Array.of(TARGET_LINK_LAYER_ADDRESS, 1),
    mac.bytes,
  )
  // RFC 4443, 2.3: over a header that is never sent, and the message with the sum 0.
  const pseudo = concatenate(
    address.bytes,
    ALL_NODES,
    Uint8Array.of(0, 0, 0, message.length, 0, 0, 0, ICMPV6),
  )
  const sum = internetChecksum(concatenate(pseudo, message))
  message.set([sum >> 8, sum & 0xff], 2)
  return concatenate(
    ethernet(ALL_NODES_MAC, mac, 0x86dd),
    Uint8Array.of(0x60, 0, 0, 0, 0, message.length, ICMPV6, 255),
    address.bytes,
    ALL_NODES,
    message,
  )
}

function ethernet(destination: Uint8Array, source: MacAddress, type: number): Uint8Array {
  return concatenate(destination, source.bytes, Uint8Array.of(type >> 8, type & 0xff))
}

/** RFC 1071, of an even number of bytes. */
function internetChecksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let sum = 0
  for (let offset = 0; offset < bytes.length; offset += 2) sum += view.getUint16(offset)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Frames as native/netlink/frames.h wants them: each after its length. */
function sequence(frames: readonly Uint8Array[]): Uint8Array {
  return concatenate(
    ...frames.flatMap((frame) => [new Uint8Array(Uint16Array.of(frame.length).buffer), frame]),
  )
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
