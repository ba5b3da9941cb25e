/** The state of one namespace's network: what an explanation is computed from. */
import { parseAddress } from '../address/index.js'
import type { Address, FdbEntry, Link, Neighbour, Route, RouteDecision, RouteLookup } from '../rtnl/index.js'
import type { Environment } from './environment.js'
import type { Evaluator } from './evaluate.js'

/** What the kernel says of one namespace, and two questions to it. */
export interface NamespaceState {
  /** How sentences call it: `the host`, `web`. */
  readonly name: string
  /** Of the ruleset (NFTA_GEN_ID): all that is here was read while it was this. */
  readonly generation: number
  readonly links: readonly Link[]
  readonly addresses: readonly Address[]
  /** Those of all tables. */
  readonly routes: readonly Route[]
  readonly neighbours: readonly Neighbour[]
  readonly fdb: readonly FdbEntry[]
  readonly evaluator: Evaluator
  /** What the kernel decides about a packet's way (RTM_GETROUTE). */
  lookup(question: RouteLookup): Promise<RouteDecision>
  /** A setting; undefined where the kernel has none of that name. */
  sysctl(name: string): Promise<string | undefined>
}

/** What of {@link NamespaceState} is listed. */
export type Listed = Pick<NamespaceState, 'links' | 'addresses' | 'routes'>

export function linkByIndex({ links }: Pick<Listed, 'links'>, index: number | undefined): Link | undefined {
  return index === undefined ? undefined : links.find((link) => link.index === index)
}

/** Whether an address is one of the namespace's own. */
export function hasAddress({ addresses }: Pick<Listed, 'addresses'>, text: string): boolean {
  // To write them all as text would cost more than all of the rules.
  const address = parseAddress(text)
  return addresses.some((each) => each.family === address.family && each.address.address.equals(address))
}

/** The rest of the namespace, for rules that ask for it. */
export function environmentOf(state: Listed): Environment {
  return {
    addressType: (address, device) => addressType(state, address, device),
    deviceTowards: (address) => deviceTowards(state, address),
    deviceAddress: (device, family, towards) => deviceAddress(state, device, family, towards),
    linkNamed: (name) => state.links.find((link) => link.name === name),
  }
}

/** As `inet_dev_addr_type` does it for IPv4: by the table `local`. IPv6 asks all tables (nft_fib_ipv6.c). */
function addressType({ routes, links }: Listed, text: string, device: Link | undefined): string | undefined {
  const address = parseAddress(text)
  if (address.family === 4) {
    if (text.startsWith('0.') || text === '255.255.255.255') return 'broadcast'
    if (/^2(2[4-9]|3\d)\./.test(text)) return 'multicast'
  } else if (/^ff/i.test(text)) return 'multicast'
  const found = longestMatch(
    routes.filter(
      (route) =>
        (address.family === 6 || route.table === 'local') &&
        (device === undefined || route.device === undefined || route.device === device.index),
    ),
    text,
  )
  if (found !== undefined) return typeof found.type === 'string' ? found.type : undefined
  if (address.family === 6) return 'unreachable'
  return links.length === 0 ? undefined : 'unicast'
}

function deviceTowards(state: Listed, address: string): Link | null | undefined {
  const local = longestMatch(
    state.routes.filter(({ table }) => table === 'local'),
    address,
  )
  const found =
    local ??
    longestMatch(
      state.routes.filter(({ table }) => table === 'main' || table === 'default'),
      address,
    )
  if (found === undefined || found.type === 'unreachable' || found.type === 'blackhole') return null
  return linkByIndex(state, found.device ?? found.nexthops?.[0]?.device)
}

/** The route with the longest prefix, of those the one with the lowest metric. */
export function longestMatch(routes: readonly Route[], text: string): Route | undefined {
  const address = parseAddress(text)
  let best: Route | undefined
  for (const route of routes) {
    if (!route.destination.contains(address)) continue
    const longer = route.destination.prefixLength - (best?.destination.prefixLength ?? -1)
    if (longer > 0 || (longer === 0 && (route.metric ?? 0) < (best?.metric ?? 0))) best = route
  }
  return best
}

/** The first address of the device in the network of the destination, else its first (inet_select_addr). */
function deviceAddress(
  { addresses }: Listed,
  device: Link,
  family: 'ip' | 'ip6',
  towards: string,
): string | undefined {
  const number = family === 'ip' ? 4 : 6
  const own = addresses.filter(
    (each) => each.device === device.index && each.family === number && each.scope === 'universe',
  )
  const destination = parseAddress(towards)
  const near = own.find(({ address }) => address.contains(destination))
  return (near ?? own[0])?.address.address.toString()
}
