import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type Address, type FdbEntry, type Neighbour, type Route, Rtnl } from '../../src/rtnl/index.js'
import { expectSameAtRest } from '../support/at-rest.js'
import { closeAfterEach } from '../support/namespaces.js'
import { bridgeJson, ip, ipJson, type JsonObject } from '../support/tools.js'

const keep = closeAfterEach()

/** A namespace with the two ends of a veth, up: `v0` (index 10) and `v1` (index 11). */
async function world(): Promise<{ host: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  const rtnl = keep(await Rtnl.open({ netns: host }))
  await host.writeSysctl('net.ipv6.conf.default.addr_gen_mode', '1') // no link-local addresses by themselves
  await rtnl.apply([
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'veth', name: 'v0', index: 10, up: true, peer: { name: 'v1', index: 11 } },
    },
    { kind: 'link', action: 'change', link: { device: 11, up: true } },
    { kind: 'link', action: 'change', link: { device: 1, up: true } },
  ])
  return { host, rtnl }
}

/** Drops what is undefined, so that absent and undefined are the same. */
function plain(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, property]) => property !== undefined))
}

function pick(value: JsonObject, names: readonly string[]): JsonObject {
  return plain(Object.fromEntries(names.map((name) => [name, value[name]])))
}

const DEVICES = new Map([
  [1, 'lo'],
  [10, 'v0'],
  [11, 'v1'],
])

test('addresses: added, replaced, deleted, and listed as `ip` lists them', async () => {
  const { host, rtnl } = await world()
  await rtnl.apply([
    {
      kind: 'address',
      action: 'add',
      address: { device: 10, address: '172.17.0.1/16', broadcast: '172.17.255.255' },
    },
    { kind: 'address', action: 'add', address: { device: 'v0', address: '172.17.0.2/16', label: 'v0:two' } },
    {
      kind: 'address',
      action: 'add',
      address: { device: 'v1', address: '10.0.0.1/32', peer: '10.0.0.2', scope: 'link' },
    },
    {
      kind: 'address',
      action: 'add',
      address: { device: 10, address: 'fd00::1/64', duplicateDetection: false },
    },
    {
      kind: 'address',
      action: 'add',
      address: { device: 10, address: 'fd00:1::1/64', duplicateDetection: false, prefixRoute: false },
    },
    { kind: 'address', action: 'add', address: { device: 11, address: '192.168.7.1/24', metric: 77 } },
  ])
  const asIpShows = (address: Address): JsonObject =>
    plain({
      device: DEVICES.get(address.device),
      family: address.family === 4 ? 'inet' : 'inet6',
      local: address.address.address.toString(),
      prefixlen: address.address.prefixLength,
      address: address.peer?.toString(),
      broadcast: address.broadcast?.toString(),
      label: address.label,
      scope: address.scope === 'universe' ? 'global' : address.scope,
      metric: address.metric,
      tentative: address.tentative || undefined,
    })
  const listed = async (): Promise<JsonObject[]> => {
    const shown: JsonObject[] = []
    for (const link of await ipJson(host, 'address', 'show')) {
      for (const info of Array.isArray(link.addr_info) ? link.addr_info : []) {
        const names = [
          'family',
          'local',
          'prefixlen',
          'address',
          'broadcast',
          'label',
          'scope',
          'metric',
          'tentative',
        ]
        shown.push(plain({ device: link.ifname, ...pick(info, names) }))
      }
    }
    return shown
  }
  const sorted = (all: JsonObject[]): string[] =>
    all.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort()
  const expectAsIpShows = () =>
    expectSameAtRest(
      async () => sorted((await rtnl.addresses.list()).map(asIpShows)),
      async () => sorted(await listed()),
    )
  await expectAsIpShows()
  const addresses = await rtnl.addresses.list()
  expect(addresses.map((each) => each.address.toString()).sort()).toEqual([
    '10.0.0.1/32',
    '127.0.0.1/8',
    '172.17.0.1/16',
    '172.17.0.2/16',
    '192.168.7.1/24',
    '::1/128',
    'fd00:1::1/64',
    'fd00::1/64',
  ])
  expect(addresses.find((each) => each.address.address.toString() === '10.0.0.1')?.peer?.toString()).toBe(
    '10.0.0.2',
  )
  expect(
    (await rtnl.addresses.list({ device: 'v0', family: 6 })).map((each) => each.address.toString()).sort(),
  ).toEqual(['fd00:1::1/64', 'fd00::1/64'])

  await rtnl.addresses.replace({ device: 'v0', address: '172.17.0.1/16', metric: 9 })
  await rtnl.addresses.delete({ device: 'v0', address: '172.17.0.2/16' })
  await rtnl.addresses.delete({ device: 10, address: 'fd00::1/64' })
  await expectAsIpShows()
  expect(
    (await rtnl.addresses.list({ device: 10, family: 4 })).map((each) => [`${each.address}`, each.metric]),
  ).toEqual([['172.17.0.1/16', 9]])
})

test('routes: gateways, devices, metrics, tables, scopes and several ways, as `ip` lists them', async () => {
  const { host, rtnl } = await world()
  await rtnl.apply([
    { kind: 'address', action: 'add', address: { device: 10, address: '172.17.0.2/16' } },
    { kind: 'address', action: 'add', address: { device: 11, address: '10.9.0.2/24' } },
    {
      kind: 'address',
      action: 'add',
      address: { device: 10, address: 'fd00::2/64', duplicateDetection: false },
    },
    { kind: 'route', action: 'add', route: { destination: 'default', gateway: '172.17.0.1' } },
    { kind: 'route', action: 'add', route: { destination: 'default', gateway: 'fd00::1', metric: 5 } },
    {
      kind: 'route',
      action: 'add',
      route: { destination: '10.1.0.0/16', device: 'v0', metric: 100, source: '172.17.0.2' },
    },
    {
      kind: 'route',
      action: 'add',
      route: { destination: '10.2.0.0/16', gateway: '172.17.0.9', table: 1000, mtu: 1280 },
    },
    {
      kind: 'route',
      action: 'add',
      route: { destination: '10.3.0.0/16', device: 10, table: 7, protocol: 'boot' },
    },
    { kind: 'route', action: 'add', route: { destination: '10.4.0.0/16', type: 'unreachable' } },
    { kind: 'route', action: 'add', route: { destination: 'fd01::/64', type: 'blackhole', metric: 9 } },
    {
      kind: 'route',
      action: 'add',
      route: { destination: '10.5.0.0/16', gateway: '8.8.8.8', device: 10, onlink: true },
    },
    {
      kind: 'route',
      action: 'add',
      route: {
        destination: '10.6.0.0/16',
        nexthops: [
          { gateway: '172.17.0.3', device: 'v0', weight: 2 },
          { gateway: '10.9.0.3' },
          { gateway: '9.9.9.9', device: 11, onlink: true, weight: 256 },
        ],
      },
    },
    {
      kind: 'route',
      action: 'add',
      route: {
        destination: 'fd02::/64',
        nexthops: [{ gateway: 'fd00::3' }, { gateway: 'fd00::4', device: 10, weight: 5 }],
      },
    },
    { kind: 'route', action: 'add', route: { destination: '10.7.0.0/16', gateway: 'fd00::1', device: 10 } },
    {
      kind: 'route',
      action: 'add',
      route: { destination: 'fd03::/64', device: 'v1', table: 'local', type: 'local' },
    },
  ])
  const asIpShows = (route: Route): JsonObject => {
    const cidr = `${route.destination}`
    const host = route.destination.prefixLength === (route.family === 4 ? 32 : 128)
    const onlink = (flag: boolean): string[] => (flag ? ['onlink'] : [])
    return plain({
      type: route.type,
      dst: route.destination.prefixLength === 0 ? 'default' : host ? `${route.destination.address}` : cidr,
      gateway: route.gateway?.family === route.family ? `${route.gateway}` : undefined,
      via:
        route.gateway && route.gateway.family !== route.family
          ? { family: 'inet6', host: `${route.gateway}` }
          : undefined,
      dev: route.device === undefined ? undefined : DEVICES.get(route.device),
      table: String(route.table),
      protocol: route.protocol,
      scope: route.scope === 'universe' ? 'global' : route.scope,
      prefsrc: route.source?.toString(),
      metric: route.metric,
      flags: route.nexthops || !route.onlink ? [] : ['onlink'],
      mtu: route.mtu,
      nexthops: route.nexthops?.map((nexthop) =>
        plain({
          gateway: nexthop.gateway?.toString(),
          dev: DEVICES.get(nexthop.device),
          weight: nexthop.weight,
          flags: onlink(nexthop.onlink),
        }),
      ),
    })
  }
  const shown = async (family: '-4' | '-6'): Promise<JsonObject[]> =>
    (await ipJson(host, family, 'route', 'show', 'table', 'all')).map((route) => {
      const names = [
        'type',
        'dst',
        'gateway',
        'via',
        'dev',
        'table',
        'protocol',
        'scope',
        'prefsrc',
        'metric',
        'flags',
        'nexthops',
      ]
      const metrics = Array.isArray(route.metrics) ? route.metrics[0] : undefined
      return plain({ ...pick(route, names), mtu: metrics?.mtu })
    })
  for (const family of [4, 6] as const)
    await expectSameAtRest(
      async () => (await rtnl.routes.list({ family, table: 'all' })).map(asIpShows),
      () => shown(`-${family}`),
    )
  const routes = await rtnl.routes.list({ table: 'all' })
  expect(new Set(routes.map(({ family }) => family))).toEqual(new Set([4, 6]))

  const multipath = routes.find((route) => `${route.destination}` === '10.6.0.0/16')
  expect(
    multipath?.nexthops?.map(({ gateway, device, weight, onlink }) => [`${gateway}`, device, weight, onlink]),
  ).toEqual([
    ['172.17.0.3', 10, 2, false],
    ['10.9.0.3', 11, 1, false],
    ['9.9.9.9', 11, 256, true],
  ])
  const destinations = (all: Route[]): string[] => all.map((route) => `${route.destination}`)
  expect(destinations(await rtnl.routes.list({ family: 4, table: 1000 }))).toEqual(['10.2.0.0/16'])
  expect(destinations(await rtnl.routes.list({ family: 4, table: 4242 }))).toEqual([])
  expect(destinations(await rtnl.routes.list({ family: 4, protocol: 'boot', table: 'all' }))).toEqual([
    '10.3.0.0/16',
  ])
  expect(destinations(await rtnl.routes.list({ family: 4, device: 'v1' }))).toEqual([
    '10.6.0.0/16',
    '10.9.0.0/24',
  ])

  const [found] = await ipJson(host, 'route', 'get', '10.1.2.3')
  const route = await rtnl.routes.get('10.1.2.3')
  expect([`${route.destination.address}`, DEVICES.get(route.device ?? 0), `${route.source}`]).toEqual([
    found?.dst,
    found?.dev,
    found?.prefsrc,
  ])

  await rtnl.routes.replace({ destination: 'default', gateway: '172.17.0.77' })
  expect((await ipJson(host, 'route', 'show', 'default')).map((each) => each.gateway)).toEqual([
    '172.17.0.77',
  ])
  await rtnl.apply([
    { kind: 'route', action: 'delete', route: { destination: 'default' } },
    { kind: 'route', action: 'delete', route: { destination: 'default', gateway: 'fd00::1' } },
    { kind: 'route', action: 'delete', route: { destination: '10.1.0.0/16', device: 'v0' } },
    { kind: 'route', action: 'delete', route: { destination: '10.2.0.0/16', table: 1000 } },
    { kind: 'route', action: 'delete', route: { destination: '10.3.0.0/16', table: 7 } },
    { kind: 'route', action: 'delete', route: { destination: '10.4.0.0/16' } },
    { kind: 'route', action: 'delete', route: { destination: '10.6.0.0/16' } },
    { kind: 'route', action: 'delete', route: { destination: 'fd01::/64' } },
  ])
  const left = (await rtnl.routes.list({ table: 'all' })).filter((each) => each.protocol === 'static')
  expect(destinations(left)).toEqual(['10.5.0.0/16', '10.7.0.0/16', 'fd02::/64', 'fd03::/64'])
})

test('neighbours, as `ip` lists them', async () => {
  const { host, rtnl } = await world()
  await rtnl.apply([
    {
      kind: 'neighbour',
      action: 'add',
      neighbour: { device: 'v0', address: '172.17.0.9', mac: '02:42:ac:11:00:09' },
    },
    {
      kind: 'neighbour',
      action: 'add',
      neighbour: { device: 10, address: 'fd00::9', mac: '02:42:ac:11:00:0a', router: true },
    },
    {
      kind: 'neighbour',
      action: 'add',
      neighbour: { device: 11, address: '10.0.0.9', mac: '02:42:ac:11:00:0b', state: 'noarp' },
    },
    {
      kind: 'neighbour',
      action: 'replace',
      neighbour: { device: 11, address: '10.0.0.9', mac: '02:42:ac:11:00:0c' },
    },
  ])
  const asIpShows = (neighbour: Neighbour): JsonObject =>
    plain({
      dst: `${neighbour.address}`,
      dev: DEVICES.get(neighbour.device),
      lladdr: neighbour.mac?.toString(),
      router: neighbour.router ? null : undefined,
      state: [String(neighbour.state).toUpperCase()],
    })
  const order = (all: JsonObject[]): JsonObject[] =>
    all.sort((one, other) => (`${one.dst}` < `${other.dst}` ? -1 : 1))
  const shown = async (): Promise<JsonObject[]> =>
    order(
      (await ipJson(host, 'neighbour', 'show', 'nud', 'all')).map((each) =>
        pick(each, ['dst', 'dev', 'lladdr', 'router', 'state']),
      ),
    )
  const listed = async (): Promise<JsonObject[]> => order((await rtnl.neighbours.list()).map(asIpShows))
  await expectSameAtRest(listed, shown)
  expect((await rtnl.neighbours.list({ device: 'v1', family: 4 })).map((each) => `${each.mac}`)).toEqual([
    '02:42:ac:11:00:0c',
  ])
  await rtnl.neighbours.delete({ device: 'v0', address: '172.17.0.9' })
  expect(
    (await rtnl.neighbours.list({ device: 'v0', family: 4 })).filter((each) => each.state === 'permanent'),
  ).toEqual([])
})

test('entries of a forwarding database, as `bridge` lists them', async () => {
  const { host, rtnl } = await world()
  await rtnl.apply([
    { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0', index: 50, up: true } },
    { kind: 'link', action: 'change', link: { device: 'v0', master: 'br0' } },
    { kind: 'fdb', action: 'add', entry: { device: 'v0', mac: '02:00:00:00:00:05' } },
    { kind: 'fdb', action: 'add', entry: { device: 'v0', mac: '02:00:00:00:00:06', state: 'dynamic' } },
    { kind: 'fdb', action: 'add', entry: { device: 'v0', mac: '02:00:00:00:00:07', state: 'permanent' } },
    { kind: 'fdb', action: 'add', entry: { device: 'v0', mac: '02:00:00:00:00:08', sticky: true } },
    {
      kind: 'fdb',
      action: 'add',
      entry: { device: 'v0', mac: '33:33:00:00:00:99', table: 'self', state: 'permanent' },
    },
  ])
  const names = new Map([...DEVICES, [50, 'br0']])
  const asBridgeShows = (entry: FdbEntry): JsonObject =>
    plain({
      mac: `${entry.mac}`,
      ifname: names.get(entry.device),
      vlan: entry.vlan,
      master: entry.master === undefined ? undefined : names.get(entry.master),
      state: entry.state === 'dynamic' ? '' : entry.state,
      flags: [...((entry.flags & 2) !== 0 ? ['self'] : []), ...(entry.sticky ? ['sticky'] : [])].sort(),
    })
  const shown = async (): Promise<JsonObject[]> =>
    (await bridgeJson(host, 'fdb', 'show')).map((entry) => ({
      ...pick(entry, ['mac', 'ifname', 'vlan', 'master', 'state']),
      flags: (Array.isArray(entry.flags) ? entry.flags : []).toSorted(),
    }))
  expect((await shown()).length).toBeGreaterThan(5)
  const text = (all: JsonObject[]): string[] =>
    all.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort()
  await expectSameAtRest(
    async () => text((await rtnl.fdb.list()).map(asBridgeShows)),
    async () => text(await shown()),
  )
  const ours = (await rtnl.fdb.list({ bridge: 'br0', device: 'v0' })).filter((entry) =>
    entry.mac.toString().startsWith('02:00:00'),
  )
  expect(ours.map((entry) => [`${entry.mac}`, entry.state, entry.sticky]).sort()).toEqual([
    ['02:00:00:00:00:05', 'static', false],
    ['02:00:00:00:00:06', 'dynamic', false],
    ['02:00:00:00:00:07', 'permanent', false],
    ['02:00:00:00:00:08', 'static', true],
  ])
  await rtnl.fdb.delete({ device: 'v0', mac: '02:00:00:00:00:05' })
  const left = (await rtnl.fdb.list({ device: 'v0' })).map((entry) => `${entry.mac}`)
  expect(left).not.toContain('02:00:00:00:00:05')
  expect(left).toContain('02:00:00:00:00:06')
})

test('what another program made is read', async () => {
  const { host, rtnl } = await world()
  await ip(host, 'address', 'add', '10.44.0.1/24', 'brd', '+', 'dev', 'v0')
  await ip(
    host,
    'route',
    'add',
    '10.45.0.0/16',
    'nexthop',
    'via',
    '10.44.0.7',
    'weight',
    '9',
    'nexthop',
    'via',
    '10.44.0.8',
  )
  const [address] = await rtnl.addresses.list({ device: 'v0', family: 4 })
  expect(`${address?.address} ${address?.broadcast} ${address?.permanent}`).toBe(
    '10.44.0.1/24 10.44.0.255 true',
  )
  const route = (await rtnl.routes.list({ family: 4 })).find((each) => each.nexthops !== undefined)
  expect(route?.nexthops?.map((nexthop) => [`${nexthop.gateway}`, nexthop.weight])).toEqual([
    ['10.44.0.7', 9],
    ['10.44.0.8', 1],
  ])
})
