import { describe, expect, it } from 'vitest'
import { connect } from '../../../lab/wiring.js'
import type { Namespace } from '../../../src/index.js'
import { bridge, ip, ipJson } from '../../support/tools.js'
import { createMachines, expectReached, openHost } from './setting.js'

/** The LAN of somebody else: a bridge with a machine at a port, whose MAC is higher than most. */
async function createLan(options: { readonly mtu?: number; readonly stp?: boolean } = {}) {
  const { host, machines } = await createMachines('lan', 'one', 'two')
  const [lan, one, two] = ['lan', 'one', 'two'].map((name) => machines.get(name))
  if (!lan || !one || !two) throw new Error('three machines')
  const stp = options.stp ? ['stp_state', '1', 'forward_delay', '200'] : []
  await ip(host.namespace, 'link', 'add', 'br0', 'type', 'bridge', ...stp)
  await connect(
    { machine: host, interface: 'nic' },
    { machine: lan, interface: 'eth0', address: '10.5.0.254/24' },
  )
  await ip(host.namespace, 'link', 'set', 'nic', 'address', 'fa:00:5e:00:53:01')
  if (options.mtu !== undefined) {
    await ip(lan.namespace, 'link', 'set', 'eth0', 'mtu', String(options.mtu))
    await ip(host.namespace, 'link', 'set', 'nic', 'mtu', String(options.mtu))
  }
  await ip(host.namespace, 'link', 'set', 'nic', 'master', 'br0')
  await ip(host.namespace, 'link', 'set', 'br0', 'up')
  await ip(host.namespace, 'addr', 'add', '10.5.0.1/24', 'dev', 'br0')
  return { host, lan, one, two, bridgeHost: await openHost(host) }
}

async function linkOf(namespace: Namespace, device: string): Promise<unknown> {
  const [{ mtu, address } = {}] = await ipJson(namespace, 'link', 'show', device)
  return { mtu, address }
}

describe("an adopted bridge is somebody's LAN", () => {
  it('keeps its MTU and its MAC, whoever comes and goes; containers have its MTU', async () => {
    const { host, lan, one, two, bridgeHost } = await createLan({ mtu: 9000 })
    const before = await linkOf(host.namespace, 'br0')
    expect(before).toEqual({ mtu: 9000, address: 'fa:00:5e:00:53:01' })
    const network = await bridgeHost.createNetwork({ name: 'br0', adopt: true })
    await network.attach({ name: 'one', netns: one.namespace })
    const container = await network.attach({ name: 'two', netns: two.namespace })
    expect(await linkOf(host.namespace, 'br0')).toEqual(before)
    expect(await linkOf(one.namespace, 'eth0')).toMatchObject({ mtu: 9000 })
    await two.serveTcp(80)
    await expectReached(lan, container.address, 80, '10.5.0.254')
    await host.serveTcp(90)
    await expectReached(two, '10.5.0.1', 90, container.address)
    expect(await ip(two.namespace, 'neighbour', 'show', '10.5.0.1')).toContain('fa:00:5e:00:53:01')
    // The control: another port changes both.
    await ip(host.namespace, 'link', 'add', 'tap', 'address', '02:00:00:00:00:01', 'type', 'veth')
    await ip(host.namespace, 'link', 'set', 'tap', 'master', 'br0')
    expect(await linkOf(host.namespace, 'br0')).toEqual({ mtu: 1500, address: '02:00:00:00:00:01' })
    // Nothing is sent meanwhile: it is the host that tells.
    await expect
      .poll(() => ip(two.namespace, 'neighbour', 'show', '10.5.0.1'))
      .toContain('lladdr 02:00:00:00:00:01')
    await ip(host.namespace, 'link', 'del', 'tap')
    await container.detach()
    expect(await linkOf(host.namespace, 'br0')).toMatchObject({ address: 'fa:00:5e:00:53:01' })
  })

  it('keeps it too where the network has a smaller MTU', async () => {
    const { host, one, bridgeHost } = await createLan()
    const network = await bridgeHost.createNetwork({ name: 'br0', adopt: true, mtu: 1400 })
    await network.attach({ name: 'one', netns: one.namespace })
    expect(await linkOf(host.namespace, 'br0')).toMatchObject({ mtu: 1500 })
    expect(await linkOf(one.namespace, 'eth0')).toMatchObject({ mtu: 1400 })
  })

  it('without ports keeps its MAC with the first and after the last of ours', async () => {
    const { host, machines } = await createMachines('one')
    const one = machines.get('one')
    if (!one) throw new Error('a machine')
    await ip(host.namespace, 'link', 'add', 'br0', 'type', 'bridge')
    await ip(host.namespace, 'link', 'set', 'br0', 'up')
    const before = await linkOf(host.namespace, 'br0')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'br0', adopt: true, subnet: '172.22.0.0/16' })
    const container = await network.attach({ name: 'one', netns: one.namespace })
    expect(await linkOf(host.namespace, 'br0')).toEqual(before)
    await container.detach()
    expect(await linkOf(host.namespace, 'br0')).toEqual(before)
  })

  it('with a spanning tree: attach waits until the port forwards', async () => {
    const { host, lan, one, bridgeHost } = await createLan({ stp: true })
    const network = await bridgeHost.createNetwork({ name: 'br0', adopt: true })
    const container = await network.attach({ name: 'one', netns: one.namespace })
    expect(await bridge(host.namespace, 'link')).not.toMatch(/state (listening|learning|blocking)/)
    await one.serveTcp(80)
    await expectReached(lan, container.address, 80, '10.5.0.254')
  })

  it('a gateway that is another machine is not given to the bridge; one that nobody has is', async () => {
    const { host, lan, one, bridgeHost } = await createLan()
    const pool = { name: 'br0', adopt: true, subnet: '10.5.0.0/24' }
    const network = await bridgeHost.createNetwork({ ...pool, gateway: '10.5.0.254' })
    expect(await ip(host.namespace, '-br', 'addr', 'show', 'br0')).not.toContain('10.5.0.254')
    const container = await network.attach({ name: 'one', netns: one.namespace })
    expect(await ip(one.namespace, 'route', 'show', 'default')).toContain('via 10.5.0.254')
    expect((await bridgeHost.check()).map(({ code }) => code)).not.toContain('gateway-gone')
    // By it, and not by the host, which would translate.
    await ip(lan.namespace, 'addr', 'add', '192.0.2.1/32', 'dev', 'lo')
    await lan.serveTcp(90)
    await expectReached(one, '192.0.2.1', 90, container.address)
    await network.destroy()
    await bridgeHost.createNetwork({ ...pool, gateway: '10.5.0.253' })
    expect(await ip(host.namespace, '-br', 'addr', 'show', 'br0')).toContain('10.5.0.253/24')
  })
})
