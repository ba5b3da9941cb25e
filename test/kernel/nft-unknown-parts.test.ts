import { expect, test } from 'vitest'
import { unwrap } from '../../src/native/failure.js'
import { MessageFlag, Packer } from '../../src/native/pack.js'
import { Namespace } from '../../src/netns/index.js'
import { Nft, ruleset } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft } from '../support/tools.js'
import { dumpRecords } from './nft-records.js'

const keep = closeAfterEach()

/** User data: a comment as each kind has it, and what only later or other programs write. */
const data = (comment: number, ...rest: number[]): Uint8Array => Uint8Array.of(comment, 2, 0x78, 0, ...rest)
const tables = data(0, 1, 4, 1, 1, 7, 0, 2, 8, 0, 0, 0, 0, 105, 30, 20, 16)
const others = (comment: number): Uint8Array => data(comment, 200, 3, 1, 2, 3, 201, 0)

/** A ruleset of a later nft: its version is with the table, and something that nobody knows with everything else. */
async function install(namespace: Namespace): Promise<void> {
  const packer = new Packer()
  const owner = { family: 1, table: 't' }
  packer.add('nftNewTable', MessageFlag.create, { family: 1, name: 't', userdata: tables })
  packer.add('nftNewObject', MessageFlag.create, {
    ...owner,
    name: 'o',
    type: 1,
    data: {},
    userdata: others(0),
  })
  packer.add('nftNewSet', MessageFlag.create, {
    ...owner,
    name: 's',
    id: 1,
    keyType: 7,
    keyLen: 4,
    // The byte order of the key, as nft says it of every set.
    userdata: Uint8Array.of(0, 4, 2, 0, 0, 0, ...others(7)),
  })
  packer.add('nftNewElement', MessageFlag.create, {
    ...owner,
    set: 's',
    elements: [{ key: { value: Uint8Array.of(10, 0, 0, 1) }, userdata: others(0) }],
  })
  packer.add('nftNewChain', MessageFlag.create, {
    ...owner,
    name: 'c',
    type: 'filter',
    hook: { hooknum: 1, priority: 0 },
    userdata: others(0),
  })
  packer.add('nftNewRule', MessageFlag.create | MessageFlag.append, {
    ...owner,
    chain: 'c',
    expressions: [{ name: 'counter', data: {} }],
    userdata: others(0),
  })
  const socket = await namespace.openSocket('netfilter')
  try {
    unwrap(await socket.transaction(packer.words()), 'test')
  } finally {
    socket.close()
  }
}

async function userdataOf(namespace: Namespace): Promise<(Uint8Array | undefined)[]> {
  const [table] = await dumpRecords(namespace, 'nftGetTable', 'nftNewTable', {})
  const [chain] = await dumpRecords(namespace, 'nftGetChain', 'nftNewChain', {})
  const [rule] = await dumpRecords(namespace, 'nftGetRule', 'nftNewRule', {})
  const [set] = await dumpRecords(namespace, 'nftGetSet', 'nftNewSet', {})
  const [object] = await dumpRecords(namespace, 'nftGetObject', 'nftNewObject', {})
  const set1 = { family: 1, table: 't', set: 's' }
  const [elements] = await dumpRecords(namespace, 'nftGetElement', 'nftNewElement', set1)
  return [table, chain, rule, set, object, elements?.elements?.[0]].map((each) => each?.userdata)
}

test('user data of later programs makes nothing opaque, and is written back', async () => {
  const [from, to] = [keep(await Namespace.create()), keep(await Namespace.create())]
  await install(from)
  const before = await userdataOf(from)
  expect(before.every((bytes) => bytes !== undefined && bytes.length > 4)).toBe(true)
  const listed = await keep(await Nft.open({ netns: from })).list()
  expect(listed.nftables.map((object) => Object.keys(object)[0])).toEqual([
    'table',
    'counter',
    'set',
    'chain',
    'rule',
  ])
  expect(listed.nftables[0]).toMatchObject({
    table: { comment: 'x', unknown: { userdata: [{ type: 1, value: '01010700' }, { type: 2 }] } },
  })
  // What travels as JSON is the same.
  const copy: typeof listed = JSON.parse(JSON.stringify(listed))
  const handle = keep(await Nft.open({ netns: to }))
  await handle.transaction().addAll(ruleset.toOperations(copy)).commit()
  expect(await userdataOf(to)).toEqual(before)
  expect(await nft(to, 'list', 'ruleset')).toBe(await nft(from, 'list', 'ruleset'))
})
