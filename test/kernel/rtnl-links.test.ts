import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type Link, Rtnl } from '../../src/rtnl/index.js'
import { expectSameAtRest } from '../support/at-rest.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, ipJson, isObject, type JsonObject } from '../support/tools.js'

const keep = closeAfterEach()

async function world(): Promise<{ host: Namespace; web: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  const web = keep(await Namespace.create())
  return { host, web, rtnl: keep(await Rtnl.open({ netns: host })) }
}

function section(value: unknown, ...names: string[]): JsonObject {
  let at: unknown = value
  for (const name of names) at = isObject(at) ? at[name] : undefined
  return isObject(at) ? at : {}
}

/** Not every kernel has them. */
async function kernelHas(kind: 'dummy' | 'vlan' | 'vrf' | 'vlan-filtering'): Promise<boolean> {
  const namespace = await Namespace.create()
  try {
    await ip(namespace, 'link', 'add', 'b0', 'type', 'bridge')
    const probes = {
      dummy: ['add', 'p0', 'type', 'dummy'],
      vlan: ['add', 'link', 'b0', 'name', 'p0', 'type', 'vlan', 'id', '5'],
      vrf: ['add', 'p0', 'type', 'vrf', 'table', '5'],
      'vlan-filtering': ['set', 'b0', 'type', 'bridge', 'vlan_filtering', '1'],
    }
    return await ip(namespace, 'link', ...probes[kind]).then(
      () => true,
      () => false,
    )
  } finally {
    namespace.close()
  }
}
const has = {
  dummy: await kernelHas('dummy'),
  vlan: await kernelHas('vlan'),
  vrf: await kernelHas('vrf'),
  vlanFiltering: await kernelHas('vlan-filtering'),
}

/** Every property of our Link that `ip -j -d link` shows, by the names of `ip`. */
function asIpShows(link: Link, names: ReadonlyMap<number, string>): JsonObject {
  return {
    ifindex: link.index,
    ifname: link.name,
    mtu: link.mtu,
    operstate: String(link.state).toUpperCase().replaceAll('-', ''),
    group: link.group === 0 ? 'default' : String(link.group),
    txqlen: link.txQueueLength,
    address: link.mac?.toString(),
    ifalias: link.alias,
    master: link.master === undefined ? undefined : names.get(link.master),
    up: link.up,
    lowerUp: link.lowerUp,
    kind: link.kind,
    num_tx_queues: link.txQueues,
    num_rx_queues: link.rxQueues,
    bridge: link.bridge && {
      stp_state: Number(link.bridge.stp),
      forward_delay: link.bridge.forwardDelay,
      hello_time: link.bridge.helloTime,
      max_age: link.bridge.maxAge,
      ageing_time: link.bridge.ageingTime,
      priority: link.bridge.priority,
      vlan_filtering: Number(link.bridge.vlanFiltering),
      vlan_default_pvid: link.bridge.vlanDefaultPvid,
      group_fwd_mask: `0x${Number(link.bridge.groupForwardMask).toString(16)}`.replace('0x0', '0'),
      mcast_snooping: Number(link.bridge.multicastSnooping),
      mcast_querier: Number(link.bridge.multicastQuerier),
      nf_call_iptables: Number(link.bridge.nfCallIptables),
      nf_call_ip6tables: Number(link.bridge.nfCallIp6tables),
      nf_call_arptables: Number(link.bridge.nfCallArptables),
    },
    port: link.port && {
      state: link.port.state,
      hairpin: link.port.hairpin,
      isolated: link.port.isolated,
      learning: link.port.learning,
      flood: link.port.unicastFlood,
      mcast_flood: link.port.multicastFlood,
      bcast_flood: link.port.broadcastFlood,
      neigh_suppress: link.port.neighbourSuppress,
      proxy_arp: link.port.proxyArp,
      proxy_arp_wifi: link.port.proxyArpForPort,
      guard: link.port.guard,
      root_block: link.port.rootBlock,
      fastleave: link.port.fastLeave,
      mcast_to_unicast: link.port.multicastToUnicast,
      locked: link.port.locked,
      cost: link.port.cost,
      priority: link.port.priority,
    },
  }
}

/** The same selection of what `ip` printed. */
function selected(shown: JsonObject): JsonObject {
  const flags = Array.isArray(shown.flags) ? shown.flags : []
  const info = section(shown, 'linkinfo')
  const bridge = info.info_kind === 'bridge' ? section(info, 'info_data') : undefined
  const port = info.info_slave_kind === 'bridge' ? section(info, 'info_slave_data') : undefined
  const pick = (from: JsonObject | undefined, names: string[]): JsonObject | undefined =>
    from && Object.fromEntries(names.map((name) => [name, from[name]]))
  return {
    ...pick(shown, [
      'ifindex',
      'ifname',
      'mtu',
      'operstate',
      'group',
      'txqlen',
      'address',
      'ifalias',
      'master',
    ]),
    up: flags.includes('UP'),
    lowerUp: flags.includes('LOWER_UP'),
    kind: info.info_kind,
    num_tx_queues: shown.num_tx_queues,
    num_rx_queues: shown.num_rx_queues,
    bridge: pick(bridge, [
      'stp_state',
      'forward_delay',
      'hello_time',
      'max_age',
      'ageing_time',
      'priority',
      'vlan_filtering',
      'vlan_default_pvid',
      'group_fwd_mask',
      'mcast_snooping',
      'mcast_querier',
      'nf_call_iptables',
      'nf_call_ip6tables',
      'nf_call_arptables',
    ]),
    port: pick(port, [
      'state',
      'hairpin',
      'isolated',
      'learning',
      'flood',
      'mcast_flood',
      'bcast_flood',
      'neigh_suppress',
      'proxy_arp',
      'proxy_arp_wifi',
      'guard',
      'root_block',
      'fastleave',
      'mcast_to_unicast',
      'locked',
      'cost',
      'priority',
    ]),
  }
}

/** The kernel settles the operational state a little after the change. */
function expectAsIpShows(namespace: Namespace, rtnl: Rtnl): Promise<void> {
  return expectSameAtRest(
    async () => {
      const links = await rtnl.links.list()
      const names = new Map(links.map((link) => [link.index, link.name]))
      return links.map((link) => asIpShows(link, names))
    },
    async () => (await ipJson(namespace, 'link', 'show')).map(selected),
  )
}

test('a bridge, a veth with its peer in another namespace and an ifb: as `ip` shows them, field by field', async () => {
  const { host, web, rtnl } = await world()
  await rtnl.apply([
    {
      kind: 'link',
      action: 'create',
      link: {
        kind: 'bridge',
        name: 'br0',
        index: 100,
        mtu: 1400,
        mac: '02:42:ac:11:00:01',
        alias: 'nfbridge:docker0',
        up: true,
        bridge: {
          stp: false,
          forwardDelay: 200,
          nfCallIptables: true,
          nfCallIp6tables: true,
          multicastSnooping: false,
          ageingTime: 12_300,
          priority: 4096,
          groupForwardMask: 8,
        },
      },
    },
    {
      kind: 'link',
      action: 'create',
      link: {
        kind: 'veth',
        name: 'veth-web',
        index: 101,
        mtu: 1400,
        group: 77,
        txQueues: 1,
        rxQueues: 1,
        master: 'br0',
        up: true,
        mac: '02:00:00:00:00:01',
        peer: {
          name: 'eth0',
          index: 7,
          mac: '02:42:ac:11:00:02',
          mtu: 1400,
          netns: web,
          txQueues: 1,
          rxQueues: 1,
        },
        port: {
          hairpin: true,
          isolated: true,
          learning: false,
          cost: 9,
          priority: 5,
          neighbourSuppress: true,
        },
      },
    },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'ifb', name: 'dummy0', txQueueLength: 33, arp: false },
    },
  ])
  await expectAsIpShows(host, rtnl)

  const veth = await rtnl.links.get('veth-web')
  expect(veth).toMatchObject({
    index: 101,
    kind: 'veth',
    group: 77,
    master: 100,
    txQueues: 1,
    rxQueues: 1,
    peer: 7,
  })
  expect(veth.port).toMatchObject({ hairpin: true, isolated: true, learning: false, cost: 9, priority: 5 })
  expect((await rtnl.links.get(100)).bridge).toMatchObject({
    stp: false,
    forwardDelay: 200,
    nfCallIptables: true,
    nfCallIp6tables: true,
    nfCallArptables: false,
    multicastSnooping: false,
    ageingTime: 12_300,
    priority: 4096,
    groupForwardMask: 8,
  })

  const inside = keep(await Rtnl.open({ netns: web }))
  await expectAsIpShows(web, inside)
  const peer = await inside.links.get('eth0')
  expect(peer).toMatchObject({ index: 7, mtu: 1400, up: false, peer: 101, txQueues: 1 })
  expect(peer.mac?.toString()).toBe('02:42:ac:11:00:02')
})

test('links that other programs made are read, with what is not known kept', async () => {
  const { host, rtnl } = await world()
  await ip(host, 'link', 'add', 'wg-like', 'type', 'ifb')
  await ip(host, 'link', 'add', 'mv0', 'link', 'wg-like', 'type', 'macvlan', 'mode', 'bridge')
  await ip(host, 'link', 'add', 'vx0', 'type', 'vxlan', 'id', '42', 'dstport', '4789', 'dev', 'wg-like')
  await ip(host, 'link', 'property', 'add', 'dev', 'wg-like', 'altname', 'a-much-longer-name-than-fits')
  await expectAsIpShows(host, rtnl)
  const vxlan = await rtnl.links.get('vx0')
  expect(vxlan.kind).toBe('vxlan')
  const data = vxlan.record.linkinfo?.data
  expect(data && 'opaque' in data && data.opaque instanceof Uint8Array && data.opaque.length).toBeGreaterThan(
    100,
  )
  expect((await rtnl.links.get('wg-like')).alternativeNames).toEqual(['a-much-longer-name-than-fits'])
})

test('changes: up, down, MTU, MAC, alias, group, master and its settings, name', async () => {
  const { host, rtnl } = await world()
  await rtnl.links.create({ kind: 'bridge', name: 'br0' })
  await rtnl.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
  await rtnl.links.change({ device: 'v0', master: 'br0', port: { isolated: true } })
  await rtnl.links.change({
    device: 'v0',
    up: true,
    mtu: 1300,
    mac: '02:00:00:00:00:09',
    alias: 'ä',
    group: 5,
  })
  await rtnl.links.change({ device: 'br0', bridge: { stp: true, forwardDelay: 400 }, promiscuous: true })
  await expectAsIpShows(host, rtnl)
  const bridge = await rtnl.links.get('br0')
  expect(bridge.bridge).toMatchObject({ stp: true, forwardDelay: 400 })
  expect(bridge.flags & 0x100).toBe(0x100)
  expect(await rtnl.links.get('v0')).toMatchObject({
    up: true,
    mtu: 1300,
    alias: 'ä',
    group: 5,
    master: bridge.index,
  })
  expect((await rtnl.links.get('v0')).port).toMatchObject({ isolated: true, learning: true })

  await rtnl.links.change({ device: 'v0', port: { hairpin: true } })
  expect((await rtnl.links.get('v0')).port).toMatchObject({ isolated: true, hairpin: true })
  await rtnl.links.change({ device: 'v0', up: false, master: null, alias: '' })
  const loose = await rtnl.links.get('v0')
  expect(loose.up).toBe(false)
  expect(loose.master).toBeUndefined()
  expect(loose.alias).toBeUndefined()
  expect(loose.port).toBeUndefined()
  await rtnl.links.change({ device: 'v0', name: 'renamed', up: true })
  expect((await rtnl.links.get('renamed')).index).toBe(loose.index)
  await expectAsIpShows(host, rtnl)
})

test('a link moves to another namespace', async () => {
  const { host, web, rtnl } = await world()
  await rtnl.links.create({ kind: 'ifb', name: 'd0' })
  await rtnl.links.change({ device: 'd0', netns: web, name: 'moved' })
  await rtnl.links.create({ kind: 'ifb', name: 'd1', netns: web })
  expect((await ipJson(host, 'link')).map((link) => link.ifname)).toEqual(['lo'])
  expect((await ipJson(web, 'link')).map((link) => link.ifname)).toEqual(['lo', 'moved', 'd1'])
})

test('listing is filtered by kind, by master and by group', async () => {
  const { rtnl } = await world()
  await rtnl.apply([
    { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0', index: 50 } },
    { kind: 'link', action: 'create', link: { kind: 'ifb', name: 'a', master: 'br0', group: 3 } },
    { kind: 'link', action: 'create', link: { kind: 'ifb', name: 'b', group: 3 } },
    { kind: 'link', action: 'create', link: { kind: 'veth', name: 'c', master: 50, peer: { name: 'd' } } },
  ])
  const names = (links: Link[]): string[] => links.map((link) => link.name).sort()
  expect(names(await rtnl.links.list({ kind: 'bridge' }))).toEqual(['br0'])
  expect(names(await rtnl.links.list({ master: 'br0' }))).toEqual(['a', 'c'])
  expect(names(await rtnl.links.list({ master: 50, kind: 'ifb' }))).toEqual(['a'])
  expect(names(await rtnl.links.list({ group: 3 }))).toEqual(['a', 'b'])
  expect(names(await rtnl.links.list())).toEqual(['a', 'b', 'br0', 'c', 'd', 'lo'])
})

test('one message deletes all links of a group', async () => {
  const { host, rtnl } = await world()
  const operations = Array.from({ length: 20 }, (_, index) => ({
    kind: 'link' as const,
    action: 'create' as const,
    link: { kind: 'veth' as const, name: `h${index}`, group: 9, peer: { name: `c${index}` } },
  }))
  await rtnl.apply([...operations, { kind: 'link', action: 'create', link: { kind: 'ifb', name: 'stays' } }])
  expect(await ipJson(host, 'link')).toHaveLength(42)
  await rtnl.links.delete({ group: 9 })
  expect((await ipJson(host, 'link')).map((link) => link.ifname)).toEqual(['lo', 'stays'])
  await rtnl.links.delete({ device: 'stays' })
  expect((await ipJson(host, 'link')).map((link) => link.ifname)).toEqual(['lo'])
})

test('a dummy', async ({ skip }) => {
  skip(!has.dummy, 'this kernel has no dummy links')
  const { host, rtnl } = await world()
  await rtnl.links.create({ kind: 'dummy', name: 'dummy0', up: true })
  await expectAsIpShows(host, rtnl)
})

test('a VLAN', async ({ skip }) => {
  skip(!has.vlan, 'this kernel has no VLAN links')
  const { host, rtnl } = await world()
  await rtnl.links.create({ kind: 'bridge', name: 'br0' })
  await rtnl.links.create({ kind: 'vlan', name: 'br0.5', device: 'br0', vlan: 5 })
  expect((await rtnl.links.get('br0.5')).vlan).toBe(5)
  await expectAsIpShows(host, rtnl)
})

test('a VRF', async ({ skip }) => {
  skip(!has.vrf, 'this kernel has no VRF links')
  const { host, rtnl } = await world()
  await rtnl.links.create({ kind: 'vrf', name: 'red', table: 1000 })
  const [shown] = await ipJson(host, 'link', 'show', 'red')
  expect(section(shown, 'linkinfo', 'info_data').table).toBe(1000)
  await expectAsIpShows(host, rtnl)
})

test('a bridge that filters VLANs', async ({ skip }) => {
  skip(!has.vlanFiltering, 'this kernel has no VLAN filtering of bridges')
  const { host, rtnl } = await world()
  await rtnl.links.create({
    kind: 'bridge',
    name: 'br0',
    bridge: { vlanFiltering: true, vlanDefaultPvid: 7 },
  })
  expect((await rtnl.links.get('br0')).bridge).toMatchObject({ vlanFiltering: true, vlanDefaultPvid: 7 })
  await expectAsIpShows(host, rtnl)
})

test('what this kernel has not is said to be not supported', async () => {
  const { rtnl } = await world()
  for (const kind of ['dummy', 'vlan', 'vrf'] as const) {
    if (has[kind]) continue
    const link =
      kind === 'dummy'
        ? { kind, name: 'x' }
        : kind === 'vlan'
          ? { kind, name: 'x', device: 1, vlan: 2 }
          : { kind, name: 'x', table: 7 }
    await expect(rtnl.links.create(link)).rejects.toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      errno: 'EOPNOTSUPP',
    })
  }
  // On any kernel: `lo` takes no ports.
  await rtnl.links.create({ kind: 'ifb', name: 'ifb9' })
  const refused = rtnl.links.change({ device: 'ifb9', master: 'lo' })
  await expect(refused).rejects.toMatchObject({ code: 'NFB_NOT_SUPPORTED', errno: 'EOPNOTSUPP' })
})
