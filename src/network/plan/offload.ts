/** Which connections may go past the hooks, and between which devices. */
import { Cidr } from '../../address/index.js'
import type { Chain, ListedObject } from '../../nft/index.js'
import type { Link, Route } from '../../rtnl/index.js'
import type { OffloadOption } from '../options.js'

/** What is decided from. */
export interface OffloadFacts {
  readonly option: OffloadOption
  /** Whether there are rules in the users' chains. */
  readonly userRules: boolean
  /** What listings have of base chains. */
  readonly chains: readonly ListedObject[]
  /** The name of our tables. */
  readonly table: string
  /** Tables of the former iptables. */
  readonly legacyTables: readonly string[]
}

/** As many devices a flowtable takes (NFT_NETDEVICE_MAX). */
const MOST_DEVICES = 256

/** Every interface with IPv6 has routes to these, whether it leads anywhere or not. */
const ON_LINK = [Cidr.parse('fe80::/10'), Cidr.parse('ff00::/8')]

/** Why somebody must see every packet; undefined where nobody must. */
export function reasonAgainstOffload(facts: OffloadFacts): string | undefined {
  if (facts.option === false) return 'offload is false'
  if (facts.option === true) return undefined
  if (facts.userRules) return 'there are rules of the users, which must see every packet'
  const [chain] = facts.chains.flatMap((object) =>
    'chain' in object && seesForwarded(object.chain, facts.table) ? [object.chain] : [],
  )
  if (chain)
    return `the chain ${chain.name} of table ${chain.family} ${chain.table} (hook ${chain.hook}) is another program's, and must see every packet`
  const [legacy] = facts.legacyTables.filter((name) => !name.endsWith('nat'))
  if (legacy !== undefined)
    return `there are tables of the former iptables (${legacy}), whose rules must see every packet`
  return undefined
}

/**
 * Whether a chain of others sees the packets of forwarded connections that stand. Translation chains see the first one alone, which is
 * never offloaded.
 */
function seesForwarded({ family, table, name, type, hook }: Chain, own: string): boolean {
  if (hook !== 'prerouting' && hook !== 'forward' && hook !== 'postrouting') return false
  if (type === 'nat' || (family !== 'ip' && family !== 'ip6' && family !== 'inet')) return false
  return !(family === 'inet' && table === own && name === hook)
}

/** Whether packets leave by a route: it is no address of the host, and no matter of a link alone. */
export function mayLeadOut({ type, destination }: Pick<Route, 'type' | 'destination'>): boolean {
  return type === 'unicast' && !ON_LINK.some((each) => each.contains(destination.network))
}

/**
 * The devices between which connections go past the hooks: those that routes of the host, of whatever table, lead out by, and our
 * bridges behind them.
 * @param bridges ours, be they there or not
 */
export function offloadDevices(
  links: readonly Link[],
  routes: readonly Route[],
  bridges: readonly string[],
): Link[] {
  const out = new Set(routes.filter(mayLeadOut).flatMap(devicesOf))
  const ways = links.filter(({ index, name }) => out.has(index) && name !== 'lo' && !bridges.includes(name))
  const ours = links.filter(({ name }) => bridges.includes(name))
  return [...ways, ...ours].slice(0, MOST_DEVICES)
}

function devicesOf({ device, nexthops = [] }: Route): number[] {
  return [...(device === undefined ? [] : [device]), ...nexthops.map((nexthop) => nexthop.device)]
}
