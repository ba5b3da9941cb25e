import { describe, expect, it } from 'vitest'
import type { HostOptions, NetworkOptions } from '../../../src/network/options.js'
import { rangeText } from '../../../src/network/plan/address-range.js'
import {
  type NetworkSettings,
  parseHostOptions,
  parseNetworkOptions,
} from '../../../src/network/plan/network-settings.js'
import { thrown } from './thrown.js'

function parse(options: Omit<NetworkOptions, 'name'>, host: HostOptions = {}): NetworkSettings {
  return parseNetworkOptions({ name: 'br1', ...options }, parseHostOptions(host))
}

const TEN = '10.0.0.0/24'
const ULA = 'fd00:20::/64'

describe('options of a host', () => {
  it('has the defaults of the documentation', () => {
    expect(parseHostOptions({})).toEqual({
      name: 'nfbridge',
      ipForward: true,
      forwardPolicy: 'auto',
      bridgeNetfilter: 'leave',
      offload: 'auto',
      firewall: true,
      existingRules: 'keep',
      defaultPools: [],
      state: undefined,
      wait: 0,
      netnsChanged: 'refuse',
    })
  })

  it('takes what is given', () => {
    const given = {
      ipForward: false,
      forwardPolicy: 'accept',
      bridgeNetfilter: 'leave',
      offload: false,
      firewall: false,
      existingRules: 'keep',
    } as const
    expect(parseHostOptions({ ...given, state: '/var/lib/nfbridge' })).toEqual({
      name: 'nfbridge',
      defaultPools: [],
      ...given,
      state: '/var/lib/nfbridge',
      wait: 0,
      netnsChanged: 'refuse',
    })
  })

  it.each<[object, string, string]>([
    [{ ipforward: false }, 'NFB_INVALID_ARGUMENT', 'ipforward'],
    [{ ipForward: 1 }, 'NFB_INVALID_ARGUMENT', 'ipForward'],
    [{ firewall: 'no' }, 'NFB_INVALID_ARGUMENT', 'firewall'],
    [{ forwardPolicy: 'DROP' }, 'NFB_INVALID_ARGUMENT', 'forwardPolicy'],
    [{ bridgeNetfilter: 'on' }, 'NFB_INVALID_ARGUMENT', 'bridgeNetfilter'],
    [{ bridgeNetfilter: false }, 'NFB_INVALID_ARGUMENT', 'bridgeNetfilter'],
    [{ offload: 'on' }, 'NFB_INVALID_ARGUMENT', 'offload'],
    [{ offload: 1 }, 'NFB_INVALID_ARGUMENT', 'offload'],
    [{ name: '' }, 'NFB_INVALID_ARGUMENT', 'name'],
    [{ name: '1st' }, 'NFB_INVALID_ARGUMENT', 'name'],
    [{ name: 'a b' }, 'NFB_INVALID_ARGUMENT', 'name'],
    [{ name: 'a'.repeat(33) }, 'NFB_INVALID_ARGUMENT', 'name'],
    [{ name: 'bridge' }, 'NFB_INVALID_ARGUMENT', 'name'],
    [{ wait: -1 }, 'NFB_INVALID_ARGUMENT', 'wait'],
    [{ wait: 1.5 }, 'NFB_INVALID_ARGUMENT', 'wait'],
    [{ existingRules: 'remove' }, 'NFB_INVALID_ARGUMENT', 'existingRules'],
    [{ state: '' }, 'NFB_INVALID_ARGUMENT', 'state'],
    [{ firewall: false, forwardPolicy: 'drop' }, 'NFB_SETTING_CONFLICT', 'forwardPolicy'],
    [{ firewall: false, bridgeNetfilter: 'off' }, 'NFB_SETTING_CONFLICT', 'bridgeNetfilter'],
    [{ firewall: false, offload: true }, 'NFB_SETTING_CONFLICT', 'offload'],
    [{ firewall: false, existingRules: 'flush' }, 'NFB_SETTING_CONFLICT', 'existingRules'],
  ])('refuses %j', (options, code, path) => {
    expect(thrown(() => parseHostOptions(options))).toMatchObject({
      code,
      path,
      operation: 'BridgeHost.open',
    })
  })
})

describe('options of a network', () => {
  it('has the defaults of the documentation', () => {
    const nat = { mode: 'nat', masquerade: true, snat: undefined, except: [] }
    expect(parse({})).toEqual({
      name: 'br1',
      families: [4],
      pools: [],
      ipv4: nat,
      ipv6: { ...nat, masquerade: false },
      icc: true,
      internal: false,
      isolation: 'default',
      trustedInterfaces: [],
      hostBinding: undefined,
      helpers: [],
      allowDirectRouting: false,
      linkMode: 'stateful',
      tracking: undefined,
      mtu: undefined,
      routes: [],
      defaultRoute: true,
      metric: undefined,
      adopt: false,
      bridges: 1,
      firstGroup: 0x6e660000,
      defaultPools: [],
    })
  })

  it('has the families that are asked for, be it by a pool', () => {
    expect(parse({ ipv6: true }).families).toEqual([4, 6])
    expect(parse({ ipv4: false, ipv6: true }).families).toEqual([6])
    expect(parse({ pools: [{ subnet: ULA }] }).families).toEqual([4, 6])
    expect(parse({ subnet: ULA, ipv4: false }).families).toEqual([6])
  })

  it('reads a pool of either family with its parts, and several', () => {
    const [short] = parse({
      subnet: TEN,
      gateway: '10.0.0.9',
      range: '10.0.0.64/26',
      exclude: ['10.0.0.70'],
    }).pools
    const range = short?.range && rangeText(short.range)
    expect([short?.subnet, short?.gateway, range, short?.exclude].map(String)).toEqual([
      TEN,
      '10.0.0.9',
      '10.0.0.64/26',
      '10.0.0.70/32',
    ])
    const pools = [{ subnet: ULA, exclude: ['fd00:20::/96', 'fd00:20::1:0:0:1'] }, { subnet: '10.1.0.0/31' }]
    expect(parse({ pools }).pools.map(({ subnet, exclude, path }) => `${path} ${subnet} ${exclude}`)).toEqual(
      ['pools[0] fd00:20::/64 fd00:20::/96,fd00:20::1:0:0:1/128', 'pools[1] 10.1.0.0/31 '],
    )
  })

  it('reads gateway modes of both families or of one', () => {
    const modes = (options: Omit<NetworkOptions, 'name'>) => {
      const { ipv4, ipv6 } = parse({ ipv6: true, ...options })
      return [ipv4.mode, ipv6.mode, ipv4.masquerade, ipv6.masquerade]
    }
    expect(modes({ gatewayMode: 'routed' })).toEqual(['routed', 'routed', false, false])
    expect(modes({ gatewayMode: { ipv6: 'routed' } })).toEqual(['nat', 'routed', true, false])
    expect(modes({ gatewayMode: { ipv4: 'nat-unprotected', ipv6: 'isolated' } })).toEqual([
      'nat-unprotected',
      'isolated',
      true,
      false,
    ])
    expect(modes({ internal: true })).toEqual(['nat', 'nat', false, false])
    expect(modes({ masquerade: false })).toEqual(['nat', 'nat', false, false])
  })

  it('keeps conditions of masquerading by family, without subnets within others: sets of intervals take none twice', () => {
    const { ipv4, ipv6 } = parse({
      ipv6: true,
      masquerade: {
        snat: ['192.0.2.1', '2001:db8::1'],
        except: ['10.1.2.0/24', '10.0.0.0/8', 'fd00::/8', '10.0.0.0/8', '192.168.0.0/16'],
      },
    })
    expect([ipv4.snat, ipv4.except.join(' ')].map(String)).toEqual(['192.0.2.1', '10.0.0.0/8 192.168.0.0/16'])
    expect([ipv6.snat, ipv6.except.join(' ')].map(String)).toEqual(['2001:db8::1', 'fd00::/8'])
    expect(parse({ masquerade: { snat: '192.0.2.1' } }).ipv4).toMatchObject({ masquerade: true, except: [] })
  })

  it('trusts each interface once', () => {
    expect(parse({ trustedInterfaces: ['wg0', 'eth1', 'wg0'] }).trustedInterfaces).toEqual(['wg0', 'eth1'])
  })

  it('allows MTUs from what the families demand', () => {
    expect([parse({ mtu: 576 }).mtu, parse({ mtu: 65_535, ipv6: true }).mtu]).toEqual([576, 65_535])
  })

  it.each<[object, string, string]>([
    [{ gatway: '10.0.0.1' }, 'NFB_INVALID_ARGUMENT', 'gatway'],
    [{ name: 'x'.repeat(16) }, 'NFB_INVALID_NAME', 'name'],
    [{ name: 'all' }, 'NFB_INVALID_NAME', 'name'],
    [{ icc: 'yes' }, 'NFB_INVALID_ARGUMENT', 'icc'],
    [{ tracking: 'yes' }, 'NFB_INVALID_ARGUMENT', 'tracking'],
    [{ subnet: '10.0.0.1/24' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '10.0.0.1/32' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: 'fd00::/128' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '127.0.0.0/16' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '224.0.0.0/8' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '0.0.0.0/0' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: 'fe80::/64' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ subnet: 'ff00::/16' }, 'NFB_INVALID_ADDRESS', 'subnet'],
    [{ gateway: '10.0.0.1' }, 'NFB_INVALID_ARGUMENT', 'gateway'],
    [{ range: '10.0.0.0/25' }, 'NFB_INVALID_ARGUMENT', 'range'],
    [{ subnet: TEN, gateway: '10.0.1.1' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'gateway'],
    [{ subnet: TEN, gateway: '10.0.0.255' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'gateway'],
    [{ subnet: ULA, gateway: 'fd00:20::' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'gateway'],
    [{ subnet: TEN, gateway: 'fd00::1' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'gateway'],
    [{ subnet: TEN, range: '10.0.0.0/23' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'range'],
    [{ subnet: TEN, range: 'fd00::/64' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'range'],
    [{ subnet: TEN, exclude: ['10.0.0.1', '10.0.1.1'] }, 'NFB_ADDRESS_OUTSIDE_POOL', 'exclude[1]'],
    [{ subnet: TEN, exclude: ['10.0.0.1/24'] }, 'NFB_INVALID_ADDRESS', 'exclude[0]'],
    [{ subnet: TEN, exclude: '10.0.0.1' }, 'NFB_INVALID_ARGUMENT', 'exclude'],
    [{ pools: [{ subnet: TEN, gatway: '10.0.0.1' }] }, 'NFB_INVALID_ARGUMENT', 'pools[0].gatway'],
    [{ pools: [{ subnet: TEN }, { gateway: '10.0.0.1' }] }, 'NFB_INVALID_ARGUMENT', 'pools[1].subnet'],
    [{ pools: [{ subnet: TEN, exclude: ['x'] }] }, 'NFB_INVALID_ADDRESS', 'pools[0].exclude[0]'],
    [
      { pools: [{ subnet: ULA }, { subnet: TEN }, { subnet: '10.0.0.0/16' }] },
      'NFB_POOL_OVERLAP',
      'pools[2].subnet',
    ],
    [{ isolation: 'full' }, 'NFB_INVALID_ARGUMENT', 'isolation'],
    [{ linkMode: 'both' }, 'NFB_INVALID_ARGUMENT', 'linkMode'],
    [{ gatewayMode: 'bridge' }, 'NFB_INVALID_ARGUMENT', 'gatewayMode'],
    [{ gatewayMode: null }, 'NFB_INVALID_ARGUMENT', 'gatewayMode'],
    [{ gatewayMode: { ipv4: 'bridge' } }, 'NFB_INVALID_ARGUMENT', 'gatewayMode.ipv4'],
    [{ gatewayMode: { v4: 'nat' } }, 'NFB_INVALID_ARGUMENT', 'gatewayMode.v4'],
    [{ masquerade: 'no' }, 'NFB_INVALID_ARGUMENT', 'masquerade'],
    [{ masquerade: { to: '192.0.2.1' } }, 'NFB_INVALID_ARGUMENT', 'masquerade.to'],
    [{ masquerade: { except: ['10.0.0.1'] } }, 'NFB_INVALID_ADDRESS', 'masquerade.except[0]'],
    [{ masquerade: { snat: '127.0.0.1' } }, 'NFB_INVALID_ADDRESS', 'masquerade.snat'],
    [{ masquerade: { snat: ['192.0.2.256'] } }, 'NFB_INVALID_ADDRESS', 'masquerade.snat[0]'],
    [{ trustedInterfaces: ['eth0', 'a b'] }, 'NFB_INVALID_NAME', 'trustedInterfaces[1]'],
    [{ mtu: 575 }, 'NFB_INVALID_ARGUMENT', 'mtu'],
    [{ mtu: 1279, ipv6: true }, 'NFB_INVALID_ARGUMENT', 'mtu'],
    [{ bridges: 0 }, 'NFB_INVALID_ARGUMENT', 'bridges'],
    [{ bridges: 65 }, 'NFB_INVALID_ARGUMENT', 'bridges'],
  ])('refuses %j', (options, code, path) => {
    expect(thrown(() => parse(options))).toMatchObject({ code, path })
  })

  it.each<[object, string, string]>([
    [{ subnet: TEN, pools: [{ subnet: ULA }] }, 'subnet', '"pools" exclude each other'],
    [{ gateway: '10.0.0.1', pools: [{ subnet: TEN }] }, 'gateway', 'put it into a pool'],
    [{ ipv4: false, ipv6: true, subnet: TEN }, 'subnet', 'ipv4: false wants none'],
    [{ ipv6: false, pools: [{ subnet: ULA }] }, 'pools[0].subnet', 'ipv6: false wants none'],
    [{ ipv4: false }, 'ipv4', 'add ipv6: true'],
    [
      { subnet: TEN, gateway: '10.0.0.1', gatewayMode: 'isolated' },
      'gateway',
      'an isolated bridge has no address',
    ],
    [
      { pools: [{ subnet: TEN }, { subnet: ULA, gateway: 'fd00:20::1' }], gatewayMode: { ipv6: 'isolated' } },
      'pools[1].gateway',
      'an isolated bridge has no address',
    ],
    [{ gatewayMode: { ipv6: 'routed' } }, 'gatewayMode.ipv6', 'the network has no IPv6 addresses'],
    [{ internal: true, gatewayMode: 'routed' }, 'gatewayMode', 'no way in'],
    [
      { internal: true, ipv6: true, gatewayMode: { ipv6: 'nat-unprotected' } },
      'gatewayMode.ipv6',
      'no way in',
    ],
    [{ internal: true, masquerade: { snat: '192.0.2.1' } }, 'masquerade', 'no way out'],
    [{ internal: true, trustedInterfaces: ['wg0'] }, 'trustedInterfaces', 'no way in'],
    [{ internal: true, allowDirectRouting: true }, 'allowDirectRouting', 'no way in'],
    [
      { gatewayMode: 'isolated', allowDirectRouting: true },
      'allowDirectRouting',
      'an isolated bridge has no way in',
    ],
    [{ gatewayMode: 'isolated', masquerade: { except: [TEN] } }, 'masquerade', 'translates no addresses'],
    [{ gatewayMode: 'routed', masquerade: { except: [TEN] } }, 'masquerade', 'translates no addresses'],
    [{ masquerade: { except: [TEN, 'fd00::/8'] } }, 'masquerade.except[1]', 'IPv6'],
    [
      { ipv6: true, gatewayMode: { ipv6: 'routed' }, masquerade: { snat: ['192.0.2.1', '2001:db8::1'] } },
      'masquerade.snat[1]',
      'IPv6 translates no addresses',
    ],
    [{ masquerade: { snat: '2001:db8::1' } }, 'masquerade.snat', 'has no addresses'],
    [{ masquerade: { snat: ['192.0.2.1', '192.0.2.2'] } }, 'masquerade.snat[1]', '192.0.2.1 is IPv4 too'],
    [{ bridges: 2, gatewayMode: 'isolated' }, 'bridges', 'the host routes between'],
    [{ bridges: 2, adopt: true }, 'bridges', 'one bridge is adopted'],
    [{ bridges: 2, subnet: TEN, range: '10.0.0.0/25' }, 'range', 'there are 2 bridges'],
    [{ bridges: 3, subnet: '10.0.0.0/30' }, 'bridges', 'too small to be split among 3 bridges'],
    [
      { bridges: 2, pools: [{ subnet: TEN }, { subnet: 'fd00::/127' }] },
      'bridges',
      'fd00::/127 is too small',
    ],
  ])('refuses what contradicts itself: %j', (options, path, reason) => {
    expect(thrown(() => parse(options))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path,
      reason: expect.stringContaining(reason),
    })
  })

  it.each<[object, string]>([
    [{ icc: false }, 'icc'],
    [{ internal: true }, 'internal'],
    [{ isolation: 'strict' }, 'isolation'],
    [{ masquerade: { snat: '192.0.2.1' } }, 'masquerade'],
    [{ tracking: true }, 'tracking'],
    [{ tracking: false }, 'tracking'],
  ])('refuses what would need rules without a firewall: %j', (options, path) => {
    expect(thrown(() => parse(options, { firewall: false }))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path,
    })
    expect(parse(options).name).toBe('br1')
  })

  it('has an address and a way in by the one family where the other is isolated', () => {
    const settings = parse({
      ipv6: true,
      gatewayMode: { ipv6: 'isolated' },
      allowDirectRouting: true,
      subnet: TEN,
      gateway: '10.0.0.9',
    })
    expect([settings.ipv4.mode, settings.ipv6.mode, settings.allowDirectRouting]).toEqual([
      'nat',
      'isolated',
      true,
    ])
  })

  it('splits what is just large enough', () => {
    expect(parse({ bridges: 2, subnet: '10.0.0.0/30' }).bridges).toBe(2)
    expect(parse({ bridges: 64, subnet: '10.0.0.0/25' }).bridges).toBe(64)
  })
})
