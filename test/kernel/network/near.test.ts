/** Neighbours that come by a published port, on a bridge that the port's container is on as well. */
import { describe, expect, it } from 'vitest'
import { type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import type { NetworkOptions } from '../../../src/index.js'
import { ip } from '../../support/tools.js'
import { createMachines, createSetting, expectReached, openHost, type Setting } from './setting.js'

const HOST = '203.0.113.1'
const HOST6 = '2001:db8:203::1'
const OUTSIDE6 = '2001:db8:203::2'
const DUAL = { subnet: undefined, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] }
const GATEWAYS = { [HOST]: '172.17.0.1', [HOST6]: 'fd00:17::1' }

async function createDual(options: Partial<NetworkOptions>): Promise<Setting> {
  const setting = await createSetting(['web', 'app'], { ...DUAL, ...options })
  await addAddress(setting.host, 'uplink', `${HOST6}/64`)
  await addAddress(setting.outside, 'uplink', `${OUTSIDE6}/64`)
  return setting
}

/** Whether frames pass the rules of IP: asked for by the bridge, or by the settings of the namespace. */
async function showFrames(
  { namespace }: Machine,
  bridge: string,
  asked: 'on' | 'off',
  all: '0' | '1',
): Promise<void> {
  await ip(
    namespace,
    ...`link set ${bridge} type bridge nf_call_iptables ${asked === 'on' ? 1 : 0}`.split(' '),
  )
  await ip(
    namespace,
    ...`link set ${bridge} type bridge nf_call_ip6tables ${asked === 'on' ? 1 : 0}`.split(' '),
  )
  for (const name of ['iptables', 'ip6tables'])
    await namespace.writeSysctl(`net.bridge.bridge-nf-call-${name}`, all)
}

async function expectSeen(from: Machine, address: string, seen: string): Promise<void> {
  await expectReached(from, address, 8080, seen)
  expect(await from.probeUdp(address, 5353), `${from.name} to ${address}`).toMatchObject({
    outcome: 'reached',
    seen,
  })
}

describe('a neighbour at a published port', () => {
  describe.each([true, false])('icc: %s', (icc) => {
    it.each([
      ['off', '0'],
      ['off', '1'],
      ['on', '0'],
      ['on', '1'],
    ] as const)(
      'is seen as the gateway, by TCP and UDP; the bridge asks for br_netfilter: %s, all do: %s',
      async (asked, all) => {
        const { attach, machine, host, outside } = await createDual({ icc })
        const web = await attach('web', { publish: ['8080:80', '5353:53/udp'] })
        await attach('app')
        await machine('web').serveTcp(80, { address: '::' })
        await machine('web').serveUdp(53, { address: '::' })
        await showFrames(host, 'docker0', asked, all)
        for (const [address, gateway] of Object.entries(GATEWAYS)) {
          await expectSeen(machine('app'), address, gateway)
          // Also where nobody but the container itself asks.
          await expectSeen(machine('web'), address, gateway)
          // All others under their own address.
          await expectSeen(host, address, address)
        }
        await expectSeen(outside, HOST, '203.0.113.2')
        await expectSeen(outside, HOST6, OUTSIDE6)
        await web.unpublish('5353:53/udp')
        await expectReached(machine('app'), HOST, 8080, '172.17.0.1')
        const unpublished = await machine('app').probeUdp(HOST, 5353, { timeoutMs: SILENCE_MS })
        expect(unpublished).not.toMatchObject({ outcome: 'reached' })
        // Routed back into the bridge that they came from, nobody was told of a shorter way, which would lead past the translation.
        for (const [address, gateway] of Object.entries(GATEWAYS))
          expect(await ip(machine('app').namespace, 'route', 'get', address)).toContain(`via ${gateway}`)
      },
    )
  })

  it('is seen under its own address with tracking: true, as long as that stands', async () => {
    const { attach, machine, network } = await createDual({ tracking: true })
    const web = await attach('web', { publish: ['8080:80', '5353:53/udp'] })
    const app = await attach('app')
    await machine('web').serveTcp(80, { address: '::' })
    await machine('web').serveUdp(53, { address: '::' })
    const expectOwn = async (): Promise<void> => {
      await expectSeen(machine('app'), HOST, app.address)
      await expectSeen(machine('app'), HOST6, app.ipv6Address ?? '')
      for (const [address, gateway] of Object.entries(GATEWAYS))
        await expectSeen(machine('web'), address, gateway)
    }
    await expectOwn()
    await network.update({ tracking: false })
    for (const [address, gateway] of Object.entries(GATEWAYS))
      for (const from of ['app', 'web']) await expectSeen(machine(from), address, gateway)
    await network.update({ tracking: true })
    await expectOwn()
    await web.detach()
  })

  it.each([
    ['neither is tracked', false, false],
    ['the one that the port leads to is tracked', true, false],
    ['the other is tracked', false, true],
  ] as const)('by whichever of two networks that both are on: %s', async (_, first, second) => {
    const setting = await createSetting(['web', 'app', 'far'], { tracking: first })
    const { attach, machine, bridgeHost } = setting
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.18.0.0/16', tracking: second })
    const web = await attach('web', { publish: ['8080:80', '5353:53/udp'] })
    await web.connect(other, { netns: machine('web').namespace })
    // Its way out is the other network; the container is on both.
    const far = await attach('far', {}, other)
    const app = await attach('app')
    await app.connect(other, { netns: machine('app').namespace })
    await machine('web').serveTcp(80, { address: '::' })
    await machine('web').serveUdp(53, { address: '::' })
    const gateway = '172.17.0.1'
    await expectSeen(machine('app'), '172.17.0.1', first ? app.address : gateway)
    await expectSeen(machine('app'), HOST, first ? app.address : gateway)
    // By the other bridge, to the same address of the container. Where that is tracked a datagram is answered by another address than it
    // was for: the container answers by the way that is nearest.
    const others: readonly (readonly [Machine, string, string])[] = [
      [machine('far'), HOST, second ? far.address : gateway],
      [machine('app'), '172.18.0.1', second ? String(app.addressOn('other')?.ipv4) : gateway],
    ]
    for (const [from, address, seen] of others)
      if (second) await expectReached(from, address, 8080, seen)
      else await expectSeen(from, address, seen)
  })

  it('on an adopted bridge: a client of its LAN keeps its address, and is the gateway without tracking', async () => {
    const { host, machines } = await createMachines('web', 'lan')
    const [web, lan] = [machines.get('web'), machines.get('lan')]
    if (!web || !lan) throw new Error('two machines')
    await ip(host.namespace, ...'link add br0 type bridge'.split(' '))
    await ip(host.namespace, ...'addr add 192.168.7.1/24 dev br0'.split(' '))
    await ip(host.namespace, ...'link set br0 up'.split(' '))
    await ip(
      host.namespace,
      'link',
      'add',
      'lan',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      lan.namespace.path(),
    )
    await ip(host.namespace, ...'link set lan master br0 up'.split(' '))
    await ip(lan.namespace, ...'addr add 192.168.7.9/24 dev eth0'.split(' '))
    await ip(lan.namespace, ...'link set eth0 up'.split(' '))
    await ip(lan.namespace, ...'route add default via 192.168.7.1'.split(' '))
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({
      name: 'br0',
      adopt: true,
      subnet: '192.168.7.0/24',
      range: '192.168.7.128/25',
    })
    await network.attach({ name: 'web', netns: web.namespace, publish: ['8080:80', '5353:53/udp'] })
    await web.serveTcp(80, { address: '::' })
    await web.serveUdp(53, { address: '::' })
    await expectSeen(lan, HOST, '192.168.7.9')
    await network.update({ tracking: false })
    await expectSeen(lan, HOST, '192.168.7.1')
  })
})
