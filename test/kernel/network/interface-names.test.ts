import { describe, expect, it } from 'vitest'
import { ip, ipJson } from '../../support/tools.js'
import { createSetting, expectReached, failureOf } from './setting.js'
import { stateOf } from './state.js'

describe("an interface's name and index in the container", () => {
  it('are those that the kernel would give, and no two ends have one index', async () => {
    const { attach, machine, bridgeHost, host } = await createSetting(['web', 'app'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    const web = await attach('web')
    await web.connect(other)
    await attach('app')
    const links = await ipJson(machine('web').namespace, 'link', 'show')
    expect(links.map(({ ifindex, ifname }) => [ifindex, ifname])).toEqual([
      [1, 'lo'],
      [2, 'eth0'],
      [3, 'eth1'],
    ])
    const ends = (await ipJson(host.namespace, 'link', 'show', 'type', 'veth'))
      .filter(({ ifname }) => String(ifname).startsWith('veth'))
      .map(({ ifindex }) => ifindex)
    expect(ends).toHaveLength(3)
    expect(new Set(ends).size).toBe(ends.length)
    for (const index of ends) expect(Number(index)).toBeGreaterThan(3)
  })

  it('are others where somebody has them, and taken again when the container starts again', async () => {
    const { attach, machine, network } = await createSetting(['pod', 'vm', 'app'])
    await ip(machine('vm').namespace, 'link', 'add', 'eth0', 'index', '2', 'type', 'bridge')
    const vm = await attach('vm')
    expect(vm.interfaceName).toBe('eth1')
    const app = await attach('app')
    await machine('vm').serveTcp(80)
    await expectReached(machine('app'), vm.address, 80, app.address)
    const [one, two, three] = await network.attachAll(
      ['one', 'two', 'three'].map((name) => ({ name, netns: machine('pod').namespace })),
    )
    expect([one, two, three].map((each) => each?.interfaceName)).toEqual(['eth0', 'eth1', 'eth2'])
    const links = await ipJson(machine('pod').namespace, 'link', 'show')
    expect(links.map(({ ifindex }) => ifindex)).toEqual([1, 2, 3, 4])
    await two?.stop()
    await ip(machine('pod').namespace, 'link', 'add', 'x', 'index', '3', 'type', 'bridge')
    await two?.start()
    expect(two?.interfaceName).toBe('eth1')
    const back = await ipJson(machine('pod').namespace, 'link', 'show', 'eth1')
    expect(back.map(({ ifindex }) => ifindex)).toEqual([5])
  })

  it('in the way on the host are passed over, too', async () => {
    const { attach, machine, host, network } = await createSetting(['web', 'app'])
    for (const index of [65_536, 65_539])
      await ip(host.namespace, 'link', 'add', `x${index}`, 'index', `${index}`, 'type', 'bridge')
    const web = await attach('web', { bandwidth: { egress: { rate: 1_000_000_000 } } })
    const app = await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    await network.detachAll()
    expect((await ipJson(host.namespace, 'link', 'show', 'type', 'bridge')).length).toBe(3)
  })

  it('that were asked for are refused where somebody has them, and nothing is changed', async () => {
    const { attach, machine, host } = await createSetting(['vm', 'web'])
    await ip(machine('vm').namespace, 'link', 'add', 'lan0', 'type', 'bridge')
    const web = await attach('web', { interfaceName: 'lan0' })
    const before = await stateOf(host.namespace)
    expect(await failureOf(attach('vm', { interfaceName: 'lan0' }))).toMatchObject({
      code: 'NFB_EXISTS',
      path: 'interfaceName',
      remaining: [],
    })
    expect(await stateOf(host.namespace)).toBe(before)
    expect(web.interfaceName).toBe('lan0')
  })
})

describe("an interface's name on the host", () => {
  it('is the one that was asked for, with all that is made for it, also after a restart and a start', async () => {
    const { attach, machine, host, network } = await createSetting(['web', 'app'], { icc: false })
    const bandwidth = { egress: { rate: 1_000_000_000 } }
    const web = await attach('web', { hostInterfaceName: 'web', bandwidth, expose: ['80/tcp'] })
    const app = await attach('app', { hostInterfaceName: 'veth-app', bandwidth, links: ['web'] })
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    const ports = async () =>
      (await ipJson(host.namespace, 'link', 'show', 'master', 'docker0')).map(({ ifname }) => ifname).sort()
    expect(await ports()).toEqual(['veth-app', 'web'])
    await web.stop()
    expect(await ports()).toEqual(['veth-app'])
    await web.start()
    expect([web.hostInterface, await ports()]).toEqual(['web', ['veth-app', 'web']])
    await expectReached(machine('app'), web.address, 80, app.address)
    await network.detachAll()
    expect((await ipJson(host.namespace, 'link', 'show', 'type', 'ifb')).length).toBe(0)
  })

  it('is refused where somebody has it, and nothing is changed', async () => {
    const { attach, host } = await createSetting(['web', 'app'])
    await attach('web', { hostInterfaceName: 'lan' })
    const before = await stateOf(host.namespace)
    for (const [name, code] of [
      ['lan', 'NFB_NAME_TAKEN'],
      ['docker0', 'NFB_NAME_TAKEN'],
      ['lo', 'NFB_EXISTS'],
    ]) {
      expect(await failureOf(attach('app', { hostInterfaceName: name }))).toMatchObject({
        code,
        operation: 'Network.attach',
        path: 'hostInterfaceName',
        remaining: [],
      })
    }
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

describe("a container's own MTU", () => {
  it("is that of its interface, and the bridge and other containers keep the network's", async () => {
    const { attach, machine, host, network } = await createSetting(['small', 'app'], {
      ipv6: true,
      mtu: 1450,
    })
    const small = await attach('small', { mtu: 1280 })
    const app = await attach('app')
    const mtuOf = async (namespace: typeof host.namespace, name: string) =>
      (await ipJson(namespace, 'link', 'show', name)).map(({ mtu }) => mtu)
    expect(await mtuOf(machine('small').namespace, 'eth0')).toEqual([1280])
    expect(await mtuOf(machine('app').namespace, 'eth0')).toEqual([1450])
    expect(await mtuOf(host.namespace, small.hostInterface)).toEqual([1450])
    expect(await mtuOf(host.namespace, 'docker0')).toEqual([1450])
    await machine('small').serveTcp(80, { address: '::' })
    await expectReached(machine('app'), String(small.ipv6Address), 80, String(app.ipv6Address))
    await small.stop()
    await small.start()
    expect(await mtuOf(machine('small').namespace, 'eth0')).toEqual([1280])
    await small.detach()
    const refused = { code: 'NFB_SETTING_CONFLICT', path: 'mtu' }
    expect(await failureOf(attach('small', { mtu: 1451 }))).toMatchObject(refused)
    expect(await failureOf(attach('small', { mtu: 1279 }))).toMatchObject(refused)
    expect(network.containers).toHaveLength(1)
  })
})
