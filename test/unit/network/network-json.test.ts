import { describe, expect, it } from 'vitest'
import { Cidr, parseAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import {
  networkFromJson,
  networkToJson,
  peerFromJson,
  peerToJson,
  poolMemoryFromJson,
} from '../../../src/network/apply/network-json.js'
import { AddressPool } from '../../../src/network/plan/address-pool.js'
import { rangeOf } from '../../../src/network/plan/address-range.js'
import { parsePeer } from '../../../src/network/plan/peer.js'
import { thrown } from './thrown.js'
import { plan, viewOf } from './view-fixtures.js'

/** What is read back from a file. */
function written(value: object): object {
  return JSON.parse(JSON.stringify(value))
}

const WIDE = plan(
  {
    name: 'wide',
    pools: [
      { subnet: '10.0.0.0/22', exclude: ['10.0.0.9', '10.0.1.0/30'] },
      { subnet: 'fd00:1::/62', gateway: 'fd00:1::9' },
    ],
    bridges: 3,
    icc: false,
    isolation: 'strict',
    gatewayMode: { ipv6: 'nat-unprotected' },
    masquerade: { snat: ['192.0.2.1', '2001:db8::1'], except: ['10.0.0.0/8', 'fd00::/8'] },
    trustedInterfaces: ['wg0'],
    allowDirectRouting: true,
    linkMode: 'stateless',
    tracking: true,
    mtu: 1400,
    labels: { 'com.example.tier': 'front', ['__proto__']: 'x' },
  },
  viewOf([]),
)

describe('files of networks', () => {
  it.each([
    ['with everything', WIDE],
    ['with nothing', plan({ name: 'br1' })],
    ['internal', plan({ name: 'br1', internal: true, ipv6: true })],
    ['isolated', plan({ name: 'br1', gatewayMode: 'isolated' })],
    [
      'routed, adopted',
      plan({ name: 'br1', adopt: true, gatewayMode: 'routed', subnet: '10.0.0.0/24', range: '10.0.0.8/29' }),
    ],
  ])('hold a network %s as it was', (_, network) => {
    expect(networkFromJson(written(networkToJson(network)))).toEqual(network)
  })

  it.each([true, false])(
    'without a word of tracking are of a version that knew none: adopted: %j',
    (adopted) => {
      const network = plan({ name: 'br1', adopt: adopted })
      expect(networkFromJson(written({ ...networkToJson(network), tracking: undefined }))).toMatchObject({
        tracking: adopted,
      })
    },
  )

  it('hold texts only where there are addresses', () => {
    expect(written(networkToJson(WIDE))).toMatchObject({
      pools: [
        { bridge: 'wide', subnet: '10.0.0.0/24', gateway: '10.0.0.1', exclude: ['10.0.0.9/32'] },
        {},
        {},
        {},
        {},
        {},
      ],
      ipv4: { mode: 'nat', masquerade: true, snat: '192.0.2.1', except: ['10.0.0.0/8'] },
    })
  })

  it.each<[string, object]>([
    ['another name than its bridge', { name: 'x' }],
    ['no bridges', { bridges: [] }],
    ['a bridge with a name that is none', { bridges: ['wide', '../x'] }],
    ['no pools', { pools: undefined }],
    ['pools that are none', { pools: [5] }],
    [
      'a pool on no bridge',
      { pools: [{ bridge: 'docker0', subnet: '10.0.0.0/24', range: '10.0.0.0/24', exclude: [] }] },
    ],
    ['a pool without subnet', { pools: [{ bridge: 'wide', range: '10.0.0.0/24', exclude: [] }] }],
    [
      'a gateway elsewhere',
      {
        pools: [
          { bridge: 'wide', subnet: '10.0.0.0/24', range: '10.0.0.0/24', gateway: '10.0.1.1', exclude: [] },
        ],
      },
    ],
    [
      'a range elsewhere',
      { pools: [{ bridge: 'wide', subnet: '10.0.0.0/24', range: '10.0.1.0/24', exclude: [] }] },
    ],
    ['no family', { ipv4: undefined }],
    ['a list as a family', { ipv6: [] }],
    ['an unknown mode', { ipv4: { mode: 'bridge', masquerade: true, except: [] } }],
    [
      'a translation to the other family',
      { ipv4: { mode: 'nat', masquerade: true, snat: '::1', except: [] } },
    ],
    ['an exception of the other family', { ipv6: { mode: 'nat', masquerade: true, except: ['10.0.0.0/8'] } }],
    ['a text for icc', { icc: 'false' }],
    ['no isolation', { isolation: undefined }],
    ['a text for tracking', { tracking: 'false' }],
    ['an unknown link mode', { linkMode: 'both' }],
    ['a negative group', { group: -1 }],
    ['no word of adoption', { adopted: undefined }],
    ['a fraction for an MTU', { mtu: 1.5 }],
    ['a trusted interface without a name', { trustedInterfaces: [''] }],
  ])('are damaged with %s', (_, damage) => {
    const error = thrown(() => networkFromJson(written({ ...networkToJson(WIDE), ...damage })))
    expect(error instanceof NfbridgeError || error instanceof TypeError, String(error)).toBe(true)
  })
})

describe('files of peers and pools', () => {
  it('hold a peer as it was', () => {
    for (const options of [
      { subnet: '172.18.0.0/16', via: '192.0.2.2' },
      { subnet: 'fd00:18::/64', via: 'fe80::2', device: 'eth0' },
      { subnet: '172.18.0.0/16', device: 'wg0' },
    ]) {
      const peer = parsePeer(options)
      expect(peerFromJson(written(peerToJson(peer)))).toEqual(peer)
    }
  })

  it('are damaged where a peer is nowhere', () => {
    for (const value of [{}, { subnet: '172.18.0.0/16' }, { subnet: 5, device: 'wg0' }]) {
      expect(thrown(() => peerFromJson(value))).toBeInstanceOf(NfbridgeError)
    }
  })

  it('hold the order of a pool', () => {
    const record = {
      bridge: 'b',
      subnet: Cidr.parse('fd00::/64'),
      gateway: undefined,
      range: rangeOf(Cidr.parse('fd00::/64')),
      exclude: [],
    }
    const pool = new AddressPool(record)
    for (const text of ['fd00::1', 'fd00::2', 'fd00::9']) pool.mark('take', parseAddress(text))
    pool.mark('release', parseAddress('fd00::2'))
    expect(poolMemoryFromJson(written(pool.memory))).toEqual(pool.memory)
    expect(pool.memory).toEqual({
      fresh: [['fd00::3', 'fd00::ffff:ffff:ffff:ffff']],
      used: ['fd00::1', 'fd00::9'],
      freed: ['fd00::2'],
    })
  })

  it.each([
    [{ fresh: [], used: [] }],
    [{ fresh: [['10.0.0.1']], used: [], freed: [] }],
    [{ fresh: [['10.0.0.1', '10.0.0.2', '10.0.0.3']], used: [], freed: [] }],
    [{ fresh: [['10.0.0.1', 'x']], used: [], freed: [] }],
    [{ fresh: [5], used: [], freed: [] }],
    [{ fresh: [], used: ['10.0.0'], freed: [] }],
    [{ fresh: [], used: [], freed: [167772161] }],
  ])('are damaged: %j', (value) => {
    const error = thrown(() => poolMemoryFromJson(value))
    expect(error instanceof NfbridgeError || error instanceof TypeError, String(error)).toBe(true)
  })
})
