/** Checksums that the kernel corrects when a rule writes a header (nft's `checksum_key` and `pseudohdr`, src/proto.c). */
import type { PayloadProtocol } from '../model/index.js'

/** Where a header keeps its checksum, in bytes, and how it is calculated. */
export interface Checksum {
  readonly offset: number
  readonly kind: 'inet' | 'sctp'
}

const checksums: { readonly [P in PayloadProtocol]?: Checksum } = {
  ip: { offset: 10, kind: 'inet' },
  tcp: { offset: 16, kind: 'inet' },
  udp: { offset: 6, kind: 'inet' },
  icmp: { offset: 2, kind: 'inet' },
  icmpv6: { offset: 2, kind: 'inet' },
  igmp: { offset: 2, kind: 'inet' },
  sctp: { offset: 8, kind: 'sctp' },
}

/** The checksum of a header itself; undefined for one without. */
export function checksumOf(protocol: PayloadProtocol): Checksum | undefined {
  return checksums[protocol]
}

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

/** Whether the checksums of TCP and UDP cover the field beside their own header. */
export function isInPseudoHeader(protocol: PayloadProtocol, field: string): boolean {
  return pseudoHeader.has(`${protocol} ${field}`)
}
