import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import {
  match,
  Nft,
  type Rule,
  type RuleObject,
  type RulesetObject,
  retryOnChange,
  type Transaction,
  verdict,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, nft, nftFile, runIn } from '../support/tools.js'

const keep = closeAfterEach()
const table: RulesetObject = { table: { family: 'inet', name: 't' } }
const inTable = { family: 'inet', table: 't' } as const
const chain = (name: string): { chain: { family: 'inet'; table: string; name: string } } => ({
  chain: { ...inTable, name },
})
const rule = (comment: string, more: Partial<Rule> = {}): RuleObject => ({
  rule: { ...inTable, chain: 'c', expr: [verdict.accept()], comment, ...more },
})

async function open(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

async function failure(promise: Promise<unknown>): Promise<NfbridgeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof NfbridgeError) return error
  throw new Error(`an NfbridgeError was expected, not ${String(error)}`)
}

/** The comments of the rules of chain c, in their order. */
async function comments(handle: Nft): Promise<(string | undefined)[]> {
  const { nftables } = await handle.list({ ...inTable, chain: 'c', kinds: ['rule'] })
  return nftables.flatMap((object) => ('rule' in object ? [object.rule.comment] : []))
}

test('destroy deletes what is there, and minds nothing else', async () => {
  const { namespace, handle } = await open()
  const element = { element: { ...inTable, name: 's', type: 'ipv4_addr', elem: ['10.0.0.1'] } } as const
  const set = { set: { ...inTable, name: 's' } } as const
  const destroyAll = (): Transaction =>
    handle
      .transaction()
      .add(table)
      .add({ set: { ...inTable, name: 's', type: 'ipv4_addr' } })
      .destroy(element)
      .destroy(set)
      .destroy({ rule: { ...inTable, chain: 'c', handle: 4711 } })
      .destroy({ chain: { ...inTable, name: 'none' } })
      .destroy({ counter: { ...inTable, name: 'none' } })
      .destroy({ table: { family: 'ip6', name: 'none' } })
  await handle.transaction().add(table).add(chain('c')).commit()
  await destroyAll().commit()
  await handle
    .transaction()
    .add({ set: { ...inTable, name: 's', type: 'ipv4_addr' } })
    .add(element)
    .commit()
  await destroyAll().commit()
  expect(await nft(namespace, 'list', 'table', 'inet', 't')).not.toContain('set s')
  await handle
    .transaction()
    .destroy(chain('c'))
    .destroy({ table: { family: 'inet', name: 't' } })
    .commit()
  expect(await nft(namespace, 'list', 'ruleset')).toBe('')
  const missing = await failure(
    handle
      .transaction()
      .delete({ table: { family: 'inet', name: 't' } })
      .commit(),
  )
  expect(missing).toMatchObject({ code: 'NFB_MISSING', path: 'operations[0].table.name' })
})

test('a chain gets a new name, and who jumps to it goes on doing so', async () => {
  const { namespace, handle } = await open()
  const jump = rule('jumps', { expr: [verdict.jump('old')] })
  const { handles } = await handle
    .transaction()
    .add(table)
    .add(chain('old'))
    .add(chain('c'))
    .add(jump)
    .commit({ handles: true })
  await handle
    .transaction()
    .rename({ ...inTable, name: 'old', newname: 'new' })
    .commit()
  expect(await nft(namespace, 'list', 'chain', 'inet', 't', 'c')).toContain('jump new')
  const known = handles[1]
  if (known === undefined) throw new Error('no handle')
  handle
    .transaction()
    .rename({ ...inTable, name: 'new', newname: 'third', handle: known })
    .commitSync()
  expect(await nft(namespace, 'list', 'chain', 'inet', 't', 'c')).toContain('jump third')

  const missing = handle
    .transaction()
    .add(table)
    .rename({ ...inTable, name: 'none', newname: 'x' })
  expect(await failure(missing.commit())).toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[1].chain',
    reason: 'there is no chain none',
  })
  expect(() => missing.commitSync()).toThrow(/there is no chain none/)
  const taken = handle.transaction().rename({ ...inTable, name: 'third', newname: 'c' })
  expect(await failure(taken.commit())).toMatchObject({ code: 'NFB_EXISTS' })
})

test('rules by index, as nft puts them', async () => {
  const { namespace, handle } = await open()
  const theirs = keep(await Namespace.create())
  const start = `table inet t { chain c { ${['a', 'b', 'c', 'd'].map((name) => `accept comment "${name}";`).join(' ')} }; }`
  await nftFile(namespace, start)
  await nftFile(theirs, start)
  await nftFile(
    theirs,
    [
      'add rule inet t c index 0 accept comment "after a"',
      'insert rule inet t c index 0 accept comment "first"',
      'add rule inet t c index 2 accept comment "after after a"',
      'add rule inet t c accept comment "last"',
      'insert rule inet t c index 7 accept comment "before last"',
      'insert rule inet t c accept comment "very first"',
      'add rule inet t c index 8 accept comment "after before last"',
    ].join('\n'),
  )
  await handle
    .transaction()
    .add(rule('after a', { index: 0 }))
    .insert(rule('first', { index: 0 }))
    .add(rule('after after a', { index: 2 }))
    .add(rule('last'))
    .insert(rule('before last', { index: 7 }))
    .insert(rule('very first'))
    .add(rule('after before last', { index: 8 }))
    .commit()
  expect(await nft(namespace, 'list', 'ruleset')).toBe(await nft(theirs, 'list', 'ruleset'))
  expect(await comments(handle)).toHaveLength(11)
})

test('an index counts what the transaction has done before', async () => {
  const { handle } = await open()
  const { handles } = await handle
    .transaction()
    .add(table)
    .add(chain('c'))
    .add(rule('0'))
    .add(rule('1'))
    .add(rule('2'))
    .commit({ handles: true })
  const [first, second] = [handles[2], handles[3]]
  if (first === undefined || second === undefined) throw new Error('no handles')
  await handle
    .transaction()
    .replace(rule('zero', { handle: first }))
    .delete({ rule: { ...inTable, chain: 'c', handle: second } })
    .add(rule('after zero', { index: 0 }))
    .insert(rule('before 2', { index: 2 }))
    .commit()
  expect(await comments(handle)).toEqual(['zero', 'after zero', 'before 2', '2'])
  await handle
    .transaction()
    .flush(chain('c'))
    .add(rule('x'))
    .insert(rule('w', { index: 0 }))
    .commit()
  expect(await comments(handle)).toEqual(['w', 'x'])

  const outside = handle
    .transaction()
    .add(rule('y'))
    .add(rule('z', { index: 3 }))
  expect(await failure(outside.commit())).toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[1].rule.index',
  })
  expect(() => outside.commitSync()).toThrow(/has 3 rules there/)
  await handle
    .transaction()
    .delete({ table: { family: 'inet', name: 't' } })
    .add(table)
    .add(chain('c'))
    .add(rule('b'))
    .insert(rule('a', { index: 0 }))
    .commit()
  expect(await comments(handle)).toEqual(['a', 'b'])
})

test('rules next to rules of the same transaction, and deleted in it again', async () => {
  const { handle } = await open()
  await handle
    .transaction()
    .add(table)
    .add(chain('c'))
    .add(rule('2', { id: 2 }))
    .add(rule('5', { id: 5 }))
    .insert(rule('1', { nextTo: 2 }))
    .add(rule('3', { nextTo: 2, id: 3 }))
    .add(rule('gone', { nextTo: 3, id: 99 }))
    .insert(rule('4', { nextTo: 5 }))
    .delete({ rule: { ...inTable, chain: 'c', id: 99 } })
    .commit()
  expect(await comments(handle)).toEqual(['1', '2', '3', '4', '5'])
  const unknown = handle.transaction().add(rule('x', { nextTo: 7 }))
  expect(await failure(unknown.commit())).toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[0].rule.nextTo',
  })
  for (const wrong of [{ id: 0 }, { id: 2 ** 31 }, { nextTo: 1.5 }, { nextTo: 1, handle: 2 }])
    expect(await failure(handle.transaction().add(rule('x', wrong)).commit())).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
    })
})

const base = (more: object = {}): RulesetObject => ({
  chain: { ...inTable, name: 'in', type: 'filter', hook: 'input', prio: 0, policy: 'accept', ...more },
})

test('a check changes nothing, and fails as the commit would', async () => {
  const { namespace, handle } = await open()
  await handle.transaction().add(table).add(base()).add(chain('c')).commit()
  const before = await nft(namespace, '-a', 'list', 'ruleset')
  const generation = await handle.generation()
  const toChain = (from: string, to: string): RulesetObject => ({
    rule: { ...inTable, chain: from, expr: [verdict.jump(to)] },
  })
  const good = handle
    .transaction()
    .add(rule('x'))
    .add({ set: { ...inTable, name: 's', type: 'ipv4_addr', elem: ['10.0.0.1'] } })
    .add({ chain: { ...inTable, name: 'out', type: 'filter', hook: 'output', prio: 0, policy: 'drop' } })
    .insert(rule('first', { index: 0 }))
    .rename({ ...inTable, name: 'in', newname: 'renamed' })
  const withRule = handle.transaction().add(rule('x'))
  await withRule.check()
  await handle.transaction().add(chain('d')).flush({ ruleset: null }).check()
  await good.check()

  const bad: Transaction[] = [
    handle.transaction().add(rule('x')).create(chain('c')),
    handle.transaction().add(rule('x')).delete(chain('none')),
    handle.transaction().add(toChain('c', 'none')),
    // What only the validation of the whole finds: a loop below a base chain, and masquerading in a filter chain.
    handle.transaction().add(toChain('in', 'c')).add(toChain('c', 'c')),
    handle
      .transaction()
      .add(toChain('in', 'c'))
      .add(rule('x', { expr: [{ masquerade: null }] })),
    handle.transaction().add(base({ hook: 'output' })),
  ]
  for (const transaction of bad) {
    const checked = await failure(transaction.check())
    const committed = await failure(transaction.commit())
    expect(checked.operation).toBe('nft.check')
    expect({ code: checked.code, path: checked.path, errno: checked.errno }).toEqual({
      code: committed.code,
      path: committed.path,
      errno: committed.errno,
    })
  }
  expect(await failure(withRule.check({ expectGeneration: generation + 1 }))).toMatchObject({
    code: 'NFB_STALE_GENERATION',
  })
  await withRule.check({ expectGeneration: generation })
  expect(await handle.generation()).toBe(generation)
  expect(await nft(namespace, '-a', 'list', 'ruleset')).toBe(before)
})

test('retryOnChange plans anew when somebody was quicker, but not for ever', async () => {
  const { handle } = await open()
  await handle.transaction().add(table).add(chain('c')).commit()
  const seen: number[] = []
  const { handles } = await retryOnChange(
    handle,
    async (ruleset, transaction) => {
      seen.push(ruleset.nftables.length)
      if (seen.length < 3)
        await handle
          .transaction()
          .add(chain(`other${seen.length}`))
          .commit()
      transaction.add(rule(`after ${ruleset.nftables.length}`))
    },
    { handles: true },
  )
  expect(seen).toEqual([2, 3, 4])
  expect(handles).toEqual([expect.any(Number)])
  expect(await comments(handle)).toEqual(['after 4'])

  let calls = 0
  const never = retryOnChange(
    handle,
    async (_, transaction) => {
      await handle
        .transaction()
        .add(chain(`again${calls++}`))
        .commit()
      transaction.add(rule('never'))
    },
    { attempts: 3, filter: inTable },
  )
  const error = await failure(never)
  expect(error).toMatchObject({ code: 'NFB_STALE_GENERATION', operation: 'nft.retryOnChange' })
  expect(error.related).toHaveLength(3)
  expect(calls).toBe(3)
  expect(await comments(handle)).toEqual(['after 4'])
  await expect(retryOnChange(handle, () => {}, { attempts: 0 })).rejects.toMatchObject({ path: 'attempts' })
})

/** How often others had their turn while something went on. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let going = true
  let turns = 0
  const ended = work.finally(() => {
    going = false
  })
  for (; going; turns++) await nextTurn()
  await ended
  return turns
}

test('a large transaction leaves others their turn while it is compiled, and keeps its place', async () => {
  const { handle } = await open()
  const count = 20_000
  const large = handle.transaction().add(table).add(chain('c'))
  for (let index = 0; index < count; index++)
    large.add(
      rule('', {
        expr: [
          match.ip.saddr.eq(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`),
          match.tcp.dport.eq(index),
          verdict.accept(),
        ],
      }),
    )
  large.add({
    set: {
      ...inTable,
      name: 's',
      type: 'ipv4_addr',
      elem: Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`),
    },
  })
  const committed = large.commit()
  // Put in afterwards, done afterwards: these need the chain, and the listing sees all of it.
  const after = handle.transaction().add(rule('after')).commit({ handles: true })
  const listed = handle.list({ ...inTable, chain: 'c', kinds: ['chain'] })
  const turns = await turnsDuring(committed)
  expect((await after).handles).toEqual([expect.any(Number)])
  expect((await listed).nftables).toHaveLength(1)
  expect(turns).toBeGreaterThan(10)
  expect((await handle.list({ ...inTable, set: 's' })).nftables[0]).toMatchObject({
    set: { elem: { length: count } },
  })
  const wrong = handle.transaction().add({
    set: {
      ...inTable,
      name: 'w',
      type: 'ipv4_addr',
      elem: Array.from({ length: 5000 }, (_, index) =>
        index === 4321 ? 'nonsense' : `10.1.${index >> 8}.${index & 255}`,
      ),
    },
  })
  expect(await failure(wrong.commit())).toMatchObject({ path: 'operations[0].set.elem[4321]' })
  const rejected = handle.transaction()
  for (let index = 0; index < 1000; index++) rejected.add(rule('x'))
  rejected.add(rule('x', { chain: 'none' }))
  expect(await failure(rejected.commit())).toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[1000].rule.chain',
  })
})

test('packets go on while a policy of drop is checked', async () => {
  const { namespace, handle } = await open()
  await ip(namespace, 'link', 'set', 'lo', 'up')
  await handle.transaction().add(table).commit()
  // Many rules make the dry run last. The kernel hooks the chain in at once, but its policy counts from the commit on.
  const transaction = handle.transaction().add(base({ policy: 'drop' }))
  transaction.add(chain('c'))
  for (let index = 0; index < 5000; index++) transaction.add(rule('x'))
  let checks = 0
  while (checks <= 3) {
    let going = true
    const ended = runIn(namespace, 'ping', [
      '-q',
      '-i',
      '0.002',
      '-c',
      '400',
      '-W',
      '1',
      '127.0.0.1',
    ]).finally(() => {
      going = false
    })
    for (; going; checks++) await transaction.check()
    expect(await ended).toContain(' 400 received')
  }
})

test('options that are none are refused', async () => {
  const { handle } = await open()
  const set = { ...inTable, name: 's' }
  const wrong: (() => Promise<unknown>)[] = [
    () => Reflect.apply(handle.events, handle, [{ topics: [] }]),
    () => Reflect.apply(handle.traces, handle, [5]),
    () => Reflect.apply(handle.reset, handle, [{ everything: {} }]),
    () => Reflect.apply(handle.reset, handle, [{ rules: { set: 's' } }]),
    () => Reflect.apply(handle.element, handle, ['s', 1]),
    () => Reflect.apply(handle.elements, handle, [set, { chain: 'c' }]).next(),
    () => Reflect.apply(retryOnChange, undefined, [handle, () => {}, { tries: 2 }]),
  ]
  for (const call of wrong) expect(await failure(call())).toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
})
