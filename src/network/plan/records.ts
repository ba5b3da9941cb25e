import {
  Cidr,
  formatPublication,
  type IPAddress,
  type IPv4Address,
  type IPv6Address,
  type MacAddress,
  type PortRange,
  type Protocol,
} from '../../address/index.js'
import type { GatewayMode, HelperName, Isolation, LinkMode } from '../options.js'
import type { AddressRange } from './address-range.js'
import type { AdvertiseRecord } from './advertise.js'
import type { ConnectionLimits } from './connections.js'
import type { WithSysctls } from './endpoint-sysctls.js'
import type { Labelled } from './labels.js'
import type { StaticRoute } from './static-route.js'

export type Family = 4 | 6

/** Addresses that are nobody's but the machine's own (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
const LOOPBACK = { 4: Cidr.parse('127.0.0.0/8'), 6: Cidr.parse('::1/128') } as const

/** A pool of addresses on one bridge of a network. */
export interface PoolRecord {
  readonly bridge: string
  readonly subnet: Cidr
  /** The bridge's own address; undefined on an isolated bridge. */
  readonly gateway: IPAddress | undefined
  /** Another machine on the bridge, by which the containers' default route goes; absent: by `gateway`. */
  readonly router?: IPAddress
  /** What addresses are handed out from; within `subnet`. */
  readonly range: AddressRange
  /** Never handed out. */
  readonly exclude: readonly Cidr[]
  /** What names some of them were given, with the subnet as text: Docker's auxiliary addresses. */
  readonly names: Readonly<Record<string, string>>
}

/** How a network meets the outside in one address family. */
export interface FamilyRecord {
  readonly mode: GatewayMode
  readonly masquerade: boolean
  /** The address that others see, where it is not that of the outgoing interface. */
  readonly snat: IPAddress | undefined
  /** Destinations that see the containers' own addresses. */
  readonly except: readonly Cidr[]
}

/** A network as it stands: immutable; a change makes another record. */
export interface NetworkRecord extends Labelled {
  readonly name: string
  /** Names of its bridges; the first is the network's. */
  readonly bridges: readonly string[]
  /** In the order in which they are used; each bridge has the same number for each family. */
  readonly pools: readonly PoolRecord[]
  readonly ipv4: FamilyRecord
  readonly ipv6: FamilyRecord
  readonly icc: boolean
  readonly internal: boolean
  readonly isolation: Isolation
  readonly trustedInterfaces: readonly string[]
  readonly allowDirectRouting: boolean
  /** The address of the host that ports are published on where none is given; undefined: every one of both families. */
  readonly hostBinding: IPAddress | undefined
  /** Helpers of connections outward. */
  readonly helpers: readonly HelperName[]
  readonly linkMode: LinkMode
  /** What passes between its containers is judged with connection tracking. */
  readonly tracking: boolean
  readonly mtu: number | undefined
  /** Further routes of its containers; absent: none. */
  readonly routes?: readonly StaticRoute[]
  /** Its containers get no default route; absent: they do. */
  readonly defaultRoute?: false
  /** Of its containers' default routes; absent: by priority. */
  readonly metric?: number
  /** How its containers' addresses are announced; absent: once, where somebody may know another MAC. */
  readonly advertise?: AdvertiseRecord
  /** The bridge was there before, and is never deleted. */
  readonly adopted: boolean
  /** Interface group of the containers' host ends: one request by group deletes them all. */
  readonly group: number
}

/** Another host's container subnet. */
export interface PeerRecord {
  readonly subnet: Cidr
  readonly via: IPAddress | undefined
  readonly device: string | undefined
}

/** What the host as a whole does with forwarded packets. */
export interface HostPolicyRecord {
  /** Families of which everything that nothing allows is dropped. */
  readonly drop: readonly Family[]
  /** Whether new connections from outside reach containers by their own address in every mode. */
  readonly acceptDirect: boolean
  /** Whether rules of the users stand that can concern what passes within a network. */
  readonly userRules: boolean
  /** How many connections a container may have that says nothing; absent: none of them is counted. */
  readonly maxConnections?: number | undefined
}

/** One port of a container. */
export interface ContainerPort {
  readonly protocol: Protocol
  readonly port: number
}

/** Ports of the host that lead to as many ports of one container. */
export interface PublishedPort {
  /** `0.0.0.0`: every IPv4 address of the host. `::`: every IPv6 address. Undefined: both, where the container has both. */
  readonly hostAddress: IPAddress | undefined
  readonly hostPorts: PortRange
  readonly containerPorts: PortRange
  readonly protocol: Protocol
  /** The host's ports were chosen, of these: others may be, when the container starts again. */
  readonly chosenOf?: PortChoice | undefined
  readonly helper?: HelperName | undefined
}

/** What ports of the host are chosen of: a range that was given, or the host's own range of dynamic ports. */
export type PortChoice = PortRange | 'dynamic'

/** A link, held by its client. */
export interface LinkRecord {
  /** Full id of the server. */
  readonly server: string
  readonly alias: string
}

/** A line of a hosts file that was asked for. */
export interface AddedHost {
  readonly name: string
  /** `host-gateway`: the host's, by which the container reaches it. */
  readonly address: IPAddress | 'host-gateway'
}

/** Limits of one direction: bits per second, bytes. */
export interface BandwidthRecord {
  readonly rate: number
  readonly burst: number
}

/** A container's place on one network. */
export interface EndpointRecord extends WithSysctls {
  readonly network: string
  readonly bridge: string
  readonly ipv4: IPv4Address | undefined
  readonly ipv6: IPv6Address | undefined
  /** Addresses of pools beside these, asked for; absent: none. */
  readonly further?: readonly IPAddress[]
  /** Link-local addresses that were asked for; absent: none. */
  readonly linkLocal?: readonly IPAddress[]
  /** Addresses that were asked for, and are asked for again when the container starts again. */
  readonly fixed: { readonly ipv4: boolean; readonly ipv6: boolean; readonly mac: boolean }
  readonly mac: MacAddress
  /** Name of the interface's end on the host. */
  readonly hostInterface: string
  /** Name of the interface in the container. */
  readonly interfaceName: string
  /** MTU of the interface in the container; absent: that of the network. */
  readonly mtu?: number
  /** Index of the interface in the container. Chosen here, because looking it up would cost a request. */
  readonly index: number
  /**
   * Index of its end on the host. The kernel heeds the one inside only when this one is given as well; and they differ, because the kernel
   * takes a link whose peer has its own index for one whose carrier can wait: up to a second in which the first packets are lost
   * (`linkwatch_urgent_event` in net/core/link_watch.c).
   */
  readonly hostIndex: number
  /** Further names for those that are linked to it. */
  readonly aliases: readonly string[]
  readonly priority: number
  /** Metric of its default routes: the lower, the sooner it is used. Unique in the container. */
  readonly metric: number
  /** Further routes, beside the network's; absent: none. */
  readonly routes?: readonly StaticRoute[]
  /** It has no default route by this network; absent: it has. */
  readonly defaultRoute?: false
  readonly ingress: BandwidthRecord | undefined
  readonly egress: BandwidthRecord | undefined
  readonly allowForgedSource: boolean
}

/**
 * A container as it stands: immutable; a change makes another record. `running`: its endpoints are in the kernel. `stopped`:
 * they are what it gets back when it starts, but nothing of it stands and its addresses are free. `host`: it uses the host's
 * network, is known by name only, and has no endpoints.
 */
export interface ContainerRecord extends Labelled, ConnectionLimits {
  readonly id: string
  readonly name: string
  readonly hostname: string
  readonly domainname: string | undefined
  readonly state: 'running' | 'stopped' | 'host'
  /** Where its namespace was found, if that was a path. */
  readonly netns: string | undefined
  /** The process that the path is about, where it is one below /proc: another one may have its number later. */
  readonly netnsProcess?: string | undefined
  /** In the order in which it was connected. */
  readonly endpoints: readonly EndpointRecord[]
  readonly exposed: readonly ContainerPort[]
  readonly published: readonly PublishedPort[]
  readonly links: readonly LinkRecord[]
  readonly addHosts: readonly AddedHost[]
  readonly hostsFile: string | undefined
  /** Its hosts file was written by a version that kept no lines of others: as long as ours are not marked, all are ours. */
  readonly hostsFileUnmarked?: true | undefined
}

/** `80/tcp`: equal for equal ports. */
export function portText(port: ContainerPort): string {
  return `${port.port}/${port.protocol}`
}

/** `8080:80/tcp`, `0.0.0.0:8080:80/tcp`, `[2001:db8::1]:8000-8009:80-89/udp`: equal for equal publications. */
export function publishedText(port: PublishedPort): string {
  return formatPublication(port)
}

/** The families that a publication is of. */
export function publishedFamilies({ hostAddress }: Pick<PublishedPort, 'hostAddress'>): readonly Family[] {
  return hostAddress ? [hostAddress.family] : [4, 6]
}

/** The one address of the host that a publication is of; undefined: it is of every address. */
export function oneHostAddress({ hostAddress }: Pick<PublishedPort, 'hostAddress'>): IPAddress | undefined {
  return hostAddress && BigInt(hostAddress.value) !== 0n ? hostAddress : undefined
}

/**
 * Whether a publication is of a loopback address, and so for the host itself alone: what leads to it is never forwarded, and
 * nobody is to come by another way.
 */
export function isForHostAlone({ hostAddress }: Pick<PublishedPort, 'hostAddress'>): boolean {
  return hostAddress !== undefined && LOOPBACK[hostAddress.family].contains(hostAddress)
}

/** The ports that a link to this container opens: the exposed ones and those behind published ones, once each. */
export function linkablePorts(server: ContainerRecord): ContainerPort[] {
  const ports = new Map<string, ContainerPort>()
  for (const port of server.exposed) ports.set(portText(port), port)
  for (const { protocol, containerPorts } of server.published) {
    for (let port = containerPorts.first; port <= containerPorts.last; port += 1) {
      ports.set(portText({ protocol, port }), { protocol, port })
    }
  }
  return [...ports.values()]
}

/** The endpoints that are in the kernel. */
export function standingEndpoints(container: ContainerRecord): readonly EndpointRecord[] {
  return container.state === 'running' ? container.endpoints : []
}

/** A container's endpoint on a network; undefined where it has none. */
export function endpointOn(container: ContainerRecord, network: string): EndpointRecord | undefined {
  return container.endpoints.find((endpoint) => endpoint.network === network)
}

/** Endpoints in the order in which their default routes are used; those without one last. */
export function byMetric(endpoints: readonly EndpointRecord[]): EndpointRecord[] {
  const rank = ({ defaultRoute }: EndpointRecord): number => (defaultRoute === false ? 1 : 0)
  return endpoints.toSorted((one, other) => rank(one) - rank(other) || one.metric - other.metric)
}

/** The address of an endpoint in one family. */
export function addressOf(endpoint: EndpointRecord, family: Family): IPAddress | undefined {
  return family === 4 ? endpoint.ipv4 : endpoint.ipv6
}

/** How a network meets the outside in one family. */
export function familyOf(network: NetworkRecord, family: Family): FamilyRecord {
  return family === 4 ? network.ipv4 : network.ipv6
}

/** The pool that an address on a network is of. */
export function poolOf(network: NetworkRecord, address: IPAddress): PoolRecord | undefined {
  return network.pools.find(({ subnet }) => subnet.contains(address))
}

/** The families that a network hands out addresses of. */
export function familiesOf(network: NetworkRecord): Family[] {
  return ([4, 6] as const).filter((family) => network.pools.some(({ subnet }) => subnet.family === family))
}

/** The first 12 characters of an id, as Docker shortens it; none is cut in half. */
export function shortId(id: string): string {
  const units = id.slice(0, 12)
  return /[\ud800-\udfff]/.test(units) ? Array.from(id).slice(0, 12).join('') : units
}
