/** Sets whose types have no length of their own: nft lists those that we make, and we keep what it notes of its own. */
import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type MapObject, Nft, type SetObject } from '../../src/nft/index.js'
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
