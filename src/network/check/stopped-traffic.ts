/** Connections that stand and do not come about: followed through the kernel's state, as `host.explain` does it. */
import { parseAddress } from '../../address/index.js'
import {
  type Decisive,
  decideRoute,
  type Explanation,
  explainPath,
  type RulePlace,
  type RuleStep,
  ruleText,
  type Step,
} from '../../explain/index.js'
import type { Hook } from '../../nft/index.js'
import type { RoutingRule } from '../../rtnl/index.js'
import { HOST } from '../explain/host-reading.js'
import type { HostWorld } from '../explain/host-world.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { StandingConnections, type StandingTraffic } from './standing-traffic.js'

/** A step of another program's rules that stops something, or a rule that may: it is not understood. */
export interface ForeignStop {
  readonly traffic: StandingTraffic
  readonly step?: Step
  readonly rule?: RulePlace
  readonly hook: Hook
  readonly packet: Explanation['packet']
}

/** What was found out about connections that do not come about. */
export interface StoppedTraffic {
  readonly foreign: readonly ForeignStop[]
  readonly findings: readonly Finding[]
}

/** @param found what is found already: what hangs on it is not told once more */
export async function stoppedTraffic(
  facts: CheckFacts,
  world: HostWorld,
  found: readonly Finding[],
): Promise<StoppedTraffic> {
  const foreign: ForeignStop[] = []
  const findings = new Map<string, Finding>()
  const standing = new StandingConnections(world, facts.registry, facts.settings.firewall)
  for (const traffic of await standing.all()) {
    const explanation = await explainPath(world, traffic.question)
    if (
      explanation.reached === true &&
      explanation.target &&
      world.ownerAt(explanation.target) === traffic.target
    )
      continue
    const stop = foreignStop(traffic, explanation, world)
    if (stop) {
      foreign.push(stop)
      continue
    }
    const finding = judge(facts, world, traffic, explanation, found)
    if (finding && !findings.has(finding.message)) findings.set(finding.message, finding)
  }
  return { foreign, findings: merged([...findings.values()]) }
}

function foreignStop(
  traffic: StandingTraffic,
  { decisive, packet }: Explanation,
  world: HostWorld,
): ForeignStop | undefined {
  if (decisive.kind === 'unknown' && decisive.rule && decisive.isUnreadable && !world.isOwn(decisive.rule))
    return { traffic, rule: decisive.rule, hook: decisive.hook, packet }
  if (!('step' in decisive) || decisive.namespace !== HOST || world.isOwn(decisive.step)) return undefined
  const { step, hook } = decisive
  if (step.effect === 'accept') return undefined
  return { traffic, step, hook, packet }
}

/** Findings of one cause name it once. */
function merged(findings: readonly Finding[]): Finding[] {
  const byCause = new Map<string, Finding>()
  for (const finding of findings) {
    const cause = `${finding.code} ${finding.subject} ${finding.remedy}`
    if (!byCause.has(cause)) byCause.set(cause, finding)
  }
  return [...byCause.values()]
}

function judge(
  facts: CheckFacts,
  world: HostWorld,
  traffic: StandingTraffic,
  explanation: Explanation,
  found: readonly Finding[],
): Finding | undefined {
  const untracking = foreignUntracking(explanation, world)
  if (untracking) return untracked(traffic, untracking)
  const { decisive, because, remedy } = explanation
  // Our own rules: the users', or those of which the tables tell whether they are as they should be.
  if ('step' in decisive && (world.isOwn(decisive.step) || decisive.namespace !== HOST)) return undefined
  if (explanation.reached === 'unknown' && decisive.kind !== 'route') return undefined
  if (isContainersOwn(decisive, traffic)) return undefined
  if (isTold(traffic, decisive, found)) return undefined
  if (decisive.kind === 'route') {
    const misrouted = byRoutingRule(facts, traffic, explanation)
    if (misrouted) return misrouted
    if (decisive.reason === 'other-link') return answersElsewhere(facts, traffic, explanation)
  }
  if (decisive.kind === 'sysctl' && decisive.name.endsWith('/rp_filter') && decisive.namespace === HOST)
    return {
      code: 'rp-filter-drops',
      severity: 'error',
      subject: decisive.name.split('/').at(-2) ?? decisive.name,
      message: `${traffic.what} does not come about: ${because}`,
      remedy: `\`sysctl -w ${decisive.name}=${decisive.value === '1' ? 2 : 0}\``,
    }
  return {
    code: 'traffic-stopped',
    severity: decisive.namespace === HOST ? 'error' : 'warning',
    subject: traffic.network.name,
    message: `${traffic.what} does not come about: ${because}`,
    remedy: remedy ?? 'see what host.explain says of it',
  }
}

/** A container that goes out by an interface of its own making, or has none any more, does so on its own behalf. */
function isContainersOwn(decisive: Decisive, { target }: StandingTraffic): boolean {
  if (decisive.namespace === HOST || target !== 'outside') return false
  return decisive.kind === 'link' && decisive.problem === 'missing'
}

/** Whether a finding about the same link, address, container or network is there already. */
function isTold(traffic: StandingTraffic, decisive: Decisive, found: readonly Finding[]): boolean {
  const about = [traffic.network.name, ...traffic.network.bridges, ...traffic.containers]
  const thing =
    decisive.kind === 'link'
      ? decisive.link
      : decisive.kind === 'address'
        ? decisive.address
        : decisive.kind === 'sysctl'
          ? decisive.name
          : undefined
  return found.some(
    ({ subject, message, severity, code }) =>
      (thing !== undefined &&
        (subject === thing || subject === thing.replaceAll('/', '.') || message.includes(`${thing} `))) ||
      (about.includes(subject) && (severity === 'error' || code === 'interface-down')) ||
      (thing === undefined && about.some((name) => severity === 'error' && message.includes(name))),
  )
}

/** A rule of another program that takes packets out of connection tracking, or puts them in another zone. */
function foreignUntracking({ steps }: Explanation, world: HostWorld): RuleStep | undefined {
  for (const { namespace, rules = [] } of steps) {
    if (namespace !== HOST) continue
    for (const step of rules)
      if (step.kind === 'rule' && !world.isOwn(step) && /^notrack$|\bct .*zone set\b/.test(step.effect))
        return step
  }
  return undefined
}

function untracked({ what }: StandingTraffic, step: RuleStep): Finding {
  const { family, table, chain, handle, text } = step
  return {
    code: 'foreign-notrack',
    severity: 'error',
    subject: `${family} ${table} ${chain}`,
    message: `the rule "${text}" of chain ${chain} of table ${family} ${table} keeps connection tracking from ${what}: nothing is translated`,
    remedy:
      handle === undefined
        ? 'delete that rule, or let it leave out what concerns containers'
        : `\`nft delete rule ${family} ${table} ${chain} handle ${handle}\`, or let it leave out what concerns containers`,
  }
}

/** Tables that every host has. */
const COMMON_TABLES: ReadonlySet<unknown> = new Set(['local', 'main', 'default'])

/** A rule of the routing policy that leads to another table, where the way to containers is not. */
function byRoutingRule(
  { state, registry }: CheckFacts,
  { what, family }: StandingTraffic,
  { decisive, packet, because }: Explanation,
): Finding | undefined {
  if (decisive.kind !== 'route' || decisive.namespace !== HOST || !packet) return undefined
  const { destination, source, mark, inputDevice } = packet
  const rule = decideRoute(state, {
    destination,
    ...(source !== '' && { source }),
    ...(mark !== undefined && { mark }),
    ...(inputDevice && { inputDevice: inputDevice.name }),
  })?.rule
  if (!rule || (rule.action === 'lookup' && COMMON_TABLES.has(rule.table))) return undefined
  const subnets = [...registry.networks].flatMap(({ pools }) =>
    pools.flatMap(({ subnet, gateway }) => (gateway && subnet.family === family ? [subnet] : [])),
  )
  return {
    code: 'traffic-misrouted',
    severity: 'error',
    subject: ruleText(rule),
    message: `the routing rule "${rule.priority}: ${ruleText(rule)}" takes ${what}: ${because}`,
    remedy: subnets.some((subnet) => subnet.contains(parseAddress(destination)))
      ? `\`${subnets.map((subnet) => before(rule, `to ${subnet} lookup main`)).join(' && ')}\`, so that what is for containers is asked for first`
      : `\`ip ${rule.family === 6 ? '-6 ' : ''}rule delete priority ${rule.priority}\`, or let it leave out what containers send`,
  }
}

/** A rule that is asked before another one. */
function before({ family, priority }: RoutingRule, rule: string): string {
  return `ip ${family === 6 ? '-6 ' : ''}rule add ${rule} priority ${Math.max(priority - 1, 1)}`
}

/** The table that the host's own answers are looked up in, of what comes in by another uplink than its default route's. */
function answersElsewhere(
  { state }: CheckFacts,
  { what, asked, network, question }: StandingTraffic,
  { because }: Explanation,
): Finding | undefined {
  const device = question.from.kind === 'outside' ? question.from.device : undefined
  if (!asked || device === undefined || question.from.kind !== 'outside') return undefined
  const rule = decideRoute(state, {
    destination: question.from.address,
    source: asked.address.address.toString(),
  })?.rule
  if (rule?.action !== 'lookup') return undefined
  const mark = typeof rule.table === 'number' ? rule.table : 100
  const hex = `0x${mark.toString(16)}`
  const six = rule.family === 6 ? '-6 ' : ''
  const bridges = network.bridges.map((bridge) => `"${bridge}"`).join(', ')
  return {
    code: 'answers-elsewhere',
    severity: 'error',
    subject: device,
    message: `${what} is answered by another uplink: ${because}. The host's own answers follow the rule "${ruleText(rule)}", which looks at the host's address; those of containers have their own until they leave`,
    remedy: `mark the connections: \`nft add table inet answers && nft 'add chain inet answers marks { type filter hook prerouting priority mangle; }' && nft add rule inet answers marks iifname "${device}" ct state new ct mark set ${hex} && nft 'add rule inet answers marks iifname { ${bridges} } ct mark ${hex} meta mark set ct mark' && ip ${six}rule add fwmark ${hex} lookup ${rule.table}\``,
  }
}
