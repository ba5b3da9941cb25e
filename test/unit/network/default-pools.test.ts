import { describe, expect, it } from 'vitest'
import { Cidr } from '../../../src/address/index.js'
import { networkFromJson, networkToJson } from '../../../src/network/apply/network-json.js'
import type { HostOptions, NetworkOptions } from '../../../src/network/options.js'
import { AddressPool } from '../../../src/network/plan/address-pool.js'
import { parseRange, rangeText } from '../../../src/network/plan/address-range.js'
import { parseHostOptions } from '../../../src/network/plan/network-settings.js'
import { inspectNetwork } from '../../../src/network/text/inspect-network.js'
import { thrown } from './thrown.js'
import { BARE, hostFacts, plan, poolTexts, viewOf } from './view-fixtures.js'

const HOST: HostOptions = {
  defaultPools: [
    { base: '10.64.0.0/22', size: 24 },
    { base: '192.168.200.0/24', size: 26 },
    { base: 'fd00:64::/48', size: 64 },
  ],
}

function subnetsOf(
  options: Partial<NetworkOptions>,
  used: readonly string[],
  host: HostOptions = HOST,
): string {
  const network = plan({ name: 'br0', ...options }, viewOf([]), hostFacts(used), host)
  return network.pools.map(({ subnet }) => subnet).join(' ')
}

describe('configured default pools', () => {
  it('are used in their order, those that are taken passed over', () => {
    expect(subnetsOf({}, [])).toBe('10.64.0.0/24')
    expect(subnetsOf({}, ['10.64.0.0/23'])).toBe('10.64.2.0/24')
    expect(subnetsOf({}, ['10.64.0.0/22'])).toBe('192.168.200.0/26')
    expect(subnetsOf({ ipv6: true }, ['fd00:64::/64'])).toBe('10.64.0.0/24 fd00:64:0:1::/64')
    expect(thrown(() => subnetsOf({}, ['10.0.0.0/8', '192.168.0.0/16']))).toMatchObject({
      code: 'NFB_POOL_FULL',
      path: 'subnet',
    })
  })

  it("leave Docker's of the family that they don't have", () => {
    const six = { defaultPools: [{ base: 'fd00:64::/48', size: 64 }] }
    expect(subnetsOf({ ipv6: true }, [], six)).toBe('172.17.0.0/16 fd00:64::/64')
    const four = { defaultPools: [{ base: '10.64.0.0/16', size: 24 }] }
    expect(subnetsOf({ ipv6: true }, [], four)).toMatch(/^10\.64\.0\.0\/24 fd[0-9a-f:]+\/64$/)
  })

  it.each([
    [[{ base: '10.64.0.1/16', size: 24 }], 'NFB_INVALID_ADDRESS', 'defaultPools[0].base'],
    [[{ base: '224.0.0.0/8', size: 24 }], 'NFB_INVALID_ADDRESS', 'defaultPools[0].base'],
    [[{ base: '10.64.0.0/16', size: 12 }], 'NFB_INVALID_ARGUMENT', 'defaultPools[0].size'],
    [[{ base: '10.64.0.0/16', size: 32 }], 'NFB_INVALID_ARGUMENT', 'defaultPools[0].size'],
    [[{ base: 'fd00::/48', size: 128 }], 'NFB_INVALID_ARGUMENT', 'defaultPools[0].size'],
  ])('that are wrong: %j', (defaultPools, code, path) => {
    expect(thrown(() => parseHostOptions({ defaultPools }))).toMatchObject({
      code,
      path,
    })
  })
})

describe('a size alone', () => {
  it.each<[Partial<NetworkOptions>, readonly string[], HostOptions, string | RegExp]>([
    [{ subnet: '0.0.0.0/24' }, [], {}, '172.17.0.0/24'],
    [{ subnet: '0.0.0.0/24' }, ['172.17.0.0/24'], {}, '172.17.1.0/24'],
    [{ subnet: '0.0.0.0/24' }, ['10.64.0.0/22'], HOST, '192.168.200.0/24'],
    [{ subnet: '0.0.0.0/18' }, ['172.16.0.0/12'], {}, '192.168.0.0/18'],
    [{ ipv4: false, pools: [{ subnet: '::/120' }] }, [], {}, /^fd[0-9a-f:]+\/120$/],
    [{ ipv4: false, pools: [{ subnet: '::/80' }] }, [], HOST, 'fd00:64::/80'],
    [
      { pools: [{ subnet: '0.0.0.0/25' }, { subnet: '0.0.0.0/25' }] },
      [],
      {},
      '172.17.0.0/25 172.17.0.128/25',
    ],
    [
      { pools: [{ subnet: '0.0.0.0/25' }, { subnet: '172.17.0.0/24' }] },
      [],
      {},
      '172.17.1.0/25 172.17.0.0/24',
    ],
    [{ subnet: '0.0.0.0/24', bridges: 2 }, [], {}, '172.17.0.0/25 172.17.0.128/25'],
  ])('%j beside %j', (options, used, host, expected) => {
    const subnets = subnetsOf(options, used, host)
    if (typeof expected === 'string') expect(subnets).toBe(expected)
    else expect(subnets).toMatch(expected)
  })

  it.each([
    [{ subnet: '0.0.0.0/12' }, 'NFB_POOL_FULL', 'subnet', 'no default pool of IPv4 has room for a /12'],
    [{ subnet: '0.0.0.0/32' }, 'NFB_INVALID_ADDRESS', 'subnet', '8 to 31'],
    [{ pools: [{ subnet: '::/32' }] }, 'NFB_POOL_FULL', 'pools[0].subnet', '/32'],
    [{ subnet: '0.0.0.0/24', gateway: '172.17.0.1' }, 'NFB_SETTING_CONFLICT', 'gateway', 'size'],
  ])('that can not be had: %j', (options, code, path, reason) => {
    expect(thrown(() => subnetsOf(options, [], {}))).toMatchObject({
      code,
      path,
      reason: expect.stringContaining(reason),
    })
  })
})

describe('a range of two ends, and excluded addresses with names', () => {
  const network = plan({
    name: 'br0',
    subnet: '10.88.0.0/16',
    range: '10.88.5.10-10.88.5.12',
    exclude: { router: '10.88.5.11', others: '10.88.9.0/24' },
  })

  it('give the addresses between them, and no others', () => {
    const [record] = network.pools
    if (!record) throw new Error('a pool')
    expect([...new AddressPool(record).free()].map(String)).toEqual(['10.88.5.10', '10.88.5.12'])
    expect(poolTexts(network)).toEqual(['br0 10.88.0.0/16 10.88.0.1'])
  })

  it('are kept, and shown', () => {
    const again = networkFromJson(JSON.parse(JSON.stringify(networkToJson(network))))
    expect(again).toEqual(network)
    expect(inspectNetwork(again, []).pools).toEqual([
      {
        subnet: '10.88.0.0/16',
        bridge: 'br0',
        gateway: '10.88.0.1',
        defaultGateway: '10.88.0.1',
        range: '10.88.5.10-10.88.5.12',
        exclude: ['10.88.5.11/32', '10.88.9.0/24'],
        names: { router: '10.88.5.11/32', others: '10.88.9.0/24' },
      },
    ])
  })

  it.each([
    [{ range: '10.88.5.10-10.88.5.9' }, 'NFB_INVALID_ADDRESS', 'range'],
    [{ range: '10.88.5.10-fd00::1' }, 'NFB_INVALID_ADDRESS', 'range'],
    [{ range: '10.88.5.10-10.89.0.1' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'range'],
    [{ range: '10.88.5.1-10.88.5.2-10.88.5.3' }, 'NFB_INVALID_ADDRESS', 'range'],
    [{ exclude: { router: '10.89.0.1' } }, 'NFB_ADDRESS_OUTSIDE_POOL', 'exclude.router'],
  ])('that are wrong: %j', (options, code, path) => {
    expect(
      thrown(() => plan({ name: 'br0', subnet: '10.88.0.0/16', ...options }, viewOf([]), BARE)),
    ).toMatchObject({ code, path })
  })

  it.each(['10.0.0.0/24', '10.0.0.5/32', '10.0.0.1-10.0.0.2', '0.0.0.0/0', 'fd00::/64', 'fd00::5-fd00::9'])(
    'are read as they are written: %s',
    (text) => {
      const range = parseRange(text)
      if (!range) throw new Error('a range')
      expect(rangeText(range)).toBe(text)
      expect(parseRange(rangeText(range))).toEqual(range)
      expect(Cidr.of(range.first, 0).family).toBe(text.includes(':') ? 6 : 4)
    },
  )
})
