/**
 * Frames to a group of MAC addresses with packets for a single address. Where br_netfilter shows frames to connection tracking, the kernel confirms their
 * connections before a rule has judged them (br_nf_local_in, Linux 6.8): the other end could answer.
 */
import { expect, it } from 'vitest'
import type { NetworkOptions } from '../../../src/index.js'
import { conntrack, ip, nft } from '../../support/tools.js'
import { sendFrames } from './frames.js'
import { frame, udp } from './packets.js'
import { createSetting } from './setting.js'

const POOLS = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
const OUTSIDE: Readonly<Record<4 | 6, string>> = { 4: '203.0.113.2', 6: '2001:db8:113::2' }
const GROUPS = ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '33:33:00:00:00:01', '03:00:00:00:00:01']

interface Case {
  readonly title: string
  readonly options: Partial<NetworkOptions>
  readonly allowForgedSource?: boolean
}

const CASES: readonly Case[] = [
  { title: 'an internal network', options: { internal: true } },
  { title: 'a network with icc: false', options: { icc: false } },
  { title: 'a tracked network', options: { internal: true, tracking: true } },
  { title: 'a port with allowForgedSource', options: { internal: true }, allowForgedSource: true },
]

/** To each group. */
function datagrams(from: { readonly mac: string; readonly address: string }, to: string): Uint8Array[] {
  return GROUPS.map((mac, index) =>
    frame(
      udp({ from, sourcePort: 40000 + index, to: { mac, address: to }, destinationPort: 53 }, 'question'),
    ),
  )
}

const both = [4, 6] as const
const CONFIRMS_NONE = 'this kernel confirms no connection of a group'

it.for(CASES)('from $title are no connections', async ({ options, allowForgedSource = false }, { skip }) => {
  const { host, attach, machine } = await createSetting(['evil'], {
    subnet: undefined,
    pools: POOLS,
    ...options,
  })
  await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '1')
  await host.namespace.writeSysctl('net.bridge.bridge-nf-call-ip6tables', '1')
  const evil = await attach('evil', { allowForgedSource })
  const connections = async (): Promise<number> => {
    for (const family of both) {
      const address = (family === 4 ? evil.address : evil.ipv6Address) ?? ''
      await sendFrames(
        machine('evil').namespace,
        'eth0',
        datagrams({ mac: evil.mac, address }, OUTSIDE[family]),
      )
    }
    return countConnections(host.namespace)
  }
  expect(await connections()).toBe(0)
  await nft(host.namespace, 'flush chain bridge nfbridge senders')
  const without = await connections()
  skip(without === 0, CONFIRMS_NONE)
  expect(without).toBe(2 * GROUPS.length)
})

it('of which everybody is meant stay connections: a DHCP client is seen as one that begins', async ({
  skip,
}) => {
  const { host, attach, machine } = await createSetting(['app'])
  await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '1')
  const app = await attach('app')
  for (const address of ['255.255.255.255', '224.0.0.251'])
    await sendFrames(machine('app').namespace, 'eth0', datagrams(app, address))
  const connections = await countConnections(host.namespace)
  skip(connections === 0, CONFIRMS_NONE)
  expect(connections).toBe(2 * GROUPS.length)
})

it('from a bridge that is not ours are no connections with containers', async ({ skip }) => {
  const { host, attach, machine } = await createSetting(['app', 'stranger'], {
    subnet: undefined,
    pools: POOLS,
  })
  await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '1')
  await host.namespace.writeSysctl('net.bridge.bridge-nf-call-ip6tables', '1')
  const app = await attach('app')
  await ip(host.namespace, 'link', 'add', 'lan', 'type', 'bridge')
  await ip(host.namespace, 'link', 'set', 'lan', 'up')
  await ip(host.namespace, 'link', 'add', 'port', 'type', 'veth', 'peer', 'name', 'end')
  await ip(host.namespace, 'link', 'set', 'port', 'master', 'lan', 'up')
  await ip(host.namespace, 'link', 'set', 'end', 'netns', machine('stranger').namespace.path())
  await ip(machine('stranger').namespace, 'link', 'set', 'end', 'up')
  const send = async (towards: Readonly<Record<4 | 6, string>>): Promise<number> => {
    for (const family of both)
      await sendFrames(
        machine('stranger').namespace,
        'end',
        datagrams(
          { mac: '02:00:00:00:00:07', address: family === 4 ? '10.7.0.7' : 'fd07::7' },
          towards[family],
        ),
      )
    return countConnections(host.namespace)
  }
  const containers = { 4: app.address, 6: app.ipv6Address ?? '' }
  expect(await send(containers)).toBe(0)
  // What others do with theirs is their own affair.
  const others = await send(OUTSIDE)
  skip(others === 0, CONFIRMS_NONE)
  expect(others).toBe(2 * GROUPS.length)
  await nft(host.namespace, 'flush chain bridge nfbridge unchecked')
  expect(await send(containers)).toBe(2 * GROUPS.length)
})

/** How many connections with port 53 are known; afterwards none is. */
async function countConnections(namespace: Parameters<typeof conntrack>[0]): Promise<number> {
  let count = 0
  for (const family of ['ipv4', 'ipv6'])
    count += (await conntrack(namespace, '-L', '-f', family))
      .split('\n')
      .filter((line) => line.includes('dport=53 ')).length
  await conntrack(namespace, '-F')
  return count
}
