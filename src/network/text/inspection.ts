import type {
  BridgeNetfilter,
  ExistingRules,
  ForwardPolicy,
  GatewayMode,
  HelperName,
  Isolation,
  LinkMode,
  OffloadOption,
} from '../options.js'

/**
 * Everything that a host's networks are, as data: the answer of `host.inspect()`. It is JSON as it is (`null` stands for
 * what is not there), and a value of its own: nothing in it changes later.
 */
export interface HostInspection {
  readonly host: HostSettingsInspection
  /** In the order in which they were made. */
  readonly networks: readonly NetworkInspection[]
  /** In the order in which they were attached; stopped ones and those with the host's network too. */
  readonly containers: readonly ContainerInspection[]
  readonly peers: readonly PeerInspection[]
  readonly userRules: UserRulesInspection
  /** Containers of the state directory whose interfaces were gone when the host was opened. */
  readonly lost: readonly LostContainerInspection[]
  readonly statistics: StatisticsInspection
}

/** What the host was opened with, and what followed from it. */
export interface HostSettingsInspection {
  /** The name of its tables. */
  readonly name: string
  readonly firewall: boolean
  readonly ipForward: boolean
  readonly forwardPolicy: ForwardPolicy
  readonly bridgeNetfilter: BridgeNetfilter
  readonly offload: OffloadOption
  readonly existingRules: ExistingRules
  readonly hostBinding: string | null
  /** The state directory. */
  readonly state: string | null
  readonly forwarding: { readonly ipv4: ForwardingInspection; readonly ipv6: ForwardingInspection }
  readonly offloading: OffloadingInspection
  /** Whether new connections from outside reach containers by their own address in every gateway mode. */
  readonly acceptDirect: boolean
}

/** Which connections go past the hooks. */
export interface OffloadingInspection {
  /** Whether established connections between containers and the outside are handed to a flowtable at the moment. */
  readonly on: boolean
  /** The interfaces between which they go past the hooks: ways out of the host, and bridges. */
  readonly devices: readonly string[]
  /** Why they are not; `null` where they are. */
  readonly reason: string | null
}

/** Forwarding in one address family. */
export interface ForwardingInspection {
  /** The kernel's setting as it is now: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. `null`: the kernel has none. */
  readonly on: boolean | null
  /** Whether it was turned on here, and is turned off again with the last network. */
  readonly turnedOn: boolean
  /** What becomes of forwarded packets that concern no network of ours and that no rule of a user allows. */
  readonly policy: 'accept' | 'drop'
}

export interface NetworkInspection {
  readonly name: string
  /** Names of its bridges. */
  readonly bridges: readonly string[]
  readonly pools: readonly PoolInspection[]
  readonly icc: boolean
  readonly internal: boolean
  readonly isolation: Isolation
  readonly linkMode: LinkMode
  /** Whether what passes between its containers is judged with connection tracking. */
  readonly tracking: boolean
  /** `null` where the network has no addresses of the family. */
  readonly ipv4: FamilyInspection | null
  readonly ipv6: FamilyInspection | null
  readonly trustedInterfaces: readonly string[]
  readonly allowDirectRouting: boolean
  /** The address of the host that ports are published on where none is given; `null`: every one. */
  readonly hostBinding: string | null
  /** Helpers of connections outward. */
  readonly helpers: readonly HelperName[]
  readonly mtu: number | null
  /** Further routes of its containers. */
  readonly routes: readonly RouteInspection[]
  readonly defaultRoute: boolean
  /** `null`: by priority. */
  readonly metric: number | null
  /** Milliseconds; `null`: containers are announced once, where somebody may know another MAC. */
  readonly advertise: { readonly count: number; readonly interval: number } | null
  /** Whether the bridge was there before, and stays when the network goes. */
  readonly adopted: boolean
  /** The runtime's own data. */
  readonly labels: Readonly<Record<string, string>>
  /** What is on it, stopped containers too. */
  readonly containers: readonly NetworkMemberInspection[]
}

/** A route of containers. */
export interface RouteInspection {
  readonly destination: string
  /** `null`: as the default route goes. */
  readonly gateway: string | null
  /** `null`: that of the default route. */
  readonly metric: number | null
  readonly type: 'unicast' | 'blackhole' | 'unreachable' | 'prohibit'
}

export interface PoolInspection {
  readonly subnet: string
  readonly bridge: string
  /** `null`: the bridge has no address. */
  readonly gateway: string | null
  /** By whom the containers' default route goes; `null`: by nobody. */
  readonly defaultGateway: string | null
  /** The part of the subnet that addresses are handed out from. */
  readonly range: string
  readonly exclude: readonly string[]
  /** What names of `exclude` were given: Docker's auxiliary addresses. */
  readonly names: Readonly<Record<string, string>>
}

/** How a network meets the outside in one address family. */
export interface FamilyInspection {
  readonly mode: GatewayMode
  readonly masquerade: boolean
  /** The address that others see, where it is not that of the outgoing interface. */
  readonly snat: string | null
  /** Destinations that see the containers' own addresses. */
  readonly except: readonly string[]
}

export interface NetworkMemberInspection {
  readonly id: string
  readonly name: string
  readonly state: ContainerState
  readonly ipv4: string | null
  readonly ipv6: string | null
}

export type ContainerState = 'running' | 'stopped' | 'host'

export interface ContainerInspection {
  readonly id: string
  readonly shortId: string
  readonly name: string
  readonly hostname: string
  readonly domainname: string | null
  readonly state: ContainerState
  /** Where its namespace was found, if that was a path. */
  readonly netns: string | null
  /** In the order in which it was connected. Of a stopped container: what it had, and is free for others meanwhile. */
  readonly endpoints: readonly EndpointInspection[]
  /** `80/tcp` */
  readonly exposed: readonly string[]
  /** `8080:80/tcp`, `0.0.0.0:8080:80/tcp` */
  readonly published: readonly string[]
  /** Helpers of published ports, by their text: `ftp`. */
  readonly publishedHelpers: Readonly<Record<string, HelperName>>
  readonly links: readonly LinkInspection[]
  /** Names of the containers with a link to this one. */
  readonly linkedFrom: readonly string[]
  /** The lines of its hosts file that its links give. */
  readonly hosts: readonly string[]
  /** Further lines of its hosts file: `db:192.0.2.7`, `host.docker.internal:host-gateway`. */
  readonly addHosts: readonly string[]
  /** The file in which its hosts text is kept up to date. */
  readonly hostsFile: string | null
  /** Docker's variables of its links: `DB_PORT`. */
  readonly variables: Readonly<Record<string, string>>
  /** The runtime's own data. */
  readonly labels: Readonly<Record<string, string>>
  /** How many connections of each of its addresses may be tracked; null: the kernel can't count them. */
  readonly maxConnections: number | 'unlimited' | null
  readonly newConnectionsPerSecond: number | null
}

export interface EndpointInspection {
  readonly network: string
  readonly bridge: string
  readonly ipv4: string | null
  readonly ipv6: string | null
  /** Addresses of pools beside these. */
  readonly further: readonly string[]
  /** Every link-local address, that of the MAC included. */
  readonly linkLocal: readonly string[]
  readonly mac: string
  /** The interface in the container. */
  readonly interfaceName: string
  /** Its other end, on the host. */
  readonly hostInterface: string
  /** Of the interface in the container; `null`: that of the network. */
  readonly mtu: number | null
  /** Settings that were asked for, with `IFNAME` for the interface in the container. */
  readonly sysctls: Readonly<Record<string, string>>
  /** Further names for those that are linked to it. */
  readonly aliases: readonly string[]
  readonly priority: number
  /** Of its default routes: the lowest of a container is used. */
  readonly metric: number
  /** Whether it has one by this network. */
  readonly defaultRoute: boolean
  /** Further routes, beside the network's. */
  readonly routes: readonly RouteInspection[]
  /** Towards the container; `null`: no limit. */
  readonly ingress: BandwidthInspection | null
  /** From the container. */
  readonly egress: BandwidthInspection | null
  readonly allowForgedSource: boolean
}

/** Bits per second, bytes. */
export interface BandwidthInspection {
  readonly rate: number
  readonly burst: number
}

export interface LinkInspection {
  readonly alias: string
  /** The server's name. */
  readonly container: string
  readonly id: string
  /** Of the server: a link to a stopped one opens nothing until it starts again. */
  readonly state: ContainerState
  /** What it opens: `80/tcp`. */
  readonly ports: readonly string[]
}

export interface PeerInspection {
  readonly subnet: string
  readonly via: string | null
  readonly device: string | null
}

/** The users' own rules, as nft prints them. */
export interface UserRulesInspection {
  /** Of the chain `user`. */
  readonly forward: readonly string[]
  /** Of the chain `user_inbound`. */
  readonly inbound: readonly string[]
}

export interface LostContainerInspection {
  readonly id: string
  readonly name: string
  /** Names of the networks that it was on. */
  readonly networks: readonly string[]
}

/** What the host has cost the kernel since it was opened. */
export interface StatisticsInspection {
  readonly transactions: number
  readonly linkRequests: number
  readonly flowRequests: number
}
