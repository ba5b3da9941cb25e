import { expect, test } from 'vitest'
import { Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ipJson, runIn } from '../support/tools.js'

const keep = closeAfterEach()

/** Sends a datagram from an address, which fails with EADDRNOTAVAIL while it may not be used. */
const SEND_FROM = `
import socket, sys
sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sender.bind((sys.argv[1], 0))
sender.sendto(b'x', (sys.argv[2], 9))
print('sent')
`

test('a link without addresses of its own, made and set up in one batch, and its peer', async () => {
  const [host] = await newNamespaces(keep, 1)
  if (host === undefined) throw new Error('no namespace')
  const rtnl = keep(await Rtnl.open({ netns: host }))
  await rtnl.apply([
    {
      kind: 'link',
      action: 'create',
      link: {
        kind: 'veth',
        name: 'quiet0',
        index: 10,
        up: true,
        ipv6AddressGeneration: 'none',
        peer: { name: 'quiet1', ipv6AddressGeneration: 'none' },
      },
    },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'veth', name: 'loud0', index: 20, up: true, peer: { name: 'loud1' } },
    },
    { kind: 'link', action: 'change', link: { device: 'quiet1', up: true } },
    { kind: 'link', action: 'change', link: { device: 'loud1', up: true } },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'bridge', name: 'br0', index: 30, up: true, ipv6AddressGeneration: 'none' },
    },
  ])
  const modes = async (): Promise<unknown[]> =>
    (await ipJson(host, 'link', 'show')).map((link) => `${link.ifname} ${link.inet6_addr_gen_mode}`).sort()
  expect(await modes()).toEqual([
    'br0 none',
    'lo eui64',
    'loud0 eui64',
    'loud1 eui64',
    'quiet0 none',
    'quiet1 none',
  ])
  const addresses = async (device: string): Promise<string[]> =>
    (await rtnl.addresses.list({ device, family: 6 })).map(({ address }) => `${address}`)
  // The control: by now these would have theirs.
  await expect.poll(() => addresses('loud0')).toHaveLength(1)
  await expect.poll(() => addresses('loud1')).toHaveLength(1)
  expect([await addresses('quiet0'), await addresses('quiet1'), await addresses('br0')]).toEqual([[], [], []])
  expect((await rtnl.links.get('quiet0')).ipv6AddressGeneration).toBe('none')

  await rtnl.apply([
    {
      kind: 'link',
      action: 'change',
      link: { device: 'quiet0', up: false, ipv6AddressGeneration: 'random' },
    },
    { kind: 'link', action: 'change', link: { device: 'quiet0', up: true } },
    { kind: 'link', action: 'change', link: { device: 'loud0', up: false, ipv6AddressGeneration: 'none' } },
    { kind: 'link', action: 'change', link: { device: 'loud0', up: true } },
  ])
  expect((await rtnl.links.get('quiet0')).ipv6AddressGeneration).toBe('random')
  await expect.poll(() => addresses('quiet0')).toHaveLength(1)
  expect(await addresses('loud0')).toEqual([])
})

test('an address without duplicate detection is used at once, in the namespace of a container', async () => {
  const [host, container] = await newNamespaces(keep, 2)
  if (host === undefined || container === undefined) throw new Error('no namespaces')
  const outer = keep(await Rtnl.open({ netns: host }))
  const inner = keep(await Rtnl.open({ netns: container }))
  // So many probes, a second each: duplicate address detection does not end while we look.
  await container.writeSysctl('net.ipv6.conf.default.dad_transmits', '600')
  await outer.apply([
    {
      kind: 'link',
      action: 'create',
      link: {
        kind: 'veth',
        name: 'v0',
        index: 10,
        up: true,
        ipv6AddressGeneration: 'none',
        peer: { name: 'eth0', index: 2, netns: container },
      },
    },
  ])
  await inner.apply([
    { kind: 'link', action: 'change', link: { device: 2, up: true, ipv6AddressGeneration: 'none' } },
    {
      kind: 'address',
      action: 'add',
      address: { device: 2, address: 'fd00::2/64', duplicateDetection: false },
    },
    { kind: 'address', action: 'add', address: { device: 2, address: 'fd00::3/64' } },
  ])
  const listed = await inner.addresses.list({ device: 2 })
  expect(listed.map(({ address, tentative }) => [`${address}`, tentative])).toEqual([
    ['fd00::3/64', true],
    ['fd00::2/64', false],
  ])
  expect(await runIn(container, 'python3', ['-c', SEND_FROM, 'fd00::2', 'fd00::1'])).toBe('sent\n')
})

test('a peer that is made elsewhere is refused before anything is sent', async () => {
  const [host, container] = await newNamespaces(keep, 2)
  if (host === undefined || container === undefined) throw new Error('no namespaces')
  const rtnl = keep(await Rtnl.open({ netns: host }))
  const peer = { name: 'eth0', netns: container, ipv6AddressGeneration: 'none' } as const
  const error = await rtnl.links.create({ kind: 'veth', name: 'v0', peer }).catch((cause) => cause)
  expect([error.code, error.path]).toEqual([
    'NFB_INVALID_ARGUMENT',
    'operations[0].link.peer.ipv6AddressGeneration',
  ])
  const wrong = await rtnl.links
    .create({ kind: 'bridge', name: 'b0', ipv6AddressGeneration: 'never' as 'none' })
    .catch((cause) => cause)
  expect([wrong.code, wrong.path]).toEqual([
    'NFB_INVALID_ARGUMENT',
    'operations[0].link.ipv6AddressGeneration',
  ])
  expect(await rtnl.links.list()).toHaveLength(1)
})
