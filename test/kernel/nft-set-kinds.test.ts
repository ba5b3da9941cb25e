import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { isTypeof, keyLayout } from '../../src/nft/datatype/index.js'
import { type ListedObject, type MapObject, Nft, type SetObject } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile } from '../support/tools.js'
import { comparable } from './nft-list-compare.js'
import { dumpRecords, withoutTypeof } from './nft-records.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const

/** Sets in nft's syntax, and as we list them. */
const sets: readonly (readonly [string, SetObject | MapObject])[] = [
  [
    'set d1 { type ipv4_addr; counter; elements = { 1.2.3.4 counter packets 5 bytes 6, 1.2.3.5 } }',
    {
      set: {
        ...owner,
        name: 'd1',
        type: 'ipv4_addr',
        stmt: [{ counter: null }],
        elem: [
          { elem: { val: '1.2.3.4', counter: { packets: 5, bytes: 6 } } },
          { elem: { val: '1.2.3.5', counter: { packets: 0, bytes: 0 } } },
        ],
      },
    },
  ],
  [
    'set d2 { type ipv4_addr; size 100; flags dynamic; limit rate 5/second; elements = { 1.2.3.4 limit rate 5/second } }',
    {
      set: {
        ...owner,
        name: 'd2',
        type: 'ipv4_addr',
        size: 100,
        flags: ['dynamic'],
        stmt: [{ limit: { rate: 5, burst: 5, per: 'second' } }],
        elem: [{ elem: { val: '1.2.3.4', limit: { rate: 5, burst: 5, per: 'second' } } }],
      },
    },
  ],
  [
    'set d3 { type ipv4_addr; flags dynamic; counter; limit rate 5/second; size 100; }',
    {
      set: {
        ...owner,
        name: 'd3',
        type: 'ipv4_addr',
        size: 100,
        flags: ['dynamic'],
        stmt: [{ counter: null }, { limit: { rate: 5, burst: 5, per: 'second' } }],
      },
    },
  ],
  [
    'set d4 { type ipv4_addr; quota 5 mbytes; elements = { 1.2.3.4 } }',
    {
      set: {
        ...owner,
        name: 'd4',
        type: 'ipv4_addr',
        stmt: [{ quota: { val: 5, val_unit: 'mbytes' } }],
        elem: [{ elem: { val: '1.2.3.4', quota: { val: 5, val_unit: 'mbytes' } } }],
      },
    },
  ],
  [
    'set d5 { type ipv4_addr; ct count over 5; flags dynamic; size 100; }',
    {
      set: {
        ...owner,
        name: 'd5',
        type: 'ipv4_addr',
        size: 100,
        flags: ['dynamic'],
        stmt: [{ 'ct count': { val: 5, inv: true } }],
      },
    },
  ],
  [
    'set d6 { type ipv4_addr; flags interval; counter; elements = { 10.0.0.0/8 counter packets 1 bytes 2 comment "x" } }',
    {
      set: {
        ...owner,
        name: 'd6',
        type: 'ipv4_addr',
        flags: ['interval'],
        stmt: [{ counter: null }],
        elem: [
          {
            elem: {
              val: { prefix: { addr: '10.0.0.0', len: 8 } },
              comment: 'x',
              counter: { packets: 1, bytes: 2 },
            },
          },
        ],
      },
    },
  ],
  [
    'set d7 { type ipv4_addr . inet_service; flags interval; counter; elements = { 10.0.0.0/8 . 80-90 counter packets 1 bytes 2 } }',
    {
      set: {
        ...owner,
        name: 'd7',
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        stmt: [{ counter: null }],
        elem: [
          {
            elem: {
              val: { concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [80, 90] }] },
              counter: { packets: 1, bytes: 2 },
            },
          },
        ],
      },
    },
  ],
  [
    'set e1 { typeof ip length; elements = { 5, 80 } }',
    { set: { ...owner, name: 'e1', type: 'integer', keyLen: 2, elem: [5, 80] } },
  ],
  [
    'set e2 { typeof meta length; flags interval; elements = { 5-9 } }',
    {
      set: {
        ...owner,
        name: 'e2',
        type: 'integer',
        flags: ['interval'],
        keyLen: 4,
        keyOrder: 'host',
        elem: [{ range: [5, 9] }],
      },
    },
  ],
  [
    'set e3 { typeof meta length; elements = { 5 } }',
    { set: { ...owner, name: 'e3', type: 'integer', keyLen: 4, keyOrder: 'host', elem: [5] } },
  ],
  [
    'set e4 { typeof osf name; elements = { "Linux" } }',
    { set: { ...owner, name: 'e4', type: 'string', keyLen: 16, elem: ['Linux'] } },
  ],
  [
    'set e5 { typeof meta day; elements = { "Monday" } }',
    { set: { ...owner, name: 'e5', type: 'day', elem: ['Monday'] } },
  ],
  [
    'set e6 { typeof meta hour; flags interval; elements = { "17:00"-"19:00" } }',
    {
      set: { ...owner, name: 'e6', type: 'hour', flags: ['interval'], elem: [{ range: ['17:00', '19:00'] }] },
    },
  ],
  [
    'set e7 { typeof meta time; elements = { "2026-11-23 10:00:00" } }',
    { set: { ...owner, name: 'e7', type: 'date', elem: ['2026-11-23 10:00:00'] } },
  ],
  [
    'set e8 { typeof ct bytes; elements = { 5 } }',
    { set: { ...owner, name: 'e8', type: 'integer', keyLen: 8, keyOrder: 'host', elem: [5] } },
  ],
  [
    'set e9 { type mh_type; elements = { home-test } }',
    { set: { ...owner, name: 'e9', type: 'mh_type', elem: ['home-test'] } },
  ],
  ['set f1 { type realm; elements = { 5 } }', { set: { ...owner, name: 'f1', type: 'realm', elem: [5] } }],
  [
    'set f2 { type ipv4_addr; elements = { * } }',
    { set: { ...owner, name: 'f2', type: 'ipv4_addr', elem: ['*'] } },
  ],
  [
    'set f3 { type ipv4_addr . inet_service; flags interval; elements = { 1.2.3.4 . 80, * } }',
    {
      set: {
        ...owner,
        name: 'f3',
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        elem: [{ concat: ['1.2.3.4', 80] }, '*'],
      },
    },
  ],
  [
    'map g1 { type ipv4_addr : interval ipv4_addr; elements = { 1.2.3.4 : 10.0.0.1-10.0.0.9 } }',
    {
      map: {
        ...owner,
        name: 'g1',
        type: 'ipv4_addr',
        map: 'ipv4_addr',
        ranges: true,
        elem: [['1.2.3.4', { range: ['10.0.0.1', '10.0.0.9'] }]],
      },
    },
  ],
  [
    'map g2 { type ipv4_addr : interval ipv4_addr; flags interval; elements = { 10.1.1.0/24 : 10.2.2.0/24 } }',
    {
      map: {
        ...owner,
        name: 'g2',
        type: 'ipv4_addr',
        flags: ['interval'],
        map: 'ipv4_addr',
        ranges: true,
        elem: [[{ prefix: { addr: '10.1.1.0', len: 24 } }, { prefix: { addr: '10.2.2.0', len: 24 } }]],
      },
    },
  ],
  [
    'map g3 { type ipv4_addr : interval ipv4_addr . inet_service; elements = { 1.2.3.4 : 10.0.0.1-10.0.0.9 . 80-90 } }',
    {
      map: {
        ...owner,
        name: 'g3',
        type: 'ipv4_addr',
        map: ['ipv4_addr', 'inet_service'],
        ranges: true,
        elem: [['1.2.3.4', { concat: [{ range: ['10.0.0.1', '10.0.0.9'] }, { range: [80, 90] }] }]],
      },
    },
  ],
  [
    'map g4 { type ipv4_addr : verdict; counter; elements = { 1.2.3.4 counter packets 1 bytes 2 : accept } }',
    {
      map: {
        ...owner,
        name: 'g4',
        type: 'ipv4_addr',
        stmt: [{ counter: null }],
        map: 'verdict',
        elem: [[{ elem: { val: '1.2.3.4', counter: { packets: 1, bytes: 2 } } }, { accept: null }]],
      },
    },
  ],
  [
    'map g5 { typeof ip saddr : ip length; elements = { 1.2.3.4 : 5 } }',
    { map: { ...owner, name: 'g5', type: 'ipv4_addr', map: 'integer', dataLen: 2, elem: [['1.2.3.4', 5]] } },
  ],
  [
    'map g6 { typeof ip saddr : meta length; elements = { 1.2.3.4 : 5 } }',
    {
      map: {
        ...owner,
        name: 'g6',
        type: 'ipv4_addr',
        map: 'integer',
        dataLen: 4,
        dataOrder: 'host',
        elem: [['1.2.3.4', 5]],
      },
    },
  ],
  [
    'map g7 { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : accept, * : drop } }',
    {
      map: {
        ...owner,
        name: 'g7',
        type: 'ipv4_addr',
        flags: ['interval'],
        map: 'verdict',
        elem: [
          [{ prefix: { addr: '10.0.0.0', len: 8 } }, { accept: null }],
          ['*', { drop: null }],
        ],
      },
    },
  ],
  [
    'map g8 { type ipv4_addr : mark; flags dynamic; counter; size 100; }',
    {
      map: {
        ...owner,
        name: 'g8',
        type: 'ipv4_addr',
        size: 100,
        flags: ['dynamic'],
        stmt: [{ counter: null }],
        map: 'mark',
      },
    },
  ],
]

function nameOf(object: SetObject | MapObject): string {
  return ('set' in object ? object.set : object.map).name
}

/** A listed set by the names of the types, and not by the expressions that nft declared it by. */
function byNames(object: ListedObject): unknown {
  if ('set' in object) return { set: { ...object.set, ...namesOf('type', 'key', object.set.type) } }
  if (!('map' in object)) return object
  const { type, map } = object.map
  return { map: { ...object.map, ...namesOf('type', 'key', type), ...namesOf('map', 'data', map) } }
}

function namesOf(name: 'type' | 'map', prefix: 'key' | 'data', declared: unknown): object {
  if (!isTypeof(declared)) return {}
  const { fields } = keyLayout(declared)
  const [only] = fields
  const names = fields.map(({ type }) => type.name)
  const lengths = fields.map(({ length }) => length)
  if (fields.every(({ type }) => type.bits !== 0)) return { [name]: names.length === 1 ? names[0] : names }
  const isHost = fields.length === 1 && only?.order === 'host' && !only.type.text
  return {
    [name]: names.length === 1 ? names[0] : names,
    [`${prefix}Len`]: names.length === 1 ? lengths[0] : lengths,
    ...(isHost && { [`${prefix}Order`]: 'host' }),
  }
}

/** The kernel's records of a set and of its elements, without what differs from one making to the next. */
async function kernelRecords(namespace: Namespace, name: string): Promise<unknown> {
  const records = await dumpRecords(namespace, 'nftGetSet', 'nftNewSet', {})
  const { handle: _, userdata, ...record } = records.find((each) => each.name === name) ?? {}
  const lists = await dumpRecords(namespace, 'nftGetElement', 'nftNewElement', {
    family: 1,
    table: 't',
    set: name,
  })
  const elem = lists.flatMap((list) => list.elements ?? []).map(({ expiration: __, ...element }) => element)
  return comparable({ record, userdata: withoutTypeof(userdata), elem })
}

test.each(sets)('%s', async (text, object) => {
  const theirs = keep(await Namespace.create())
  const ours = keep(await Namespace.create())
  await nftFile(theirs, `table inet t {\n ${text}\n}\n`)
  const reader = keep(await Nft.open({ netns: theirs }))
  const writer = keep(await Nft.open({ netns: ours }))
  const { nftables } = await reader.list({ kinds: ['set'] })
  expect(comparable(nftables.map(byNames))).toEqual(comparable([object]))
  await writer
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add(object)
    .commit()
  expect(await kernelRecords(ours, nameOf(object))).toEqual(await kernelRecords(theirs, nameOf(object)))
  expect(comparable((await writer.list({ kinds: ['set'] })).nftables)).toEqual(comparable([object]))
})

test('a concatenation with integers tells their lengths, so that it is listed as it was', async () => {
  const namespace = keep(await Namespace.create())
  const handle = keep(await Nft.open({ netns: namespace }))
  const set: SetObject = {
    set: {
      ...owner,
      name: 's',
      type: ['ipv4_addr', 'integer', 'integer'],
      keyLen: [4, 2, 4],
      elem: [{ concat: ['1.2.3.4', 80, 5] }],
    },
  }
  await handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add(set)
    .commit()
  const { nftables } = await handle.list({ kinds: ['set'] })
  expect(comparable(nftables)).toEqual(comparable([set]))
  // Nothing of it bothers nft, which has names for the types but no lengths.
  await expect(nft(namespace, 'list', 'ruleset')).resolves.toContain('1.2.3.4')
})

test('what nft notes of a typeof tells the lengths as well', async () => {
  const namespace = keep(await Namespace.create())
  await nftFile(
    namespace,
    'table inet t {\n set s { typeof ip saddr . ip length; elements = { 1.2.3.4 . 80 } }\n}\n',
  )
  const handle = keep(await Nft.open({ netns: namespace }))
  const { nftables } = await handle.list({ kinds: ['set'] })
  expect(nftables).toMatchObject([
    {
      set: {
        type: {
          typeof: {
            concat: [
              { payload: { protocol: 'ip', field: 'saddr' } },
              { payload: { protocol: 'ip', field: 'length' } },
            ],
          },
        },
        elem: [{ concat: ['1.2.3.4', 80] }],
      },
    },
  ])
})
