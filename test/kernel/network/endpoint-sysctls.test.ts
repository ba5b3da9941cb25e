import { describe, expect, it } from 'vitest'
import { createSetting, expectReached, failureOf } from './setting.js'
import { stateOf } from './state.js'

describe('settings of an interface in a container', () => {
  it('are written for it alone, and again when the container starts or comes to another network', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web', 'app'], { ipv6: true })
    const sysctls = {
      'net.ipv4.conf.IFNAME.log_martians': 1,
      'net.ipv6.conf.IFNAME.accept_ra': '2',
      'net.ipv4.neigh.IFNAME.base_reachable_time_ms': 12_000,
    }
    const read = (name: string, setting: string) => machine(name).namespace.readSysctl(`net/${setting}`)
    const web = await attach('web', { sysctls, interfaceName: 'lan.5' })
    const app = await attach('app')
    expect(await read('web', 'ipv4/conf/lan.5/log_martians')).toBe('1')
    expect(await read('web', 'ipv6/conf/lan.5/accept_ra')).toBe('2')
    expect(await read('web', 'ipv4/neigh/lan.5/base_reachable_time_ms')).toBe('12000')
    expect(await read('app', 'ipv4/conf/eth0/log_martians')).toBe('0')
    expect(await read('app', 'ipv6/conf/eth0/accept_ra')).toBe('0')
    expect(await read('web', 'ipv4/conf/all/log_martians')).toBe('0')
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    await web.connect(other, { sysctls: { 'net.ipv4.conf.IFNAME.arp_ignore': 2 }, interfaceName: 'wan' })
    expect(await read('web', 'ipv4/conf/wan/arp_ignore')).toBe('2')
    expect(await read('web', 'ipv4/conf/lan.5/arp_ignore')).toBe('0')
    await web.stop()
    await web.start()
    expect(await read('web', 'ipv4/conf/lan.5/log_martians')).toBe('1')
    expect(await read('web', 'ipv4/conf/wan/arp_ignore')).toBe('2')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
  })

  it.each([
    ['net.ipv4.conf.IFNAME.no_such_setting', 'NFB_MISSING'],
    ['net.ipv4.conf.IFNAME.log_martians', 'NFB_REJECTED'],
  ])('that the kernel has not, or does not take, undo the call: %s, %s', async (name, code) => {
    const { attach, machine, host } = await createSetting(['web'])
    const namespaces = [host.namespace, machine('web').namespace]
    const before = await Promise.all(namespaces.map(stateOf))
    expect(await failureOf(attach('web', { sysctls: { [name]: 'x' } }))).toMatchObject({
      code,
      operation: 'Network.attach',
      path: `sysctls.${name}`,
      remaining: [],
    })
    expect(await Promise.all(namespaces.map(stateOf))).toEqual(before)
    await attach('web')
  })
})
