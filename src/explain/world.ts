/** What a journey leads through: the host, the machines behind it, and where it ends. */
import type { Hook } from '../nft/index.js'
import type { Link } from '../rtnl/index.js'
import type { Packet } from './packet.js'
import type { NamespaceState } from './state.js'
import type { Step } from './trace.js'

/** The namespaces that a packet can come to. */
export interface World {
  readonly host: NamespaceState
  /** The namespaces, other than the host's, that may have an address; what they have is read from their kernels. */
  machines(address: string): Promise<readonly NamespaceState[]>
  /** Who should have an address, by name; undefined: nobody. Without it, it is any that may have it. */
  owner?(address: string): string | undefined
  /** Whether it is known who is behind a port of a bridge. Without it, it is of every one. */
  isKnownPort?(port: Link): boolean
  /** Whether a rule or policy belongs to a table of the caller's; others are named as foreign. */
  isOwn?(step: Pick<Step, 'family' | 'table'>): boolean
}

/** Where a packet came to. `outside`: it left the host by a link behind which nobody is known. */
export interface Arrival {
  readonly at: NamespaceState | 'outside'
  readonly packet: Packet
  /** Of `outside`: the link. */
  readonly by?: Link
}

/** What let a packet pass, where, and the packet as it was then. */
export interface Allowance {
  readonly namespace: string
  readonly hook: Hook
  readonly step: Step
  readonly packet: Packet
}
