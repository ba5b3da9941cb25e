/** Whom addresses and interfaces of a packet belong to, by the names that users know. */
import type { Packet } from '../../explain/index.js'
import type { ContainerPort, ContainerRecord, NetworkRecord } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { hasBeenGiven } from './host-world.js'

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'icmp'],
  [132, 'sctp'],
])

/** A packet in the words of networks and containers. */
export class Subjects {
  readonly packet: Packet
  readonly #registry: Registry

  constructor(registry: Registry, packet: Packet) {
    this.#registry = registry
    this.packet = packet
  }

  get client(): ContainerRecord | undefined {
    return this.#owner(this.packet.source)
  }

  get server(): ContainerRecord | undefined {
    return this.#owner(this.packet.destination)
  }

  /** The sender's name, or its address. */
  get from(): string {
    return this.client?.name ?? this.packet.source
  }

  get to(): string {
    return this.server?.name ?? this.packet.destination
  }

  /** The network that the packet comes from. */
  get source(): NetworkRecord | undefined {
    return this.networkOf((this.packet.inputBridge ?? this.packet.inputDevice)?.name)
  }

  /** The network that it goes to. */
  get target(): NetworkRecord | undefined {
    return this.networkOf((this.packet.outputBridge ?? this.packet.outputDevice)?.name)
  }

  /** `80/tcp`, or `icmp`. */
  get service(): string {
    const { port } = this
    return port ? `${port.port}/${port.protocol}` : this.#protocol
  }

  /** The port that is asked for; undefined for what has none. */
  get port(): ContainerPort | undefined {
    const { destinationPort } = this.packet
    const protocol = this.#protocol
    if (typeof destinationPort !== 'number') return undefined
    if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return undefined
    return { protocol, port: destinationPort }
  }

  /** Whether its destination was translated: it came by a published port. */
  get isTranslated(): boolean {
    return ((this.packet.connection?.status ?? 0) & DESTINATION_TRANSLATED) !== 0
  }

  /** The port of the host that was asked for, of what came by a publication. */
  get askedService(): string {
    const asked = this.packet.connection?.original.destinationPort
    return typeof asked === 'number' ? `${asked}/${this.#protocol}` : this.service
  }

  networkOf(bridge: string | undefined): NetworkRecord | undefined {
    if (bridge === undefined) return undefined
    for (const network of this.#registry.networks) if (network.bridges.includes(bridge)) return network
    return undefined
  }

  /** The container behind a port of a bridge. */
  behind(hostInterface: string | undefined): ContainerRecord | undefined {
    for (const container of this.#registry.containers)
      if (container.endpoints.some((endpoint) => endpoint.hostInterface === hostInterface)) return container
    return undefined
  }

  get #protocol(): string {
    return PROTOCOLS.get(this.packet.protocol) ?? `protocol ${this.packet.protocol}`
  }

  #owner(address: string): ContainerRecord | undefined {
    for (const container of this.#registry.containers) if (hasBeenGiven(container, address)) return container
    return undefined
  }
}

/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h. */
const DESTINATION_TRANSLATED = 32
