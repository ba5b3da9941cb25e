import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { ip, ipJson } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached } from './setting.js'
import { stateOf } from './state.js'

describe('a network over several bridges', () => {
  it.each([
    ['one with a way out', false],
    ['an internal one', true],
  ])('is one: %s; icc and links hold between its bridges, in both families', async (_, internal) => {
    const { bridgeHost, host, machine, outside } = await createSetting(['web', 'app', 'top'])
    await bridgeHost.network('docker0')?.destroy()
    const before = await stateOf(host.namespace)
    const network = await bridgeHost.createNetwork({
      name: 'wide',
      // Two of /30: one container on each bridge.
      pools: [{ subnet: '10.9.0.0/29' }, { subnet: 'fd00:9::/63' }],
      bridges: 2,
      internal,
    })
    expect(network.bridges).toEqual(['wide', 'wide-1'])
    expect(network.gateways).toEqual(['10.9.0.1', '10.9.0.5', 'fd00:9::1', 'fd00:9:0:1::1'])
    const web = await network.attach({ name: 'web', netns: machine('web').namespace, expose: [80] })
    const app = await network.attach({ name: 'app', netns: machine('app').namespace })
    expect([web.address, app.address]).toEqual(['10.9.0.2', '10.9.0.6'])
    const ports = await ipJson(host.namespace, 'link', 'show', 'master', 'wide-1')
    expect(ports.map(({ ifname }) => ifname)).toContain(app.hostInterface)
    const [web6, app6] = [web.ipv6Address ?? '', app.ipv6Address ?? '']
    await machine('web').serveTcp(80, { address: '::' })
    await machine('web').serveTcp(81, { address: '::' })
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('app'), web6, 80, app6)
    const held = await machine('app').holdTcp(web.address, 80)
    await network.update({ icc: false })
    expect(await held.send('still', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    await expectBlocked(machine('app'), web.address, 80)
    await expectBlocked(machine('app'), web6, 80)
    await app.link('web')
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('app'), web6, 80, app6)
    await expectBlocked(machine('app'), web.address, 81)
    await outside.serveTcp(80)
    expect((await machine('app').probeTcp('203.0.113.2', 80)).outcome).toBe(
      internal ? 'unreachable' : 'reached',
    )
    await network.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

describe('several pools on one bridge', () => {
  it.each([
    ['with a way out', false],
    ['internal', true],
  ])('are used one after the other, and reach each other: %s', async (_, internal) => {
    const { bridgeHost, machine } = await createSetting(['web', 'app'])
    const network = await bridgeHost.createNetwork({
      name: 'two',
      pools: [{ subnet: '10.9.0.0/30' }, { subnet: '10.9.1.0/24', gateway: '10.9.1.254' }],
      internal,
    })
    const web = await network.attach({ name: 'web', netns: machine('web').namespace })
    const app = await network.attach({ name: 'app', netns: machine('app').namespace })
    expect([web.address, app.address]).toEqual(['10.9.0.2', '10.9.1.1'])
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
  })

  it('an isolated bridge has no address, and its containers reach each other', async () => {
    const { bridgeHost, host, machine } = await createSetting(['web', 'app'])
    const network = await bridgeHost.createNetwork({ name: 'lone', gatewayMode: 'isolated', ipv6: true })
    const web = await network.attach({ name: 'web', netns: machine('web').namespace })
    const app = await network.attach({ name: 'app', netns: machine('app').namespace })
    expect(await ip(host.namespace, 'addr', 'show', 'lone')).not.toContain('inet')
    expect(await ip(machine('app').namespace, 'route', 'show', 'default')).toBe('')
    await machine('web').serveTcp(80, { address: '::' })
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('app'), web.ipv6Address ?? '', 80, app.ipv6Address ?? '')
  })
})

describe('what a network takes from the host', () => {
  it('is the MTU of the way out, at the bridge and at both ends', async () => {
    const { bridgeHost, host, machine } = await createSetting(['web'])
    await ip(host.namespace, 'link', 'set', 'uplink', 'mtu', '1400')
    const network = await bridgeHost.createNetwork({ name: 'narrow' })
    const web = await network.attach({ name: 'web', netns: machine('web').namespace })
    expect(network.mtu).toBe(1400)
    const mtus = [
      await ipJson(host.namespace, 'link', 'show', 'narrow'),
      await ipJson(host.namespace, 'link', 'show', web.hostInterface),
      await ipJson(machine('web').namespace, 'link', 'show', 'eth0'),
    ].map(([link]) => link?.mtu)
    expect(mtus).toEqual([1400, 1400, 1400])
  })
})

describe('an address that comes to another container', () => {
  it('is announced: a neighbour that remembers the former one reaches the new one at once', async () => {
    const { attach, machine } = await createSetting(['web', 'app', 'new'])
    const web = await attach('web', { address: '172.17.0.9', mac: '02:00:00:00:00:09' })
    await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), '172.17.0.9', 80, '172.17.0.2')
    const remembered = await ip(machine('app').namespace, 'neigh', 'show', '172.17.0.9')
    expect(remembered).toContain('02:00:00:00:00:09 REACHABLE')
    await web.detach()
    await attach('new', { address: '172.17.0.9', mac: '02:00:00:00:00:0a' })
    expect(await ip(machine('app').namespace, 'neigh', 'show', '172.17.0.9')).toContain('02:00:00:00:00:0a')
    await machine('new').serveTcp(80)
    expect((await machine('app').probeTcp('172.17.0.9', 80)).outcome).toBe('reached')
  })
})
