import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { untilRunning } from '../../lab/wiring.js'
import { IPv4Address, IPv6Address, MacAddress } from '../../src/address/index.js'
import { announce, type Namespace } from '../../src/netns/index.js'
import { Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'

const keep = closeAfterEach()

const OLD = '02:00:00:00:00:01'
const NEW = '02:00:00:00:00:02'

/** `inside` and `outside`, joined by a veth: `eth0` (2) there, `v0` (10) here, both up. */
async function joined(): Promise<{ inside: Namespace; outside: Namespace; rtnl: Rtnl }> {
  const [inside, outside] = await newNamespaces(keep, 2)
  if (inside === undefined || outside === undefined) throw new Error('no namespaces')
  const rtnl = keep(await Rtnl.open({ netns: outside }))
  await rtnl.links.create({
    kind: 'veth',
    name: 'v0',
    index: 10,
    up: true,
    ipv6AddressGeneration: 'none',
    peer: { name: 'eth0', index: 2, netns: inside, mac: OLD },
  })
  const inner = keep(await Rtnl.open({ netns: inside }))
  await inner.apply([
    { kind: 'link', action: 'change', link: { device: 2, up: true, ipv6AddressGeneration: 'none' } },
  ])
  await rtnl.apply([
    { kind: 'address', action: 'add', address: { device: 10, address: '172.17.0.1/16' } },
    {
      kind: 'address',
      action: 'add',
      address: { device: 10, address: 'fd00::1/64', duplicateDetection: false },
    },
  ])
  await untilRunning({ namespace: inside }, 'eth0')
  await untilRunning({ namespace: outside }, 'v0')
  return { inside, outside, rtnl }
}

test("a neighbour's cache has the new MAC address of an address that moved, and no other", async () => {
  const { inside, rtnl } = await joined()
  const addresses = ['172.17.0.2', 'fd00::2', '172.17.0.3', 'fd00::3']
  for (const address of addresses)
    await rtnl.neighbours.add({ device: 10, address, mac: OLD, state: 'reachable' })
  const cache = async (): Promise<string[]> =>
    (await rtnl.neighbours.list({ device: 10 }))
      .flatMap(({ address, mac }) => (addresses.includes(`${address}`) ? [`${address} ${mac}`] : []))
      .sort()
  expect(await cache()).toEqual(addresses.map((address) => `${address} ${OLD}`).sort())

  const moved = [IPv4Address.parse('172.17.0.2'), IPv6Address.parse('fd00::2')]
  await announce(inside, { device: 'eth0', mac: MacAddress.parse(NEW), addresses: moved })
  const after = ['172.17.0.2', 'fd00::2'].map((address) => `${address} ${NEW}`)
  const untouched = ['172.17.0.3', 'fd00::3'].map((address) => `${address} ${OLD}`)
  await expect.poll(cache).toEqual([...after, ...untouched].sort())

  // By index, and back again: the lock time of the cache does not hold it off.
  await announce(inside, { device: 2, mac: MacAddress.parse(OLD), addresses: moved })
  await expect.poll(cache).toEqual(addresses.map((address) => `${address} ${OLD}`).sort())
})

test('tcpdump reads them as a reply that nobody asked for and an advertisement with a right checksum', async () => {
  const { inside, outside } = await joined()
  const args = ['-n', '-l', '-vv', '-c', '2', '-i', 'v0', 'arp or icmp6[0] == 136']
  const child = spawn('nsenter', [`--net=${outside.path()}`, '--', 'tcpdump', ...args])
  try {
    let text = ''
    let ready = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.stderr.on('data', (chunk) => {
      ready += chunk
    })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await expect.poll(() => ready).toContain('listening on v0')
    const addresses = [IPv4Address.parse('172.17.0.2'), IPv6Address.parse('fd00::2')]
    await announce(inside, { device: 'eth0', mac: MacAddress.parse(NEW), addresses })
    await ended
    expect(text).toContain('Reply 172.17.0.2 is-at 02:00:00:00:00:02, length 28')
    expect(text).toContain('hlim 255')
    expect(text).toContain('fd00::2 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement')
    expect(text).toContain('tgt is fd00::2, Flags [override]')
    expect(text).toContain(`destination link-address option (2), length 8 (1): ${NEW}`)
  } finally {
    child.kill('SIGKILL')
  }
})

test('what cannot be announced', async () => {
  const { inside } = await joined()
  const mac = MacAddress.parse(NEW)
  const addresses = [IPv4Address.parse('172.17.0.2')]
  const failing = (device: number | string): Promise<unknown> =>
    announce(inside, { device, mac, addresses }).catch(({ code, errno, path }) => [code, errno, path])
  expect(await failing('none0')).toEqual(['NFB_MISSING', 'ENODEV', 'device'])
  expect(await failing('a-name-that-is-far-too-long')).toEqual(['NFB_MISSING', 'ENODEV', 'device'])
  expect(await failing(4711)).toEqual(['NFB_MISSING', 'ENXIO', 'addresses[0]'])
  expect(await failing(0)).toEqual(['NFB_INVALID_ARGUMENT', undefined, 'device'])
  const inner = keep(await Rtnl.open({ netns: inside }))
  await inner.links.change({ device: 'eth0', up: false })
  expect(await failing('eth0')).toEqual(['NFB_REJECTED', 'ENETDOWN', 'addresses[0]'])
  await announce(inside, { device: 'none0', mac, addresses: [] })
  const many = Array.from({ length: 1025 }, () => addresses).flat()
  await expect(announce(inside, { device: 'eth0', mac, addresses: many })).rejects.toMatchObject({
    code: 'NFB_INVALID_ARGUMENT',
    path: 'addresses',
  })
})
