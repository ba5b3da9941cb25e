import { describe, expect, it } from 'vitest'
import { addAddress } from '../../../lab/wiring.js'
import { ip, runIn } from '../../support/tools.js'
import { createSetting, expectReached, failureOf, openHost } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'
const POOLS = { subnet: undefined, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] } as const
/** Of the bridge, and of every host that has it. */
const HOST6 = 'fd00:17::1'

describe('a port that is published', () => {
  it('on 0.0.0.0 is of IPv4 alone, on [::] of IPv6 alone; the two lead to two containers', async () => {
    const { attach, machine, outside, host } = await createSetting(['four', 'six', 'both'], POOLS)
    const four = await attach('four', {
      publish: ['0.0.0.0:8080:80', '0.0.0.0:5353:53/udp', '0.0.0.0:90-91:90-91'],
    })
    for (const name of ['four', 'six', 'both']) {
      for (const port of [80, 90]) await machine(name).serveTcp(port, { address: '::' })
      await machine(name).serveUdp(53, { address: '::' })
    }
    expect(four.published).toEqual(['0.0.0.0:8080:80/tcp', '0.0.0.0:5353:53/udp', '0.0.0.0:90-91:90-91/tcp'])
    for (const port of [8080, 90]) {
      await expectReached(outside, HOST, port, OUTSIDE)
      expect(await host.probeTcp(HOST6, port)).toEqual({ outcome: 'refused' })
    }
    expect(await host.probeUdp(HOST6, 5353)).toMatchObject({ outcome: 'refused' })
    // The other family's is anybody's: of the host's programs, and of another container.
    await host.serveTcp(91, { address: HOST6 })
    const six = await attach('six', { publish: ['[::]:8080:80', '[::]:5353:53/udp', '[::]:89-90:89-90'] })
    expect(six.published).toEqual(['[::]:8080:80/tcp', '[::]:5353:53/udp', '[::]:89-90:89-90/tcp'])
    for (const port of [8080, 90]) {
      expect(await host.probeTcp(HOST, port)).toMatchObject({ outcome: 'reached', server: 'four' })
      expect(await host.probeTcp(HOST6, port)).toMatchObject({ outcome: 'reached', server: 'six' })
    }
    expect(await host.probeUdp(HOST, 5353)).toMatchObject({ outcome: 'reached', server: 'four' })
    expect(await host.probeUdp(HOST6, 5353)).toMatchObject({ outcome: 'reached', server: 'six' })
    const both = await attach('both')
    expect(await failureOf(both.publish('8080:80'))).toMatchObject({ code: 'NFB_PORT_TAKEN' })
    // The control: without an address it is of both.
    await four.unpublish('0.0.0.0:8080:80')
    await six.unpublish('[::]:8080:80')
    expect(await both.publish('8080:80')).toEqual(['8080:80/tcp'])
    for (const address of [HOST, HOST6]) {
      expect(await host.probeTcp(address, 8080)).toMatchObject({ outcome: 'reached', server: 'both' })
    }
  })

  it('of a family that the container has no address of is refused', async () => {
    const { attach } = await createSetting(['web'])
    const web = await attach('web')
    for (const port of ['[::]:8080:80', '[::]::80']) {
      expect(await failureOf(web.publish(port))).toMatchObject({
        code: 'NFB_SETTING_CONFLICT',
        path: 'ports[0]',
      })
    }
  })

  it('of a range of the host is the first that is free, of programs and of containers', async () => {
    const { attach, machine, outside, host } = await createSetting(['web', 'app'])
    await host.serveTcp(8000)
    await attach('app', { publish: ['127.0.0.1:8001:80'] })
    const web = await attach('web', { publish: ['8000-8003:80/TCP', '8000-8003:53/UDP'] })
    expect(web.published).toEqual(['8002:80/tcp', '8000:53/udp'])
    await machine('web').serveTcp(80)
    await expectReached(outside, HOST, 8002, OUTSIDE)
    expect(await web.publish('8000-8003:81')).toEqual(['8003:81/tcp'])
    expect(await failureOf(web.publish('8000-8003:82'))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      path: 'ports[0]',
      reason: 'of the ports 8000 to 8003 none is free; give another port of the host',
    })
    // It starts with what it had, or where that is gone, with another one of the range.
    await web.unpublish('8000-8003:81')
    await web.stop()
    await host.serveTcp(8002)
    await web.start({ netns: machine('web').namespace })
    expect(web.published).toEqual(['8003:80/tcp', '8000:53/udp'])
    await expectReached(outside, HOST, 8003, OUTSIDE)
    await web.unpublish('8000-8003:80', '8000-8003:53/udp')
    expect(web.published).toEqual([])
  })

  it('by itself is of the dynamic ports of the host, and none that it reserves', async () => {
    const { attach, host } = await createSetting(['web'])
    await host.namespace.writeSysctl('net.ipv4.ip_local_port_range', '50000\t50003')
    await host.namespace.writeSysctl('net.ipv4.ip_local_reserved_ports', '49990-50000,50002')
    const web = await attach('web', { publish: ['80'] })
    expect(web.published).toEqual(['50001:80/tcp'])
    expect(await web.publish('81')).toEqual(['50003:81/tcp'])
    expect(await failureOf(web.publish('82'))).toMatchObject({ code: 'NFB_PORT_TAKEN' })
    // What is asked for is taken from among the reserved: they are reserved for somebody who asks.
    expect(await web.publish('50002:82')).toEqual(['50002:82/tcp'])
  })

  it('is refused on an address that is not of one host: broadcast and anycast', async () => {
    const { attach, host } = await createSetting(['web'], POOLS)
    await addAddress(host, 'uplink', '2001:db8:113::1/64')
    const web = await attach('web')
    // The kernel's own account of them, so that the test shows what it means to.
    expect(await ip(host.namespace, 'route', 'get', '203.0.113.255')).toContain('broadcast')
    expect(await ip(host.namespace, '-6', 'route', 'get', '2001:db8:113::')).toContain('anycast')
    for (const address of ['203.0.113.255', '127.255.255.255', '172.17.255.255', '[2001:db8:113::]']) {
      expect(await failureOf(web.publish(`${address}:8080:80`)), address).toMatchObject({
        code: 'NFB_INVALID_ADDRESS',
        operation: 'Container.publish',
        path: 'ports[0]',
      })
    }
    expect(await web.publish('203.0.113.254:8080:80', '127.255.255.254:8080:80')).toHaveLength(2)
    expect(await runIn(host.namespace, 'ss', ['-Hlun'])).not.toContain('203.0.113.255')
  })
})

describe('hostBinding', () => {
  it("is the address of a network's publications that name none", async () => {
    const { attach, machine, outside, host, network } = await createSetting(['web', 'app'], {
      hostBinding: '127.0.0.1',
    })
    const web = await attach('web', { publish: ['8080:80', '0.0.0.0:8081:80', '[::]:1:1'].slice(0, 2) })
    await machine('web').serveTcp(80)
    expect(web.published).toEqual(['127.0.0.1:8080:80/tcp', '0.0.0.0:8081:80/tcp'])
    await expectReached(host, '127.0.0.1', 8080, network.gateway)
    expect(await outside.probeTcp(HOST, 8080)).toEqual({ outcome: 'refused' })
    await expectReached(outside, HOST, 8081, OUTSIDE)
    // Two containers collide by it, and it is taken back as it was published.
    const app = await attach('app')
    expect(await failureOf(app.publish('8080:80'))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      reason: expect.stringContaining('127.0.0.1:8080/tcp is published by "web"'),
    })
    await web.unpublish('8080:80')
    expect(await host.probeTcp('127.0.0.1', 8080)).toEqual({ outcome: 'refused' })
    expect(await app.publish('80')).toEqual(['127.0.0.1:32768:80/tcp'])
  })

  it('of the host is that of networks which name none, and of a container the one of its network that leads outside', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web'], {}, { hostBinding: '127.0.0.9' })
    const other = await bridgeHost.createNetwork({ name: 'other', hostBinding: '0.0.0.0' })
    const web = await attach('web', { publish: ['8080:80'] })
    await web.connect(other, { netns: machine('web').namespace, priority: 1 })
    expect(await web.publish('8081:81')).toEqual(['0.0.0.0:8081:81/tcp'])
    expect(web.published).toEqual(['127.0.0.9:8080:80/tcp', '0.0.0.0:8081:81/tcp'])
    const { host, networks } = await bridgeHost.inspect()
    expect([host.hostBinding, ...networks.map((each) => each.hostBinding)]).toEqual([
      '127.0.0.9',
      '127.0.0.9',
      '0.0.0.0',
    ])
  })

  it.each([
    [{ hostBinding: '203.0.113.255' }, 'NFB_INVALID_ADDRESS'],
    [{ hostBinding: '224.0.0.1' }, 'NFB_INVALID_ADDRESS'],
    [{ hostBinding: 'localhost' }, 'NFB_INVALID_ADDRESS'],
    [{ hostBinding: '::1' }, 'NFB_SETTING_CONFLICT'],
    [{ hostBinding: '::1', ipv6: true }, 'NFB_SETTING_CONFLICT'],
    [{ hostBinding: '127.0.0.1', internal: true }, 'NFB_SETTING_CONFLICT'],
    [{ hostBinding: '127.0.0.1', gatewayMode: 'routed' as const }, 'NFB_SETTING_CONFLICT'],
  ])('is refused where nothing could be published: %j', async (options, code) => {
    const { host, bridgeHost: standing } = await createSetting([])
    const bridgeHost = await openHost(host)
    expect(await failureOf(bridgeHost.createNetwork({ name: 'br', ...options }))).toMatchObject({
      code,
      path: 'hostBinding',
    })
    if (options.hostBinding !== '::1') return
    expect(await failureOf(openHost(host, { hostBinding: '::1' }))).toMatchObject({
      code,
      path: 'hostBinding',
    })
    // (control)
    await standing.createNetwork({ name: 'br', ipv6: true, hostBinding: '::' })
  })
})
