import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { Nft, type Rule, type Statement } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, nft, nftFile, nftJson } from '../support/tools.js'
import { comparable, kind } from './nft-list-compare.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const
const iif = { meta: { key: 'iif' } } as const

/** Rules in nft's syntax, and with the names as we take and list them. */
const rules: readonly (readonly [string, readonly Statement[]])[] = [
  ['iif eth1', [{ match: { op: '==', left: iif, right: 'eth1' } }]],
  ['iif != eth1', [{ match: { op: '!=', left: iif, right: 'eth1' } }]],
  ['iif { lo, eth1 }', [{ match: { op: '==', left: iif, right: { set: ['lo', 'eth1'] } } }]],
  [
    'iif . ip saddr { eth1 . 1.2.3.4 }',
    [
      {
        match: {
          op: '==',
          left: { concat: [iif, { payload: { protocol: 'ip', field: 'saddr' } }] },
          right: { set: [{ concat: ['eth1', '1.2.3.4'] }] },
        },
      },
    ],
  ],
  [
    'oif vmap { eth1 : accept }',
    [{ vmap: { key: { meta: { key: 'oif' } }, data: { set: [['eth1', { accept: null }]] } } }],
  ],
  ['meta sdif eth1', [{ match: { op: '==', left: { meta: { key: 'sdif' } }, right: 'eth1' } }]],
  [
    'fib saddr oif eth1',
    [{ match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr'] } }, right: 'eth1' } }],
  ],
]

async function space(): Promise<Namespace> {
  const namespace = keep(await Namespace.create())
  await ip(namespace, 'link', 'add', 'eth1', 'index', '77', 'type', 'veth', 'peer', 'name', 'eth2')
  return namespace
}

test('interfaces are named in rules and sets, and listed by their names, as nft does it', async () => {
  const theirs = await space()
  const ours = await space()
  await nftFile(
    theirs,
    `table inet t { set s { type iface_index; elements = { eth1 }; }
      chain c {\n ${rules.map(([text]) => text).join('\n')}\n }\n}\n`,
  )
  const handle = keep(await Nft.open({ netns: ours }))
  const transaction = handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add({ set: { ...owner, name: 's', type: 'iface_index', elem: ['eth1'] } })
    .add({ chain: { ...owner, name: 'c' } })
  for (const [, expr] of rules) transaction.add({ rule: { ...owner, chain: 'c', expr } })
  await transaction.commit()
  expect(await nft(ours, 'list', 'ruleset')).toBe(await nft(theirs, 'list', 'ruleset'))

  const { nftables } = await handle.list()
  const listed = nftables.flatMap((object): Rule[] => ('rule' in object ? [object.rule] : []))
  expect(listed.map(({ expr }) => expr)).toEqual(rules.map(([, expr]) => expr))
  const json = await nftJson(ours, 'list', 'ruleset')
  expect(comparable(listed.map(({ expr }) => expr))).toEqual(
    comparable(kind(json, 'rule').map(({ expr }) => expr)),
  )
  expect(nftables).toContainEqual({ set: expect.objectContaining({ name: 's', elem: ['eth1'] }) })

  await handle
    .transaction()
    .add({ element: { ...owner, name: 's', type: 'iface_index', elem: ['eth2', 99] } })
    .commit()
  expect(await handle.element({ ...owner, name: 's' }, 'eth2')).toBe('eth2')
  const streamed: unknown[] = []
  for await (const element of handle.elements({ ...owner, name: 's' })) streamed.push(element)
  expect(streamed.sort()).toEqual([99, 'eth1', 'eth2'])
  expect((await handle.list({ family: 'inet', table: 't', set: 's' })).nftables).toMatchObject([
    { set: { elem: expect.arrayContaining(['eth1', 'eth2', 99]) } },
  ])
})

test('an interface that is not there is an error with its place, before anything is sent', async () => {
  const handle = keep(await Nft.open({ netns: await space() }))
  const expr: readonly Statement[] = [{ match: { op: '==', left: iif, right: 'eth9' } }]
  const transaction = handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add({ chain: { ...owner, name: 'c' } })
    .add({ rule: { ...owner, chain: 'c', expr } })
  await expect(transaction.commit()).rejects.toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[2].rule.expr[0].match.right',
  })
  expect(() => transaction.commitSync()).toThrow(expect.objectContaining({ code: 'NFB_INVALID_ARGUMENT' }))
  expect((await handle.list()).nftables).toEqual([])
})

test('a commit that names an interface keeps its place among the others', async () => {
  const handle = keep(await Nft.open({ netns: await space() }))
  const set = { ...owner, name: 's' }
  const first = handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add({ set: { ...set, type: 'iface_index', elem: ['eth1'] } })
    .commit()
  // It needs the set that the commit before it makes, which had to read the interfaces first.
  const second = handle.transaction().delete({ set }).commit()
  await Promise.all([first, second])
  expect((await handle.list({ kinds: ['set'] })).nftables).toEqual([])
})
