import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { unwrap } from '../../../src/native/failure.js'
import { addon } from '../../../src/native/load.js'
import { unpack } from '../../../src/native/unpack.js'
import { type RtnlEvent, readEvent } from '../../../src/rtnl/events.js'

/** What the kernel sent when test/fixtures/record.py asked it, as this layer reads it. */
function recorded(name: string): RtnlEvent[] {
  const text = readFileSync(new URL(`../../fixtures/${name}.hex`, import.meta.url), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.flatMap((line) =>
    [...unpack(unwrap(addon.decode('route', Buffer.from(line.replaceAll(' ', ''), 'hex')), 'test'))].map(
      readEvent,
    ),
  )
}

describe('bytes recorded from the kernel', () => {
  test('links', () => {
    const links = recorded('route-links').map((event) => (event.kind === 'link' ? event.link : undefined))
    expect(links.slice(0, 5).map((link) => link?.name)).toEqual(['lo', 'br0', 'v1', 'v0', 'm0'])
    const [lo, bridge, , veth, macvlan] = links
    expect(lo).toMatchObject({ index: 1, up: true, lowerUp: true, state: 'unknown', mtu: 65536, group: 0 })
    expect(lo?.kind).toBeUndefined()
    expect(bridge).toMatchObject({
      index: 2,
      kind: 'bridge',
      mtu: 1400,
      state: 'up',
      bridge: {
        stp: false,
        ageingTime: 12_344,
        nfCallIptables: true,
        nfCallIp6tables: false,
        priority: 32_768,
      },
    })
    expect(veth).toMatchObject({
      index: 4,
      kind: 'veth',
      group: 7,
      master: 2,
      alias: 'container web',
      alternativeNames: ['web-port'],
      txQueues: 1,
      peer: 3,
      port: { hairpin: true, learning: false, isolated: true, state: 'forwarding', cost: 2 },
    })
    expect(veth?.mac?.toString()).toBe('02:42:00:00:00:02')
    expect(macvlan?.record.linkinfo).toMatchObject({ kind: 'macvlan', data: { mode: 4 } })
  })

  test('a message of a bridge about its port is no message about the link', () => {
    expect(recorded('route-bridge-links')).toMatchObject([
      { kind: 'port', action: 'set', device: 4, master: 2 },
    ])
  })

  test('addresses', () => {
    const addresses = recorded('route-addresses').map((event) =>
      event.kind === 'address' ? event.address : undefined,
    )
    expect(
      addresses.map((each) => `${each?.address} ${each?.device} ${each?.scope} ${each?.permanent}`),
    ).toEqual([
      '127.0.0.1/8 1 host true',
      '172.17.0.1/16 2 universe true',
      '10.0.0.1/24 3 universe false',
      '::1/128 1 host true',
      'fd00::1/64 2 universe true',
      'fe80::42:ff:fe00:1/64 2 link true',
      'fe80::42:ff:fe00:3/64 3 link true',
      'fe80::42:ff:fe00:2/64 4 link true',
    ])
    expect(addresses[1]).toMatchObject({ label: 'br0', tentative: false })
    expect(addresses[1]?.broadcast?.toString()).toBe('172.17.255.255')
    expect(addresses[5]?.tentative).toBe(true)
    expect(addresses.every((each) => each?.peer === undefined)).toBe(true)
  })

  test('routes', () => {
    const routes = recorded('route-routes').map((event) => (event.kind === 'route' ? event.route : undefined))
    const text = routes.map(
      (each) =>
        `${each?.destination} ${each?.table} ${each?.type} ${each?.scope} ${each?.gateway ?? '-'} ${each?.device ?? '-'}`,
    )
    expect(text.slice(0, 6)).toEqual([
      '10.7.0.0/16 1000 unicast universe fd00::9 2',
      '10.0.0.0/24 main unicast link - 3',
      '10.5.0.0/16 main unicast universe 172.17.0.9 2',
      '10.6.0.0/16 main unicast universe - -',
      '10.8.0.0/16 main blackhole universe - -',
      '172.17.0.0/16 main unicast link - 2',
    ])
    expect(routes[2]).toMatchObject({ metric: 77, mtu: 1400, protocol: 'boot' })
    expect(routes[3]?.nexthops?.map((hop) => [`${hop.gateway}`, hop.device, hop.weight])).toEqual([
      ['172.17.0.9', 2, 2],
      ['10.0.0.9', 3, 5],
    ])
    expect(routes.every((route) => route !== undefined)).toBe(true)
  })

  test('neighbours and forwarding entries', () => {
    const neighbours = recorded('route-neighbours')
    expect(neighbours[0]).toMatchObject({
      kind: 'neighbour',
      neighbour: { device: 2, state: 'permanent', proxy: false },
    })
    const entries = recorded('route-fdb').map((event) => (event.kind === 'fdb' ? event.entry : undefined))
    expect(entries.every((entry) => entry !== undefined)).toBe(true)
    const text = entries.map(
      (entry) => `${entry?.mac} ${entry?.device} ${entry?.master ?? '-'} ${entry?.state}`,
    )
    expect(text).toContain('02:42:00:00:00:04 4 2 static')
    expect(text).toContain('02:42:00:00:00:02 4 2 permanent')
  })

  test('what this layer does not know is kept', () => {
    const unknown = Buffer.alloc(20)
    unknown.writeUInt32LE(20, 0)
    unknown.writeUInt16LE(0x44, 4)
    const [event] = [...unpack(unwrap(addon.decode('route', unknown), 'test'))].map(readEvent)
    expect(event).toMatchObject({ kind: 'other', message: { name: 'opaque', type: 0x44 } })
  })
})
