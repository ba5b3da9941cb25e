import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import type { NftObjectRecord } from '../../../src/native/records.js'
import { compileOperation, located, type Operation } from '../../../src/nft/compile/index.js'
import { readChain, readFlowtable, readObject } from '../../../src/nft/decompile/index.js'
import type { FlowtableObject, StatefulObject } from '../../../src/nft/model/index.js'
import { batchOf, Collector } from './debug-notation.js'

const owner = { family: 'inet', table: 't' } as const

/** Objects as listings give them: what they are made of is all there. */
const objects: readonly (readonly [string, StatefulObject])[] = [
  ['counter', { counter: { ...owner, name: 'c', packets: 5, bytes: 6, comment: 'x' } }],
  ['quota', { quota: { ...owner, name: 'q', bytes: 5_242_880, used: 3, inv: true, comment: 'x' } }],
  ['quota of odd bytes', { quota: { ...owner, name: 'q', bytes: 1025, used: 0, inv: false } }],
  ['limit', { limit: { ...owner, name: 'l', rate: 5, per: 'second', burst: 5 } }],
  [
    'limit of bytes',
    {
      limit: {
        ...owner,
        name: 'l',
        rate: 5,
        rate_unit: 'mbytes',
        per: 'week',
        burst: 3,
        burst_unit: 'kbytes',
        inv: true,
      },
    },
  ],
  ['limit without burst', { limit: { ...owner, name: 'l', rate: 1025, rate_unit: 'bytes', per: 'hour' } }],
  ['helper', { 'ct helper': { ...owner, name: 'h', type: 'ftp', protocol: 'tcp', l3proto: 'inet' } }],
  [
    'timeouts of TCP',
    {
      'ct timeout': {
        ...owner,
        name: 'p',
        protocol: 'tcp',
        l3proto: 'ip',
        policy: { established: 100, close: 5 },
      },
    },
  ],
  [
    'timeouts of UDP',
    { 'ct timeout': { ...owner, name: 'p', protocol: 'udp', l3proto: 'ip6', policy: { replied: 20 } } },
  ],
  ['timeouts as by default', { 'ct timeout': { ...owner, name: 'p', protocol: 'udp', l3proto: 'ip' } }],
  [
    'expectation',
    {
      'ct expectation': {
        ...owner,
        name: 'e',
        protocol: 'tcp',
        dport: 9876,
        timeout: 120_000,
        size: 12,
        l3proto: 'ip',
      },
    },
  ],
  ['secmark', { secmark: { ...owner, name: 's', context: 'system_u:object_r:ssh_server_packet_t:s0' } }],
  [
    'synproxy',
    { synproxy: { ...owner, name: 'y', mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] } },
  ],
  ['synproxy without numbers', { synproxy: { ...owner, name: 'y', flags: ['timestamp'] } }],
  ['tunnel', { tunnel: { ...owner, name: 'v', id: 1, 'dst-ipv4': '192.0.2.1' } }],
  [
    'tunnel of vxlan',
    {
      tunnel: {
        ...owner,
        name: 'v',
        id: 10,
        'src-ipv4': '192.0.2.1',
        'dst-ipv4': '192.0.2.2',
        sport: 10,
        dport: 20,
        tos: 8,
        ttl: 10,
        flags: ['zero-csum-tx', 'seq-number'],
        type: 'vxlan',
        tunnel: { gbp: 200 },
      },
    },
  ],
  [
    'tunnel of erspan, version 1',
    {
      tunnel: {
        ...owner,
        name: 'v',
        id: 10,
        'src-ipv6': '2001:db8::1',
        'dst-ipv6': '2001:db8::2',
        flowlabel: 5,
        type: 'erspan',
        tunnel: { version: 1, index: 7 },
      },
    },
  ],
  [
    'tunnel of erspan, version 2',
    {
      tunnel: {
        ...owner,
        name: 'v',
        id: 10,
        'dst-ipv6': '2001:db8::2',
        flags: 'dont-fragment',
        type: 'erspan',
        tunnel: { version: 2, direction: 'ingress', hwid: 63 },
      },
    },
  ],
  [
    'tunnel of geneve',
    {
      tunnel: {
        ...owner,
        name: 'v',
        id: 10,
        'dst-ipv4': '192.0.2.2',
        type: 'geneve',
        tunnel: [
          { class: 16, 'opt-type': 1, data: '0x12345678' },
          { class: 32, 'opt-type': 2, data: '0x' },
        ],
      },
    },
  ],
]

function compiled(operation: Operation): Collector {
  const sink = new Collector()
  compileOperation(batchOf(sink), operation, { echo: false })
  return sink
}

describe('named objects are read as they were written', () => {
  test.each(objects)('%s', (_, object) => {
    const [record] = compiled({ add: object }).of('nftNewObject')
    expect(record && readObject(record)).toEqual(object)
  })
})

describe('flowtables are read as they were written', () => {
  test.each<[string, FlowtableObject]>([
    [
      'several interfaces',
      {
        flowtable: {
          ...owner,
          name: 'f',
          hook: 'ingress',
          prio: 5,
          dev: ['eth0', 'eth1'],
          flags: ['offload', 'counter'],
        },
      },
    ],
    [
      'one interface',
      { flowtable: { family: 'ip', table: 't', name: 'f', hook: 'ingress', prio: -5, dev: 'lo' } },
    ],
    ['no interface', { flowtable: { ...owner, name: 'f', hook: 'ingress', prio: 0 } }],
  ])('%s', (_, object) => {
    const [record] = compiled({ add: object }).of('nftNewFlowtable')
    expect(record && { flowtable: readFlowtable(record) }).toEqual(object)
  })

  test('by the name of a priority', () => {
    const flowtable = { ...owner, name: 'f', hook: 'ingress', prio: 'filter + 5', dev: 'lo' } as const
    const [record] = compiled({ add: { flowtable } }).of('nftNewFlowtable')
    expect(record?.hook).toEqual({ num: 0, priority: 5, devs: ['lo'] })
  })
})

test('a chain that runs in the device, with counters, is read as it was written', () => {
  const chain = {
    family: 'netdev',
    table: 't',
    name: 'c',
    type: 'filter',
    hook: 'ingress',
    prio: 0,
    policy: 'drop',
    dev: 'lo',
    flags: ['offload'],
    counters: { packets: 0, bytes: 0 },
  } as const
  const [record] = compiled({ add: { chain } }).of('nftNewChain')
  expect(record?.flags).toBe(3)
  expect(record && readChain(record)).toEqual(chain)
  expect(record && readChain({ ...record, flags: 1 })).not.toHaveProperty('flags')
})

test('a timeout policy has all states, as nft sends them', () => {
  const [record] = compiled({
    add: { 'ct timeout': { ...owner, name: 'p', protocol: 'udp', policy: { unreplied: 31 } } },
  }).of('nftNewObject')
  // Attributes of eight bytes: their length and type in the order of the host, the seconds in that of the network.
  const bytes = Buffer.alloc(16)
  new Uint16Array(bytes.buffer, bytes.byteOffset, 2).set([8, 1])
  bytes.writeUInt32BE(31, 4)
  new Uint16Array(bytes.buffer, bytes.byteOffset + 8, 2).set([8, 2])
  bytes.writeUInt32BE(120, 12)
  expect(record).toEqual({
    family: 1,
    table: 't',
    name: 'p',
    type: 7,
    data: { l4proto: 17, data: new Uint8Array(bytes) },
  })
})

test('a tunnel is what the kernel takes, its options attributes of their own', () => {
  const geneve = (data: string, code: number) => ({ class: 0x0102, 'opt-type': code, data })
  const [record] = compiled({
    add: {
      tunnel: {
        ...owner,
        name: 'v',
        id: 10,
        'src-ipv4': '192.0.2.1',
        'dst-ipv4': '192.0.2.2',
        ttl: 9,
        flags: 'dont-fragment',
        type: 'geneve',
        tunnel: [geneve('0x12345678', 3), geneve('0x', 4)],
      },
    },
  }).of('nftNewObject')
  const host = (...numbers: readonly number[]): number[] => [
    ...new Uint8Array(new Uint16Array(numbers).buffer),
  ]
  const NESTED = 0x8000
  expect(record).toEqual({
    family: 1,
    table: 't',
    name: 'v',
    type: 6,
    data: {
      id: 10,
      ip: { src: new Uint8Array([192, 0, 2, 1]), dst: new Uint8Array([192, 0, 2, 2]) },
      flags: 2,
      ttl: 9,
      opts: new Uint8Array([
        ...[...host(28, 3 | NESTED)],
        ...[...host(6, 1), 1, 2, 0, 0, ...host(5, 2), 3, 0, 0, 0, ...host(8, 3), 0x12, 0x34, 0x56, 0x78],
        ...[...host(24, 3 | NESTED)],
        ...[...host(6, 1), 1, 2, 0, 0, ...host(5, 2), 4, 0, 0, 0, ...host(4, 3)],
      ]),
    },
  })
})

test('a tunnel with what the model cannot say is none that can be read', () => {
  const common = { family: 5, table: 't', name: 'v', type: 6 } as const
  const tunnel = { id: 1, ip: { dst: new Uint8Array([192, 0, 2, 1]) } }
  expect(readObject({ ...common, data: tunnel })).toBeDefined()
  const unreadable = [
    { ...tunnel, id: undefined },
    { ...tunnel, flags: 8 },
    { ...tunnel, opts: new Uint8Array([1, 2, 3]) },
    { ...tunnel, opts: new Uint8Array([255, 255, 255, 255]) },
    { ...tunnel, opts: new Uint8Array(new Uint16Array([4, 9]).buffer) },
    { ...tunnel, opts: new Uint8Array(new Uint16Array([4, 1]).buffer) },
    { ...tunnel, opts: new Uint8Array(new Uint16Array([4, 2]).buffer) },
    { ...tunnel, opaque: [] },
  ]
  for (const data of unreadable) expect(readObject({ ...common, data } as NftObjectRecord)).toBeUndefined()
})

test('a rule names a tunnel', () => {
  const rule = { ...owner, chain: 'c', expr: [{ tunnel: 'v' }] } as const
  const [record] = compiled({ add: { rule } }).of('nftNewRule')
  expect(record?.expressions).toEqual([{ name: 'objref', data: { immType: 6, immName: 'v' } }])
})

test('every kind is deleted by its number', () => {
  const kinds = {
    counter: 1,
    quota: 2,
    'ct helper': 3,
    limit: 4,
    'ct timeout': 7,
    secmark: 8,
    'ct expectation': 9,
    synproxy: 10,
    tunnel: 6,
  } as const
  const deletions: Operation[] = [
    { delete: { counter: { ...owner, name: 'x' } } },
    { delete: { quota: { ...owner, name: 'x' } } },
    { delete: { 'ct helper': { ...owner, name: 'x' } } },
    { delete: { limit: { ...owner, name: 'x' } } },
    { delete: { 'ct timeout': { ...owner, name: 'x' } } },
    { delete: { secmark: { ...owner, name: 'x' } } },
    { delete: { 'ct expectation': { ...owner, name: 'x' } } },
    { delete: { synproxy: { ...owner, name: 'x' } } },
    { delete: { tunnel: { ...owner, name: 'x' } } },
  ]
  const types = deletions.flatMap((operation) =>
    compiled(operation)
      .of('nftDelObject')
      .map(({ type }) => type),
  )
  expect(types).toEqual(Object.values(kinds))
  expect(compiled({ delete: { flowtable: { ...owner, name: 'x' } } }).of('nftDelFlowtable')).toEqual([
    { family: 1, table: 't', name: 'x' },
  ])
})

describe('what is wrong with an object is said with its path', () => {
  const rule = (...expr: readonly unknown[]): unknown => ({ add: { rule: { ...owner, chain: 'c', expr } } })
  const add = (object: object): unknown => ({ add: object })
  const ip = { payload: { protocol: 'ip', field: 'saddr' } }
  test.each<[string, unknown, string]>([
    [
      'a state',
      add({ 'ct timeout': { ...owner, name: 'p', protocol: 'tcp', policy: { open: 5 } } }),
      'policy',
    ],
    [
      'seconds',
      add({ 'ct timeout': { ...owner, name: 'p', protocol: 'tcp', policy: { close: -1 } } }),
      'policy.close',
    ],
    [
      'a helper of another protocol',
      add({ 'ct helper': { ...owner, name: 'h', type: 'ftp', protocol: 'gre' } }),
      'ct helper',
    ],
    ['a quota of no bytes', add({ quota: { ...owner, name: 'q', bytes: -5 } }), 'quota'],
    [
      'a port',
      add({ 'ct expectation': { ...owner, name: 'e', protocol: 'tcp', dport: 70_000 } }),
      'ct expectation',
    ],
    ['a hook of a flowtable', add({ flowtable: { ...owner, name: 'f', hook: 'input', prio: 0 } }), 'hook'],
    ['an interface', add({ flowtable: { ...owner, name: 'f', hook: 'ingress', prio: 0, dev: '' } }), 'dev'],
    ['a flag', add({ flowtable: { ...owner, name: 'f', hook: 'ingress', prio: 0, flags: ['x'] } }), 'flags'],
    [
      'a key that cannot be written',
      rule({ mangle: { key: { meta: { key: 'iif' } }, value: 1 } }),
      'expr[0].mangle',
    ],
    ['a value', rule({ mangle: { key: { meta: { key: 'mark' } }, value: 'x' } }), 'expr[0].mangle.value'],
    [
      'a part of a word from a map',
      rule({
        mangle: {
          key: { payload: { protocol: 'ip', field: 'dscp' } },
          value: { map: { key: ip, data: '@m' } },
        },
      }),
      'expr[0].mangle.value',
    ],
    ['an operation on a set', rule({ set: { op: 'put', elem: ip, set: '@s' } }), 'expr[0].set'],
    ['no set', rule({ set: { op: 'add', elem: ip, set: 's' } }), 'expr[0].set.set'],
    [
      'a shared object in a set',
      rule({ set: { op: 'add', elem: ip, set: '@s', stmt: [{ counter: 'c' }] } }),
      'expr[0].set.stmt[0]',
    ],
    [
      'a constant for a map of unknown type',
      rule({ map: { op: 'add', elem: ip, data: 5, map: '@m' } }),
      'expr[0].map.data',
    ],
    ['queues backwards', rule({ queue: { num: { range: [9, 5] } } }), 'expr[0].queue.num'],
    ['a flag of queue', rule({ queue: { num: 1, flags: 'fast' } }), 'expr[0].queue.flags'],
    ['a proxy without a protocol', rule({ tproxy: { port: 80 } }), 'expr[0].tproxy'],
    ['a copy in a table of both families', rule({ dup: { addr: '1.2.3.4' } }), 'expr[0].dup'],
    [
      'a netmap to an address',
      rule({ snat: { family: 'ip', addr: '1.2.3.4', flags: 'netmap' } }),
      'expr[0].snat.addr',
    ],
    ['a unit of a quota', rule({ quota: { val: 5, val_unit: 'gbytes' } }), 'expr[0].quota'],
    ['a count', rule({ 'ct count': { val: 1.5 } }), 'expr[0].ct count'],
    ['wscale', rule({ synproxy: { wscale: 15 } }), 'expr[0].synproxy'],
    ['a tunnel to nowhere', add({ tunnel: { ...owner, name: 'v', id: 1 } }), 'tunnel'],
    [
      'a tunnel of both families',
      add({ tunnel: { ...owner, name: 'v', id: 1, 'dst-ipv4': '1.2.3.4', 'src-ipv6': '::1' } }),
      'tunnel',
    ],
    ['an address', add({ tunnel: { ...owner, name: 'v', id: 1, 'dst-ipv6': '1.2.3.4' } }), 'tunnel.dst-ipv6'],
    [
      'a type of tunnel',
      add({ tunnel: { ...owner, name: 'v', id: 1, 'dst-ipv4': '1.2.3.4', type: 'gre', tunnel: {} } }),
      'tunnel.tunnel',
    ],
    [
      'data of geneve',
      add({
        tunnel: {
          ...owner,
          name: 'v',
          id: 1,
          'dst-ipv4': '1.2.3.4',
          type: 'geneve',
          tunnel: [{ class: 1, 'opt-type': 1, data: '0x123' }],
        },
      }),
      'tunnel.tunnel[0]',
    ],
    [
      'too many options of geneve',
      add({
        tunnel: {
          ...owner,
          name: 'v',
          id: 1,
          'dst-ipv4': '1.2.3.4',
          type: 'geneve',
          tunnel: [1, 2].map((type) => ({ class: 1, 'opt-type': type, data: `0x${'00'.repeat(124)}` })),
        },
      }),
      'tunnel.tunnel[1]',
    ],
  ])('%s', (_, operation, path) => {
    const batch = batchOf(new Collector())
    let error: unknown
    try {
      // What a caller without types may pass.
      compileOperation(batch, operation as Operation, { echo: false })
    } catch (thrown) {
      error = located(thrown, 'test', batch.trail)
    }
    expect(error).toBeInstanceOf(NfbridgeError)
    expect(error).toMatchObject({ code: expect.stringMatching(/^NFB_INVALID_/) })
    expect(error instanceof NfbridgeError && error.path).toMatch(
      new RegExp(`${path.replace(/[[\]]/g, '\\$&')}$`),
    )
  })
})
