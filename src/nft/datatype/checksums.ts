/** Checksums that the kernel corrects when a rule writes a header (nft's `checksum_key` and `pseudohdr`, src/proto.c). */
import type { PayloadProtocol } from '../model/index.js'

/** How the kernel corrects checksums when bytes of a packet change. */
export interface Checksums {
  /** The header's own: where it is, in bytes, and how it is calculated. */
  readonly own?: { readonly offset: number; readonly kind: 'inet' | 'sctp' } | undefined
  /**
   * That of TCP, UDP, UDP-Lite or ICMPv6, wherever it is: the kernel asks the packet's protocol, and leaves alone what has
   * none, as datagrams over IPv4 may.
   */
  readonly transport: boolean
}

const own: { readonly [P in PayloadProtocol]?: Checksums['own'] } = {
  ip: { offset: 10, kind: 'inet' },
  tcp: { offset: 16, kind: 'inet' },
  dccp: { offset: 6, kind: 'inet' },
  icmp: { offset: 2, kind: 'inet' },
  icmpv6: { offset: 2, kind: 'inet' },
  igmp: { offset: 2, kind: 'inet' },
  sctp: { offset: 8, kind: 'sctp' },
}

/** Headers whose checksum may be left out, and ports of whichever protocol it is. */
const byProtocol: ReadonlySet<PayloadProtocol> = new Set(['udp', 'udplite', 'th'])

const pseudoHeader: ReadonlySet<string> = new Set([
  'ip saddr',
  'ip daddr',
  'ip protocol',
  'ip length',
  'ip6 saddr',
  'ip6 daddr',
  'ip6 nexthdr',
  'ip6 length',
])

/** What a write of a field makes wrong, and the kernel is to correct. */
export function checksumsOf(protocol: PayloadProtocol, field: string): Checksums {
  const transport = byProtocol.has(protocol) || pseudoHeader.has(`${protocol} ${field}`)
  return { own: own[protocol], transport }
}

/**
 * As nft 1.0.6 writes the field: it corrects the checksum of UDP as if it were always there, and that of `th`, UDP-Lite
 * and DCCP not at all.
 */
export function formerChecksums(protocol: PayloadProtocol, field: string): Checksums {
  if (protocol === 'udp') return { own: { offset: 6, kind: 'inet' }, transport: false }
  if (byProtocol.has(protocol) || protocol === 'dccp') return { transport: false }
  return checksumsOf(protocol, field)
}
