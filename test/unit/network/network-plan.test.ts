import { describe, expect, it } from 'vitest'
import { Cidr } from '../../../src/address/index.js'
import { rangeOf, rangeText } from '../../../src/network/plan/address-range.js'
import { bridgeNames } from '../../../src/network/plan/bridge-names.js'
import { defaultPools } from '../../../src/network/plan/default-pools.js'
import { defaultNetworkName } from '../../../src/network/plan/host-name.js'
import type { NetworkRecord } from '../../../src/network/plan/records.js'
import { planUpdate } from '../../../src/network/plan/update.js'
import { withChange } from '../../../src/network/plan/view.js'
import { thrown } from './thrown.js'
import { BARE, container, hostFacts, peer, plan, poolTexts, viewOf } from './view-fixtures.js'

const DOCKER0 = plan({ name: 'docker0', subnet: '172.17.0.0/16' })

describe('planning a network', () => {
  it('is one bridge with the pool that was given', () => {
    const { group, ...network } = plan({
      name: 'br1',
      subnet: '10.0.0.0/24',
      icc: false,
      linkMode: 'stateless',
    })
    const nat = { mode: 'nat', snat: undefined, except: [] }
    expect(network).toEqual({
      name: 'br1',
      bridges: ['br1'],
      pools: [
        {
          bridge: 'br1',
          subnet: Cidr.parse('10.0.0.0/24'),
          gateway: Cidr.parse('10.0.0.0/24').addressAt(1),
          range: rangeOf(Cidr.parse('10.0.0.0/24')),
          exclude: [],
          names: {},
        },
      ],
      ipv4: { ...nat, masquerade: true },
      ipv6: { ...nat, masquerade: false },
      icc: false,
      internal: false,
      isolation: 'default',
      trustedInterfaces: [],
      hostBinding: undefined,
      helpers: [],
      allowDirectRouting: false,
      linkMode: 'stateless',
      tracking: false,
      mtu: undefined,
      adopted: false,
    })
    expect(group).toBeGreaterThan(0x10000)
  })

  it.each([
    [{ subnet: '10.0.0.0/31' }, ['br1 10.0.0.0/31 10.0.0.0']],
    [{ subnet: 'fd00:1::/64', ipv4: false }, ['br1 fd00:1::/64 fd00:1::1']],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.0.254' }, ['br1 10.0.0.0/24 10.0.0.254']],
    [{ subnet: '10.0.0.0/24', exclude: ['10.0.0.0/28'] }, ['br1 10.0.0.0/24 10.0.0.16']],
    [{ subnet: '10.0.0.0/24', range: '10.0.0.128/25' }, ['br1 10.0.0.0/24 10.0.0.1']],
    [{ subnet: '10.0.0.0/24', gatewayMode: 'isolated' as const }, ['br1 10.0.0.0/24 none']],
    [{ subnet: '10.0.0.0/24', internal: true }, ['br1 10.0.0.0/24 10.0.0.1']],
    [
      {
        pools: [
          { subnet: 'fd00:1::/64' },
          { subnet: '10.0.0.0/24' },
          { subnet: '10.0.9.0/24', gateway: '10.0.9.7' },
        ],
      },
      ['br1 fd00:1::/64 fd00:1::1', 'br1 10.0.0.0/24 10.0.0.1', 'br1 10.0.9.0/24 10.0.9.7'],
    ],
    [
      { subnet: '10.0.0.0/24', pools: undefined, ipv6: true, gatewayMode: { ipv6: 'isolated' as const } },
      ['br1 10.0.0.0/24 10.0.0.1', expect.stringMatching(/^br1 fd[0-9a-f:]+\/64 none$/)],
    ],
  ])('has pools and gateways as asked for: %j', (options, expected) => {
    expect(poolTexts(plan({ name: 'br1', ...options }))).toEqual(expected)
  })

  it('leaves something for containers, or is refused', () => {
    const refused = (options: object, path: string): void =>
      expect(thrown(() => plan({ name: 'br1', ...options }))).toMatchObject({
        code: 'NFB_SETTING_CONFLICT',
        path,
      })
    refused({ subnet: '10.0.0.0/30', exclude: ['10.0.0.2'] }, 'exclude')
    refused({ subnet: '10.0.0.0/24', exclude: ['10.0.0.0/24'] }, 'exclude')
    refused({ subnet: '10.0.0.0/24', gateway: '10.0.0.1', exclude: ['10.0.0.0/24'] }, 'exclude')
    refused({ subnet: '10.0.0.0/24', gateway: '10.0.0.9', range: '10.0.0.9/32' }, 'range')
    refused({ pools: [{ subnet: '10.0.0.0/24', range: '10.0.0.255/32' }] }, 'pools[0].range')
    expect(poolTexts(plan({ name: 'br1', subnet: '10.0.0.0/30' }))).toEqual(['br1 10.0.0.0/30 10.0.0.1'])
  })

  it('gives each network a group of its own, the lowest that is free', () => {
    const second = plan({ name: 'br1' }, viewOf([DOCKER0]))
    expect(second.group).toBe(DOCKER0.group + 1)
    expect(plan({ name: 'br2' }, viewOf([second])).group).toBe(DOCKER0.group)
  })

  it.each([
    [1500, {}, undefined],
    [undefined, {}, undefined],
    [1450, {}, 1450],
    [9000, {}, 9000],
    [1450, { mtu: 1400 }, 1400],
    [1500, { mtu: 1500 }, 1500],
    [68, {}, 576],
    [1200, { ipv6: true }, 1280],
    [65_536, {}, 65_535],
  ])('with an outgoing MTU of %s and %j has MTU %s', (outgoingMtu, options, mtu) => {
    expect(plan({ name: 'br1', ...options }, viewOf([]), hostFacts([], outgoingMtu)).mtu).toBe(mtu)
  })
})

describe('names and pools that somebody has', () => {
  const spread = plan({ name: 'wide', subnet: '10.9.0.0/16', bridges: 3 })
  const dual = plan({ name: 'dual', pools: [{ subnet: '10.8.0.0/24' }, { subnet: 'fd00:8::/64' }] })
  const view = viewOf([DOCKER0, spread, dual], [peer('172.30.0.0/16', '192.0.2.2')])
  const facts = hostFacts(['0.0.0.0/0', '10.7.0.0/24', '2001:db8::/32'])

  it.each([
    [{ name: 'docker0' }, 'NFB_NAME_TAKEN', 'name', 'a network "docker0"'],
    [{ name: 'wide-2' }, 'NFB_NAME_TAKEN', 'name', 'a bridge "wide-2", of the network "wide"'],
    [
      { name: 'x', subnet: '172.16.0.0/12' },
      'NFB_POOL_OVERLAP',
      'subnet',
      '172.17.0.0/16 of the network "docker0"',
    ],
    [
      { name: 'x', subnet: '10.9.128.0/24' },
      'NFB_POOL_OVERLAP',
      'subnet',
      '10.9.128.0/18 of the network "wide"',
    ],
    [{ name: 'x', subnet: 'fd00::/16' }, 'NFB_POOL_OVERLAP', 'subnet', 'fd00:8::/64 of the network "dual"'],
    [
      { name: 'x', subnet: '172.30.5.0/24' },
      'NFB_POOL_OVERLAP',
      'subnet',
      '172.30.0.0/16 of the peer 192.0.2.2',
    ],
    [
      { name: 'x', subnet: '10.7.0.0/16' },
      'NFB_POOL_OVERLAP',
      'subnet',
      '10.7.0.0/24, to which the host has a route',
    ],
    [
      { name: 'x', pools: [{ subnet: '10.1.0.0/24' }, { subnet: '2001:db8:1::/64' }] },
      'NFB_POOL_OVERLAP',
      'pools[1].subnet',
      '2001:db8::/32, to which the host has a route',
    ],
  ])('are refused: %j', (options, code, path, reason) => {
    expect(thrown(() => plan(options, view, facts))).toMatchObject({
      code,
      path,
      operation: 'BridgeHost.createNetwork',
      reason: expect.stringContaining(reason),
    })
  })

  it('of 10.9.0.0/16 the part that no bridge has is free', () => {
    expect(poolTexts(plan({ name: 'x', subnet: '10.9.192.0/18' }, view, facts))).toEqual([
      'x 10.9.192.0/18 10.9.192.1',
    ])
  })
})

describe('an adopted bridge', () => {
  const addresses = ['172.22.0.9/16', '172.22.0.10/16', 'fd00:22::9/64'].map((text) =>
    Cidr.parseInterface(text),
  )
  const facts = { ...BARE, bridgeAddresses: addresses }

  it('gives its own subnets and addresses; what it has is not handed out', () => {
    const network = plan({ name: 'br0', adopt: true, ipv6: true }, viewOf([]), facts)
    expect(poolTexts(network)).toEqual(['br0 172.22.0.0/16 172.22.0.9', 'br0 fd00:22::/64 fd00:22::9'])
    expect(network.pools[0]?.exclude.map(String)).toEqual(['172.22.0.10/32'])
  })

  it('keeps them beside a gateway that was given, and beside another pool', () => {
    const given = { name: 'br0', adopt: true, subnet: '172.22.0.0/16', gateway: '172.22.0.1' }
    const [pool] = plan(given, viewOf([]), facts).pools
    expect([String(pool?.gateway), pool?.exclude.map(String)]).toEqual([
      '172.22.0.1',
      ['172.22.0.9/32', '172.22.0.10/32'],
    ])
    const other = plan({ name: 'br0', adopt: true, subnet: '10.1.0.0/24' }, viewOf([]), facts)
    expect(poolTexts(other)).toEqual(['br0 10.1.0.0/24 10.1.0.1'])
  })
})

describe('default pools', () => {
  it("give Docker's default network Docker's subnet, unless somebody has it", () => {
    const first = { name: defaultNetworkName('nfbridge') }
    expect(poolTexts(plan(first))).toEqual(['docker0 172.17.0.0/16 172.17.0.1'])
    const other = plan({ name: 'br1', subnet: '172.16.0.0/15' })
    expect(poolTexts(plan(first, viewOf([other])))).toEqual(['docker0 172.18.0.0/16 172.18.0.1'])
  })

  it("are Docker's for IPv4, the first that is free of networks, peers and routes", () => {
    const view = viewOf([DOCKER0], [peer('172.18.0.0/16', '192.0.2.2')])
    const facts = hostFacts(['172.19.4.0/24', '0.0.0.0/0'], undefined)
    expect(poolTexts(plan({ name: 'br1' }, view, facts))).toEqual(['br1 172.20.0.0/16 172.20.0.1'])
  })

  it('are exhausted some time, and it is said of which family', () => {
    const last = plan({ name: 'br1' }, viewOf([]), hostFacts(['172.16.0.0/12']))
    expect(poolTexts(last)).toEqual(['br1 192.168.0.0/20 192.168.0.1'])
    const full = hostFacts(['172.16.0.0/12', '192.168.0.0/16'])
    expect(thrown(() => plan({ name: 'br1' }, viewOf([]), full))).toMatchObject({
      code: 'NFB_POOL_FULL',
      path: 'subnet',
      reason: expect.stringContaining('IPv4'),
    })
    const used = hostFacts(['fd00::/8'])
    expect(
      thrown(() => plan({ name: 'br1', ipv6: true, pools: [{ subnet: '10.0.0.0/24' }] }, viewOf([]), used)),
    ).toMatchObject({ code: 'NFB_POOL_FULL', path: 'pools', reason: expect.stringContaining('IPv6') })
  })

  it('are for IPv6 a /64 of a random unique local /48, another one each time', () => {
    const subnets = Array.from(
      { length: 20 },
      () => plan({ name: 'br1', ipv4: false, ipv6: true }).pools[0]?.subnet,
    )
    for (const subnet of subnets) expect(String(subnet)).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]*::\/64$/)
    for (const subnet of subnets)
      expect(Cidr.parse('fd00::/8').contains(subnet?.address ?? Cidr.parse('::/0').address)).toBe(true)
    expect(new Set(subnets.map(String)).size).toBe(20)
  })

  it('leave out a random prefix that somebody has', () => {
    const seeds = [1, 1, 2]
    const random = (size: number): Uint8Array => new Uint8Array(size).fill(seeds.shift() ?? 0)
    const [first, same, other] = defaultPools(6, { configured: [], splitBits: 0, size: undefined, random })
    expect([first, same, other].map(String)).toEqual([
      'fd01:101:101::/64',
      'fd01:101:101::/64',
      'fd02:202:202::/64',
    ])
  })
})

describe('a network over several bridges', () => {
  it('splits each pool into equal parts, with a gateway each', () => {
    const network = plan({
      name: 'wide',
      pools: [{ subnet: '10.0.0.0/22', exclude: ['10.0.0.9', '10.0.1.0/30'] }, { subnet: 'fd00:1::/62' }],
      bridges: 3,
    })
    expect(network.bridges).toEqual(['wide', 'wide-1', 'wide-2'])
    expect(poolTexts(network)).toEqual([
      'wide 10.0.0.0/24 10.0.0.1',
      'wide-1 10.0.1.0/24 10.0.1.4',
      'wide-2 10.0.2.0/24 10.0.2.1',
      'wide fd00:1::/64 fd00:1::1',
      'wide-1 fd00:1:0:1::/64 fd00:1:0:1::1',
      'wide-2 fd00:1:0:2::/64 fd00:1:0:2::1',
    ])
    expect(network.pools.map(({ exclude }) => exclude.join(' '))).toEqual([
      '10.0.0.9/32',
      '10.0.1.0/30',
      '',
      '',
      '',
      '',
    ])
    expect(network.pools.every(({ range, subnet }) => rangeText(range) === subnet.toString())).toBe(true)
  })

  it('takes a given gateway for the bridge whose subnet it is of, and none of a subnet that no bridge has', () => {
    const at = (gateway: string): NetworkRecord =>
      plan({ name: 'wide', subnet: '10.0.0.0/22', gateway, bridges: 3 })
    expect(poolTexts(at('10.0.1.200'))[1]).toBe('wide-1 10.0.1.0/24 10.0.1.200')
    for (const gateway of ['10.0.3.1', '10.0.1.255', '10.0.1.0']) {
      expect(thrown(() => at(gateway))).toMatchObject({ code: 'NFB_ADDRESS_OUTSIDE_POOL', path: 'gateway' })
    }
  })

  it('has a whole /64 for each bridge by default', () => {
    const { pools } = plan({ name: 'wide', ipv6: true, bridges: 5 })
    expect(pools.map(({ subnet }) => subnet.prefixLength)).toEqual([
      ...Array(5).fill(19),
      ...Array(5).fill(64),
    ])
    expect(new Set(pools.map(({ subnet }) => subnet.toString())).size).toBe(10)
  })

  it('names bridges within 15 bytes, by whole characters, and as nobody else does', () => {
    expect(bridgeNames('docker0', 3, new Set())).toEqual(['docker0', 'docker0-1', 'docker0-2'])
    expect(bridgeNames('a-network-of-15', 2, new Set())).toEqual(['a-network-of-15', 'a-network-of--1'])
    expect(bridgeNames('ööööööö', 2, new Set(['other']))).toEqual(['ööööööö', 'öööööö-1'])
    expect(bridgeNames('br', 3, new Set(['br-1', 'br-3']))).toEqual(['br', 'br-2', 'br-4'])
    const many = bridgeNames('a-network-of-15', 64, new Set())
    expect(new Set(many).size).toBe(64)
    expect(many.every((name) => Buffer.byteLength(name) <= 15)).toBe(true)
  })

  it('never meets the bridges of another network', () => {
    const wide = plan({ name: 'wide', bridges: 2 })
    expect(plan({ name: 'wide-1-and-long' }, viewOf([wide])).bridges).toEqual(['wide-1-and-long'])
    const first = plan({ name: 'a-network-of-15', bridges: 2 })
    const second = plan({ name: 'a-network-of-1', bridges: 3 }, viewOf([first]))
    expect(second.bridges.filter((name) => first.bridges.includes(name))).toEqual([])
  })
})

describe('updating a network', () => {
  const br1 = plan({ name: 'br1', subnet: '10.1.0.0/24' }, viewOf([DOCKER0]))
  const view = viewOf(
    [DOCKER0, br1],
    [],
    [
      container('web', ['docker0', 'br1']),
      container('app', ['docker0'], ['web', 'far', 'gone']),
      container('far', ['br1'], ['web']),
    ],
  )

  it('touches the network and the links within it, and nothing else', () => {
    const { change, touched } = planUpdate(view, DOCKER0, { icc: false }, true)
    expect(touched).toEqual({ networks: ['docker0'], containers: ['web', 'app'], pairs: [['app', 'web']] })
    const after = withChange(view, change)
    expect(after.network('docker0')).toEqual({ ...DOCKER0, icc: false })
    expect(after.network('br1')).toEqual(br1)
    expect(planUpdate(after, { ...DOCKER0, icc: false }, { icc: true }, true).touched).toEqual(touched)
  })

  it('changes tracking, and keeps it where it is not named', () => {
    const { change } = planUpdate(view, DOCKER0, { tracking: true }, true)
    const tracked = withChange(view, change).network('docker0')
    expect(tracked).toEqual({ ...DOCKER0, tracking: true })
    const next = planUpdate(view, { ...DOCKER0, tracking: true }, { icc: false }, true)
    expect(next.change.networks?.get('docker0')).toMatchObject({ icc: false, tracking: true })
  })

  it.each([{}, { icc: true }, { icc: undefined }, { tracking: false }])(
    'does nothing where nothing changes: %j',
    (update) => {
      expect(planUpdate(view, DOCKER0, update, true)).toEqual({ change: {}, touched: {} })
    },
  )

  it('refuses what is no option, no value, or needs rules where there are none', () => {
    const refused = (update: object, firewall: boolean, code: string, path: string): void =>
      expect(thrown(() => planUpdate(view, DOCKER0, update, firewall))).toMatchObject({
        code,
        path,
        operation: 'Network.update',
      })
    refused({ ICC: false }, true, 'NFB_INVALID_ARGUMENT', 'ICC')
    refused({ icc: 0 }, true, 'NFB_INVALID_ARGUMENT', 'icc')
    refused({ tracking: 1 }, true, 'NFB_INVALID_ARGUMENT', 'tracking')
    refused({ icc: false }, false, 'NFB_SETTING_CONFLICT', 'icc')
    refused({ tracking: false }, false, 'NFB_SETTING_CONFLICT', 'tracking')
    expect(planUpdate(view, { ...DOCKER0, icc: true }, { icc: true }, false).change).toEqual({})
  })
})
