import type { PublicationOptions } from '../address/index.js'
import type { NamespaceSource } from '../netns/index.js'

/** Options of {@link BridgeHost.open}. */
export interface HostOptions {
  /** The network namespace that plays the host. Default: the caller's own. */
  readonly netns?: NamespaceSource | undefined
  /**
   * Whether a first network turns `net.ipv4.ip_forward` on when it is 0 (Docker's `ip-forward`). What was turned on
   * is turned off again with the last network; what was on stays on. With `false` it is never written. Default: true.
   */
  readonly ipForward?: boolean | undefined
  /** Whether rules are made at all (Docker's `iptables`). With `false` not one rule is changed. Default: true. */
  readonly firewall?: boolean | undefined
  /**
   * A directory that remembers networks and containers beyond this process, so that another `open` adopts them.
   * It is created when missing. Without it, what is open at `close` stays in the kernel but can't be adopted.
   */
  readonly state?: string | undefined
}

/** Options of {@link BridgeHost.createNetwork}. */
export interface NetworkOptions {
  /** The network's name, and its bridge's: 1 to 15 bytes. */
  readonly name: string
  /** The pool, `172.20.0.0/16`. Default: the first of Docker's default pools that no other network overlaps. */
  readonly subnet?: string | undefined
  /** The bridge's own address and the containers' default route. Default: the subnet's first address. */
  readonly gateway?: string | undefined
  /** Inter-container communication: whether containers of this network reach each other unlinked. Default: true. */
  readonly icc?: boolean | undefined
  /** MTU of the bridge and of the containers' interfaces, 576 to 65535. Default: the kernel's (1500). */
  readonly mtu?: number | undefined
}

/** A link as `name`, `name:alias`, or an object. The container is named by name, full id or short id. */
export type LinkOption = string | { readonly container: string; readonly alias?: string | undefined }

/** A published port as Docker writes it (`8080:80`, `127.0.0.1:8080:80/tcp`, `8000-8009:80-89/udp`), or an object. */
export type PublishOption = string | PublicationOptions

/** Options of {@link Network.attach}. */
export interface ContainerOptions {
  /** The container's network namespace: a path (`/run/netns/web`), `{ pid }`, `{ fd }` or a `Namespace`. */
  readonly netns: NamespaceSource
  /** Unique on the host. Default: the short id. */
  readonly name?: string | undefined
  /** 12 to 64 characters of `0-9a-f`, unique on the host. Default: 64 random ones. Its first 12 are the short id. */
  readonly id?: string | undefined
  /** The name that the container calls itself. Default: the short id. It is no key: links are not found by it. */
  readonly hostname?: string | undefined
  /** An address of the pool. Default: the next one that was never used, then the one that is free the longest. */
  readonly address?: string | undefined
  /** Default: derived from the address, `02:42:` and its four bytes. */
  readonly mac?: string | undefined
  /** The interface's name in the container. Default: `eth0`. */
  readonly interfaceName?: string | undefined
  /** Ports that links to this container open: `80/tcp`, `53/udp`, `8000-8010`. Default: none. */
  readonly expose?: readonly (string | number)[] | undefined
  /** Ports of the host that lead to this container. Default: none. */
  readonly publish?: readonly PublishOption[] | undefined
  /** Containers that this one may reach: see {@link LinkOption}. Default: none. */
  readonly links?: readonly LinkOption[] | undefined
}
