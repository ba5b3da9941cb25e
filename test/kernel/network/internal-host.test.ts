import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import type { Container, Namespace } from '../../../src/index.js'
import { ip, nft } from '../../support/tools.js'
import { countFrames, countReceived, sendFrames } from './frames.js'
import { frame, udp } from './packets.js'
import { createSetting, expectBlocked, expectReached } from './setting.js'

const ADDRESSES = ['203.0.113.1', '2001:db8:113::1']

it('an internal network reaches the host by its own bridge alone, in both families, whatever routes it makes', async () => {
  const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
  const { attach, machine, host, network } = await createSetting(['web'], {
    subnet: undefined,
    pools,
    internal: true,
  })
  await attach('web')
  await addAddress(host, 'uplink', '2001:db8:113::1/64')
  await host.serveTcp(5000, { address: '::' })
  await machine('web').serveTcp(80, { address: '::' })
  for (const gateway of network.gateways) {
    await addRoute(machine('web'), { destination: gateway.includes(':') ? '::/0' : '0.0.0.0/0', gateway })
    expect(await machine('web').probeTcp(gateway, 5000)).toMatchObject({ outcome: 'reached' })
  }
  for (const address of ADDRESSES) {
    expect(await machine('web').probeTcp(address, 5000, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
  }
  // The host's own connections are answered, also from such an address.
  await expectReached(host, '172.17.0.2', 80, '203.0.113.1', { localAddress: '203.0.113.1' })
  // That it would get there.
  await nft(host.namespace, 'flush chain inet nfbridge input')
  for (const address of ADDRESSES) {
    expect(await machine('web').probeTcp(address, 5000)).toMatchObject({
      outcome: 'reached',
    })
  }
})

/** Where one of 10 datagrams and questions went that is not for an address of the bridge, by all ways that a container has. */
function reaching(from: Container, gatewayMac: string): Uint8Array[] {
  const datagram = (address: string, mac: string, source = from.address): Uint8Array =>
    frame(
      udp(
        {
          from: { mac: from.mac, address: source },
          sourcePort: 5,
          to: { mac, address },
          destinationPort: 5555,
        },
        'to the host',
      ),
    )
  const six = from.ipv6Address ?? ''
  const everybody = 'ff:ff:ff:ff:ff:ff'
  return [
    datagram('255.255.255.255', everybody),
    datagram('172.17.255.255', everybody),
    datagram('203.0.113.255', everybody),
    datagram('203.0.113.1', everybody),
    datagram('203.0.113.1', gatewayMac),
    datagram('224.0.0.1', '01:00:5e:00:00:01'),
    datagram('ff02::1', '33:33:00:00:00:01', six),
    datagram('ff02::2', '33:33:00:00:00:02', six),
    datagram('2001:db8:113::1', gatewayMac, six),
  ]
}

describe.each(['internal', 'isolated'] as const)('a network that is %s', (kind) => {
  it('reaches the host by no broadcast or multicast of any family, and learns no other address of it', async () => {
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    const { attach, machine, host, network } = await createSetting(['web'], {
      subnet: undefined,
      pools,
      ...(kind === 'internal' ? { internal: true } : { gatewayMode: 'isolated' }),
    })
    const web = await attach('web')
    await addAddress(host, 'uplink', '2001:db8:113::1/64')
    const { namespace } = machine('web')
    const bridge = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))[0].address
    // Whether somebody would have listened or not.
    const counters = [
      ['Udp', 'NoPorts'],
      ['Udp', 'IgnoredMulti'],
      ['Udp6', 'NoPorts'],
      ['Udp6', 'IgnoredMulti'],
    ] as const
    const count = async (): Promise<number> => {
      let sum = 0
      for (const [protocol, name] of counters)
        sum += await countReceived(host.namespace, protocol, name, send)
      return sum
    }
    const send = () => sendFrames(namespace, 'eth0', reaching(web, bridge))
    expect(await count()).toBe(0)
    expect(await asked(namespace, '203.0.113.1')).toBe('FAILED')
    if (kind === 'internal') expect(await asked(namespace, '172.17.0.1')).toBe('REACHABLE')
    // That they would get there.
    await nft(host.namespace, 'flush chain inet nfbridge input')
    await host.namespace.writeSysctl(`net/ipv4/conf/${network.name}/arp_ignore`, '0')
    expect(await count()).toBeGreaterThan(4)
    expect(await asked(namespace, '203.0.113.1')).toBe('REACHABLE')
  })
})

it('an isolated network gets no errors from the host: they would leave by the default route, and quote it', async () => {
  const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
  const { attach, machine, host, outside, network } = await createSetting(['web'], {
    subnet: undefined,
    pools,
    gatewayMode: 'isolated',
  })
  const web = await attach('web')
  await addAddress(host, 'uplink', '2001:db8:113::1/64')
  await addAddress(outside, 'uplink', '2001:db8:113::2/64')
  await addRoute(host, { destination: '::/0', gateway: '2001:db8:113::2' })
  const mac = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))[0].address
  const lastHop = (address: string, to: string): Uint8Array =>
    frame(
      udp(
        { from: { mac: web.mac, address }, sourcePort: 5, to: { mac, address: to }, destinationPort: 5 },
        'quoted',
        {
          hops: 1,
        },
      ),
    )
  const packets = [lastHop(web.address, '198.51.100.9'), lastHop(web.ipv6Address ?? '', '2001:db8:99::9')]
  const count = (): Promise<number> =>
    countFrames(outside.namespace, 'uplink', 'quoted', () =>
      sendFrames(machine('web').namespace, 'eth0', packets),
    )
  expect(await count()).toBe(0)
  await nft(host.namespace, 'flush chain bridge nfbridge senders')
  expect(await count()).toBe(2)
})

it('containers of a network of two addresses speak as they are linked: none has the MAC address of the bridge', async () => {
  const { attach, machine, host, network } = await createSetting(['web', 'app'], {
    subnet: '172.30.0.0/31',
    gatewayMode: 'isolated',
    icc: false,
  })
  const web = await attach('web', { expose: ['80/tcp'] })
  const app = await attach('app')
  const { address } = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))[0]
  expect([web.mac, app.mac]).not.toContain(address)
  await machine('web').serveTcp(80)
  await expectBlocked(machine('app'), web.address, 80)
  await app.link('web')
  await expectReached(machine('app'), web.address, 80, app.address)
})

/** What becomes of a question by ARP. */
async function asked(namespace: Namespace, address: string): Promise<string> {
  await ip(namespace, 'neigh', 'flush', 'dev', 'eth0')
  await ip(namespace, 'neigh', 'replace', address, 'dev', 'eth0', 'nud', 'none')
  await ip(namespace, 'neigh', 'replace', address, 'dev', 'eth0', 'use')
  for (;;) {
    const state = (await ip(namespace, 'neigh', 'show', address)).trim().split(' ').at(-1) ?? ''
    if (/FAILED|REACHABLE/.test(state)) return state
    await sleep(50)
  }
}
