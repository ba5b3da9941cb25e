/** Several uplinks, routing rules and rp_filter: what explain says, beside packets to and from both. */
import { describe, expect, it } from 'vitest'
import { answerLimit, type Machine } from '../../../lab/machine.js'
import { connect } from '../../../lab/wiring.js'
import { type Explanation, explainPath, type Sender } from '../../../src/explain/index.js'
import { testMachines } from '../../support/machines.js'
import { bridge, ip, nftFile } from '../../support/tools.js'
import { createTown, readWorld, type Town } from './setting.js'

/** A host with two uplinks, and somebody far away beyond each. */
interface Uplinks extends Town {
  readonly second: Machine
}

/** Addresses beyond the uplinks. */
const FAR = { outside: '192.0.2.77', second: '192.0.2.88' } as const

async function createUplinks(): Promise<Uplinks> {
  const town = await createTown()
  const [second] = await testMachines(['second'])
  await connect(
    { machine: town.host, interface: 'second', address: '198.51.100.1/24' },
    { machine: second, interface: 'second', address: '198.51.100.2/24' },
  )
  for (const [machine, address, gateway] of [
    [town.outside, FAR.outside, '203.0.113.1'],
    [second, FAR.second, '198.51.100.1'],
  ] as const) {
    await ip(machine.namespace, 'address', 'add', `${address}/32`, 'dev', 'lo')
    await ip(machine.namespace, 'route', 'add', 'default', 'via', gateway)
  }
  await second.serveTcp(80)
  await ip(town.host.namespace, 'route', 'add', 'default', 'via', '198.51.100.2', 'metric', '50')
  return { ...town, second }
}

/** One connection, asked about and made. */
interface Probe {
  readonly from: 'a' | 'c' | 'host' | 'outside' | 'second'
  readonly source?: string
  readonly to: string
  readonly port: number
}

/** Outward by each, in by each, from near and far. */
const PROBES: readonly Probe[] = [
  ...(['a', 'c', 'host'] as const).flatMap((from) =>
    [FAR.outside, FAR.second, '203.0.113.2', '198.51.100.2'].map((to) => ({ from, to, port: 80 })),
  ),
  ...(['203.0.113.1', '198.51.100.1'] as const).flatMap((to) => [
    { from: 'host' as const, to, port: 8080 },
    { from: 'c' as const, to, port: 8080 },
    { from: 'outside' as const, to, port: 8080 },
    { from: 'outside' as const, to, port: 8080, source: FAR.outside },
    { from: 'outside' as const, to, port: 81, source: FAR.outside },
    { from: 'second' as const, to, port: 8080 },
    { from: 'second' as const, to, port: 8080, source: FAR.second },
    { from: 'second' as const, to, port: 81, source: FAR.second },
  ]),
]

/** What explain says and what a packet meets, as texts to compare. */
async function compareBoth(town: Uplinks, probes: readonly Probe[] = PROBES) {
  for (const { namespace } of [...town.all, town.second]) await ip(namespace, 'neigh', 'flush', 'all')
  const { world, states } = await readWorld(town, [town.a, town.b, town.c])
  const explanations: Explanation[] = []
  const wrong: string[] = []
  let reached = 0
  await Promise.all(
    probes.map(async ({ from, source, to, port }) => {
      const machine = from === 'second' ? town.second : town[from]
      const state = from === 'outside' || from === 'second' ? undefined : states.get(from)
      const own = from === 'outside' ? '203.0.113.2' : '198.51.100.2'
      const sender: Sender = state
        ? { kind: 'namespace', state }
        : { kind: 'outside', address: source ?? own, device: from === 'outside' ? 'uplink' : 'second' }
      const explanation = await explainPath(world, { from: sender, to, protocol: 'tcp', port })
      const said = saidOf(explanation, to)
      const outcome = await machine.probeTcp(to, port, {
        timeoutMs: answerLimit(said !== 'not reached'),
        ...(source !== undefined && { localAddress: source }),
      })
      explanations.push(explanation)
      const happened = outcome.outcome === 'reached' ? `reached, seen ${outcome.seen}` : 'not reached'
      if (outcome.outcome === 'reached') reached += 1
      if (said !== happened)
        wrong.push(
          `${from} ${source ?? ''} to ${to}:${port}: said ${said} (${explanation.because}); happened ${happened}`,
        )
    }),
  )
  return { wrong, reached, explanations }
}

/** Whom a packet reaches that leaves the host, the link decides by which it leaves. */
function saidOf({ reached, seen, target, steps }: Explanation, to: string): string {
  if (reached !== true) return 'not reached'
  if (target?.namespace !== 'outside') return `reached, seen ${seen}`
  const left = steps.find(({ text, direction }) => direction === 'original' && text.startsWith('it leaves'))
  const there = to === FAR.outside || to === '203.0.113.2' ? 'uplink' : 'second'
  return left?.text.endsWith(`by ${there}`) ? `reached, seen ${seen}` : 'not reached'
}

interface Case {
  readonly title: string
  change(town: Uplinks): Promise<unknown>
  readonly probes?: readonly Probe[]
  /** What one of the explanations says. */
  readonly says?: string | RegExp
}

/** `ip` in the host, a line for each. */
const commands =
  (...lines: string[]) =>
  async ({ host }: Uplinks) => {
    for (const line of lines) await ip(host.namespace, ...line.split(' '))
  }
const settings =
  (values: Readonly<Record<string, string>>) =>
  async ({ host }: Uplinks) => {
    for (const [name, value] of Object.entries(values))
      await host.namespace.writeSysctl(`net/ipv4/conf/${name}`, value)
  }
const both =
  (...works: ((town: Uplinks) => Promise<unknown>)[]) =>
  async (town: Uplinks) => {
    for (const work of works) await work(town)
  }
const rules =
  (text: string) =>
  ({ host }: Uplinks) =>
    nftFile(host.namespace, text)

const SECOND = 'route add default via 198.51.100.2 dev second table 100'
const MARKING = `table inet marking { chain in { type filter hook prerouting priority mangle;
  iifname "second" ct state new ct mark set 0x64;
  iifname != "second" ct mark 0x64 meta mark set ct mark;
}; }`

const cases: readonly Case[] = [
  {
    title: 'two default routes',
    change: async () => {},
    says: /sends it out by uplink, and 192\.0\.2\.88 is beyond second/,
  },
  {
    title: 'the other one first',
    change: commands('route replace default via 198.51.100.2 dev second metric 0'),
  },
  {
    title: 'source routing of the second address, as DHCP clients make it',
    change: commands(SECOND, 'rule add from 198.51.100.1 lookup 100'),
  },
  {
    title: 'source routing with all networks in the table',
    change: commands(
      SECOND,
      'route add 198.51.100.0/24 dev second table 100',
      'route add 172.20.0.0/24 dev br0 table 100',
      'rule add from 198.51.100.1 lookup 100',
    ),
  },
  {
    title: 'a pool that goes out by the second',
    change: commands(SECOND, 'rule add from 172.20.0.0/24 lookup 100'),
  },
  {
    title: 'a pool that goes out by the second, what is near aside',
    change: commands(
      SECOND,
      'rule add lookup main suppress_prefixlength 0 pref 90',
      'rule add from 172.20.0.0/24 lookup 100 pref 100',
    ),
  },
  {
    title: 'what comes in by a bridge goes out by the second',
    change: commands(SECOND, 'rule add iif br0 lookup 100'),
  },
  {
    title: 'connections that came in by the second are answered by it',
    change: both(rules(MARKING), commands(SECOND, 'rule add fwmark 0x64 lookup 100')),
  },
  {
    title: 'marks, and strict reverse paths',
    change: both(
      rules(MARKING),
      commands(SECOND, 'rule add fwmark 0x64 lookup 100'),
      settings({ 'uplink/rp_filter': '1', 'second/rp_filter': '1', 'br0/rp_filter': '1' }),
    ),
    says: /rp_filter takes nothing from 192\.0\.2\.88 by second: the way back is by uplink/,
  },
  {
    title: 'marks that count for the reverse path too',
    change: both(
      rules(
        'table inet m { chain in { type filter hook prerouting priority mangle; iifname "second" mark set 100; }; }',
      ),
      commands(SECOND, 'rule add fwmark 100 lookup 100'),
      settings({ 'second/rp_filter': '1', 'second/src_valid_mark': '1' }),
    ),
  },
  {
    title: 'loose reverse paths',
    change: settings({ 'uplink/rp_filter': '2', 'second/rp_filter': '2', 'br0/rp_filter': '2' }),
  },
  {
    title: 'strict everywhere, by the setting of all',
    change: settings({ 'all/rp_filter': '1' }),
    says: 'rp_filter takes nothing',
  },
  {
    title: 'loose, and no way back at all',
    change: both(
      commands('route delete default via 203.0.113.2', 'route delete default via 198.51.100.2'),
      settings({ 'uplink/rp_filter': '2' }),
    ),
    says: 'there is no way back',
  },
  {
    title: 'strict, and a pool that is routed elsewhere',
    change: both(commands(SECOND, 'rule add to 172.20.0.2 lookup 100'), settings({ 'br0/rp_filter': '1' })),
  },
  {
    title: 'marks that a rule gives by port',
    change: both(
      rules(
        'table ip m { chain in { type filter hook prerouting priority mangle; iifname "br1" tcp dport 80 mark set 7; }; }',
      ),
      commands(SECOND, 'rule add fwmark 7/0xf lookup 100'),
    ),
  },
  {
    title: "the host's own, marked on the way out",
    change: both(
      rules(
        'table ip m { chain out { type route hook output priority mangle; ip daddr 192.0.2.88 mark set 7; }; }',
      ),
      commands(SECOND, 'rule add fwmark 7 lookup 100'),
    ),
  },
  {
    title: 'everything that is not marked, as WireGuard does it',
    change: commands(
      SECOND,
      'rule add not fwmark 51820 lookup 100 pref 200',
      'rule add lookup main suppress_prefixlength 0 pref 199',
    ),
  },
  { title: 'ports of rules', change: commands(SECOND, 'rule add ipproto tcp dport 80 lookup 100') },
  { title: 'a rule that refuses', change: commands('rule add from 172.20.0.0/24 unreachable') },
  {
    title: 'a rule that refuses without a word',
    change: commands('rule add from 10.20.0.0/24 blackhole'),
  },
  {
    title: 'a route that throws',
    change: commands(SECOND, 'route add throw 192.0.2.77 table 100', 'rule add iif br0 lookup 100'),
  },
  {
    title: 'an uplink with addresses of two networks, whose gateway is on the second',
    change: async (town) => {
      await ip(town.outside.namespace, 'address', 'add', '192.0.2.130/26', 'dev', 'uplink')
      await commands(
        'address add 192.0.2.129/26 dev uplink',
        'route replace default via 192.0.2.130 dev uplink',
      )(town)
    },
  },
  {
    title: 'a foreign notrack',
    change: rules('table inet x { chain p { type filter hook prerouting priority raw; notrack; }; }'),
  },
  {
    title: 'a foreign notrack of answers alone',
    change: rules(
      'table inet x { chain p { type filter hook prerouting priority raw; tcp sport 80 notrack; }; }',
    ),
  },
  {
    title: 'a zone of connection tracking for one uplink',
    change: rules(
      'table inet x { chain p { type filter hook prerouting priority raw; iifname "second" ct zone set 5; }; }',
    ),
  },
  {
    title: 'a zone for the beginning of connections alone',
    change: rules(
      'table inet x { chain p { type filter hook prerouting priority raw; iifname "uplink" ct original zone set 5; }; }',
    ),
  },
]

describe('explain, with several uplinks', () => {
  it.each(cases)('$title', async ({ change, probes, says }) => {
    const town = await createUplinks()
    await change(town)
    const { wrong, reached, explanations } = await compareBoth(town, probes)
    expect(wrong).toEqual([])
    expect(reached).toBeGreaterThan(0)
    if (says === undefined) return
    const found = explanations.map(({ because }) => because)
    expect(found.some((text) => (typeof says === 'string' ? text.includes(says) : says.test(text)))).toBe(
      true,
    )
  })
})

/** MAC addresses that somebody was told, and a bridge that learns nothing. */
const frames: readonly Case[] = [
  {
    title: 'a gateway whose MAC address was changed, and a container that was told the former',
    change: async ({ host, a }) => {
      const neighbour = 'neigh replace 172.20.0.1 lladdr 02:00:00:00:00:98 dev eth0 nud permanent'
      await ip(a.namespace, ...neighbour.split(' '))
      await ip(host.namespace, 'link', 'set', 'br0', 'address', '02:00:00:00:00:99')
    },
    says: /a was told that br0 has the MAC address/,
  },
  {
    title: 'the same, and nobody was told',
    change: ({ host }) => ip(host.namespace, 'link', 'set', 'br0', 'address', '02:00:00:00:00:99'),
  },
  {
    title: 'a port that neither learns nor is flooded, and nobody told the bridge who is there',
    change: async ({ host, a }) => {
      const mac = /link\/ether (\S+)/.exec(await ip(a.namespace, 'link', 'show', 'eth0'))?.[1] ?? ''
      await bridge(host.namespace, 'link', 'set', 'dev', 'port-a', 'learning', 'off', 'flood', 'off')
      await bridge(host.namespace, 'fdb', 'delete', mac, 'dev', 'port-a', 'master').catch(() => {})
    },
    says: /does not know that .* \(a\) is behind port-a/,
  },
  {
    title: 'the host was told another MAC address of a container',
    change: ({ host }) =>
      ip(
        host.namespace,
        ...'neigh replace 172.20.0.2 lladdr 02:00:00:00:00:77 dev br0 nud permanent'.split(' '),
      ),
    says: /is taken to have 02:00:00:00:00:77/,
  },
]

describe('explain, with MAC addresses that somebody was told', () => {
  it.each(frames)('$title', async ({ change, says }) => {
    const town = await createUplinks()
    await change(town)
    const { wrong, reached, explanations } = await compareBoth(town)
    expect(wrong).toEqual([])
    expect(reached).toBeGreaterThan(0)
    if (says === undefined) return
    const found = explanations.map(({ because }) => because)
    expect(found.some((text) => (typeof says === 'string' ? text.includes(says) : says.test(text)))).toBe(
      true,
    )
  })
})
