/** What a receiver reads in a frame or packet, at the places where the standards say that it is. */
import { addressText } from '../lab/raw-socket.js'
import { macText } from './bytes.js'

export interface EthernetHeaders {
  readonly destination: string
  readonly source: string
  /** Outer types of VLAN tags. */
  readonly tagged: boolean
  readonly type: number
  readonly packet: Uint8Array
}

const TAG_TYPES = new Set([0x8100, 0x88a8, 0x9100])

export function readEthernet(bytes: Uint8Array): EthernetHeaders {
  let at = 12
  while (TAG_TYPES.has(short(bytes, at))) at += 4
  return {
    destination: macText(bytes.subarray(0, 6)),
    source: macText(bytes.subarray(6, 12)),
    tagged: at > 12,
    type: short(bytes, at),
    packet: bytes.subarray(at + 2),
  }
}

export interface IpHeaders {
  readonly family: 4 | 6
  readonly source: string
  readonly destination: string
  /** Undefined where the headers end early. Of a fragment after the first, what the whole begins with. */
  readonly protocol: number | undefined
  /** In bytes; 0 for what is whole or the first fragment. */
  readonly fragmentOffset: number
  /** From the transport's header on. */
  readonly payload: Uint8Array
}

export function readIp(packet: Uint8Array, family: 4 | 6): IpHeaders | undefined {
  return family === 4 ? readIpv4(packet) : readIpv6(packet)
}

function readIpv4(packet: Uint8Array): IpHeaders | undefined {
  if (packet.length < 20) return undefined
  const length = ((packet[0] ?? 0) & 0xf) * 4
  return {
    family: 4,
    source: addressText(packet.subarray(12, 16)),
    destination: addressText(packet.subarray(16, 20)),
    protocol: packet[9],
    fragmentOffset: (short(packet, 6) & 0x1fff) * 8,
    payload: packet.subarray(Math.max(20, length)),
  }
}

const AUTHENTICATION = 51
/** Headers that say themselves what follows them, as hosts walk through them. */
const EXTENSIONS = new Set([0, 43, 44, 60, AUTHENTICATION])

function readIpv6(packet: Uint8Array): IpHeaders | undefined {
  if (packet.length < 40) return undefined
  let protocol: number | undefined = packet[6]
  let at = 40
  let fragmentOffset = 0
  let authenticated = false
  while (protocol !== undefined && EXTENSIONS.has(protocol) && fragmentOffset === 0) {
    const length = packet[at + 1] ?? 0
    if (protocol === 44) fragmentOffset = short(packet, at + 2) & 0xfff8
    const size: number =
      protocol === 44 ? 8 : protocol === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8
    if (protocol === AUTHENTICATION) authenticated = true
    protocol = packet[at]
    at += size
  }
  return {
    family: 6,
    source: addressText(packet.subarray(8, 24)),
    destination: addressText(packet.subarray(24, 40)),
    // What is behind it, only who has the key takes for what it says.
    protocol: authenticated ? AUTHENTICATION : protocol,
    fragmentOffset,
    payload: packet.subarray(at),
  }
}

export interface Ports {
  readonly source: number
  readonly destination: number
}

/** Of TCP, UDP and SCTP; undefined for what has none, or is too short. */
export function portsOf({ protocol, fragmentOffset, payload }: IpHeaders): Ports | undefined {
  if (protocol === undefined || ![6, 17, 132].includes(protocol) || fragmentOffset > 0) return undefined
  if (payload.length < 4) return undefined
  return { source: short(payload, 0), destination: short(payload, 2) }
}

export function short(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
