/** Rules of other programs that stop what our networks are there for. */
import { type HookResult, isFiltered, type Packet, type RulePlace, type Step } from '../../explain/index.js'
import type { Hook } from '../../nft/index.js'
import type { Link } from '../../rtnl/index.js'
import { addressOf, familiesOf, type NetworkRecord, standingEndpoints } from '../plan/records.js'
import { type Acceptance, acceptancesOf, nftText, withoutCovered } from './acceptance.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { type Owner, ownerOf, remedyFor } from './foreign-owner.js'
import type { ForeignStop } from './stopped-traffic.js'
import { type Traffic, trafficOf } from './traffic.js'
import { uplinks } from './uplinks.js'

/** What a rule or policy stops. */
interface Stopped extends Concerned {
  readonly step: Step
}

/** Whom it concerns. */
interface Concerned {
  readonly bridges: Set<string>
  readonly what: Set<string>
  /** What has to be accepted; by its text, once each. */
  readonly acceptances: Map<string, Acceptance>
}

/** A rule that is not understood, and what hangs on it. */
interface Unreadable extends Concerned {
  readonly rule: RulePlace
}

/** So many kinds of traffic a finding names. */
const NAMED = 3

/** What a packet has to get past, and where it is stopped. */
interface Place {
  readonly hook: Hook
  readonly packet: Packet | undefined
  readonly network: NetworkRecord
  readonly what: string
}

/** A finding for each rule or policy of another table that stops something, or that may, however much it is. */
export async function foreignFindings(facts: CheckFacts, stops: readonly ForeignStop[]): Promise<Finding[]> {
  const { registry, state } = facts
  const stopped = new Map<string, Stopped>()
  const unreadable = new Map<string, Unreadable>()
  const stop = (step: Step, place: Place): void => {
    const known = stopped.get(stepName(step)) ?? { step, ...nothingYet() }
    add(known, step.family, place)
    stopped.set(stepName(step), known)
  }
  const doubt = (rule: RulePlace, place: Place): void => {
    const known = unreadable.get(placeName(rule)) ?? { rule, ...nothingYet() }
    add(known, rule.family, place)
    unreadable.set(placeName(rule), known)
  }
  for (const { packet, network, what } of trafficOf(registry, state)) {
    if (!(await passesIp(state, packet))) continue
    const { step, rules } = judge(facts, packet)
    if (step) stop(step.step, { ...step, network, what })
    else for (const { rule, ...at } of rules) doubt(rule, { ...at, network, what })
  }
  for (const { step, rule, hook, packet, traffic } of stops) {
    const place = { hook, packet, network: traffic.network, what: traffic.what }
    if (step) stop(step, place)
    else if (rule) doubt(rule, place)
  }
  return [
    ...[...stopped.values()].map((each) => findingOf(facts, each)),
    ...[...unreadable.values()].map((each) => unreadableFinding(facts, each)),
    ...neighbourFindings(facts),
    ...legacyFindings(facts),
  ]
}

/** What can't be read can't be judged; that it is there has to be known. */
function legacyFindings({ legacyTables, registry }: CheckFacts): Finding[] {
  if (legacyTables.length === 0 || [...registry.networks].length === 0) return []
  return [
    {
      code: 'legacy-iptables',
      severity: 'warning',
      subject: 'iptables-legacy',
      message: `there are tables of the former iptables (${legacyTables.join(', ')}): what their rules drop is dropped, and neither check nor explain sees them`,
      remedy:
        'see whether `iptables-legacy -S` and `ip6tables-legacy -S` drop anything, move what is needed to nft or iptables-nft, and unload the modules (iptable_filter, iptable_nat …)',
    },
  ]
}

function nothingYet(): Concerned {
  return { bridges: new Set(), what: new Set(), acceptances: new Map() }
}

function add(known: Concerned, family: string, { hook, packet, network, what }: Place): void {
  for (const bridge of network.bridges) known.bridges.add(bridge)
  known.what.add(what)
  for (const each of packet ? acceptancesOf(family, hook, packet, [network]) : [])
    known.acceptances.set(nftText(each), each)
}

/** Frames that a bridge passes from port to port meet the hooks of IP only where br_netfilter shows them. */
async function passesIp(
  state: CheckFacts['state'],
  { inputDevice, outputDevice, ...packet }: Traffic['packet'],
): Promise<boolean> {
  return inputDevice.index !== outputDevice.index || isFiltered(state, inputDevice, packet)
}

/** What other tables make of a packet, or its answer, between its interfaces. */
interface Judgement {
  /** What stops it; undefined: nothing does. */
  readonly step?: { readonly step: Step; readonly hook: Hook; readonly packet: Packet } | undefined
  /** What may stop it: rules that are not understood. */
  readonly rules: readonly { readonly rule: RulePlace; readonly hook: Hook; readonly packet: Packet }[]
}

function judge({ state, table }: CheckFacts, packet: Traffic['packet']): Judgement {
  const rules: Judgement['rules'][number][] = []
  for (const each of [packet, answerTo(packet)])
    for (const hook of ['prerouting', 'forward', 'postrouting'] as const) {
      const { inputDevice, outputDevice, ...rest } = each
      const devices = {
        ...(hook !== 'postrouting' && inputDevice && { inputDevice }),
        ...(hook !== 'prerouting' && outputDevice && { outputDevice }),
      }
      const layer = each.family === 'ip6' ? 'ip6' : 'ip'
      // Addresses are translated already, as far as they are.
      const connection = each.connection && {
        ...each.connection,
        settled: ['source', 'destination'] as const,
      }
      const asked = { ...rest, ...devices, ...(connection && { connection }) }
      const result = state.evaluator.hook({ layer, hook }, asked)
      const step = result.decisive
      if (isStopped(result))
        return { step: step && isForeign(step, table) ? { step, hook, packet: asked } : undefined, rules: [] }
      const { verdict, isUnreadable, undecidedRule: rule } = result
      if (verdict === 'unknown' && isUnreadable && rule && rule.table !== table)
        rules.push({ rule, hook, packet: asked })
    }
  return { rules }
}

function answerTo(packet: Traffic['packet']): Traffic['packet'] {
  const { connection, source, destination, sourcePort, destinationPort, inputDevice, outputDevice } = packet
  const { tcpFlags: _, ...rest } = packet
  return {
    ...rest,
    source: destination,
    destination: source,
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
    inputDevice: outputDevice,
    outputDevice: inputDevice,
    ...(packet.tcpFlags !== undefined && { tcpFlags: 0x12 }),
    ...(connection && {
      connection: {
        ...connection,
        state: 'established',
        direction: 'reply',
        status: connection.status | SEEN_REPLY_AND_CONFIRMED,
      },
    }),
  }
}

/** IPS_SEEN_REPLY and IPS_CONFIRMED of linux/netfilter/nf_conntrack_common.h. */
const SEEN_REPLY_AND_CONFIRMED = 10

function isStopped({ verdict }: HookResult): boolean {
  return verdict === 'drop' || verdict === 'reject'
}

function isForeign(step: Step | undefined, ours: string): boolean {
  return step !== undefined && step.table !== ours
}

function stepName(step: Step): string {
  return step.kind === 'rule' ? placeName(step) : `${step.family} ${step.table} ${step.chain} policy`
}

function placeName({ family, table, chain, handle, text }: RulePlace): string {
  return `${family} ${table} ${chain} ${handle ?? text}`
}

function findingOf({ state }: CheckFacts, { step, bridges, what, acceptances }: Stopped): Finding {
  const owner = ownerOf(step, state.evaluator.catalog)
  return {
    code: 'foreign-chain-drops',
    severity: 'error',
    subject: `${step.family} ${step.table} ${step.chain}`,
    message: `${ownerText(owner)}${stepText(step)} stops ${namesOf(what)}`,
    remedy: remedyFor(owner, step, [...bridges], withoutCovered([...acceptances.values()])),
  }
}

/** Nobody can tell whether it stops anything: who can read it has to look. */
function unreadableFinding({ state }: CheckFacts, { rule, bridges, what, acceptances }: Unreadable): Finding {
  const owner = ownerOf(rule, state.evaluator.catalog)
  return {
    code: 'foreign-rule-unknown',
    severity: 'warning',
    subject: `${rule.family} ${rule.table} ${rule.chain}`,
    message: `${ownerText(owner)}the rule "${rule.text}" of chain ${rule.chain} of table ${rule.family} ${rule.table} is not understood, and decides about ${namesOf(what)}`,
    remedy: `see what it does, and let pass before it what shall: ${remedyFor(owner, rule, [...bridges], withoutCovered([...acceptances.values()]))}`,
  }
}

function namesOf(what: ReadonlySet<string>): string {
  const named = [...what].slice(0, NAMED).join('; ')
  return what.size > NAMED ? `${named} and ${what.size - NAMED} more` : named
}

function ownerText(owner: Owner | undefined): string {
  return owner === undefined ? '' : `${owner}: `
}

function stepText(step: Step): string {
  const chain = `chain ${step.chain} of table ${step.family} ${step.table}`
  return step.kind === 'policy'
    ? `the policy ${step.effect} of ${chain}`
    : `the rule "${step.text}" of ${chain}`
}

/** IPv6 addresses are found by ICMPv6, which an `input` chain that forgets it drops. */
function neighbourFindings(facts: CheckFacts): Finding[] {
  const { registry, state } = facts
  const stopped = new Map<string, { step: Step; links: Set<string> }>()
  for (const name of linksThatAsk(facts)) {
    const device = state.links.find((link) => link.name === name)
    if (!device) continue
    for (const type of [SOLICITATION, ADVERTISEMENT]) {
      const result = state.evaluator.hook({ layer: 'ip6', hook: 'input' }, neighbourPacket(device, type))
      const step = result.decisive
      if (!isStopped(result) || !step || !isForeign(step, facts.table)) continue
      const known = stopped.get(stepName(step)) ?? { step, links: new Set() }
      known.links.add(name)
      stopped.set(stepName(step), known)
    }
  }
  if ([...registry.networks].length === 0) return []
  return [...stopped.values()].map(({ step, links }) => ({
    code: 'neighbour-discovery-dropped',
    severity: 'error',
    subject: `${step.family} ${step.table} ${step.chain}`,
    message: `${ownerText(ownerOf(step, state.evaluator.catalog))}${stepText(step)} drops IPv6 neighbour discovery that comes in by ${[...links].join(', ')}: who is there is not found`,
    remedy: `\`nft insert rule ${step.family} ${step.table} ${step.chain} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept\``,
  }))
}

const SOLICITATION = 135
const ADVERTISEMENT = 136

/** Uplinks of networks with IPv6, and bridges on which not everybody was told where the others are. */
function linksThatAsk({ registry, state }: CheckFacts): Set<string> {
  const links = new Set<string>()
  for (const network of registry.networks) {
    if (!familiesOf(network).includes(6)) continue
    if (!network.internal) for (const uplink of uplinks(state, 6)) links.add(uplink)
    const asks = registry
      .containersOf(network.name)
      .flatMap(standingEndpoints)
      .some(
        (endpoint) =>
          endpoint.network === network.name && endpoint.allowForgedSource && addressOf(endpoint, 6),
      )
    if (network.adopted || asks) for (const bridge of network.bridges) links.add(bridge)
  }
  return links
}

function neighbourPacket(inputDevice: Link, icmpType: number): Packet {
  return {
    family: 'ip6',
    inputDevice,
    source: 'fe80::1',
    destination: 'fe80::2',
    protocol: 58,
    icmpType,
    icmpCode: 0,
    mark: 0,
    // Connection tracking leaves neighbour discovery out (nf_conntrack_proto_icmpv6.c).
    connection: {
      state: 'untracked',
      status: 0,
      direction: 'original',
      original: { source: 'fe80::1', destination: 'fe80::2', protocol: 58 },
      reply: { source: 'fe80::2', destination: 'fe80::1', protocol: 58 },
      mark: 0,
    },
  }
}
