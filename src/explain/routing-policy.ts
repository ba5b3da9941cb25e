/**
 * The routing decision computed from listed rules and routes: for what the kernel decides without a packet that could be asked
 * about (`fib`, the reverse path), and to name the rule that decided.
 */
import { parseAddress } from '../address/index.js'
import type { Route, RouteTable, RouteType, RoutingRule } from '../rtnl/index.js'

/** What rules look at. What is left out is zero, as in a packet that has none of it. */
export interface Flow {
  readonly destination: string
  readonly source?: string
  readonly mark?: number
  /** Name of the interface that it came in by; `lo` for what the namespace itself sends, which is the default. */
  readonly inputDevice?: string
  readonly outputDevice?: string
  readonly protocol?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
}

/** The rule that decided, with the route that it led to; without one, the rule itself refuses. */
export interface PolicyDecision {
  readonly rule: RoutingRule
  readonly route?: Route
}

/** What the decision is computed from. */
export interface RoutingState {
  readonly rules: readonly RoutingRule[]
  readonly routes: readonly Route[]
}

/** The kernel's own rules (fib_default_rules_init in net/ipv4/fib_rules.c), where none were read. */
const DEFAULT_TABLES: readonly (readonly [priority: number, table: RouteTable])[] = [
  [0, 'local'],
  [32766, 'main'],
  [32767, 'default'],
]

/** @returns undefined where no rule leads to a route */
export function decideRoute({ rules, routes }: RoutingState, flow: Flow): PolicyDecision | undefined {
  const { family } = parseAddress(flow.destination)
  const asked = rulesOf(rules, family)
  // Of each table once: there may be as many rules as routes.
  const matches = new Map<RouteTable | undefined, Route | undefined>()
  const inTable = (asked: RouteTable | undefined): Route | undefined => {
    if (!matches.has(asked))
      matches.set(
        asked,
        longestMatch(
          routes.filter(({ table }) => table === asked),
          flow.destination,
        ),
      )
    return matches.get(asked)
  }
  let from = 0
  for (const rule of asked) {
    if (rule.priority < from || !applies(rule, flow)) continue
    if (rule.action === 'nop') continue
    if (rule.action === 'goto') {
      from = rule.goto ?? from
      continue
    }
    if (rule.action !== 'lookup') return { rule }
    const route = inTable(rule.table)
    if (route === undefined || route.type === 'throw' || isSuppressed(rule, route)) continue
    return { rule, route }
  }
  return undefined
}

/** The rules of a family in the order in which the kernel asks them. */
export function rulesOf(rules: readonly RoutingRule[], family: 4 | 6): readonly RoutingRule[] {
  const own = rules.filter((rule) => rule.family === family)
  if (own.length > 0) return own.toSorted((one, other) => one.priority - other.priority)
  return DEFAULT_TABLES.map(([priority, table]) => ({
    family,
    priority,
    action: 'lookup',
    table,
    not: false,
    record: {},
  }))
}

/** FIB_RULE_INVERT turns all of it around (fib_rule_match in net/core/fib_rules.c). */
function applies(rule: RoutingRule, flow: Flow): boolean {
  return matches(rule, flow) !== rule.not
}

function matches(rule: RoutingRule, flow: Flow): boolean {
  const { inputDevice = 'lo', outputDevice, mark = 0, protocol = 0, source, destination } = flow
  const { record } = rule
  if (rule.inputDevice !== undefined && rule.inputDevice !== inputDevice) return false
  if (rule.outputDevice !== undefined && rule.outputDevice !== outputDevice) return false
  if (rule.mark !== undefined && ((rule.mark ^ mark) & (rule.mask ?? 0xffffffff)) !== 0) return false
  // Of a VRF's table, and of a tunnel's number, a packet tells only on its way.
  if (record.l3mdev !== undefined && record.l3mdev !== 0) return false
  if (record.tunId !== undefined && record.tunId !== 0n) return false
  if (record.tos !== undefined && record.tos !== 0) return false
  if (record.ipProto !== undefined && record.ipProto !== 0 && record.ipProto !== protocol) return false
  if (!withinRange(record.sportRange, flow.sourcePort)) return false
  if (!withinRange(record.dportRange, flow.destinationPort)) return false
  if (rule.source && !(source !== undefined && rule.source.contains(parseAddress(source)))) return false
  return !rule.destination || rule.destination.contains(parseAddress(destination))
}

/** struct fib_rule_port_range: two numbers in the host's byte order. */
function withinRange(range: Uint8Array | undefined, port: number | undefined): boolean {
  if (range === undefined || range.length < 4) return true
  const view = new Uint16Array(range.slice(0, 4).buffer)
  const [first = 0, last = 0] = view
  if (first === 0 && last === 0) return true
  return port !== undefined && port >= first && port <= last
}

/** Types of routes that lead nowhere. */
export const REFUSING: ReadonlySet<RouteType> = new Set(['unreachable', 'blackhole', 'prohibit', 'throw'])

/**
 * `suppress_prefixlength`: routes as short as that do not count (WireGuard's wg-quick), unless they refuse: the kernel heeds the
 * refusal first.
 */
export function isSuppressed({ suppressPrefixLength }: RoutingRule, { destination, type }: Route): boolean {
  return destination.prefixLength <= (suppressPrefixLength ?? -1) && !REFUSING.has(type)
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

/** The links that a route leads by. */
export function devicesOf({ device, nexthops }: Route): number[] {
  return device === undefined ? (nexthops ?? []).map((each) => each.device) : [device]
}

/** A rule as `ip rule` would take it, for sentences. */
export function ruleText(rule: RoutingRule): string {
  const { mark, mask } = rule
  const words = [
    ...(rule.not ? ['not'] : []),
    `from ${rule.source ?? 'all'}`,
    ...(rule.destination ? [`to ${rule.destination}`] : []),
    ...(rule.inputDevice === undefined ? [] : [`iif ${rule.inputDevice}`]),
    ...(rule.outputDevice === undefined ? [] : [`oif ${rule.outputDevice}`]),
    ...(mark === undefined || mark === 0
      ? []
      : [
          `fwmark 0x${mark.toString(16)}${mask === undefined || mask === 0xffffffff ? '' : `/0x${mask.toString(16)}`}`,
        ]),
    rule.action === 'lookup' ? `lookup ${rule.table}` : String(rule.action),
  ]
  return words.join(' ')
}
