import { headers, InvalidValue, type Tunnel, VLAN_HEADER_BYTES } from '../datatype/index.js'
import type { Family, PayloadProtocol } from '../model/index.js'

/** What is known about the link layer. `inet` and `netdev` stand for: whatever carries the network header. */
export type LinkProtocol = 'ether' | 'vlan' | 'inet' | 'netdev'
export type NetworkProtocol = 'ip' | 'ip6' | 'arp' | 'other'
/** `other`: a protocol without a header known here; `several`: one of several (`meta l4proto { tcp, udp }`). */
export type TransportProtocol = PayloadProtocol | 'other' | 'several'

/** The ether types and netfilter protocols of network headers. */
export const networkNumbers: {
  readonly [N in Exclude<NetworkProtocol, 'other'>]: { readonly ether: number; readonly nfproto: number }
} = {
  ip: { ether: 0x0800, nfproto: 2 },
  ip6: { ether: 0x86dd, nfproto: 10 },
  arp: { ether: 0x0806, nfproto: 3 },
}

const etherNetworks: ReadonlyMap<number, NetworkProtocol> = new Map([
  [0x0800, 'ip'],
  [0x86dd, 'ip6'],
  [0x0806, 'arp'],
])

export const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8])

/** Where the type in a VLAN header is, in bytes, of so many headers one behind the other. */
export function vlanTypeOffset(tags: number): number {
  return headers.vlan.fields.type.offset / 8 + (tags - 1) * VLAN_HEADER_BYTES
}

const initialLink: { readonly [F in Family]: LinkProtocol | undefined } = {
  bridge: 'ether',
  netdev: 'netdev',
  inet: 'inet',
  ip: undefined,
  ip6: undefined,
  arp: undefined,
}
const initialNetwork: { readonly [F in Family]: NetworkProtocol | undefined } = {
  ip: 'ip',
  ip6: 'ip6',
  arp: 'arp',
  bridge: undefined,
  netdev: undefined,
  inet: undefined,
}

/**
 * Which protocols the packets have that reach a place in a rule: from the family and from the matches before it. nft's
 * `struct proto_ctx` (src/proto.c); what it decides is which dependencies a header needs and which are there already.
 */
export class ProtocolContext {
  readonly family: Family
  readonly tunnel: Tunnel | undefined
  link: LinkProtocol | undefined
  /** How many VLAN headers are known to stand one behind the other; fields of `vlan` are those of the last. */
  tags = 0
  network: NetworkProtocol | undefined
  transport: TransportProtocol | undefined
  /** The values of `icmp type` or `icmpv6 type` that were matched. */
  icmpTypes: readonly number[] | undefined

  /** @param tunnel the tunnel that carries the packet; of one inside, the family is `netdev` */
  constructor(family: Family, tunnel?: Tunnel) {
    this.family = family
    this.tunnel = tunnel
    this.link = initialLink[family]
    this.network = initialNetwork[family]
    this.transport = undefined
    this.icmpTypes = undefined
  }

  /** Whether hooks of the family see the link layer header first. */
  get startsAtLink(): boolean {
    return initialLink[this.family] !== undefined
  }

  /** What the frame carries was matched: the type of its header, whatever that is. */
  learnEtherType(type: number): void {
    if (!VLAN_TYPES.has(type)) this.network = etherNetworks.get(type) ?? 'other'
    else if (this.tags === 0) this.learnTag()
  }

  /** The type in the last VLAN header was matched. */
  learnVlanType(type: number): void {
    if (VLAN_TYPES.has(type)) this.learnTag()
    else this.network = etherNetworks.get(type) ?? 'other'
  }

  /** One VLAN header more. */
  learnTag(): void {
    this.link = 'vlan'
    this.tags++
  }

  /** A transport protocol was matched. */
  learnTransport(protocol: TransportProtocol): void {
    this.transport = this.transport === undefined || this.transport === protocol ? protocol : 'several'
  }

  conflict(header: PayloadProtocol, known: string): InvalidValue {
    return new InvalidValue(
      known === 'several'
        ? `${header} needs one transport protocol, but the matches before it allow several`
        : `${header} does not go together with ${known}, which the family or a match before it says`,
    )
  }
}
