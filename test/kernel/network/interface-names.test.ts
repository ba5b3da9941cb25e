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
