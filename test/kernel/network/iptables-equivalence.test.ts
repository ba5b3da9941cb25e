/**
 * Whether `toText('iptables')` says what the kernel does: scenarios are probed a second time with iptables' rules, those that
 * are printed, in the place of ours. Every packet must fare as before.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MachinePool } from '../../../lab/pool.js'
import { groups } from '../../../scenarios/groups/index.js'
import { parseMatrix } from '../../../scenarios/matrix.js'
import { attemptText, type ProbeResult, probeAll, seenText } from '../../../scenarios/probes.js'
import { type OnProbes, runScenario } from '../../../scenarios/run.js'
import type { Scenario } from '../../../scenarios/scenario.js'
import type { HostPlace } from '../../../scenarios/world.js'
import type { Namespace } from '../../../src/index.js'
import { Persistence } from '../../../src/network/apply/persistence.js'
import type { NetworkView } from '../../../src/network/plan/view.js'
import { type IptablesFacts, iptablesTables } from '../../../src/network/text/iptables-text.js'
import { Nft, type Operation, ruleset } from '../../../src/nft/index.js'
import { openStore } from '../../../src/store/index.js'
import { conntrack, nft, runIn } from '../../support/tools.js'
import { view } from '../../unit/network/text/view.js'
import { restoreInput } from './iptables-restore.js'

/** What stands on a host of a scenario. */
async function viewOf({ state, bridgeHost }: HostPlace): Promise<NetworkView> {
  // The directory is the host's alone while it is open.
  const copy = mkdtempSync(join(tmpdir(), 'nfbridge-view-'))
  cpSync(state, copy, { recursive: true })
  const persistence = new Persistence(openStore(copy))
  const { networks, containers, peers } = persistence.load()
  persistence.close()
  rmSync(copy, { recursive: true })
  const { acceptDirect, forwarding } = (await bridgeHost.inspect()).host
  const drop = ([4, 6] as const).filter((family) => forwarding[`ipv${family}`].policy === 'drop')
  return view({ networks, containers, peers, policy: { drop, acceptDirect, userRules: false } })
}

async function factsOf({ setup, bridgeHost }: HostPlace): Promise<IptablesFacts> {
  if (setup.options?.firewall === false) return { firewall: false, userRules: { forward: [], inbound: [] } }
  const { forward, inbound } = bridgeHost.userRules
  return { firewall: true, userRules: { forward: await forward.list(), inbound: await inbound.list() } }
}

/** Whether somebody else has tables where iptables has its. */
async function hasIptables({ machine }: HostPlace): Promise<boolean> {
  return /^table ip6? (filter|nat|raw)$/m.test(await nft(machine.namespace, 'list', 'tables'))
}

/** What has our bridge table judge frames instead, and leave them untracked: as transactions that take it away and bring it back. */
async function judgedInBridge(connection: Nft): Promise<{ remove: Operation[]; restore: Operation[] }> {
  const { nftables } = await connection.list({ family: 'bridge', table: 'nfbridge' })
  const chains = ['onward', 'forward'].map((name) => ({ family: 'bridge', table: 'nfbridge', name }) as const)
  const standing = chains.filter(({ name }) =>
    nftables.some((object) => 'chain' in object && object.chain.name === name),
  )
  const rules = nftables.flatMap((object) =>
    'rule' in object && standing.some(({ name }) => name === object.rule.chain) ? [object.rule] : [],
  )
  return {
    remove: standing.map((chain) => ({ flush: { chain } })),
    restore: rules.map(({ family, table, chain, expr }) => ({
      add: { rule: { family, table, chain, expr } },
    })),
  }
}

/** Has all bridges of a namespace show their frames to the rules of IP. */
async function showFrames(namespace: Namespace): Promise<{ giveBack(): Promise<void> }> {
  const names = ['iptables', 'ip6tables'].map((name) => `net.bridge.bridge-nf-call-${name}`)
  const before = await Promise.all(names.map((name) => namespace.readSysctl(name)))
  const write = async (values: readonly string[]): Promise<void> => {
    for (const [index, name] of names.entries()) await namespace.writeSysctl(name, values[index] ?? '1')
  }
  await write(['1', '1'])
  return { giveBack: () => write(before) }
}

/**
 * A scenario without its open connections: they would not outlive the change of rules, which forgets all of them, and our rules let nobody go on
 * outward in the middle of a connection that is not known. `npm run scenarios` tells whether they live.
 */
function withoutHeld({ stages, ...scenario }: Scenario): Scenario {
  return { ...scenario, stages: stages.map(({ hold: _, held: __, ...stage }) => stage) }
}

/** The kernel limits how often it says that there is no route: where a row allows for that, silence is the same answer. */
function isEitherSilence(...results: readonly ProbeResult[]): boolean {
  return results.every(({ seen, ok }) => ok && (seen.kind === 'blocked' || seen.kind === 'unreachable'))
}

/** Probes a stage again, with iptables' rules instead of our table of family inet; then puts ours back. */
function withIptables(scenario: Scenario, probes: { count: number }): OnProbes {
  return async (world, results, title) => {
    const stage = scenario.stages.find((each, index) => (each.title ?? `stage ${index + 1}`) === title)
    const place = world.host()
    const { namespace } = place.machine
    const tables = iptablesTables(await viewOf(place), await factsOf(place))
    if (!stage || tables.length === 0 || (await hasIptables(place))) return []
    using connection = await Nft.open({ netns: namespace })
    const ours = await connection.list({ family: 'inet', table: 'nfbridge' })
    const judged = await judgedInBridge(connection)
    // iptables judges what a bridge passes where br_netfilter shows it; whether our own rules need that is another matter.
    const shown = await showFrames(namespace)
    await connection
      .transaction()
      .delete({ table: { family: 'inet', name: 'nfbridge' } })
      .addAll(judged.remove)
      .commit()
    try {
      for (const table of tables) {
        const program = table.family === 4 ? 'iptables-restore' : 'ip6tables-restore'
        await runIn(namespace, program, [], restoreInput(table))
      }
      await conntrack(namespace, '-F').catch(() => '')
      const again = await probeAll(world, parseMatrix(stage.expect))
      probes.count += again.length
      const before = new Map(results.map((result) => [attemptText(result.attempt), result]))
      return again.map((result) => {
        const what = attemptText(result.attempt)
        const first = before.get(what)
        const [expected, got] = [first ? seenText(first.seen) : 'nothing', seenText(result.seen)]
        const ok = expected === got || (first !== undefined && isEitherSilence(first, result))
        return { stage: `${title}, by iptables`, what, expected, got, ok }
      })
    } finally {
      for (const { family, name } of tables) {
        await nft(namespace, 'delete', 'table', family === 4 ? 'ip' : 'ip6', name)
      }
      await shown.giveBack()
      const again = ruleset.fromJson(ruleset.toJson(ours, { keep: true }))
      await connection.transaction().addAll(again).addAll(judged.restore).commit()
      await conntrack(namespace, '-F').catch(() => '')
    }
  }
}

/** A telling one of each kind; `SCENARIOS=all`, or parts of names, for others. */
const TELLING = [
  'icc-off-ipv6',
  'icc-off-on-an-adopted-bridge',
  'internal-with-a-route-of-its-own',
  'link-one-way-not-transitive',
  'link-stateful',
  'link-stateless',
  'many-bridges-icc-off',
  'mode-nat-to-routed',
  'isolation-none-strict',
  'masquerade-except',
  'published-across-two-shared-networks',
  'published-on-loopback',
  'published-with-tracking',
  'peers-with-icc-off',
  'user-inbound-only-one-source',
]
const asked = process.env.SCENARIOS?.split(',')
const isChosen = (name: string): boolean =>
  asked ? asked.includes('all') || asked.some((part) => name.includes(part)) : TELLING.includes(name)
/** What is printed is one host's: it says nothing of another program's bridges in the same namespace. */
const scenarios = groups
  .flatMap((group) => group.scenarios)
  .filter(({ name, beside }) => isChosen(name) && beside === undefined)

it('has the scenarios that it names', () => {
  if (!asked) expect(scenarios.map(({ name }) => name).toSorted()).toEqual(TELLING.toSorted())
})

describe.each(scenarios)('$name', (scenario) => {
  it('fares alike by the rules that iptables would have', async () => {
    const pool = new MachinePool()
    const probes = { count: 0 }
    try {
      const { broken, findings } = await runScenario(withoutHeld(scenario), pool, {
        onProbes: withIptables(scenario, probes),
      })
      expect(broken).toBeUndefined()
      expect(findings.filter(({ ok }) => !ok)).toEqual([])
      if (!asked) expect(probes.count).toBeGreaterThan(0)
    } finally {
      await pool.close()
    }
  })
})
