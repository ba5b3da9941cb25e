/** What `host.explain` is asked and what it answers. */
import type { NamespaceSource } from '../../netns/index.js'
import type { Container } from '../container.js'

/**
 * One end of a connection: a container by name, full id, short id or object; `host`; or an IP address: a container's, one of
 * the host's, or one outside.
 */
export type ExplainParty = string | Pick<Container, 'id'>

/** A connection to explain; see `BridgeHost.explain`. */
export interface ExplainOptions {
  /** Who begins the connection. */
  readonly from: ExplainParty
  /** Who is asked. An address of the host with a published port means the container behind it. */
  readonly to: ExplainParty
  /** The port that is asked for: 80, or with its protocol as `expose` has it, `80/tcp`. Needed for all but icmp, which has none. */
  readonly port?: number | string
  /** The port that it is sent from. Default: one of those that the sender's kernel chooses from. */
  readonly sourcePort?: number | string
  /** Default: that of `port`, or `tcp`; `icmp` is an echo request, in IPv6 as well. */
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | 'icmp'
  /** Where both ends have IPv4 and IPv6. Default 4 if both have it. */
  readonly family?: 4 | 6
  /** For a sender outside: the host's interface that its packets come in by. Default: the one that leads back to it. */
  readonly device?: string
  /**
   * Namespaces of containers that were attached by something else than a path or a `Namespace` that is open, by name or id: so
   * that what is inside is looked at. Where a namespace can't be opened, the inside is taken to be as it was configured.
   */
  readonly namespaces?: Readonly<Record<string, NamespaceSource>>
}

/** What decided about the packet. */
export interface ExplainReason {
  /**
   * `rule`, `element`, `policy`: of our own tables; `user-rule`: one of `host.userRules`; `foreign-chain`: of another table;
   * `route`, `sysctl`, `address`, `link`: what is missing or in the way beside rules; `container`: it does not run;
   * `translation`: the answer comes from another address than was asked; `delivered`: nothing stood in the way; `unknown`: it
   * hangs on what can't be known beforehand.
   */
  readonly kind:
    | 'rule'
    | 'element'
    | 'policy'
    | 'user-rule'
    | 'foreign-chain'
    | 'route'
    | 'sysctl'
    | 'address'
    | 'link'
    | 'container'
    | 'translation'
    | 'delivered'
    | 'unknown'
  /** Where: a container's name, or `the host`. */
  readonly namespace: string
  /** The hook of netfilter: `forward`, `prerouting` … */
  readonly hook?: string
  /** `inet nfbridge` */
  readonly table?: string
  readonly chain?: string
  /** The rule as nft prints it. */
  readonly rule?: string
  readonly handle?: number
  /** The set or map that the rule looked into, `@links`. */
  readonly set?: string
  readonly element?: string
  /** Name of the setting, the interface, the address or the destination. */
  readonly name?: string
  /** What that is: the setting's value, `down`, `no-route` … */
  readonly value?: string
}

/** One stage of the packet's way, or its answer's. */
export interface ExplainStep {
  readonly namespace: string
  readonly direction: 'original' | 'reply'
  readonly text: string
  /** The rules that took effect there, as nft prints them, with what they did. */
  readonly rules?: readonly string[]
}

/** The answer of `BridgeHost.explain`: JSON as it is. */
export interface HostExplanation {
  /**
   * Whether a new connection's first packet comes to the one who has the address and its answer comes back; not whether
   * anybody listens there. `unknown`: it hangs on something that rules ask and that can't be known beforehand.
   */
  readonly reached: boolean | 'unknown'
  /** Where it arrives: the source address that is seen there. */
  readonly seen?: string
  /** Who gets it, behind all translation: a container's name, `the host`, or `outside`: it leaves the host. */
  readonly target?: { readonly namespace: string; readonly address: string; readonly port?: number }
  /** One sentence: what decided. */
  readonly because: string
  /** One sentence: what would change it; absent where it arrives. */
  readonly remedy?: string
  readonly decisive: ExplainReason
  readonly steps: readonly ExplainStep[]
  /** Containers whose inside could not be looked at, and was taken to be as it was configured. */
  readonly assumed: readonly string[]
}
