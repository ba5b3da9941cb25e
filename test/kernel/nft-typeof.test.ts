/** Sets whose types have no length of their own: nft lists those that we make, and we keep what it notes of its own. */
import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { knownExpressions } from '../../src/nft/datatype/index.js'
import {
  type Expression,
  type MapObject,
  match,
  Nft,
  network,
  ruleset,
  type SetObject,
  toText,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile, run } from '../support/tools.js'
import { comparable } from './nft-list-compare.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't', name: 's' } as const

async function opened(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  const handle = keep(await Nft.open({ netns: namespace }))
  await handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .commit()
  return { namespace, handle }
}

/** As we declare them, and what nft says of their types. */
const ours: readonly (readonly [SetObject | MapObject, string])[] = [
  [
    {
      set: {
        ...owner,
        type: ['ether_addr', 'integer'],
        keyLen: [6, 2],
        elem: [{ concat: ['00:11:22:33:44:55', 5] }],
      },
    },
    'typeof ether daddr . @nh,0,16',
  ],
  [{ set: { ...owner, type: 'integer', keyLen: 2, elem: [5, 6] } }, 'typeof @nh,0,16'],
  [{ set: { ...owner, type: 'integer', keyLen: 16 } }, 'typeof @nh,0,128'],
  [{ set: { ...owner, type: 'integer', keyLen: 4, keyOrder: 'host', elem: [5] } }, 'typeof meta length'],
  [{ set: { ...owner, type: 'integer', keyLen: 8, keyOrder: 'host', elem: [5] } }, 'typeof ct packets'],
  [{ set: { ...owner, type: 'string', keyLen: 16, elem: ['ftp'] } }, 'typeof ct helper'],
  [
    {
      set: {
        ...owner,
        type: ['ipv4_addr', 'inet_service', 'integer', 'ifname'],
        keyLen: [4, 2, 1, 16],
      },
    },
    'typeof ip saddr . th sport . @nh,0,8 . iifname',
  ],
  [
    { set: { ...owner, type: ['ipv6_addr', 'integer'], keyLen: [16, 2], flags: ['interval'] } },
    'typeof ip6 saddr . @nh,0,16',
  ],
  [
    { map: { ...owner, type: 'ipv4_addr', map: 'integer', dataLen: 2, elem: [['10.0.0.1', 5]] } },
    'typeof ip saddr : @nh,0,16',
  ],
]

test.for(ours)('%j', async ([object, types]) => {
  const { namespace, handle } = await opened()
  await handle.transaction().add(object).commit()
  expect(await nft(namespace, 'list', 'ruleset')).toContain(types)
  const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
  expect(comparable(nftables)).toEqual(comparable([object]))
})

test('(control) without a note nft cannot list such a set', async () => {
  const { namespace, handle } = await opened()
  const set = {
    ...owner,
    type: ['ether_addr', 'integer'],
    keyLen: [6, 2],
    unknown: { userdata: [{ type: 3, value: '' }] },
  } as const
  await handle
    .transaction()
    .add({ set: { ...set, elem: [{ concat: ['00:11:22:33:44:55', 5] }] } })
    .commit()
  const listed = await run('nsenter', [`--net=${namespace.path()}`, '--', 'nft', 'list', 'ruleset'])
  expect(listed.stdout).not.toContain('set s')
})

/** Declarations of nft, as it lists them. */
const theirs: readonly string[] = [
  'typeof ip saddr . tcp dport . meta mark',
  'typeof ether saddr . vlan id',
  'typeof @ll,0,16',
  'typeof @ih,32,32',
  'typeof vlan id',
  'typeof osf name',
  'typeof numgen inc mod 10',
  'typeof frag frag-off',
  'typeof tcp option maxseg size',
  'typeof ct original ip saddr',
  'typeof ip6 dscp',
  'typeof ip version . ip hdrlength',
  'typeof fib daddr type',
  'typeof ipsec in ip saddr',
  'type ipv4_addr . inet_service',
]

test.for(theirs)('what nft declares by %s is made again', async (types) => {
  const { namespace, handle } = await opened()
  await nftFile(namespace, `add set inet t s { ${types}; comment "c"; }`)
  const before = await nft(namespace, 'list', 'ruleset')
  expect(before).toContain(types)
  const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
  const sets = nftables.flatMap((object) => ('set' in object ? [object] : []))
  expect(sets).toHaveLength(1)
  await handle.transaction().delete({ set: owner }).commit()
  const transaction = handle.transaction()
  for (const set of sets) transaction.add(set)
  await transaction.commit()
  expect(await nft(namespace, 'list', 'ruleset')).toBe(before)
})

test('what nft declares a map by is made again', async () => {
  const { namespace, handle } = await opened()
  await nftFile(namespace, 'add map inet t s { typeof ip daddr . th dport : ip daddr . tcp dport; }')
  const before = await nft(namespace, 'list', 'ruleset')
  const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
  await handle.transaction().delete({ map: owner }).commit()
  const transaction = handle.transaction()
  for (const object of nftables) if ('map' in object) transaction.add(object)
  await transaction.commit()
  expect(before).toContain('typeof ip daddr . th dport : ip daddr . tcp dport')
  expect(await nft(namespace, 'list', 'ruleset')).toBe(before)
})

const field = (protocol: 'ip' | 'ether' | 'vlan' | 'tcp', name: string): Expression =>
  ({ payload: { protocol, field: name } }) as Expression
const raw: Expression = { payload: { base: 'll', offset: 96, len: 16 } }

/** Expressions with numbers of their own, and what nft says of them. */
const computed: readonly (readonly [Expression, string])[] = [
  [raw, '@ll,96,16'],
  [{ payload: { base: 'nh', offset: 8, len: 8 } }, '@nh,8,8'],
  [{ payload: { base: 'th', offset: 160, len: 128 } }, '@th,160,128'],
  [{ payload: { base: 'ih', offset: 32, len: 32 } }, '@ih,32,32'],
  [{ fib: { result: 'type', flags: ['daddr'] } }, 'fib daddr type'],
  [{ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, 'fib saddr . iif oif'],
  [{ fib: { result: 'oifname', flags: ['saddr'] } }, 'fib saddr oifname'],
  [{ numgen: { mode: 'inc', mod: 10 } }, 'numgen inc mod 10'],
  [{ numgen: { mode: 'random', mod: 4, offset: 2 } }, 'numgen random mod 4 offset 2'],
  [{ ipsec: { key: 'spi', dir: 'out', spnum: 2 } }, 'ipsec out spnum 2 spi'],
  [{ ipsec: { key: 'saddr', family: 'ip', dir: 'in', spnum: 1 } }, 'ipsec in spnum 1 ip saddr'],
]
/** What nft 1.0.6 has no name for: headers that later versions know, and packets in tunnels. */
const isLater = (text: string): boolean => /^((gre|vxlan|geneve|gretap) |meta broute$)/.test(text)
const later: readonly (readonly [Expression, string])[] = [
  [{ payload: { tunnel: 'vxlan', protocol: 'ip', field: 'saddr' } }, 'vxlan ip saddr'],
  [{ payload: { tunnel: 'gretap', protocol: 'ether', field: 'type' } }, 'gretap ether type'],
  [
    {
      concat: [
        { payload: { tunnel: 'geneve', protocol: 'ip6', field: 'daddr' } },
        { payload: { tunnel: 'geneve', protocol: 'udp', field: 'dport' } },
      ],
    },
    'geneve ip6 daddr . geneve udp dport',
  ],
]
const all = [
  ...later,
  ...computed,
  ...knownExpressions().map((expression) => [expression, toText(expression)] as const),
]

test('a set declared by any expression is listed by nft, by ours, and made again', {
  timeout: 300_000,
}, async () => {
  const { namespace, handle } = await opened()
  const wrong: unknown[] = []
  for (const [expression, text] of all) {
    const object: SetObject = { set: { ...owner, type: { typeof: expression } } }
    await handle.transaction().add(object).commit()
    const listed = await nft(namespace, 'list', 'ruleset').catch((error: unknown) => String(error))
    const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
    const sets = nftables.flatMap((each) => ('set' in each ? [each.set] : []))
    const mine = toText(nftables)
    const again = sets[0]?.type
    if (!isLater(text) && !listed.includes(`typeof ${text}\n`)) wrong.push([text, listed])
    // What has a note of its own anyway is listed by its types.
    else if (!mine.includes(`typeof ${text}\n`) && sets[0]?.keyLen === undefined) wrong.push([text, again])
    await handle.transaction().delete({ set: owner }).commit()
  }
  expect(wrong).toEqual([])
  expect(all.length).toBeGreaterThan(300)
})

/** Concatenations and maps with elements. */
const wholes: readonly (readonly [SetObject | MapObject, string])[] = [
  [
    {
      set: {
        ...owner,
        type: { typeof: { concat: [field('ether', 'saddr'), field('vlan', 'id')] } },
        elem: [{ concat: ['00:11:22:33:44:55', 5] }],
      },
    },
    'typeof ether saddr . vlan id',
  ],
  [
    {
      set: {
        ...owner,
        type: { typeof: { concat: [field('ip', 'saddr'), raw] } },
        elem: [{ concat: ['10.0.0.1', 2048] }],
      },
    },
    'typeof ip saddr . @ll,96,16',
  ],
  [
    {
      set: {
        ...owner,
        type: {
          typeof: { concat: [field('ip', 'saddr'), { ct: { key: 'packets' } }, { meta: { key: 'mark' } }] },
        },
        elem: [{ concat: ['10.0.0.1', 7, 9] }],
      },
    },
    'typeof ip saddr . ct packets . meta mark',
  ],
  [
    {
      set: {
        ...owner,
        type: { typeof: { concat: [field('ip', 'saddr'), field('vlan', 'id')] } },
        flags: ['interval'],
        elem: [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [5, 9] }] }],
      },
    },
    'typeof ip saddr . vlan id',
  ],
  [
    {
      map: {
        ...owner,
        type: { typeof: field('vlan', 'id') },
        map: { typeof: { concat: [field('ip', 'daddr'), field('tcp', 'dport')] } },
        elem: [[5, { concat: ['10.0.0.1', 80] }]],
      },
    },
    'typeof vlan id : ip daddr . tcp dport',
  ],
  [
    { map: { ...owner, type: { typeof: field('vlan', 'id') }, map: 'verdict', elem: [[5, { drop: null }]] } },
    'typeof vlan id : verdict',
  ],
  [
    {
      map: {
        ...owner,
        type: { typeof: field('ip', 'saddr') },
        map: { typeof: { ct: { key: 'bytes' } } },
        elem: [['10.0.0.1', 5]],
      },
    },
    'typeof ip saddr : ct bytes',
  ],
]

test.for(wholes)('%j is listed, printed, read and made again', async ([object, types]) => {
  const { namespace, handle } = await opened()
  await handle.transaction().add(object).commit()
  const before = await nft(namespace, 'list', 'ruleset')
  expect(before).toContain(`${types}\n`)
  const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
  expect(comparable(nftables)).toEqual(comparable([object]))
  expect(toText(nftables)).toContain(`${types}\n`)
  const read = ruleset.fromJson(JSON.stringify(ruleset.toJson(nftables, { keep: true })))
  expect(comparable(read.nftables)).toEqual(comparable([object]))
  // By nft, from our text.
  await handle
    .transaction()
    .delete({ table: { family: 'inet', name: 't' } })
    .commit()
  await nftFile(namespace, toText([{ table: { family: 'inet', name: 't' } }, ...nftables]))
  expect(await nft(namespace, 'list', 'ruleset')).toBe(before)
  const theirs = await handle.list({ family: 'inet', table: 't', set: 's' })
  expect(comparable(theirs.nftables)).toEqual(comparable([object]))
})

test('maps of objects and of ranges do not keep nft from listing', async () => {
  const { namespace, handle } = await opened()
  await handle
    .transaction()
    .add({ counter: { family: 'inet', table: 't', name: 'c' } })
    .add({ map: { ...owner, type: { typeof: field('vlan', 'id') }, map: 'counter', elem: [[5, 'c']] } })
    .add({
      map: {
        ...owner,
        name: 'r',
        type: { typeof: field('vlan', 'id') },
        map: { typeof: field('ip', 'daddr') },
        ranges: true,
        elem: [[5, { range: ['10.0.0.1', '10.0.0.9'] }]],
      },
    })
    .commit()
  const listed = await nft(namespace, 'list', 'ruleset')
  expect(listed).toContain('elements = { 5 : "c" }')
  expect(listed).toContain('10.0.0.1-10.0.0.9')
})

test('(control) with the note of another length nft does not list the set', async () => {
  const { namespace, handle } = await opened()
  const note = '000407000000011200041000000001040400000004040c000000'
  const set = {
    ...owner,
    type: 'integer',
    keyLen: 16,
    unknown: { userdata: [{ type: 3, value: note }] },
  } as const
  await handle.transaction().add({ set }).commit()
  expect(await nft(namespace, 'list', 'ruleset')).not.toContain('typeof vlan id')
  const { nftables } = await handle.list({ family: 'inet', table: 't', set: 's' })
  expect(comparable(nftables)).toEqual(comparable([{ set }]))
})

test('several expressions are read as a list, too, and elements by their types', async () => {
  const { namespace, handle } = await opened()
  const type = { typeof: [field('ip', 'saddr'), field('vlan', 'id')] }
  const { nftables } = ruleset.fromJson({ nftables: [{ set: { ...owner, type } }] })
  const transaction = handle.transaction()
  for (const object of nftables) transaction.add(object)
  await transaction.commit()
  await handle
    .transaction()
    .add({ element: { ...owner, elem: [{ concat: ['10.0.0.1', 7] }] } })
    .commit()
  const listed = await nft(namespace, 'list', 'ruleset')
  expect(listed).toContain('typeof ip saddr . vlan id')
  expect(listed).toContain('elements = { 10.0.0.1 . 7 }')
})

test('what is no expression of a set is refused', async () => {
  const { handle } = await opened()
  const refused = handle
    .transaction()
    .add({ set: { ...owner, type: { typeof: { prefix: { addr: '10.0.0.0', len: 8 } } } } })
    .commit()
  await expect(refused).rejects.toMatchObject({
    code: 'NFB_INVALID_ARGUMENT',
    path: 'operations[0].set.type',
  })
})

test('fields of the builders declare sets, and osf comes back as its name', async () => {
  const { namespace, handle } = await opened()
  const clients = {
    ...owner,
    name: 'clients',
    type: { typeof: match.ip.saddr.expression },
    flags: ['interval'],
    elem: [network('10.0.0.0/24'), network('10.0.1.5-10.0.1.9')],
  } as const
  const systems = {
    ...owner,
    name: 'systems',
    type: { typeof: { osf: { key: 'version', ttl: 'skip' } } },
  } as const
  await handle.transaction().add({ set: clients }).add({ set: systems }).commit()
  const listed = toText(await handle.list())
  expect(listed).toContain('elements = { 10.0.0.0/24, 10.0.1.5-10.0.1.9 }')
  for (const text of [listed, await nft(namespace, 'list', 'ruleset')]) {
    expect(text).toContain('typeof ip saddr\n')
    expect(text).toContain('typeof osf name\n')
  }
})
