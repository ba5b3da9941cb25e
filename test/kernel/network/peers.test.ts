import { describe, expect, it } from 'vitest'
import { answerLimit, type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { addAddress, addRoute, connect } from '../../../lab/wiring.js'
import { BridgeHost, type ForwardPolicy, type PeerOptions } from '../../../src/index.js'
import { testMachines } from '../../support/machines.js'
import { ip, nft } from '../../support/tools.js'
import { cleanUp, createSetting, expectBlocked, expectReached, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

describe('peers', () => {
  it.each<[string, Partial<PeerOptions>, string, string]>([
    ['by an address of the host itself', { via: '203.0.113.1' }, 'NFB_SETTING_CONFLICT', 'via'],
    ['by one of its bridge', { via: '172.17.0.1' }, 'NFB_SETTING_CONFLICT', 'via'],
    ['by one that no route leads to', { via: '198.51.100.9' }, 'NFB_REJECTED', 'via'],
    ['by an interface that is not there', { device: 'nope' }, 'NFB_MISSING', 'device'],
    ['by both, and that is not there', { device: 'nope', via: '203.0.113.2' }, 'NFB_MISSING', 'device'],
    ['with a route that is there', { subnet: '198.18.0.0/16', via: '203.0.113.2' }, 'NFB_EXISTS', 'subnet'],
  ])('%s: refused with the place in the input', async (_, options, code, path) => {
    const peer = { subnet: '172.30.0.0/16', ...options }
    const { bridgeHost, host } = await createSetting([])
    await ip(host.namespace, ...'route add 198.18.0.0/16 dev uplink metric 0'.split(' '))
    const before = await stateOf(host.namespace)
    expect(await failureOf(bridgeHost.addPeer(peer))).toMatchObject({ code, path })
    expect([bridgeHost.peers, await stateOf(host.namespace)]).toEqual([[], before])
    // (control)
    await bridgeHost.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' })
  })

  it('are reached, and reach, by their own addresses; without the peer again, nothing', async () => {
    const [one, two, web, app] = await testMachines(['one', 'two', 'web', 'app'])
    await connect(
      { machine: one, interface: 'between', address: '192.0.2.1/24' },
      { machine: two, interface: 'between', address: '192.0.2.2/24' },
    )
    const before = await stateOf(one.namespace)
    const [here, there] = [await openHost(one), await openHost(two)]
    const networks = [
      await here.createNetwork({
        name: 'here',
        subnet: '172.18.0.0/16',
        masquerade: { except: ['172.19.0.0/16'] },
      }),
      await there.createNetwork({ name: 'there', subnet: '172.19.0.0/16' }),
    ]
    const server = await networks[1]?.attach({ name: 'web', netns: web.namespace })
    const client = await networks[0]?.attach({ name: 'app', netns: app.namespace })
    if (!server || !client) throw new Error('two containers')
    await web.serveTcp(80)
    await here.addPeer({ subnet: '172.19.0.0/16', via: '192.0.2.2' })
    await expectBlocked(app, server.address, 80)
    expect(await there.addPeer({ subnet: '172.18.0.0/16', via: '192.0.2.1', device: 'between' })).toEqual({
      subnet: '172.18.0.0/16',
      via: '192.0.2.1',
      device: 'between',
    })
    await expectReached(app, server.address, 80, client.address)
    expect(here.peers).toHaveLength(1)
    const held = await app.holdTcp(server.address, 80)
    await there.removePeer('172.18.0.0/16')
    expect(await held.send('still', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    await expectBlocked(app, server.address, 80)
    expect(await failureOf(there.removePeer('172.18.0.0/16'))).toMatchObject({ code: 'NFB_NOT_FOUND' })
    expect(await failureOf(here.addPeer({ subnet: '172.18.1.0/24', via: '192.0.2.2' }))).toMatchObject({
      code: 'NFB_POOL_OVERLAP',
    })
    const standing = await stateOf(one.namespace)
    expect(await failureOf(here.addPeer({ subnet: '172.28.0.0/16', via: '198.51.100.1' }))).toMatchObject({
      operation: 'BridgeHost.addPeer',
      remaining: [],
    })
    expect(await stateOf(one.namespace)).toBe(standing)
    await here.destroy()
    expect(await stateOf(one.namespace)).toBe(before)
  })

  it('reach no network without a way out', async () => {
    const { host, outside, bridgeHost, machine, attach } = await createSetting(['web'], { internal: true })
    const web = await attach('web')
    await machine('web').serveTcp(80)
    // What its root can do.
    await addRoute(machine('web'), { destination: '0.0.0.0/0', gateway: '172.17.0.1' })
    await addAddress(outside, 'uplink', '172.19.0.2/16')
    await addRoute(outside, { destination: '172.17.0.0/16', gateway: '203.0.113.1' })
    await bridgeHost.addPeer({ subnet: '172.19.0.0/16', via: '203.0.113.2' })
    const localAddress = '172.19.0.2'
    await expectBlocked(outside, web.address, 80, { localAddress })
    // What the answer meets then belongs to a connection.
    await nft(host.namespace, 'flush set inet nfbridge internal')
    await expectReached(outside, web.address, 80, localAddress, { localAddress })
  })
})

describe('the policy of forwarding', () => {
  const cases: readonly [policy: ForwardPolicy, on: boolean, passes: boolean][] = [
    ['auto', false, false],
    ['auto', true, true],
    ['drop', true, false],
    ['leave', false, true],
    ['accept', false, true],
  ]
  it.each(cases)(
    '%s, forwarding on before: %s, what concerns no container passes: %s',
    async (policy, on, passes) => {
      const [host, left, right] = await testMachines(['host', 'left', 'right'])
      const wire = (machine: Machine, number: number) =>
        connect(
          { machine: host, interface: machine.name, address: `198.51.${number}.1/24` },
          {
            machine,
            interface: 'up',
            address: `198.51.${number}.2/24`,
            routes: [{ destination: 'default', gateway: `198.51.${number}.1` }],
          },
        )
      await wire(left, 101)
      await wire(right, 102)
      if (on) await host.namespace.writeSysctl('net.ipv4.ip_forward', '1')
      const bridgeHost = await BridgeHost.open({ netns: host.namespace, forwardPolicy: policy })
      cleanUp(() => bridgeHost.close())
      await bridgeHost.createNetwork({ name: 'docker0' })
      await right.serveTcp(80)
      expect((await left.probeTcp('198.51.102.2', 80, { timeoutMs: answerLimit(passes) })).outcome).toBe(
        passes ? 'reached' : 'timeout',
      )
      await bridgeHost.destroy()
      expect(await host.namespace.readSysctl('net.ipv4.ip_forward')).toBe(on ? '1' : '0')
    },
  )

  it("accept: from outside a container's own address is reached, in nat mode too", async () => {
    const { attach, machine, outside, host } = await createSetting(['web'], {}, { forwardPolicy: 'accept' })
    const web = await attach('web')
    await machine('web').serveTcp(80)
    await expectReached(outside, web.address, 80, '203.0.113.2')
    expect(await ip(host.namespace, 'route', 'show', '172.17.0.0/16')).toContain('docker0')
  })
})
