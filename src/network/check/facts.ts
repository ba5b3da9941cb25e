/** What findings are computed from: the kernel's state beside what should stand. */
import type { NamespaceState } from '../../explain/index.js'
import type { Ruleset } from '../../nft/index.js'
import type { ForwardPolicy } from '../options.js'
import type { SetElement } from '../plan/elements.js'
import type { Registry } from '../plan/registry.js'
import type { RulesetConditions } from '../rules/standing.js'

export interface CheckFacts {
  readonly state: NamespaceState
  /** The name of our tables. */
  readonly table: string
  /** All that is in tables of our name. */
  readonly tables: Ruleset
  /** What the rules that stand were made for. */
  readonly conditions: RulesetConditions
  /** What our sets hold of the bridges of other hosts in the namespace. */
  readonly ofOthers: readonly SetElement[]
  /** Gateways that other machines on adopted bridges are. */
  readonly gatewaysOfOthers: readonly string[]
  readonly registry: Registry
  readonly settings: {
    readonly firewall: boolean
    readonly ipForward: boolean
    readonly forwardPolicy: ForwardPolicy
  }
  /** Names of the tables of the former iptables (x_tables), which nf_tables does not list: `filter`, `ip6 nat`. */
  readonly legacyTables: readonly string[]
  /** `net.core.netdev_max_backlog`, which the machine has once for all namespaces; undefined: it can't be read. */
  readonly backlog: number | undefined
}
