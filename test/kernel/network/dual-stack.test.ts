import { describe, expect, it } from 'vitest'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import { ip, ipJson } from '../../support/tools.js'
import { createSetting, expectReached, type Setting } from './setting.js'
import { stateOf } from './state.js'

const HOST6 = '2001:db8:203::1'
const OUTSIDE6 = '2001:db8:203::2'

async function outsideOfIPv6({ host, outside }: Pick<Setting, 'host' | 'outside'>): Promise<void> {
  await addAddress(host, 'uplink', `${HOST6}/64`)
  await addAddress(outside, 'uplink', `${OUTSIDE6}/64`)
  await addRoute(host, { destination: 'default', gateway: OUTSIDE6 })
}

describe('a network of both families', () => {
  it('gives addresses, link-local ones too, and ways out that work at once; nothing is left of it', async () => {
    const setting = await createSetting(['web', 'app'])
    await setting.network.destroy()
    await outsideOfIPv6(setting)
    const { bridgeHost, host, outside, machine } = setting
    const before = await stateOf(host.namespace)
    const sysctls = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net/ipv6/conf/uplink/accept_ra']
    const values = await Promise.all(sysctls.map((name) => host.namespace.readSysctl(name)))
    const network = await bridgeHost.createNetwork({
      name: 'dual',
      pools: [{ subnet: '172.20.0.0/16' }, { subnet: 'fd00:20::/64' }],
    })
    expect(network.subnets).toEqual(['172.20.0.0/16', 'fd00:20::/64'])
    expect(network.gateways).toEqual(['172.20.0.1', 'fd00:20::1'])
    const [web, app] = await network.attachAll([
      { name: 'web', netns: machine('web').namespace, publish: ['8080:80'] },
      { name: 'app', netns: machine('app').namespace },
    ])
    if (!web || !app) throw new Error('two containers')
    const ipv6 = web.ipv6Address ?? ''
    expect(ipv6).toBe('fd00:20::2')
    expect(web.addressOn('dual')).toMatchObject({ ipv4: '172.20.0.2', ipv6, interfaceName: 'eth0' })
    const [eth0] = await ipJson(machine('web').namespace, '-6', 'addr', 'show', 'eth0')
    expect(eth0?.addr_info).toEqual([
      expect.objectContaining({ local: ipv6, prefixlen: 64, nodad: true }),
      expect.objectContaining({ local: 'fe80::42:acff:fe14:2', prefixlen: 64, nodad: true }),
    ])
    await machine('web').serveTcp(80, { address: '::' })
    await outside.serveTcp(80, { address: '::' })
    await expectReached(machine('app'), ipv6, 80, app.ipv6Address ?? '')
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('app'), OUTSIDE6, 80, HOST6)
    await expectReached(outside, HOST6, 8080, OUTSIDE6)
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await network.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
    expect(await Promise.all(sysctls.map((name) => host.namespace.readSysctl(name)))).toEqual(values)
  })

  it('has a unique local pool where none is given, and a container without IPv4 works', async () => {
    const { bridgeHost, machine } = await createSetting(['web', 'app'])
    const network = await bridgeHost.createNetwork({ name: 'six', ipv4: false, ipv6: true, icc: false })
    expect(network.subnet).toMatch(/^fd[0-9a-f:]+::\/64$/)
    const web = await network.attach({ name: 'web', netns: machine('web').namespace, expose: [80] })
    const app = await network.attach({ name: 'app', netns: machine('app').namespace, links: ['web'] })
    expect(web.address).toBe(web.ipv6Address)
    await machine('web').serveTcp(80, { address: '::' })
    await expectReached(machine('app'), web.address, 80, app.address)
    expect(app.links).toEqual([{ alias: 'web', container: 'web', address: web.address, ports: ['80/tcp'] }])
  })

  it('keeps an uplink that hears router advertisements hearing them, and gives that back', async () => {
    const { bridgeHost, host } = await createSetting([])
    const accepts = 'net/ipv6/conf/uplink/accept_ra'
    await host.namespace.writeSysctl(accepts, '1')
    const forwarding = 'net/ipv6/conf/uplink/forwarding'
    expect(await host.namespace.readSysctl(forwarding)).toBe('0')
    const first = await bridgeHost.createNetwork({ name: 'six', ipv6: true })
    const second = await bridgeHost.createNetwork({ name: 'seven', ipv6: true })
    expect(await host.namespace.readSysctl(accepts)).toBe('2')
    expect(await host.namespace.readSysctl(forwarding)).toBe('1')
    await first.destroy()
    expect(await host.namespace.readSysctl(accepts)).toBe('2')
    await second.destroy()
    expect(await host.namespace.readSysctl(accepts)).toBe('1')
    expect(await host.namespace.readSysctl(forwarding)).toBe('0')
  })

  it('does not learn a router from a container', async () => {
    const { bridgeHost, host } = await createSetting([])
    await bridgeHost.createNetwork({ name: 'six', ipv6: true })
    expect(await host.namespace.readSysctl('net/ipv6/conf/six/accept_ra')).toBe('0')
    expect(await host.namespace.readSysctl('net/ipv6/conf/six/autoconf')).toBe('0')
    const addresses = await ip(host.namespace, '-6', '-br', 'addr', 'show', 'six')
    expect(addresses).toMatch(/fd[0-9a-f:]+::1\/64/)
  })
})
