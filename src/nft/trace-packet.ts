/** The headers that a trace carries, as typed fields where they are whole. */
import { IPv4Address, IPv6Address, MacAddress } from '../address/index.js'
import type { NftTraceRecord } from '../native/records.js'

/** The packet of a trace. */
export interface TracedPacket {
  /** The headers as they are, as far as the kernel gives them: 20, 40 and 20 bytes at most. */
  readonly headers: {
    readonly link?: Uint8Array
    readonly network?: Uint8Array
    readonly transport?: Uint8Array
  }
  readonly ether?: { readonly saddr: string; readonly daddr: string; readonly type: number }
  readonly ip?: {
    readonly saddr: string
    readonly daddr: string
    readonly protocol: number
    readonly ttl: number
    readonly length: number
  }
  readonly ip6?: {
    readonly saddr: string
    readonly daddr: string
    readonly nexthdr: number
    readonly hoplimit: number
  }
  /** Of protocols that have ports in the usual place: TCP, UDP, UDP-Lite, SCTP, DCCP. */
  readonly ports?: { readonly sport: number; readonly dport: number }
  readonly icmp?: { readonly type: number; readonly code: number }
}

const ARPHRD_ETHER = 1
const ICMP = 1
const ICMPV6 = 58
const withPorts: ReadonlySet<number> = new Set([6, 17, 33, 132, 136])

/** Undefined when the message carries no headers: only the first about a packet at a hook does. */
export function readPacket(record: NftTraceRecord): TracedPacket | undefined {
  const { llHeader: link, networkHeader: network, transportHeader: transport, iiftype } = record
  if (!link && !network && !transport) return undefined
  const addresses = network && readNetwork(network)
  const protocol = addresses?.ip?.protocol ?? addresses?.ip6?.nexthdr
  return {
    headers: { ...(link && { link }), ...(network && { network }), ...(transport && { transport }) },
    ...(link && iiftype === ARPHRD_ETHER && readEther(link)),
    ...addresses,
    ...(transport && protocol !== undefined && readTransport(transport, protocol)),
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function readEther(bytes: Uint8Array): Pick<TracedPacket, 'ether'> {
  if (bytes.length < 14) return {}
  return {
    ether: {
      daddr: MacAddress.fromBytes(bytes.subarray(0, 6)).toString(),
      saddr: MacAddress.fromBytes(bytes.subarray(6, 12)).toString(),
      type: view(bytes).getUint16(12),
    },
  }
}

/** The header says by itself of which version it is. */
function readNetwork(bytes: Uint8Array): Pick<TracedPacket, 'ip' | 'ip6'> {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4 && bytes.length >= 20)
    return {
      ip: {
        saddr: IPv4Address.fromBytes(bytes.subarray(12, 16)).toString(),
        daddr: IPv4Address.fromBytes(bytes.subarray(16, 20)).toString(),
        protocol: view(bytes).getUint8(9),
        ttl: view(bytes).getUint8(8),
        length: view(bytes).getUint16(2),
      },
    }
  if (version === 6 && bytes.length >= 40)
    return {
      ip6: {
        saddr: IPv6Address.fromBytes(bytes.subarray(8, 24)).toString(),
        daddr: IPv6Address.fromBytes(bytes.subarray(24, 40)).toString(),
        nexthdr: view(bytes).getUint8(6),
        hoplimit: view(bytes).getUint8(7),
      },
    }
  return {}
}

function readTransport(bytes: Uint8Array, protocol: number): Pick<TracedPacket, 'ports' | 'icmp'> {
  if (withPorts.has(protocol) && bytes.length >= 4)
    return { ports: { sport: view(bytes).getUint16(0), dport: view(bytes).getUint16(2) } }
  if ((protocol === ICMP || protocol === ICMPV6) && bytes.length >= 2)
    return { icmp: { type: view(bytes).getUint8(0), code: view(bytes).getUint8(1) } }
  return {}
}
