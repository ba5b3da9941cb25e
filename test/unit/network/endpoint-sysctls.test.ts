import { describe, expect, it } from 'vitest'
import { endpointSysctl, parseEndpointSysctls } from '../../../src/network/plan/endpoint-sysctls.js'
import { attach, endpointOf, network, registryWith, thrown } from './fixtures.js'

const parse = (sysctls: object) =>
  parseEndpointSysctls(JSON.parse(JSON.stringify(sysctls)), 'test', 'sysctls')

describe('settings of an interface in a container', () => {
  it('are below conf and neigh of both families, as texts', () => {
    const given = {
      'net.ipv4.conf.IFNAME.log_martians': 1,
      'net.ipv6.conf.IFNAME.accept_ra': '0',
      'net.ipv4.neigh.IFNAME.base_reachable_time_ms': 30_000,
      'net.ipv6.neigh.IFNAME.retrans_time_ms': '100',
    }
    const texts = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
    expect(parse(given)).toEqual({ sysctls: texts })
    expect(parse({})).toEqual({})
  })

  it('are named with slashes, for names of interfaces that have dots, or are themselves called IFNAME', () => {
    const name = 'net.ipv4.conf.IFNAME.log_martians'
    expect(endpointSysctl(name, 'lan.5')).toBe('net/ipv4/conf/lan.5/log_martians')
    expect(endpointSysctl(name, 'IFNAME')).toBe('net/ipv4/conf/IFNAME/log_martians')
  })

  it.each([
    ['net.ipv4.conf.all.forwarding', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.eth0.log_martians', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME.', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME./../../../kernel/core_pattern', '|sh', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME.a.b', '1', 'NFB_INVALID_NAME'],
    ['net/ipv4/conf/IFNAME/log_martians', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.route.IFNAME.flush', '1', 'NFB_INVALID_NAME'],
    ['net.core.IFNAME.somaxconn', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.ip_forward', '1', 'NFB_INVALID_NAME'],
    ['kernel.core_pattern', '|sh', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME.log_martians\n', '1', 'NFB_INVALID_NAME'],
    ['net.ipv4.conf.IFNAME.log_martians', '', 'NFB_INVALID_ARGUMENT'],
    ['net.ipv4.conf.IFNAME.log_martians', '1\n2', 'NFB_INVALID_ARGUMENT'],
    ['net.ipv4.conf.IFNAME.log_martians', 'x'.repeat(256), 'NFB_INVALID_ARGUMENT'],
    ['net.ipv4.conf.IFNAME.log_martians', true, 'NFB_INVALID_ARGUMENT'],
    ['net.ipv4.conf.IFNAME.log_martians', 1.5, 'NFB_INVALID_ARGUMENT'],
    ['net.ipv6.conf.IFNAME.addr_gen_mode', '0', 'NFB_SETTING_CONFLICT'],
  ])('are not %j = %j: %s', (name, value, code) => {
    const path = `sysctls.${name.replace('\n', '\\u{a}')}`
    expect(thrown(() => parse({ [name]: value }))).toMatchObject({ code, path })
  })

  it('do not turn IPv6 off where the network gives addresses of it', () => {
    const sysctls = { 'net.ipv6.conf.IFNAME.disable_ipv6': 1 }
    const four = network()
    const [container] = attach(registryWith(four), four, { sysctls })
    expect(endpointOf(container).sysctls).toEqual({ 'net.ipv6.conf.IFNAME.disable_ipv6': '1' })
    const both = network({ pools: [{ subnet: '10.1.0.0/24' }, { subnet: 'fd00:1::/64' }] })
    expect(thrown(() => attach(registryWith(both), both, { sysctls }))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'containers[0].sysctls.net.ipv6.conf.IFNAME.disable_ipv6',
    })
    attach(registryWith(both), both, { sysctls: { 'net.ipv6.conf.IFNAME.disable_ipv6': '0' } })
  })
})
