import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { Nft, type RulesetObject } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile } from '../support/tools.js'
import { dumpRecords, withoutTypeof } from './nft-records.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const

/** Each set twice: in nft's syntax and as our object. */
const sets: readonly (readonly [string, RulesetObject])[] = [
  ['set a1 { type ipv4_addr; }', { set: { ...owner, name: 'a1', type: 'ipv4_addr' } }],
  ['set a2 { type ipv6_addr; size 100; }', { set: { ...owner, name: 'a2', type: 'ipv6_addr', size: 100 } }],
  ['set a3 { type ether_addr; }', { set: { ...owner, name: 'a3', type: 'ether_addr' } }],
  [
    'set a4 { type inet_proto; comment "protocols"; }',
    { set: { ...owner, name: 'a4', type: 'inet_proto', comment: 'protocols' } },
  ],
  [
    'set a5 { type inet_service; flags interval; auto-merge; }',
    { set: { ...owner, name: 'a5', type: 'inet_service', flags: ['interval'], 'auto-merge': true } },
  ],
  ['set a6 { type mark; }', { set: { ...owner, name: 'a6', type: 'mark' } }],
  ['set a7 { type ifname; }', { set: { ...owner, name: 'a7', type: 'ifname' } }],
  ['set a8 { type ct_state; }', { set: { ...owner, name: 'a8', type: 'ct_state' } }],
  [
    'set a9 { type ipv4_addr; flags timeout; timeout 90s; gc-interval 30s; }',
    { set: { ...owner, name: 'a9', type: 'ipv4_addr', flags: ['timeout'], timeout: 90, 'gc-interval': 30 } },
  ],
  [
    'set b1 { type ipv4_addr . inet_service; }',
    { set: { ...owner, name: 'b1', type: ['ipv4_addr', 'inet_service'] } },
  ],
  [
    'set b2 { type ifname . ether_addr . ipv4_addr; }',
    { set: { ...owner, name: 'b2', type: ['ifname', 'ether_addr', 'ipv4_addr'] } },
  ],
  [
    'set b3 { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90, 10.1.1.1 . 443 } }',
    {
      set: {
        ...owner,
        name: 'b3',
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        elem: [
          { concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [80, 90] }] },
          { concat: ['10.1.1.1', 443] },
        ],
      },
    },
  ],
  [
    'set b4 { type mark . inet_service; flags interval; elements = { 5-9 . 7, 6 . 9-10 } }',
    {
      set: {
        ...owner,
        name: 'b4',
        type: ['mark', 'inet_service'],
        flags: ['interval'],
        elem: [{ concat: [{ range: [5, 9] }, 7] }, { concat: [6, { range: [9, 10] }] }],
      },
    },
  ],
  [
    'set b5 { type mark; flags interval; elements = { 5-10, 17, 100-4294967295 } }',
    {
      set: {
        ...owner,
        name: 'b5',
        type: 'mark',
        flags: ['interval'],
        elem: [{ range: [5, 10] }, 17, { range: [100, 4294967295] }],
      },
    },
  ],
  [
    'set b6 { type ifname; flags interval; elements = { "eth*", "lo" } }',
    { set: { ...owner, name: 'b6', type: 'ifname', flags: ['interval'], elem: ['eth*', 'lo'] } },
  ],
  [
    'set b7 { type ipv6_addr; flags interval; elements = { fe80::/10, ::1, ff00::/8 } }',
    {
      set: {
        ...owner,
        name: 'b7',
        type: 'ipv6_addr',
        flags: ['interval'],
        elem: [{ prefix: { addr: 'fe80::', len: 10 } }, '::1', { prefix: { addr: 'ff00::', len: 8 } }],
      },
    },
  ],
  [
    'set b8 { type ipv4_addr; flags constant; elements = { 10.0.0.1, 10.0.0.2 } }',
    { set: { ...owner, name: 'b8', type: 'ipv4_addr', flags: ['constant'], elem: ['10.0.0.1', '10.0.0.2'] } },
  ],
  [
    'set b9 { type ipv4_addr; policy memory; }',
    { set: { ...owner, name: 'b9', type: 'ipv4_addr', policy: 'memory' } },
  ],
  [
    'map c1 { type ipv4_addr : mark; elements = { 10.0.0.1 : 5 } }',
    { map: { ...owner, name: 'c1', type: 'ipv4_addr', map: 'mark', elem: [['10.0.0.1', 5]] } },
  ],
  [
    'map c2 { type inet_service : verdict; elements = { 80 : accept, 81 : jump other, 82 : return } }',
    {
      map: {
        ...owner,
        name: 'c2',
        type: 'inet_service',
        map: 'verdict',
        elem: [
          [80, { accept: null }],
          [81, { jump: { target: 'other' } }],
          [82, { return: null }],
        ],
      },
    },
  ],
  [
    'map c3 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; comment "dnat"; elements = { 1.2.3.4 . tcp . 80 comment "web" : 10.0.0.1 . 8080 } }',
    {
      map: {
        ...owner,
        name: 'c3',
        type: ['ipv4_addr', 'inet_proto', 'inet_service'],
        map: ['ipv4_addr', 'inet_service'],
        comment: 'dnat',
        elem: [
          [
            { elem: { val: { concat: ['1.2.3.4', 'tcp', 80] }, comment: 'web' } },
            { concat: ['10.0.0.1', 8080] },
          ],
        ],
      },
    },
  ],
  [
    'map c4 { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : accept, 11.0.0.0-11.0.0.5 : drop } }',
    {
      map: {
        ...owner,
        name: 'c4',
        type: 'ipv4_addr',
        map: 'verdict',
        flags: ['interval'],
        elem: [
          [{ prefix: { addr: '10.0.0.0', len: 8 } }, { accept: null }],
          [{ range: ['11.0.0.0', '11.0.0.5'] }, { drop: null }],
        ],
      },
    },
  ],
  [
    'map c5 { type ct_state . mark : mark; size 5; elements = { new . 7 : 9 } }',
    {
      map: {
        ...owner,
        name: 'c5',
        type: ['ct_state', 'mark'],
        map: 'mark',
        size: 5,
        elem: [[{ concat: ['new', 7] }, 9]],
      },
    },
  ],
  [
    'map c6 { type ipv4_addr : ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1h : 10.0.0.2 } }',
    {
      map: {
        ...owner,
        name: 'c6',
        type: 'ipv4_addr',
        map: 'ipv4_addr',
        flags: ['timeout'],
        elem: [[{ elem: { val: '10.0.0.1', timeout: 3600 } }, '10.0.0.2']],
      },
    },
  ],
  [
    'map c7 { type ipv4_addr : verdict; elements = { 10.0.0.1 : accept, * : drop } }',
    {
      map: {
        ...owner,
        name: 'c7',
        type: 'ipv4_addr',
        map: 'verdict',
        elem: [
          ['10.0.0.1', { accept: null }],
          ['*', { drop: null }],
        ],
      },
    },
  ],
]

test('sets, maps and their elements are what nft makes of them', async () => {
  const ours = keep(await Namespace.create())
  const theirs = keep(await Namespace.create())
  await nftFile(theirs, `table inet t { chain other { }\n ${sets.map(([text]) => text).join('\n')}\n}\n`)
  const handle = keep(await Nft.open({ netns: ours }))
  const transaction = handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add({ chain: { ...owner, name: 'other' } })
  for (const [, object] of sets) transaction.add(object)
  await transaction.commit()

  const steady = (text: string): string => text.replace(/ expires [0-9dhms]+/g, '')
  expect(steady(await nft(ours, 'list', 'ruleset'))).toBe(steady(await nft(theirs, 'list', 'ruleset')))

  const records = (namespace: Namespace): ReturnType<typeof dumpRecords<'nftGetSet', 'nftNewSet'>> =>
    dumpRecords(namespace, 'nftGetSet', 'nftNewSet', {})
  const mine = await records(ours)
  const other = await records(theirs)
  expect(mine.length).toBe(sets.length)
  const byName = new Map(other.map((record) => [record.name, record]))
  for (const { handle: _, userdata, ...record } of mine) {
    const { handle: __, userdata: theirData, ...expected } = byName.get(record.name) ?? {}
    expect(record).toEqual(expected)
    expect(withoutTypeof(userdata), record.name).toEqual(withoutTypeof(theirData))
  }

  for (const { name } of mine) {
    if (name === undefined) continue
    const elements = async (namespace: Namespace): Promise<unknown[]> => {
      const lists = await dumpRecords(namespace, 'nftGetElement', 'nftNewElement', {
        family: 1,
        table: 't',
        set: name,
      })
      return lists.flatMap((list) => list.elements ?? []).map(({ expiration: _, ...element }) => element)
    }
    const sorted = (list: unknown[]): string[] =>
      list
        .map((one) =>
          JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
        )
        .sort()
    expect(sorted(await elements(ours)), name).toEqual(sorted(await elements(theirs)))
  }
})
