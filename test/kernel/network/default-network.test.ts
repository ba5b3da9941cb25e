import { describe, expect, it, vi } from 'vitest'
import { untilRunning } from '../../../lab/wiring.js'
import { HostKernel } from '../../../src/network/apply/host-kernel.js'
import { ipJson } from '../../support/tools.js'
import { cleanUp, createMachines, openHost } from './setting.js'
import { stateOf } from './state.js'

describe('the default network', () => {
  it('is made when it is first needed: docker0, 172.17.0.0/16, gateway 172.17.0.1', async () => {
    const { host, machines } = await createMachines('web')
    const bridgeHost = await openHost(host)
    const nothing = await ipJson(host.namespace, 'link', 'show', 'type', 'bridge')
    expect(nothing.filter(({ ifname }) => ifname !== undefined)).toEqual([])
    const web = machines.get('web')
    if (!web) throw new Error('web')
    const container = await bridgeHost.attach({ name: 'web', netns: web.namespace })
    expect(container).toMatchObject({ network: 'docker0', address: '172.17.0.2', mac: '02:42:ac:11:00:02' })
    expect((await bridgeHost.defaultNetwork()).gateway).toBe('172.17.0.1')
    expect(bridgeHost.networks.map(({ name, subnet }) => [name, subnet])).toEqual([
      ['docker0', '172.17.0.0/16'],
    ])

    const [bridge] = await ipJson(host.namespace, 'addr', 'show', 'docker0')
    expect(bridge).toMatchObject({
      address: '02:42:ac:11:00:01',
      addr_info: expect.arrayContaining([expect.objectContaining({ local: '172.17.0.1', prefixlen: 16 })]),
      linkinfo: { info_kind: 'bridge', info_data: { nf_call_iptables: 0, nf_call_ip6tables: 0 } },
    })
    // Packets pass by now, and the kernel shows it a little later.
    await untilRunning(web, 'eth0')
    const [port] = await ipJson(host.namespace, 'link', 'show', container.hostInterface)
    expect(port).toMatchObject({
      master: 'docker0',
      operstate: 'UP',
      linkinfo: { info_kind: 'veth', info_slave_data: { hairpin: true } },
    })
    const [eth0] = await ipJson(web.namespace, 'addr', 'show', 'eth0')
    expect(eth0).toMatchObject({
      address: '02:42:ac:11:00:02',
      operstate: 'UP',
      addr_info: expect.arrayContaining([expect.objectContaining({ local: '172.17.0.2', prefixlen: 16 })]),
    })
    const routes = await ipJson(web.namespace, 'route', 'show', 'default')
    expect(routes).toMatchObject([{ dst: 'default', gateway: '172.17.0.1', dev: 'eth0' }])
  })

  it('is not left behind by an attach that fails', async () => {
    const { host } = await createMachines()
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host)
    await expect(bridgeHost.attach({ netns: '/run/netns/there-is-none' })).rejects.toMatchObject({
      code: 'NFB_NAMESPACE_GONE',
      operation: 'Network.attach',
    })
    expect(bridgeHost.networks).toEqual([])
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('gives addresses in order and does not use one again that was just freed', async () => {
    const { host, machines } = await createMachines('a', 'b', 'c')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'small', subnet: '10.9.0.0/29' })
    const place = (name: string) => {
      const machine = machines.get(name)
      if (!machine) throw new Error(name)
      return { name, netns: machine.namespace }
    }
    const [a, b] = await network.attachAll([place('a'), place('b')])
    expect([a?.address, b?.address]).toEqual(['10.9.0.2', '10.9.0.3'])
    await a?.detach()
    const c = await network.attach(place('c'))
    expect(c.address).toBe('10.9.0.4')
    expect((await network.attach(place('a'))).address).toBe('10.9.0.5')
  })

  it('attaches many in one transaction and one send on the host, and takes them away likewise', async () => {
    const { host, machines } = await createMachines('a', 'b', 'c', 'd')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'br1', icc: false })
    const before = bridgeHost.statistics.transactions
    const sends = vi.spyOn(HostKernel.prototype, 'applyLinks')
    const sendsInside = vi.spyOn(HostKernel.prototype, 'applyInside')
    cleanUp(() => {
      sends.mockRestore()
      sendsInside.mockRestore()
    })
    const containers = await network.attachAll(
      [...machines].slice(2).map(([name, machine]) => ({
        name,
        netns: machine.namespace,
        expose: ['80/tcp'],
        publish: name === 'a' ? ['8080:80'] : [],
        links: name === 'a' ? ['b', 'c', 'd'] : [],
      })),
    )
    expect(containers.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
    const { transactions, linkRequests } = bridgeHost.statistics
    expect(transactions - before).toBe(1)
    // One makes the interfaces, one in each container configures it. More may ask whether they carry packets by now.
    expect([sends.mock.calls.length, sendsInside.mock.calls.length]).toEqual([1, containers.length])
    await network.detachAll()
    expect(bridgeHost.statistics.transactions - transactions).toBe(1)
    expect(bridgeHost.statistics.linkRequests - linkRequests).toBe(1)
    expect(network.containers).toEqual([])
  })
})
