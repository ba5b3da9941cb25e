/** Transport protocols of connections: names where this library has them, the IANA number elsewhere. */

/** A transport protocol by name, or by its number where it has no name here (`IPPROTO_*`, linux/in.h). */
export type TransportProtocol =
  | 'icmp'
  | 'igmp'
  | 'tcp'
  | 'udp'
  | 'dccp'
  | 'gre'
  | 'icmpv6'
  | 'sctp'
  | 'udplite'
  | number

const numbers: ReadonlyMap<TransportProtocol, number> = new Map<TransportProtocol, number>([
  ['icmp', 1],
  ['igmp', 2],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['gre', 47],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
])

const names: ReadonlyMap<number, TransportProtocol> = new Map(
  [...numbers].map(([name, number]) => [number, name]),
)

/** The protocol's number; undefined for a name that is none, or a number that does not fit a byte. */
export function protocolNumber(protocol: TransportProtocol): number | undefined {
  if (typeof protocol !== 'number') return numbers.get(protocol)
  return Number.isInteger(protocol) && protocol >= 0 && protocol <= 255 ? protocol : undefined
}

/** The protocol's name, or the number itself. */
export function protocolName(number: number): TransportProtocol {
  return names.get(number) ?? number
}
