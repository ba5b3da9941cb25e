import type { MacAddress } from '../address/index.js'
import type { NamespaceDescriptor } from '../netns/index.js'
import type { BridgeOptions, BridgePortOptions } from './bridge.js'
import type { ADDRESS_GENERATION } from './numbers.js'
import type { Device } from './values.js'

/** A namespace for a link to be born in or moved to: a {@link Namespace}, a descriptor, or a process in it. */
export type LinkNamespace = NamespaceDescriptor | { readonly pid: number }

/** IN6_ADDR_GEN_MODE_* of linux/if_link.h: from the MAC address, not at all, from a secret (RFC 7217), from a random one. */
export type Ipv6AddressGeneration = keyof typeof ADDRESS_GENERATION

/** What any link has and a caller may set. */
export interface LinkAttributes {
  /** Bytes of payload in a frame. */
  readonly mtu?: number
  readonly mac?: MacAddress | string
  /** See {@link Link.group}. */
  readonly group?: number
  /** Up to 255 bytes; an empty string takes it away. */
  readonly alias?: string
  /** The bridge that it becomes a port of; null for none. A name is looked up first. */
  readonly master?: Device | null
  /** Whether it is set up or down. New links are down. */
  readonly up?: boolean
  readonly promiscuous?: boolean
  readonly allMulticast?: boolean
  /** Whether ARP is used. Default true. */
  readonly arp?: boolean
  /** Packets that wait for the device. */
  readonly txQueueLength?: number
  /**
   * How the link gets IPv6 addresses by itself when it goes up: `none` for not at all, not even a link-local one. Sent as
   * a message of its own, before the one that sets it up. Default: the namespace's `net.ipv6.conf.default.addr_gen_mode`,
   * which is `eui64` at first. NFB_NOT_SUPPORTED for a link without IPv6 (a kernel without, or an MTU below 1280).
   */
  readonly ipv6AddressGeneration?: Ipv6AddressGeneration
  /** Settings as a port of its bridge. Sent as a message of its own, after the one that makes it a port. */
  readonly port?: BridgePortOptions
}

/** What only a new link can be given. */
export interface NewLinkAttributes extends LinkAttributes {
  readonly name: string
  /** The index; the kernel chooses one when it is left out. NFB_EXISTS when another link has it. */
  readonly index?: number
  /** Number of transmit queues; 1 spares a veth a fifth of its cost. */
  readonly txQueues?: number
  readonly rxQueues?: number
  /** The namespace that it is made in, when it is not this one. */
  readonly netns?: LinkNamespace
}

export interface BridgeSpec extends NewLinkAttributes {
  readonly kind: 'bridge'
  readonly bridge?: BridgeOptions
}

/** The other end of a veth. It cannot be set up in the message that makes it: the kernel answers ENOTCONN. */
export interface VethPeerSpec {
  /** The kernel chooses `veth<n>` when it is left out. */
  readonly name?: string
  /** Needs that the other end has an index of the caller's choice as well (`veth_newlink` in drivers/net/veth.c). */
  readonly index?: number
  readonly mac?: MacAddress | string
  readonly mtu?: number
  readonly group?: number
  readonly txQueues?: number
  readonly rxQueues?: number
  /** See {@link LinkAttributes.ipv6AddressGeneration}. Not with `netns`: change the peer there, before it is set up. */
  readonly ipv6AddressGeneration?: Ipv6AddressGeneration
  /** The namespace that the peer is made in, when it is not that of the other end. */
  readonly netns?: LinkNamespace
}

export interface VethSpec extends NewLinkAttributes {
  readonly kind: 'veth'
  readonly peer?: VethPeerSpec
}

/** A link without anything behind it: what is sent to a `dummy` is dropped, an `ifb` exists for traffic control. */
export interface PlainSpec extends NewLinkAttributes {
  readonly kind: 'dummy' | 'ifb'
}

export interface VlanSpec extends NewLinkAttributes {
  readonly kind: 'vlan'
  /** The link that carries it. */
  readonly device: Device
  /** 1 to 4094. */
  readonly vlan: number
}

export interface VrfSpec extends NewLinkAttributes {
  readonly kind: 'vrf'
  /** The routing table that it stands for. */
  readonly table: number
}

/** A link to create, discriminated by `kind`. */
export type LinkSpec = BridgeSpec | VethSpec | PlainSpec | VlanSpec | VrfSpec

/** A change to a link; what is left out stays as it is. */
export interface LinkChange extends LinkAttributes {
  readonly device: Device
  /** A new name. */
  readonly name?: string
  /** Settings of a bridge. */
  readonly bridge?: BridgeOptions
  /** The namespace that it is moved to. */
  readonly netns?: LinkNamespace
}

/** Which links to delete: one, or all of a group, which is one message and far cheaper than one for each. */
export type LinkSelector = { readonly device: Device } | { readonly group: number }
