import type { PublicationOptions } from '../address/index.js'
import type { NamespaceSource } from '../netns/index.js'

/**
 * What becomes of packets that are forwarded and that nothing of ours allows. `auto`, as Docker: dropped only where we
 * turned forwarding on ourselves. `drop` and `leave` say it outright: everything on the host, or nothing but what goes to
 * our containers. `accept` lets also new connections from outside in that route to a container's own address.
 */
export type ForwardPolicy = 'auto' | 'drop' | 'accept' | 'leave'

/** What is found in the chains `user` and `user_inbound` when a host is opened. */
export type ExistingRules = 'keep' | 'flush'

/**
 * What becomes of a state directory whose networks were made in another network namespace of this boot. `refuse`: nothing.
 * `accept`: they are made anew in the one that is opened, and the containers that ran are lost, as after a reboot; right
 * where the other namespace is gone, as that of a container in which nfbridge runs and that was made anew.
 */
export type ChangedNamespace = 'refuse' | 'accept'

/**
 * What becomes of the kernel's `net.bridge.bridge-nf-call-iptables`, `-ip6tables` and `-arptables`, by which the frames of every
 * bridge of the namespace pass the IP rules, whether a bridge asks for it or not. `leave`: nothing. `off`: they are 0 while there is a
 * network; a bridge that asks for itself, as that of a network with `tracking`, is shown to the rules all the same.
 */
export type BridgeNetfilter = 'leave' | 'off'

/**
 * Whether established TCP and UDP connections between containers and the outside, masqueraded or published, are handed to a flowtable
 * of the kernel: their packets then go past the hooks, those of other programs and the users' rules included. `auto`: where the
 * kernel has flowtables, and as long as nobody has a rule that must see every packet. `true`: in any case, refused where the kernel
 * has none. docs/performance.md says which connections, and what becomes of them.
 */
export type OffloadOption = 'auto' | boolean

/** Options of {@link BridgeHost.open}. */
export interface HostOptions {
  /**
   * The name of its tables. Programs that share a network namespace, each with a host of its own, give different ones: each has
   * its own rules, interface groups and names of interfaces, and leaves the networks of the others alone. 1 to 32 of letters, digits, `_` and
   * `-`, a letter first, and no word of nft's. The same from one `open` of a state directory to the next. Default: `nfbridge`.
   */
  readonly name?: string | undefined
  /** The network namespace that plays the host. Default: the caller's own. */
  readonly netns?: NamespaceSource | undefined
  /**
   * Whether a first network turns `net.ipv4.ip_forward` on when it is 0 (Docker's `ip-forward`), and a first IPv6 network
   * `net.ipv6.conf.all.forwarding`. What was turned on is turned off again with the last such network; what was on stays on.
   * With `false` they are never written. Default: true.
   */
  readonly ipForward?: boolean | undefined
  /** See {@link ForwardPolicy}. Default: `auto`. */
  readonly forwardPolicy?: ForwardPolicy | undefined
  /** See {@link BridgeNetfilter}. What was turned off is given back with the last network. Default: `leave`. */
  readonly bridgeNetfilter?: BridgeNetfilter | undefined
  /** See {@link OffloadOption}. Default: `auto`. */
  readonly offload?: OffloadOption | undefined
  /** Whether rules are made at all (Docker's `iptables`). With `false` not one rule is changed. Default: true. */
  readonly firewall?: boolean | undefined
  /** Whether the users' own rules that are there already are kept or flushed. Default: `keep`. */
  readonly existingRules?: ExistingRules | undefined
  /**
   * The address that ports are published on where neither the publication nor its network names one (dockerd's `ip`). Default:
   * every address of the host, of both families.
   */
  readonly hostBinding?: string | undefined
  /**
   * What pools are chosen from where a network has none of its own (Docker's `default-address-pools`), in their order, instead of the
   * default ones of each family that they have. Default: 172.17.0.0/16 to 172.31.0.0/16, 192.168.0.0/16 in /20, random unique local /64.
   */
  readonly defaultPools?: readonly DefaultPoolOptions[] | undefined
  /**
   * A directory that remembers networks and containers beyond this process, so that another `open` adopts them.
   * It is created when missing, and refused where another user than root and this process's own could change it. Without it, what is
   * open at `close` stays in the kernel but can't be adopted.
   */
  readonly state?: string | undefined
  /**
   * Milliseconds to wait for a state directory that another host has open, instead of failing at once with NFB_BUSY; up to a
   * day. Default: 0.
   */
  readonly wait?: number | undefined
  /** See {@link ChangedNamespace}. Default: `refuse`. */
  readonly netnsChanged?: ChangedNamespace | undefined
}

/**
 * How containers are reached from outside, for each address family, in Docker's words. `nat`: by published ports of the host
 * only, and they go out under the host's address. `nat-unprotected`: the same, and whoever routes to a container's address
 * reaches all of it. `routed`: no translation; published ports and ICMP by the container's own address. `isolated`: the bridge
 * has no address; containers speak with each other only.
 */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'

/**
 * Which other networks of this host reach this one, in netavark's words: those of `none` everything that is not isolated
 * itself, those of `default` nothing that is isolated, those of `strict` nothing. Published ports of the host work in all.
 */
export type Isolation = 'none' | 'default' | 'strict'

/**
 * How a link is answered: `stateful` by connection tracking; `stateless` by the literal second rule of Docker's pair, from
 * the server's port to the client (any packet from that port passes).
 */
export type LinkMode = 'stateful' | 'stateless'

/** A route that containers get. */
export interface RouteOptions {
  /** `10.0.0.0/8`. */
  readonly destination: string
  /** A machine on the network. Default: as the default route goes, or without a way out nobody (all of it is on the bridge). */
  readonly gateway?: string | undefined
  /** 1 to 4294967295; the lower, the sooner it is used. Default: that of the default route. */
  readonly metric?: number | undefined
  /** `blackhole`, `unreachable` and `prohibit` refuse what is for the destination. Default: `unicast`. */
  readonly type?: 'unicast' | 'blackhole' | 'unreachable' | 'prohibit' | undefined
}

/** Where pools are chosen from: `{ base: '10.64.0.0/10', size: 24 }` has 16,384 of /24. */
export interface DefaultPoolOptions {
  /** A network of either family. */
  readonly base: string
  /** The prefix length of each pool. */
  readonly size: number
}

/** One pool of addresses. */
export interface PoolOptions {
  /**
   * `172.20.0.0/16` or `fd00:20::/64`; with the unspecified address (`0.0.0.0/24`, `::/120`) the first of the default pools that is
   * free, cut to that size.
   */
  readonly subnet: string
  /** The bridge's own address and the containers' default route. Default: the subnet's first address. */
  readonly gateway?: string | undefined
  /**
   * The containers' default route, where that is another machine on the bridge than the host (Docker's `default-gateway`). Where the
   * bridge shall have no address (`inhibit_ipv4`, CNI's `isGateway: false`), with `gatewayMode: 'isolated'`. Default: `gateway`.
   */
  readonly defaultGateway?: string | undefined
  /**
   * The part of the subnet that addresses are handed out from (Docker's `--ip-range`): a network, or its first and last address
   * (`10.88.5.10-10.88.5.99`). Default: all of it.
   */
  readonly range?: string | undefined
  /** Addresses or subnets that are never handed out (Docker's `--aux-address`), also by names: `{ router: '10.88.5.9' }`. Default: none. */
  readonly exclude?: readonly string[] | Readonly<Record<string, string>> | undefined
}

/** Where containers' own addresses are translated on the way out. */
export interface MasqueradeOptions {
  /** Destinations that see the container's own address. */
  readonly except?: readonly string[] | undefined
  /** The address that others see, instead of that of the outgoing interface: one for each family, as needed. */
  readonly snat?: string | readonly string[] | undefined
}

/**
 * Gratuitous ARP and unsolicited neighbour advertisements for each container that comes up (Docker's `advertise_addr_nmsgs` and
 * `advertise_addr_ms`). The first is sent before the call ends, the others as long as the host is open.
 */
export interface AdvertiseOptions {
  /** How often, 0 to 3; 0 is never. Default: 3. */
  readonly count?: number | undefined
  /** Milliseconds between, 100 to 2000. Default: 1000. */
  readonly interval?: number | undefined
}

/** Options of {@link BridgeHost.createNetwork}. */
export interface NetworkOptions {
  /** The network's name, and its bridge's: 1 to 15 bytes. */
  readonly name: string
  /** The pool, `172.20.0.0/16`: short for one entry of `pools`. Default: the first of Docker's default pools that is free. */
  readonly subnet?: string | undefined
  /** Of `subnet`. */
  readonly gateway?: string | undefined
  /** Of `subnet`: see {@link PoolOptions.defaultGateway}. */
  readonly defaultGateway?: string | undefined
  /** Of `subnet`. */
  readonly range?: string | undefined
  /** Of `subnet`. */
  readonly exclude?: PoolOptions['exclude']
  /** Several pools, of either family, in the order in which they are used. Instead of `subnet`. */
  readonly pools?: readonly PoolOptions[] | undefined
  /** Whether containers get IPv4 addresses. Default: true. */
  readonly ipv4?: boolean | undefined
  /** Whether they get IPv6 addresses; without an IPv6 pool, of a unique local one (RFC 4193). Default: if a pool is IPv6. */
  readonly ipv6?: boolean | undefined
  /** Inter-container communication: whether containers of this network reach each other unlinked. Default: true. */
  readonly icc?: boolean | undefined
  /** Whether the network has no way out and none in. Default: false. */
  readonly internal?: boolean | undefined
  /** See {@link Isolation}. Default: `default`. */
  readonly isolation?: Isolation | undefined
  /** See {@link GatewayMode}; one for both families or one for each. Default: `nat`. */
  readonly gatewayMode?:
    | GatewayMode
    | { readonly ipv4?: GatewayMode | undefined; readonly ipv6?: GatewayMode | undefined }
    | undefined
  /** Whether containers go out under the host's address, in the nat modes. Default: true. */
  readonly masquerade?: boolean | MasqueradeOptions | undefined
  /** Interfaces of the host from which published ports are reached by the container's own address. Default: none. */
  readonly trustedInterfaces?: readonly string[] | undefined
  /** Whether they are from every interface (Docker's `allow-direct-routing`). Default: false. */
  readonly allowDirectRouting?: boolean | undefined
  /**
   * The address of the host that its containers' ports are published on where a publication names none (Docker's
   * `host_binding_ipv4`): `127.0.0.1`, or `0.0.0.0` or `::` for every one of a family. Default: that of {@link HostOptions}.
   */
  readonly hostBinding?: string | undefined
  /**
   * The kernel's helpers for connections of its containers outward, to the port that the protocol has by itself (`ftp`: tcp/21).
   * Default: none.
   */
  readonly helpers?: readonly HelperName[] | undefined
  /** See {@link LinkMode}. Default: `stateful`. */
  readonly linkMode?: LinkMode | undefined
  /**
   * Whether what passes between its containers is judged with connection tracking: every frame passes br_netfilter and the kernel's
   * IP rules, and a neighbour that comes by a published port is seen under its own address. Default: false; true where `adopt` finds a bridge.
   */
  readonly tracking?: boolean | undefined
  /** MTU of the bridge and of the containers' interfaces, 576 (IPv6: 1280) to 65535. Default: that of the way out. */
  readonly mtu?: number | undefined
  /** Further routes of its containers. Default: none. */
  readonly routes?: readonly RouteOptions[] | undefined
  /** Whether its containers get a default route (netavark's `no_default_route`, CNI's `isDefaultGateway`). Default: true. */
  readonly defaultRoute?: boolean | undefined
  /** How addresses of containers that come up are announced: see {@link AdvertiseOptions}. Default: once, where somebody may know another MAC. */
  readonly advertise?: AdvertiseOptions | undefined
  /** Metric of its containers' default routes, 1 to 4294967295; the next that is free in a container. Default: by `priority`. */
  readonly metric?: number | undefined
  /**
   * Whether a bridge of this name that exists is used; it is never deleted then. Its own addresses are the default of pools
   * and gateway. Default: false.
   */
  readonly adopt?: boolean | undefined
  /** Data of the runtime's own, texts by names, that comes back after a restart; see {@link Network.labels}. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /**
   * Over how many bridges the network lies, 1 to 64: a bridge takes 1,023 containers. The pools are split among them and
   * the host routes between them. Default: 1.
   */
  readonly bridges?: number | undefined
}

/** What {@link Network.update} changes while containers run. */
export interface NetworkUpdate {
  readonly icc?: boolean | undefined
  /** See {@link NetworkOptions.tracking}. */
  readonly tracking?: boolean | undefined
  /** Instead of all labels that it has: `{}` leaves none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** How much of connection tracking, which all share, a container may have. */
export interface ConnectionLimitOptions {
  /**
   * How many connections of each of its addresses the host tracks at once, 1 to 4294967295: to the host, outside, and in by published ports;
   * within a network those of one with `tracking: true`. Further ones are dropped. `unlimited`: not counted. Default: a sixteenth of what
   * the kernel has room for (net.netfilter.nf_conntrack_max).
   */
  readonly maxConnections?: number | 'unlimited' | undefined
  /** How many of them begin in a second, 1 to 4294967295. Default: as many as like. */
  readonly newConnectionsPerSecond?: number | undefined
}

/** What {@link Container.update} changes. What is left out stays. */
export interface ContainerUpdate extends ConnectionLimitOptions {
  /** Instead of all labels that it has: `{}` leaves none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** Options of {@link BridgeHost.addPeer}: another host's container subnet. */
export interface PeerOptions {
  /** `172.18.0.0/16`. */
  readonly subnet: string
  /** The other host's address. */
  readonly via?: string | undefined
  /** The interface towards it. Default: the kernel's choice, by `via`. */
  readonly device?: string | undefined
}

/** A container by its name, full id or short id, or the {@link Container} itself. */
export type ContainerReference = string | { readonly id: string }

/** A link as `name`, `name:alias`, a {@link Container}, or an object. */
export type LinkOption =
  | ContainerReference
  | { readonly container: ContainerReference; readonly alias?: string | undefined }

/**
 * A line of a hosts file, as Docker's `--add-host`: `db.example.com:192.0.2.7`, `db=2001:db8::7`, or an object. The address
 * `host-gateway` is the host's, by which the container reaches it: the gateway of the network that its way out goes by.
 */
export type AddHostOption = string | { readonly name: string; readonly address: string }

/**
 * A published port as Docker writes it, or an object. `8080:80` is port 8080 of every address of the host, `0.0.0.0:8080:80` of
 * every IPv4 address, `[::]:8080:80` of every IPv6 address, `127.0.0.1:8080:80/tcp` of one; `8000-8009:80-89/udp` are ports one to
 * one, `8000-8009:80` is the first that is free, `80` (or 80) or `127.0.0.1::80` any free one of the host's dynamic ports
 * (net.ipv4.ip_local_port_range).
 */
export type PublishOption = string | number | PublishOptions

/** A port that is exposed: `80/tcp`, `53/udp`, `8000-8010`, 80. */
export type ExposeOption = string | number

/** A published port as an object. */
export interface PublishOptions extends PublicationOptions {
  /**
   * The kernel's helper for a protocol that names further connections within its own: they are let in and out, and translated as
   * it is. Default: none.
   */
  readonly helper?: HelperName | undefined
}

/** Helpers of connection tracking (nf_conntrack_ftp …). `sip` is for udp and tcp, `tftp` and `amanda` for udp, the others for tcp. */
export type HelperName = 'ftp' | 'irc' | 'sip' | 'tftp' | 'amanda' | 'sane'

/** Limits of one direction. */
export interface BandwidthLimit {
  /** Bits per second. */
  readonly rate: number
  /** Bytes that may pass at once. Default: a hundredth of a second of the rate, at least 10 packets. */
  readonly burst?: number | undefined
}

/** A container's limits, seen from the container. */
export interface BandwidthOptions {
  /** Towards the container. Default: none. */
  readonly ingress?: BandwidthLimit | undefined
  /** From the container. Default: none. */
  readonly egress?: BandwidthLimit | undefined
}

/** How a container is on one network. */
export interface EndpointOptions {
  /** An IPv4 address of a pool. Default: the next one that was never used, then the one that is free the longest. */
  readonly address?: string | undefined
  /** The same for IPv6. */
  readonly ipv6Address?: string | undefined
  /**
   * Several addresses of pools on one bridge, of either family, up to 64, instead of `address` and `ipv6Address` (netavark's
   * `static_ips`, CNI's `ips`). The first of a family is the one that hosts lines and published ports have, and that IPv4 sends from
   * (of IPv6 the kernel chooses for each destination, RFC 6724); links open all. A family without one gets one. Default: none.
   */
  readonly addresses?: readonly string[] | undefined
  /**
   * Link-local addresses beside those (Docker's `--link-local-ip`), up to 64: `169.254.10.5`, `fe80::5`. They are known on the bridge alone,
   * and no link opens them. Default: none of IPv4, that of the MAC of IPv6.
   */
  readonly linkLocalAddresses?: readonly string[] | undefined
  /** Default: derived from the address, `02:42:` and its four bytes. */
  readonly mac?: string | undefined
  /** The interface's name in the container, which has none of that name. Default: `eth0`, or the first `ethN` that it has not, from whomever. */
  readonly interfaceName?: string | undefined
  /**
   * The name of its other end, on the host, which has none of that name (netavark's `host_interface_name`): 1 to 15 bytes. Default: `veth`
   * and eleven hexadecimal digits.
   */
  readonly hostInterfaceName?: string | undefined
  /**
   * MTU of the interface in the container, 576 (IPv6: 1280) to that of the network. What is larger does not come in. Default: that of
   * the network.
   */
  readonly mtu?: number | undefined
  /**
   * Settings of the interface in the container, below `net.ipv4.conf`, `net.ipv6.conf`, `net.ipv4.neigh` and `net.ipv6.neigh`, with `IFNAME`
   * for its name: `{ 'net.ipv4.conf.IFNAME.log_martians': 1 }`. Written before it has addresses. Default: the kernel's.
   */
  readonly sysctls?: Readonly<Record<string, string | number>> | undefined
  /** Further names that it has in the hosts files of containers that are linked to it, on this network. Default: none. */
  readonly aliases?: readonly string[] | undefined
  /** The container's default route goes by its network of the highest priority, -1000 to 1000. Default: 0. */
  readonly priority?: number | undefined
  /** Metric of its default route by this network, 1 to 4294967295, instead of `priority`. Default: that of the network, or by priority. */
  readonly metric?: number | undefined
  /** Whether it has a default route by this network. Default: as the network says. */
  readonly defaultRoute?: boolean | undefined
  /** Further routes by this network, beside the network's. Default: none. */
  readonly routes?: readonly RouteOptions[] | undefined
  /** Limits of its bandwidth. Default: none. */
  readonly bandwidth?: BandwidthOptions | undefined
  /** Whether it may send from addresses that it was not given (routers, nested bridges). Default: false. */
  readonly allowForgedSource?: boolean | undefined
}

/** Options of {@link Container.connect}. */
export interface ConnectOptions extends EndpointOptions {
  /**
   * The container's namespace. Default: the `Namespace` that it was attached with, if it is open, or the path. One that was given
   * by a process id or a descriptor, or to another process, must be given again.
   */
  readonly netns?: NamespaceSource | undefined
  /** Further containers that it may reach. Default: none. */
  readonly links?: readonly LinkOption[] | undefined
}

/** Options of {@link Container.start}. */
export interface StartOptions {
  /** The container's namespace. Default: as {@link ConnectOptions.netns}. */
  readonly netns?: NamespaceSource | undefined
}

/** Options of {@link Network.attach}. */
export interface ContainerOptions extends EndpointOptions, ConnectionLimitOptions {
  /**
   * The container's network namespace: a path (`/run/netns/web`), `{ pid }`, `{ fd }` or a `Namespace`. A `Namespace` is kept, and the
   * namespace with it, while the container is attached and until it is closed; whatever else is given keeps no namespace.
   */
  readonly netns: NamespaceSource
  /** Unique on the host. Default: an adjective and a surname, `brave_lovelace`. */
  readonly name?: string | undefined
  /**
   * Unique on the host, and nobody else's name: 1 to 255 printable characters, spaces only within (`k8s.io/web-0`). Its first 12 are the
   * short id, by which it is found where no other begins so. In the text form of a link it can have no `:`; in the object form it can.
   * Default: 64 random characters of `0-9a-f`.
   */
  readonly id?: string | undefined
  /**
   * The name that the container calls itself. It is no key: links are not found by it. Default: the short id, of 12 to 64 characters of
   * `0-9a-f`; of any other id the whole, at most 63 characters, `-` standing for those that a host name can't have.
   */
  readonly hostname?: string | undefined
  /** What follows `hostname` in its full name: `example.com`. Default: none, or what `hostname` has behind its first dot. */
  readonly domainname?: string | undefined
  /** Further lines of its hosts file: see {@link AddHostOption}. Default: none. */
  readonly addHosts?: readonly AddHostOption[] | undefined
  /** Ports that links to this container open: `80/tcp`, `53/udp`, `8000-8010`. Default: none. */
  readonly expose?: readonly ExposeOption[] | undefined
  /** Ports of the host that lead to this container. Default: none. */
  readonly publish?: readonly PublishOption[] | undefined
  /**
   * Whether each port of `expose` that `publish` does not name is published as well, on any free one of the host's dynamic ports
   * (Docker's `-P`). What is exposed later is not. Default: false.
   */
  readonly publishAll?: boolean | undefined
  /** Containers that this one may reach: see {@link LinkOption}. Default: none. */
  readonly links?: readonly LinkOption[] | undefined
  /**
   * A file that holds the lines of the container's `hostsText`, kept up to date between two comments; other lines of it stay. It is
   * replaced as a whole, never half written, and made where it is missing. No symbolic link: whoever has its directory could lead us
   * elsewhere by one. Default: none.
   */
  readonly hostsFile?: string | undefined
  /** Data of the runtime's own, texts by names, that comes back after a restart; see {@link Container.labels}. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** Options of {@link BridgeHost.addHostContainer}. */
export interface HostContainerOptions {
  /** As that of {@link ContainerOptions}. */
  readonly name?: string | undefined
  /** As that of {@link ContainerOptions}. */
  readonly id?: string | undefined
  /** As those of {@link ContainerOptions}. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}
