/** What a scenario is: data. The runner builds it in network namespaces and probes every pair of machines. */
import type {
  ConnectOptions,
  ContainerOptions,
  ErrorCode,
  HostOptions,
  NetworkOptions,
  PeerOptions,
  UserRuleOption,
} from 'nfbridge'
import type { RulesetObject } from 'nfbridge/nft'

/** A container, by its name in {@link HostSetup.containers}. */
export interface ContainerSetup extends Omit<ContainerOptions, 'netns' | 'name'> {
  /** The networks that it is on, in this order. Default: the host's first network. */
  readonly on?: string | readonly string[]
  /** What else it is connected with, for networks after the first. */
  readonly endpoints?: Readonly<Record<string, Omit<ConnectOptions, 'netns'>>>
  /** Whether a step attaches it. Default: false, it is there from the beginning. */
  readonly later?: boolean
}

/** A host as it is before the first stage. */
export interface HostSetup {
  readonly options?: Omit<HostOptions, 'netns' | 'state'>
  /** Kernel settings of the host before it is opened. */
  readonly sysctls?: Readonly<Record<string, string>>
  /** Rules of somebody else, there before the host is opened. */
  readonly foreign?: readonly RulesetObject[]
  /** MTU of its uplink. Default: the kernel's. */
  readonly uplinkMtu?: number
  /** Bridges of somebody else, there before the host is opened. */
  readonly bridges?: readonly string[]
  /** Further addresses on its uplink, `203.0.113.9/24`. */
  readonly addresses?: readonly string[]
  readonly networks?: readonly NetworkOptions[]
  readonly containers?: Readonly<Record<string, ContainerSetup>>
  readonly peers?: readonly PeerOptions[]
}

/** A host in a namespace that has one, so it has a name. */
export interface HostBeside extends Omit<HostSetup, 'sysctls' | 'uplinkMtu' | 'addresses'> {
  readonly options: Omit<HostOptions, 'netns' | 'state' | 'name'> & { readonly name: `nfbridge-${string}` }
}

/**
 * A scenario. Its machines are `host`, its containers by name, `outside` (at the host's uplink; it routes to the host whatever
 * is a container's, so that what it does not reach is kept from it by rules), where asked `side` (the same at a second link)
 * and `host2` with containers of its own. Each container, `outside` and `side` serve all `ports`, the hosts serve 9000/tcp.
 */
export interface Scenario extends HostSetup {
  /** Unique over all groups: `icc-off-link-one-way`. */
  readonly name: string
  /** What it shows. */
  readonly about: string
  /** Whether there is IPv6 outside. Default: whether a network has it. */
  readonly ipv6?: boolean
  /** Whether the machine `side` is there. Default: false. */
  readonly side?: boolean
  /** Whether `outside` and `side` have each other's network behind the host: traffic that is none of ours. Default: false. */
  readonly transit?: boolean
  /** A second host, `host2`, joined to the first by a link of their own. */
  readonly second?: HostSetup
  /**
   * Another program's host in the namespace of `host`, with networks and containers of its own: steps call it `beside`, and what it probes and
   * answers itself is `host`'s.
   */
  readonly beside?: HostBeside
  /** What each machine but the hosts serves, and is probed on. Default: {@link defaultPorts}. */
  readonly ports?: readonly string[]
  /** Ports of the host that lead to containers, `8080/tcp`: probed on each of its addresses. */
  readonly hostPorts?: readonly string[]
  /** Addresses to probe besides those that the machines have. */
  readonly targets?: readonly ExtraTarget[]
  readonly stages: readonly Stage[]
}

/** An address that no machine has, or that rows are to name, and who tries it. */
export interface ExtraTarget {
  readonly address: string
  /** What rows call it. Default: the address. */
  readonly name?: string
  readonly from: readonly string[]
  readonly ports: readonly string[]
  /** The port that is sent from. Default: the kernel's choice. */
  readonly sourcePort?: number
}

export const defaultPorts = ['80/tcp', '81/tcp', '53/udp', 'icmp'] as const
/** What the hosts answer themselves. */
export const ownHostPorts = ['9000/tcp', 'icmp'] as const

/** What is done, and what holds then. */
export interface Stage {
  readonly title?: string
  readonly steps?: readonly Step[]
  /**
   * Who reaches whom, a row for each: `app, web -> db 80/tcp, icmp (ipv6): reached`. The first row that fits a probe decides
   * it; every probe must have a row, and every row a probe. See matrix.ts for all that a row can say.
   */
  readonly expect: string
  /** Connections to open when all is probed, `app -> web 80/tcp`; the next stages say what became of them. */
  readonly hold?: readonly string[]
  /** A row for each held connection: `app -> web 80/tcp: lives`, or `stops`. */
  readonly held?: string
  readonly checks?: readonly Check[]
}

/** Something that is not a packet: what the objects and the kernel say. */
export type Check =
  | { readonly check: 'sysctl'; readonly name: string; readonly is: string; readonly host?: 'host' | 'host2' }
  /** Lines of a container's hosts file, fields parted by one space. `<id:web>` stands for the short id of web. */
  | { readonly check: 'hosts'; readonly container: string; readonly lines: readonly string[] }
  /** Docker's variables of a client; all that are named must be so, others may be there. */
  | {
      readonly check: 'variables'
      readonly container: string
      readonly has: Readonly<Record<string, string>>
    }
  | { readonly check: 'address'; readonly container: string; readonly network?: string; readonly is: string }
  | { readonly check: 'mtu'; readonly container: string; readonly interface?: string; readonly is: number }
  /** Whether one container reaches another by its link-local IPv6 address. */
  | {
      readonly check: 'linkLocal'
      readonly from: string
      readonly to: string
      readonly port: number
      readonly is: 'reached' | 'blocked'
    }
  /** Containers that the reopened host reports as gone. */
  | { readonly check: 'lost'; readonly containers: readonly string[] }
  /** The device that the container's default route leads over. */
  | { readonly check: 'defaultRoute'; readonly container: string; readonly interface: string }
  /** How many rules of ours, and elements, name an address that no container has: none. */
  | { readonly check: 'notInRules'; readonly address: string }

/** A call on our API or a change by somebody else. `fails` names the error's code when the call must be refused. */
export type Step = {
  readonly fails?: ErrorCode
  readonly on?: 'host' | 'host2' | 'beside'
} & (
  | { readonly do: 'link'; readonly container: string; readonly link: string }
  | { readonly do: 'unlink'; readonly container: string; readonly link: string }
  | { readonly do: 'publish' | 'unpublish'; readonly container: string; readonly ports: readonly string[] }
  | { readonly do: 'expose' | 'unexpose'; readonly container: string; readonly ports: readonly string[] }
  | { readonly do: 'icc'; readonly network: string; readonly icc: boolean }
  /** Attaches a container that is `later`, or one that was detached, with the options of the scenario and these. */
  | {
      readonly do: 'attach'
      readonly container: string
      readonly options?: Partial<Omit<ContainerSetup, 'later'>>
    }
  | { readonly do: 'detach' | 'stop' | 'start'; readonly container: string }
  | {
      readonly do: 'connect'
      readonly container: string
      readonly network: string
      readonly options?: Omit<ConnectOptions, 'netns'>
    }
  | { readonly do: 'disconnect'; readonly container: string; readonly network: string }
  | { readonly do: 'createNetwork'; readonly network: NetworkOptions }
  | { readonly do: 'destroyNetwork'; readonly network: string }
  | { readonly do: 'addPeer'; readonly peer: PeerOptions }
  | { readonly do: 'removePeer'; readonly subnet: string }
  | { readonly do: 'hostContainer'; readonly name: string }
  /** Closes the host and opens it again with its state directory, as a restarted program does. */
  | { readonly do: 'reopen'; readonly options?: Omit<HostOptions, 'netns' | 'state'> }
  /** As `reopen`, and meanwhile somebody removes everything: rules, bridges, interfaces, settings, as a reboot does. */
  | { readonly do: 'reboot' }
  | { readonly do: 'userRule'; readonly chain: 'forward' | 'inbound'; readonly rule: UserRuleOption }
  | { readonly do: 'flushUserRules'; readonly chain: 'forward' | 'inbound' }
  /** Rules of somebody else. */
  | { readonly do: 'foreign'; readonly add: readonly RulesetObject[] }
  | { readonly do: 'removeTable'; readonly family: 'ip' | 'ip6' | 'inet' | 'bridge'; readonly name: string }
  | { readonly do: 'flushRuleset' }
  | { readonly do: 'sysctl'; readonly name: string; readonly value: string }
  /** A compromised container takes another address: as a further one of its interface. */
  | { readonly do: 'takeAddress'; readonly container: string; readonly address: string }
  /** The same, and whatever it sends comes from there. */
  | { readonly do: 'forge'; readonly container: string; readonly address: string }
  /** The container's machine ends, its namespace with it. */
  | { readonly do: 'killNamespace'; readonly container: string }
  /** Somebody on the host listens on a port, or tries to: with `taken` it must be refused to him. */
  | { readonly do: 'listen'; readonly port: string; readonly taken?: boolean }
  /** An attacker takes 127.0.0.0/8 for addresses of somebody else, and routes them to the host. */
  | { readonly do: 'routeLoopback'; readonly machine: string; readonly via: string }
  /** A container sends what is for a neighbour to the gateway, which routes it back to the bridge. */
  | { readonly do: 'throughGateway'; readonly container: string; readonly to: string }
  | { readonly do: 'addRoute'; readonly machine: string; readonly to: string; readonly via: string }
)

/** Scenarios of one kind, a file each. */
export interface Group {
  readonly name: string
  readonly scenarios: readonly Scenario[]
}
