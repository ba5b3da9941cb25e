import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type LinkSpec, type RouteDecision, type RouteLookup, Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, ipJson, run } from '../support/tools.js'

const keep = closeAfterEach()

const LO = 1
const INSIDE = 10
const OUTSIDE = 20

/** A link with a carrier: its peer has the next index. */
const pair = (name: string, index: number): LinkSpec => ({
  kind: 'veth',
  name,
  index,
  peer: { name: `${name}p`, index: index + 1 },
})

/** A router: `in0` with 172.17.0.0/16 and fd00::/64, `out0` with 192.0.2.0/24 and a default route by 192.0.2.1. */
async function router(): Promise<{ host: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  const rtnl = keep(await Rtnl.open({ netns: host }))
  await host.writeSysctl('net.ipv4.ip_forward', '1')
  await host.writeSysctl('net.ipv6.conf.all.forwarding', '1')
  await rtnl.apply([
    { kind: 'link', action: 'change', link: { device: LO, up: true } },
    { kind: 'link', action: 'create', link: { ...pair('in0', INSIDE), up: true } },
    { kind: 'link', action: 'create', link: { ...pair('out0', OUTSIDE), up: true } },
    { kind: 'link', action: 'change', link: { device: INSIDE + 1, up: true } },
    { kind: 'link', action: 'change', link: { device: OUTSIDE + 1, up: true } },
    { kind: 'address', action: 'add', address: { device: INSIDE, address: '172.17.0.1/16' } },
    { kind: 'address', action: 'add', address: { device: OUTSIDE, address: '192.0.2.2/24' } },
    {
      kind: 'address',
      action: 'add',
      address: { device: INSIDE, address: 'fd00::1/64', duplicateDetection: false },
    },
    {
      kind: 'address',
      action: 'add',
      address: { device: OUTSIDE, address: '2001:db8::2/64', duplicateDetection: false },
    },
    { kind: 'route', action: 'add', route: { destination: 'default', gateway: '192.0.2.1' } },
    { kind: 'route', action: 'add', route: { destination: '10.1.0.0/16', type: 'unreachable' } },
    { kind: 'route', action: 'add', route: { destination: '10.2.0.0/16', type: 'prohibit' } },
    { kind: 'route', action: 'add', route: { destination: '10.3.0.0/16', type: 'blackhole' } },
    { kind: 'route', action: 'add', route: { destination: 'fd01::/64', type: 'unreachable' } },
    { kind: 'route', action: 'add', route: { destination: 'fd02::/64', type: 'prohibit' } },
    { kind: 'route', action: 'add', route: { destination: 'fd03::/64', type: 'blackhole' } },
  ])
  // The kernel makes the local route of an IPv6 address in a work queue (addrconf_dad_work): before, it is not there.
  for (const address of ['fd00::1', '2001:db8::2'])
    await expect.poll(() => ip(host, '-6', 'route', 'show', 'table', 'local', address)).toContain('local')
  return { host, rtnl }
}

/** What is compared of a decision. */
function summary(decision: RouteDecision): string {
  if (!decision.reachable) return `${decision.reason} ${decision.errno}`
  const { type, device, gateway, source, table } = decision
  return [type, device, gateway && `via ${gateway}`, source && `from ${source}`, table]
    .filter(Boolean)
    .join(' ')
}

const cases: readonly [RouteLookup, string][] = [
  [{ destination: '172.17.0.2' }, 'unicast 10 from 172.17.0.1 main'],
  [{ destination: '8.8.8.8' }, 'unicast 20 via 192.0.2.1 from 192.0.2.2 main'],
  [{ destination: '8.8.8.8', source: '172.17.0.1' }, 'unicast 20 via 192.0.2.1 main'],
  [{ destination: '172.17.0.1' }, 'local 1 from 172.17.0.1 main'],
  [{ destination: '172.17.255.255' }, 'broadcast 10 from 172.17.0.1 main'],
  [{ destination: '10.1.0.1' }, 'unreachable EHOSTUNREACH'],
  [{ destination: '10.2.0.1' }, 'prohibit EACCES'],
  [{ destination: '10.3.0.1' }, 'invalid EINVAL'],
  [{ destination: 'fd00::2' }, 'unicast 10 from fd00::1 main'],
  [{ destination: 'fd00::1' }, 'local 1 from fd00::1 local'],
  [{ destination: 'fd01::1' }, 'unreachable EHOSTUNREACH'],
  [{ destination: 'fd02::1' }, 'prohibit EACCES'],
  [{ destination: 'fd03::1' }, 'invalid EINVAL'],
  [{ destination: 'fd99::1' }, 'no-route ENETUNREACH'],
  // Packets that come in.
  [{ destination: '172.17.0.2', source: '8.8.8.8', inputDevice: 'out0' }, 'unicast 10 main'],
  [{ destination: '192.0.2.2', source: '8.8.8.8', inputDevice: OUTSIDE }, 'local 1 main'],
  [{ destination: '10.1.0.1', source: '172.17.0.2', inputDevice: 'in0' }, 'unreachable EHOSTUNREACH'],
  [{ destination: '172.17.0.2', source: '127.0.0.1', inputDevice: 'out0' }, 'invalid EINVAL'],
  [{ destination: 'fd00::2', source: '2001:db8::9', inputDevice: 'out0' }, 'unicast 10 main'],
  [{ destination: 'fd02::2', source: '2001:db8::9', inputDevice: 'out0' }, 'prohibit EACCES'],
  [{ destination: 'fd99::2', source: 'fd00::2', inputDevice: 'in0' }, 'no-route ENETUNREACH'],
]

test('lookups: type, device, gateway and source; what is refused is an answer', async () => {
  const { rtnl } = await router()
  const found: [RouteLookup, string][] = []
  for (const [lookup] of cases) found.push([lookup, summary(await rtnl.routes.lookup(lookup))])
  expect(found).toEqual(cases)
})

test('lookups agree with `ip route get`', async () => {
  const { host, rtnl } = await router()
  for (const [lookup] of cases) {
    const device = lookup.inputDevice === OUTSIDE ? 'out0' : lookup.inputDevice
    const args = [
      ...['-j', 'route', 'get', `${lookup.destination}`],
      ...(lookup.source === undefined ? [] : ['from', `${lookup.source}`]),
      ...(device === undefined ? [] : ['iif', `${device}`]),
    ]
    const answer = await run('nsenter', [`--net=${host.path()}`, '--', 'ip', ...args])
    const decision = await rtnl.routes.lookup(lookup)
    expect([args, decision.reachable]).toEqual([args, answer.code === 0])
    if (!decision.reachable) continue
    const [shown] = JSON.parse(answer.stdout)
    expect([args, shown.type ?? 'unicast', shown.gateway, shown.prefsrc]).toEqual([
      args,
      decision.type,
      decision.gateway?.toString(),
      decision.source?.toString(),
    ])
  }
})

test('rules and marks decide the table; a source that came by the wrong way is refused', async () => {
  const { host, rtnl } = await router()
  await rtnl.routes.add({ destination: 'default', gateway: '172.17.0.9', table: 100 })
  await ip(host, 'rule', 'add', 'fwmark', '0x5/0xff', 'table', '100', 'priority', '500')
  await ip(host, 'rule', 'add', 'ipproto', 'tcp', 'dport', '443', 'table', '100', 'priority', '501')
  const by = async (lookup: Omit<RouteLookup, 'destination'>): Promise<string> =>
    summary(await rtnl.routes.lookup({ destination: '8.8.8.8', ...lookup }))
  expect(await by({})).toBe('unicast 20 via 192.0.2.1 from 192.0.2.2 main')
  expect(await by({ mark: 5 })).toBe('unicast 10 via 172.17.0.9 from 172.17.0.1 100')
  expect(await by({ mark: 6 })).toBe('unicast 20 via 192.0.2.1 from 192.0.2.2 main')
  expect(await by({ protocol: 'tcp', destinationPort: 443 })).toBe(
    'unicast 10 via 172.17.0.9 from 172.17.0.1 100',
  )
  expect(await by({ protocol: 'tcp', destinationPort: 80 })).toBe(
    'unicast 20 via 192.0.2.1 from 192.0.2.2 main',
  )

  await host.writeSysctl('net.ipv4.conf.all.rp_filter', '1')
  const spoofed = { destination: '172.17.0.2', source: '172.17.0.3', inputDevice: 'out0' }
  expect(summary(await rtnl.routes.lookup(spoofed))).toBe('invalid EINVAL')

  const rules = await rtnl.rules.list()
  const shown = [...(await ipJson(host, '-4', 'rule', 'show')), ...(await ipJson(host, '-6', 'rule', 'show'))]
  expect(rules.map(({ priority, table, mark, mask }) => [priority, String(table), mark, mask])).toEqual(
    shown.map((rule) => [
      rule.priority,
      rule.table,
      rule.fwmark === undefined ? undefined : Number(rule.fwmark),
      rule.priority === 500 ? 0xff : undefined,
    ]),
  )
  expect(rules.map(({ action }) => action)).toEqual(rules.map(() => 'lookup'))
})

test('routes with a metric and a type: two to one destination stand side by side and go one by one', async () => {
  const { host, rtnl } = await router()
  const listed = async (): Promise<unknown[]> =>
    (await rtnl.routes.list()).flatMap(({ destination, type, metric, table, scope, device }) =>
      /^(10\.9|fd09)/.test(`${destination}`) ? [[`${destination}`, type, metric, table, scope, device]] : [],
    )
  const low = { destination: '10.9.0.0/24', device: INSIDE, metric: 10 } as const
  const high = { destination: '10.9.0.0/24', type: 'unreachable', metric: 4278198272 } as const
  const low6 = { destination: 'fd09::/64', device: INSIDE, metric: 10 } as const
  const high6 = { destination: 'fd09::/64', type: 'unreachable', metric: 4278198272 } as const
  for (const route of [high, low, high6, low6]) await rtnl.routes.add(route)
  expect(await listed()).toEqual([
    ['10.9.0.0/24', 'unicast', 10, 'main', 'link', INSIDE],
    ['10.9.0.0/24', 'unreachable', 4278198272, 'main', 'universe', undefined],
    ['fd09::/64', 'unicast', 10, 'main', 'universe', INSIDE],
    ['fd09::/64', 'unreachable', 4278198272, 'main', 'universe', LO],
  ])
  expect(summary(await rtnl.routes.lookup({ destination: '10.9.0.2' }))).toBe(
    'unicast 10 from 172.17.0.1 main',
  )
  await rtnl.routes.delete(low)
  await rtnl.routes.delete(low6)
  expect(summary(await rtnl.routes.lookup({ destination: '10.9.0.2' }))).toBe('unreachable EHOSTUNREACH')
  expect(summary(await rtnl.routes.lookup({ destination: 'fd09::2' }))).toBe('unreachable EHOSTUNREACH')
  expect(await ip(host, 'route', 'show', '10.9.0.0/24')).toContain('unreachable 10.9.0.0/24')
  await rtnl.routes.delete(high)
  await rtnl.routes.delete(high6)
  expect(await listed()).toEqual([])
})

test('what is wrong is told before anything is asked', async () => {
  const { rtnl } = await router()
  const wrong = (lookup: RouteLookup): Promise<unknown> =>
    rtnl.routes.lookup(lookup).catch(({ code, path }) => [code, path])
  expect(await wrong({ destination: '8.8.8' })).toEqual(['NFB_INVALID_ADDRESS', 'destination'])
  expect(await wrong({ destination: '8.8.8.8', source: 'fd00::1' })).toEqual([
    'NFB_INVALID_ARGUMENT',
    'source',
  ])
  expect(await wrong({ destination: '8.8.8.8', inputDevice: 'none0' })).toEqual([
    'NFB_MISSING',
    'inputDevice',
  ])
  expect(await wrong({ destination: '8.8.8.8', inputDevice: 4711 })).toEqual(['NFB_MISSING', undefined])
  expect(await wrong({ destination: '8.8.8.8', sourcePort: 1 })).toEqual(['NFB_INVALID_ARGUMENT', 'protocol'])
})
