/**
 * What a rule has established about the packet's protocols so far, and which of the matches that did so merely serve
 * a later one: `tcp dport 80` is two matches in the kernel, and one in the rule's text.
 */
import type { Tunnel } from '../datatype/index.js'
import type { Family, PayloadProtocol } from '../model/index.js'
import type { Entry } from './statements.js'

export type NetworkHeader = 'ip' | 'ip6' | 'arp'

/** What a match established, in the terms of the layer that it is about. */
export type Fact =
  | { readonly layer: 'link'; readonly header: 'ether' }
  | { readonly layer: 'vlan'; readonly type: number }
  | {
      readonly layer: 'network'
      readonly header: NetworkHeader
      /** `protocol`: what the kernel says of the packet; `ether`, `vlan`: the type in a header. */
      readonly selector: 'nfproto' | 'protocol' | 'ether' | 'vlan'
    }
  | { readonly layer: 'transport'; readonly protocol: number; readonly selector: 'l4proto' | 'header' }
  | { readonly layer: 'icmp'; readonly types: readonly number[] }

type Layer = Fact['layer']

/** ETH_P_8021Q, ETH_P_8021AD */
export const vlanType = 0x8100
export const serviceVlanType = 0x88a8
const icmpProtocol = 1
const icmpv6Protocol = 58

export class Protocols {
  readonly family: Family
  link: 'ether' | undefined
  /** How many VLAN headers stand one behind the other; fields are those of the last. */
  tags = 0
  network: NetworkHeader | undefined
  transport: number | undefined
  /** The types that an ICMP message may still have. */
  icmpTypes: readonly number[] | undefined
  /** The matches that may turn out to serve a later one, with what they established. */
  readonly #candidates = new Map<Layer, { readonly fact: Fact; readonly entry: Entry }>()
  /** The test for a VLAN header that fields of it imply, and how many statements there are that do. */
  #impliedVlan: Entry | undefined
  #vlanUses = 0
  #etherUses = 0

  /** The tunnel that carries the packet. */
  readonly tunnel: Tunnel | undefined
  readonly #inside = new Map<string, Protocols>()

  /** @param tunnel of what a tunnel carries, the family is `netdev` */
  constructor(family: Family, tunnel?: Tunnel) {
    this.family = family
    this.tunnel = tunnel
    this.link = family === 'bridge' || tunnel?.frames === true ? 'ether' : undefined
    this.network = family === 'ip' || family === 'ip6' || family === 'arp' ? family : undefined
  }

  /** What is known of the packet that a tunnel carries; without a tunnel, of the packet itself. */
  inside(tunnel: Tunnel | undefined): Protocols {
    if (tunnel === undefined) return this
    const known = this.#inside.get(tunnel.name)
    if (known !== undefined) return known
    const made = new Protocols('netdev', tunnel)
    this.#inside.set(tunnel.name, made)
    return made
  }

  /** A match established something; it is a candidate for removal until another statement follows. */
  establish(fact: Fact, entry: Entry): void {
    switch (fact.layer) {
      case 'link':
        this.link = fact.header
        break
      case 'vlan':
        this.tags++
        break
      case 'network':
        this.network = fact.header
        break
      case 'transport':
        this.transport = fact.protocol
        this.icmpTypes = undefined
        break
      case 'icmp':
        this.icmpTypes = fact.types
        break
    }
    if (fact.layer === 'vlan') {
      this.#vlanUses = 0
      // Fields of a VLAN header imply the type of its standard (802.1Q), no other, and only that there is one header.
      this.#impliedVlan = undefined
      if (fact.type !== vlanType || this.tags > 1) return
    }
    this.#candidates.set(fact.layer, { fact, entry })
  }

  /** A statement that does something: a match before it must stay before it. */
  settle(): void {
    this.#candidates.clear()
    for (const inside of this.#inside.values()) inside.settle()
  }

  /** Something of the packet that a tunnel carries is used: that GRE is what carries it goes. */
  useTunnel({ transport }: Tunnel): void {
    if (transport === 'gre') this.#useTransport('gre')
  }

  /** A field of `header` is used: the matches that are implied by that go. */
  use(header: PayloadProtocol, impliesIcmpType: boolean): void {
    switch (header) {
      case 'ether':
        this.#etherUses++
        this.#remove('link')
        break
      case 'vlan':
        this.#impliedVlan ??= this.#candidates.get('vlan')?.entry
        this.#vlanUses++
        this.#remove('vlan')
        break
      case 'ip':
      case 'ip6':
      case 'arp':
        if (this.#isTestedBy(header)) this.#remove('network')
        break
      case 'th':
        break
      default:
        this.#useTransport(header)
        if (impliesIcmpType) this.#removeIcmpType()
    }
  }

  /** `reject with icmp`, `with icmpv6` in a table of several families names the network protocol itself. */
  useNetwork(header: NetworkHeader): boolean {
    if (this.network !== header) return false
    this.#remove('network')
    return true
  }

  /** `reject with tcp reset` names the transport protocol itself. */
  useTransport(protocol: number): void {
    const candidate = this.#candidates.get('transport')
    if (candidate?.fact.layer === 'transport' && candidate.fact.protocol === protocol)
      this.#remove('transport')
  }

  #useTransport(header: PayloadProtocol): void {
    const transport = this.#candidates.get('transport')?.fact
    if (transport?.layer === 'transport') {
      // `ip protocol tcp` also says that it is IPv4, which only a table of that family says already.
      if (transport.selector === 'l4proto' || this.family === 'ip' || this.family === 'ip6')
        this.#remove('transport')
    }
    const network = this.#candidates.get('network')?.fact
    if (network?.layer !== 'network' || !this.#isTestedBy(header)) return
    if (header === 'icmp' && network.header === 'ip' && this.transport === icmpProtocol)
      this.#remove('network')
    if (header === 'icmpv6' && network.header === 'ip6' && this.transport === icmpv6Protocol)
      this.#remove('network')
  }

  /**
   * Whether a field of the header makes the test that there is: the type in a frame's header is another than what the kernel
   * says of the packet, which sees through VLAN tags.
   */
  #isTestedBy(header: PayloadProtocol): boolean {
    const fact = this.#candidates.get('network')?.fact
    if (fact?.layer !== 'network' || (fact.selector !== 'protocol' && fact.selector !== 'ether')) return true
    if (this.family === 'bridge')
      return fact.selector === (header === 'ip' || header === 'ip6' ? 'protocol' : 'ether')
    if (this.family !== 'netdev') return true
    if (this.tunnel?.frames === true && (header === 'icmp' || header === 'icmpv6'))
      return fact.selector === 'ether'
    // Behind another field of the frame's header the type in that is tested.
    const others = this.#etherUses - (fact.selector === 'ether' ? 1 : 0)
    return fact.selector === (others > 0 ? 'ether' : 'protocol')
  }

  /** The type of an ICMP message follows from a field that only this type has, not from one that several have. */
  #removeIcmpType(): void {
    const fact = this.#candidates.get('icmp')?.fact
    if (fact?.layer === 'icmp' && fact.types.length === 1) this.#remove('icmp')
  }

  #remove(layer: Layer): void {
    const candidate = this.#candidates.get(layer)
    if (!candidate) return
    candidate.entry.implied = true
    this.#candidates.delete(layer)
    // With its only field goes what implied the VLAN header.
    if (candidate.fact.layer === 'network' && candidate.fact.selector === 'vlan' && --this.#vlanUses === 0) {
      if (this.#impliedVlan) this.#impliedVlan.implied = false
    }
  }
}
