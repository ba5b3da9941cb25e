import type { Cidr, IPv4Address, MacAddress, Protocol } from '../../address/index.js'

/** A network as it stands: immutable; a change makes another record. */
export interface NetworkRecord {
  readonly name: string
  readonly subnet: Cidr
  readonly gateway: IPv4Address
  readonly icc: boolean
  readonly mtu: number | undefined
  /** Interface group of the containers' host ends: one request by group deletes them all. */
  readonly group: number
}

/** One port of a container. */
export interface ContainerPort {
  readonly protocol: Protocol
  readonly port: number
}

/** One port of the host that leads to one port of a container. */
export interface PublishedPort {
  /** Undefined: every address of the host. */
  readonly hostAddress: IPv4Address | undefined
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: Protocol
}

/** A link, held by its client. */
export interface LinkRecord {
  /** Full id of the server. */
  readonly server: string
  readonly alias: string
}

/** A container on a network as it stands: immutable; a change makes another record. */
export interface ContainerRecord {
  readonly id: string
  readonly name: string
  readonly hostname: string
  readonly network: string
  readonly address: IPv4Address
  readonly mac: MacAddress
  /** Name of the interface's end on the host. */
  readonly hostInterface: string
  /** Name of the interface in the container. */
  readonly interfaceName: string
  /** Index of the interface in the container. Chosen here, because looking it up would cost a request. */
  readonly index: number
  readonly exposed: readonly ContainerPort[]
  readonly published: readonly PublishedPort[]
  readonly links: readonly LinkRecord[]
}

/** `80/tcp`: equal for equal ports. */
export function portText(port: ContainerPort): string {
  return `${port.port}/${port.protocol}`
}

/** `0.0.0.0:8080:80/tcp`: equal for equal publications. */
export function publishedText(published: PublishedPort): string {
  const host = published.hostAddress?.toString() ?? '0.0.0.0'
  return `${host}:${published.hostPort}:${published.containerPort}/${published.protocol}`
}

/** The ports that a link to this container opens: the exposed ones and those behind published ones, once each. */
export function linkablePorts(server: ContainerRecord): ContainerPort[] {
  const ports = new Map<string, ContainerPort>()
  for (const port of server.exposed) ports.set(portText(port), port)
  for (const { protocol, containerPort } of server.published) {
    const port = { protocol, port: containerPort }
    ports.set(portText(port), port)
  }
  return [...ports.values()]
}

/**
 * Index of the interface's end on the host. The kernel heeds the one inside only when this one is given as well; and they
 * differ, because the kernel takes a link whose peer has its own index for one whose carrier can wait: up to a second in
 * which the first packets are lost (`linkwatch_urgent_event` in net/core/link_watch.c).
 */
export function hostIndex(container: Pick<ContainerRecord, 'index'>): number {
  return container.index + INDEX_SPAN
}

/** Indexes of interfaces are positive 31-bit numbers: those in containers are from here, those on the host from twice here. */
export const INDEX_SPAN = 0x10000000

/** The first 12 characters of an id, as Docker shortens it. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}
