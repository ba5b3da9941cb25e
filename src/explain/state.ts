/** The state of one namespace's network: what an explanation is computed from. */
import { parseAddress } from '../address/index.js'
import type {
  Address,
  FdbEntry,
  Link,
  Neighbour,
  Route,
  RouteDecision,
  RouteLookup,
  RoutingRule,
} from '../rtnl/index.js'
import type { AskedRoute, Environment } from './environment.js'
import type { Evaluator } from './evaluate.js'
import { decideRoute, devicesOf, longestMatch } from './routing-policy.js'

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
  /** The routing policy database: which table decides about what. */
  readonly rules: readonly RoutingRule[]
  readonly neighbours: readonly Neighbour[]
  readonly fdb: readonly FdbEntry[]
  readonly evaluator: Evaluator
  /** What the kernel decides about a packet's way (RTM_GETROUTE). */
  lookup(question: RouteLookup): Promise<RouteDecision>
  /** A setting; undefined where the kernel has none of that name. */
  sysctl(name: string): Promise<string | undefined>
}

/** What of {@link NamespaceState} is listed. */
export type Listed = Pick<NamespaceState, 'links' | 'addresses' | 'routes' | 'rules'>

export function linkByIndex({ links }: Pick<Listed, 'links'>, index: number | undefined): Link | undefined {
  return index === undefined ? undefined : links.find((link) => link.index === index)
}

/** Whether an address is one of the namespace's own. */
export function hasAddress(
  { addresses }: Pick<Listed, 'addresses'>,
  text: string,
  device?: Pick<Link, 'index'>,
): boolean {
  // To write them all as text would cost more than all of the rules.
  const address = parseAddress(text)
  return addresses.some(
    (each) =>
      each.family === address.family &&
      (device === undefined || each.device === device.index) &&
      each.address.address.equals(address),
  )
}

/** The rest of the namespace, for rules that ask for it. */
export function environmentOf(state: Listed): Environment {
  return {
    addressType: (address, device) => addressType(state, address, device),
    deviceTowards: (address, asked) => deviceTowards(state, address, asked),
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

/** As `fib_lookup` decides it: by the rules, and by no route to the namespace itself. */
function deviceTowards(state: Listed, address: string, asked: AskedRoute = {}): Link | null {
  const { device, inputDevice, ...flow } = asked
  const found = decideRoute(state, {
    destination: address,
    ...flow,
    ...(inputDevice && { inputDevice: inputDevice.name }),
  })
  const route = found?.route
  if (route === undefined || route.type !== 'unicast') return null
  const ways = devicesOf(route)
  const way = device !== undefined && ways.includes(device.index) ? device.index : ways[0]
  return linkByIndex(state, way) ?? null
}

/**
 * For IPv4 the first primary address in the network of the next hop, else the first (inet_select_addr); of another device where
 * this one has none. For IPv6 the one that has most in common with the destination (RFC 6724, rule 8).
 */
function deviceAddress(
  { addresses }: Listed,
  device: Link,
  family: 'ip' | 'ip6',
  towards: string,
): string | undefined {
  const number = family === 'ip' ? 4 : 6
  const usable = addresses.filter(
    (each) => each.family === number && each.scope === 'universe' && isPreferred(each),
  )
  const own = usable.filter((each) => each.device === device.index)
  if (number === 6) {
    const bits = parseAddress(towards).bytes
    const common = ({ address }: Address): number => commonBits(address.address.bytes, bits)
    return own.toSorted((one, other) => common(other) - common(one))[0]?.address.address.toString()
  }
  const destination = parseAddress(towards)
  const near = own.find(({ address }) => address.contains(destination))
  return (near ?? own[0] ?? usable[0])?.address.address.toString()
}

/** IFA_F_SECONDARY (IPv6: temporary) and IFA_F_DEPRECATED of linux/if_addr.h. */
const NOT_PREFERRED = 0x01 | 0x20

function isPreferred({ flags, tentative, duplicate }: Address): boolean {
  return (flags & NOT_PREFERRED) === 0 && !tentative && !duplicate
}

function commonBits(one: Uint8Array, other: Uint8Array): number {
  for (const [index, byte] of one.entries()) {
    const difference = byte ^ (other[index] ?? 0)
    if (difference !== 0) return index * 8 + Math.clz32(difference) - 24
  }
  return one.length * 8
}
