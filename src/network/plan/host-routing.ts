import { Cidr, type IPAddress } from '../../address/index.js'
// Not from the folders' indexes, which load the addon: planning needs none.
import { isSuppressed, REFUSING, ruleText } from '../../explain/routing-policy.js'
import type { Route } from '../../rtnl/route.js'
import type { RoutingRule } from '../../rtnl/routing-rule.js'

/** Where the host's packets go: by which rules the kernel finds a table, and by which route of it the way. */
export interface HostRouting {
  /** In the order in which the kernel asks them. None: a kernel without rules, or tests; then `local` and `main` are asked. */
  readonly rules: readonly RoutingRule[]
  /** Those of all tables. */
  readonly routes: readonly Route[]
  /** The host's own addresses with their prefix lengths: what is directly connected. */
  readonly addresses: readonly Cidr[]
}

/** What keeps packets for a subnet from the bridge that it is to lie on. */
export interface Diversion {
  readonly subnet: Cidr
  /** The rule that leads them to another table; undefined where no rule leads to the table main. */
  readonly rule: RoutingRule | undefined
  /** The route that takes them there; undefined where the rule itself refuses them. */
  readonly route: Route | undefined
  /** Packets of every kind, or only those that the rule names by interface, source, user, protocol or port. */
  readonly of: 'all' | 'some'
}

/** A packet to an address of a subnet, as rules see it. */
interface Probe {
  /** Undefined: none yet. `anybody`: somebody's that no rule names. */
  readonly source: IPAddress | 'anybody' | undefined
  /** `lo`: the host sends it; undefined: it comes in by an interface that no rule names. */
  readonly input: 'lo' | undefined
}

/**
 * What takes packets for a subnet before the table `main` is asked, as fib_rules_lookup (net/core/fib_rules.c) does it. Three kinds
 * of packets stand for all: the host's own, before and after it chose its source address, and those that come from elsewhere.
 * Rules that name others (an interface, another source, a port) are looked at by themselves. Packets with a mark are not: who
 * marks them (a VPN its own) sends none to containers.
 * @param source an address of the host in the subnet: what the host sends from there
 * @param isOurs routes that lead to the bridge itself
 */
export function diversions(
  { rules, routes }: Pick<HostRouting, 'rules' | 'routes'>,
  subnet: Cidr,
  source: IPAddress = subnet.firstHost,
  isOurs: (route: Route) => boolean = () => false,
): Diversion[] {
  const own = rules.filter(({ family }) => family === subnet.family)
  if (own.length === 0) return []
  const probes: readonly Probe[] = [
    { source: undefined, input: 'lo' },
    { source, input: 'lo' },
    { source: 'anybody', input: undefined },
  ]
  const found = new Map<string, Diversion>()
  const seen = new Set<RoutingRule>()
  const put = (diversion: Diversion): void => {
    const { rule, route } = diversion
    found.set(`${rule?.priority} ${rule?.table} ${route?.destination} ${route?.metric}`, diversion)
  }
  for (const probe of probes) {
    const table = tableOfMain(own, subnet, probe, seen, (rule) => {
      const taken = takenBy(rule, routes, subnet, isOurs)
      if (taken !== 'passed' && taken !== 'ours') put({ subnet, rule, route: taken.route, of: 'all' })
      return taken !== 'passed' && (taken === 'ours' || taken.whole)
    })
    if (table === 'nowhere') put({ subnet, rule: undefined, route: undefined, of: 'all' })
  }
  // Behind one by which every packet finds main, no rule matters.
  const last = own.findIndex((rule) => isMain(rule, subnet) && isForEvery(rule, subnet))
  for (const rule of last < 0 ? own : own.slice(0, last)) {
    if (seen.has(rule) || !namesSome(rule, subnet) || isMain(rule, subnet)) continue
    const taken = takenBy(rule, routes, subnet, isOurs)
    if (taken !== 'passed' && taken !== 'ours') put({ subnet, rule, route: taken.route, of: 'some' })
  }
  return [...found.values()]
}

/** Walks the rules that match a packet, until one of them decides. */
function tableOfMain(
  rules: readonly RoutingRule[],
  subnet: Cidr,
  probe: Probe,
  seen: Set<RoutingRule>,
  decides: (rule: RoutingRule) => boolean,
): 'main' | 'decided' | 'nowhere' {
  for (let index = 0; index < rules.length; index += 1) {
    const rule = rules[index]
    if (!rule || !matches(rule, subnet, probe)) continue
    seen.add(rule)
    if (rule.action === 'goto') {
      const target = rules.findIndex(({ priority }) => priority === rule.goto)
      // The kernel follows only forward.
      if (target > index) index = target - 1
      continue
    }
    if (isMain(rule, subnet)) return 'main'
    if (decides(rule)) return 'decided'
  }
  return 'nowhere'
}

/** Whether a rule asks the table `main`, and takes from it a route to a bridge with the subnet. */
function isMain(
  { action, table, suppressPrefixLength, suppressInterfaceGroup }: RoutingRule,
  subnet: Cidr,
): boolean {
  if (action !== 'lookup' || table !== 'main') return false
  // Bridges of ours are in the kernel's default group.
  return (suppressPrefixLength ?? -1) < subnet.prefixLength && suppressInterfaceGroup !== 0
}

/** What a rule that matches does with packets for a subnet. */
function takenBy(
  rule: RoutingRule,
  routes: readonly Route[],
  subnet: Cidr,
  isOurs: (route: Route) => boolean,
): 'passed' | 'ours' | { readonly route: Route | undefined; readonly whole: boolean } {
  const { action, table, destination } = rule
  if (action === 'blackhole' || action === 'unreachable' || action === 'prohibit')
    return { route: undefined, whole: true }
  if (action !== 'lookup') return 'passed'
  const within = destination && !rule.not && subnet.contains(destination.network) ? destination : subnet
  const there = routes.filter(
    (route) => route.table === table && route.destination.overlaps(within) && !isSuppressed(rule, route),
  )
  const cover = effective(there.filter(({ destination: each }) => covers(each, within)))
  if (cover && isOurs(cover)) return 'ours'
  if (cover && cover.type !== 'throw') return { route: cover, whole: true }
  const part = there.find(
    (route) => !covers(route.destination, within) && route.type !== 'throw' && !isOurs(route),
  )
  return part ? { route: part, whole: false } : 'passed'
}

/** The route that the kernel takes of several that fit: the longest, of those the one with the lowest metric. */
export function effective(routes: readonly Route[]): Route | undefined {
  let best: Route | undefined
  for (const route of routes) {
    const longer = route.destination.prefixLength - (best?.destination.prefixLength ?? -1)
    if (longer > 0 || (longer === 0 && (route.metric ?? 0) < (best?.metric ?? 0))) best = route
  }
  return best
}

function covers(one: Cidr, other: Cidr): boolean {
  return one.prefixLength <= other.prefixLength && one.contains(other.network)
}

function matches(rule: RoutingRule, subnet: Cidr, probe: Probe): boolean {
  return isFor(rule, subnet, probe) !== rule.not
}

function isFor(rule: RoutingRule, subnet: Cidr, { source, input }: Probe): boolean {
  if (rule.destination && !rule.destination.overlaps(subnet)) return false
  if (namesSource(rule) && (typeof source !== 'object' || rule.source?.contains(source) !== true))
    return false
  if (rule.inputDevice !== undefined && rule.inputDevice !== input) return false
  return rule.outputDevice === undefined && isForUnmarked(rule) && !namesMore(rule)
}

/** A rule for some packets that none of the probes is like: by interface, source, user, protocol or port. */
function namesSome(rule: RoutingRule, subnet: Cidr): boolean {
  if (rule.destination && !rule.not && !rule.destination.overlaps(subnet)) return false
  const { l3mdev, tunId, tos, dscp } = rule.record
  // Packets of a VRF, of a tunnel, bound to an interface, or of a class of service are none to containers.
  if (l3mdev || tunId || tos || dscp !== undefined || rule.outputDevice !== undefined) return false
  return isForUnmarked(rule) && (namesSource(rule) || rule.inputDevice !== undefined || namesMore(rule))
}

function namesSource({ source }: RoutingRule): boolean {
  return source !== undefined && source.prefixLength > 0
}

function isForUnmarked({ mark, mask }: RoutingRule): boolean {
  return mark === undefined || (mark & (mask ?? 0xffff_ffff)) === 0
}

function namesMore({ record }: RoutingRule): boolean {
  const { uidRange, ipProto, sportRange, dportRange, l3mdev, tunId, tos, dscp } = record
  return (
    [uidRange, ipProto, sportRange, dportRange, dscp].some((each) => each !== undefined) ||
    Boolean(l3mdev || tunId || tos)
  )
}

function isForEvery(rule: RoutingRule, subnet: Cidr): boolean {
  return (
    !rule.not &&
    (rule.destination === undefined || covers(rule.destination, subnet)) &&
    !namesSource(rule) &&
    rule.inputDevice === undefined &&
    rule.outputDevice === undefined &&
    isForUnmarked(rule) &&
    !namesMore(rule)
  )
}

/** Shorter than any network that somebody has: such routes are the default route, written in parts. */
const SHORTEST = { 4: 8, 6: 7 } as const

/**
 * Whether a route says that somebody uses a subnet. A default route does not, be it in halves (`0.0.0.0/1` and `128.0.0.0/1`); nor
 * does one that refuses all of a private range (RFC 1918, RFC 4193) of which the subnet is a part: a bridge's own route is longer.
 */
function isUse({ destination, type }: Pick<Route, 'destination' | 'type'>, subnet: Cidr): boolean {
  if (!destination.overlaps(subnet) || destination.prefixLength < SHORTEST[subnet.family]) return false
  return !REFUSING.has(type) || destination.prefixLength >= subnet.prefixLength
}

/** Why a subnet is no pool on this host, in words that follow it: `overlaps 10.7.0.0/24, to which …`; undefined: it is one. */
export function obstacleOf(routing: HostRouting, subnet: Cidr): string | undefined {
  const { rules, routes, addresses } = routing
  const own = addresses.find((each) => each.overlaps(subnet))
  if (own) return `overlaps ${Cidr.of(own.network, own.prefixLength)}, to which the host has a route`
  const led = new Set<unknown>(['main'])
  for (const rule of rules)
    if (rule.family === subnet.family && rule.action === 'lookup' && isForUnmarked(rule) !== rule.not)
      led.add(rule.table)
  const route = routes.find(
    ({ table, ...route }) => led.has(table) && table !== 'local' && isUse(route, subnet),
  )
  if (route) {
    const where = route.table === 'main' ? '' : ` in the table ${route.table}`
    return `overlaps ${route.destination}, to which the host has a route${where}`
  }
  const taken = diversions(routing, subnet).find(({ of, rule }) => of === 'all' || isFromPool(rule, subnet))
  return taken && `${diversionText(taken)}; ${mainFirst(taken)} prevents that`
}

function isFromPool(rule: RoutingRule | undefined, subnet: Cidr): boolean {
  return rule?.source !== undefined && !rule.not && rule.source.overlaps(subnet)
}

/** What becomes of packets for a subnet, in words that follow it: `is led away by the routing rule 5270 (lookup 52), to default`. */
export function diversionText({ rule, route }: Diversion): string {
  if (!rule) return 'is not found, because no routing rule leads to the table main'
  const which = `the routing rule ${rule.priority} (${ruleText(rule)})`
  if (!route) return `is refused by ${which}`
  const { destination, type } = route
  const what = `${type === 'unicast' ? '' : `${type} `}${destination.prefixLength === 0 ? 'default' : destination}`
  return `is led away by ${which}, to ${what}`
}

/** A command that lets the table `main` decide about a subnet before a rule does. */
export function mainFirst({ subnet, rule }: Diversion): string {
  const before = Math.max(1, (rule?.priority ?? 32_766) - 1)
  const six = subnet.family === 6 ? '-6 ' : ''
  return `\`ip ${six}rule add to ${subnet} lookup main priority ${before}\``
}

/**
 * The route by which containers of a subnet go out, where a rule names them by their address; undefined: as everybody.
 * @param destination somebody outside, whom no route names
 */
export function ownWayOut(
  { rules, routes }: HostRouting,
  subnet: Cidr,
  destination: IPAddress,
): Route | undefined {
  const rule = rules.find(
    (each) =>
      each.action === 'lookup' &&
      isFromPool(each, subnet) &&
      (each.destination === undefined || each.destination.contains(destination)),
  )
  return (
    rule &&
    effective(routes.filter((each) => each.table === rule.table && each.destination.contains(destination)))
  )
}
