/** Which base chains a family has (`man nft`, CHAINS): a wrong type, hook or name of a priority does not compile. */
import type { Family, Policy, PriorityName } from '../model/index.js'

export type InternetHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** A number, a name that the family has, or a name with an offset: `'dstnat - 5'`. */
export type PriorityOf<N extends PriorityName> = number | N | `${N} ${'+' | '-'} ${number}`

export type InternetPriority = PriorityOf<Exclude<PriorityName, 'out'>>

export interface BaseChainProperties<Type, Hook, Priority> {
  readonly type: Type
  readonly hook: Hook
  readonly prio: Priority
  /** Default: `accept`. */
  readonly policy?: Policy
  readonly comment?: string
}

/** Of `ip`, `ip6` and `inet`. */
export type InternetChain =
  | BaseChainProperties<'filter', InternetHook, InternetPriority>
  | BaseChainProperties<'nat', Exclude<InternetHook, 'forward'>, InternetPriority>
  | BaseChainProperties<'route', 'output', InternetPriority>

/** A chain that sees what comes and goes by some interfaces. */
export interface DeviceChain<Hook> extends BaseChainProperties<'filter', Hook, PriorityOf<'filter'>> {
  readonly dev: string | readonly string[]
}

export interface BaseChains {
  ip: InternetChain
  ip6: InternetChain
  inet: InternetChain | DeviceChain<'ingress'>
  arp: BaseChainProperties<'filter', 'input' | 'output', PriorityOf<'filter'>>
  bridge: BaseChainProperties<'filter', InternetHook, PriorityOf<'dstnat' | 'filter' | 'out' | 'srcnat'>>
  netdev: DeviceChain<'ingress' | 'egress'>
}

/** The base chains of a family. */
export type BaseChain<F extends Family> = BaseChains[F]
