import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import {
  type Element,
  match,
  Nft,
  type RulesetObject,
  type Transaction,
  verdict,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { isObject, nft, nftFile, nftJson } from '../support/tools.js'
import { designElements, designObjects, designText } from './nft-design.js'

const keep = closeAfterEach()

async function open(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

function addAll(transaction: Transaction, objects: readonly RulesetObject[]): Transaction {
  for (const object of objects) transaction.add(object)
  return transaction
}

/** What is left of a lifetime depends on when the listing was made. */
const steady = (text: string): string => text.replace(/ expires [0-9dhms]+/g, '')

async function failure(promise: Promise<unknown>): Promise<NfbridgeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof NfbridgeError) return error
  throw new Error(`an NfbridgeError was expected, not ${String(error)}`)
}

const owner = { family: 'inet', table: 't' } as const
const table: RulesetObject = { table: { family: 'inet', name: 't' } }
const addresses: RulesetObject = { set: { ...owner, name: 's', type: 'ipv4_addr' } }
const element = (...elem: Element['elem']): { element: Element } => ({
  element: { ...owner, name: 's', type: 'ipv4_addr', elem },
})

test('the rule set of the design, as nft prints its own', async () => {
  const { namespace, handle } = await open()
  const theirs = keep(await Namespace.create())
  await nftFile(theirs, designText)
  await addAll(handle.transaction(), designObjects).commit()
  await addAll(handle.transaction(), designElements).commit()
  expect(steady(await nft(namespace, 'list', 'ruleset'))).toBe(steady(await nft(theirs, 'list', 'ruleset')))

  const [mine, other] = await Promise.all([
    nftJson(namespace, 'list', 'ruleset'),
    nftJson(theirs, 'list', 'ruleset'),
  ])
  const plain = (items: readonly unknown[]): unknown =>
    JSON.parse(
      JSON.stringify(items, (key, value: unknown) =>
        key === 'handle' || key === 'expires' ? undefined : value,
      ),
    )
  expect(plain(mine)).toEqual(plain(other))
  expect(mine.length).toBeGreaterThan(35)
})

test('the elements of the design go as they came', async () => {
  const { namespace, handle } = await open()
  await addAll(handle.transaction(), designObjects).commit()
  const before = await nft(namespace, 'list', 'ruleset')
  await addAll(handle.transaction(), designElements).commit()
  expect(await nft(namespace, 'list', 'ruleset')).not.toBe(before)
  const removal = handle.transaction()
  for (const object of designElements) if ('element' in object) removal.delete(object)
  await removal.commit()
  expect(await nft(namespace, 'list', 'ruleset')).toBe(before)
})

test('handles come in the order of the input', async () => {
  const { namespace, handle } = await open()
  const rule = (comment: string): RulesetObject => ({
    rule: { ...owner, chain: 'c', expr: [verdict.accept()], comment },
  })
  const { handles } = await handle
    .transaction()
    .add(table)
    .add({ chain: { ...owner, name: 'c' } })
    .add(rule('first'))
    .add(addresses)
    .add(element('10.0.0.1'))
    .add(rule('second'))
    .commit({ handles: true })
  const listed = await nftJson(namespace, '-a', 'list', 'ruleset')
  const handleOf = (kind: string, test: (object: object) => boolean): unknown =>
    listed.flatMap((item) => {
      const object = item[kind]
      return isObject(object) && test(object) ? [object.handle] : []
    })[0]
  expect(handles).toEqual([
    handleOf('table', () => true),
    handleOf('chain', () => true),
    handleOf('rule', (object) => 'comment' in object && object.comment === 'first'),
    handleOf('set', () => true),
    undefined,
    handleOf('rule', (object) => 'comment' in object && object.comment === 'second'),
  ])
})

test('rules are inserted, replaced and deleted by handle', async () => {
  const { namespace, handle } = await open()
  const rule = (comment: string, at?: number): { rule: Parameters<Transaction['insert']>[0]['rule'] } => ({
    rule: {
      ...owner,
      chain: 'c',
      expr: [verdict.accept()],
      comment,
      ...(at === undefined ? {} : { handle: at }),
    },
  })
  const order = async (): Promise<string[]> =>
    [...(await nft(namespace, 'list', 'chain', 'inet', 't', 'c')).matchAll(/comment "(\w+)"/g)].map(
      ([, name]) => name ?? '',
    )
  const { handles } = await handle
    .transaction()
    .add(table)
    .add({ chain: { ...owner, name: 'c' } })
    .add(rule('b'))
    .add(rule('d'))
    .insert(rule('a'))
    .commit({ handles: true })
  expect(await order()).toEqual(['a', 'b', 'd'])
  await handle.transaction().add(rule('c', handles[2])).insert(rule('x', handles[3])).commit()
  expect(await order()).toEqual(['a', 'b', 'c', 'x', 'd'])
  await handle
    .transaction()
    .replace(rule('B', handles[2]))
    .delete({ rule: { ...owner, chain: 'c', ...(handles[3] === undefined ? {} : { handle: handles[3] }) } })
    .commit()
  expect(await order()).toEqual(['a', 'B', 'c', 'x'])
  await handle
    .transaction()
    .flush({ chain: { ...owner, name: 'c' } })
    .commit()
  expect(await order()).toEqual([])
})

test('elements on the calling thread, one by one', async () => {
  const { namespace, handle } = await open()
  handle.transaction().add(table).add(addresses).commitSync()
  handle.transaction().add(element('10.0.0.1')).commitSync()
  handle.transaction().add(element('10.0.0.2', '10.0.0.3')).commitSync()
  handle.transaction().delete(element('10.0.0.2')).commitSync()
  expect(await nft(namespace, 'list', 'set', 'inet', 't', 's')).toContain('elements = { 10.0.0.1, 10.0.0.3 }')
  handle
    .transaction()
    .flush({ set: { ...owner, name: 's' } })
    .commitSync()
  expect(await nft(namespace, 'list', 'set', 'inet', 't', 's')).not.toContain('elements')
})

test('more elements than one message holds', async () => {
  const { namespace, handle } = await open()
  const many = Array.from({ length: 9000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  await handle
    .transaction()
    .add(table)
    .add(addresses)
    .add(element(...many))
    .commit()
  const listed = await nft(namespace, 'list', 'set', 'inet', 't', 's')
  expect(listed.match(/10\.0\.\d+\.\d+/g)).toHaveLength(many.length)
  await handle
    .transaction()
    .delete(element(...many))
    .commit()
  expect(await nft(namespace, 'list', 'set', 'inet', 't', 's')).not.toContain('elements')
})

test('interval sets: added and deleted, to the end of the address space', async () => {
  const { namespace, handle } = await open()
  const interval = { ...owner, name: 'i', type: 'ipv4_addr', flags: ['interval'] } as const
  const ranges = (...elem: Element['elem']): { element: Element } => ({ element: { ...interval, elem } })
  const all = [
    { prefix: { addr: '0.0.0.0', len: 8 } },
    '10.0.0.1',
    { range: ['10.0.0.5', '10.0.0.7'] as const },
    { elem: { val: { prefix: { addr: '224.0.0.0', len: 3 } }, comment: 'to the end' } },
  ]
  await handle
    .transaction()
    .add(table)
    .add({ set: interval })
    .add(ranges(...all))
    .commit()
  const listed = await nft(namespace, 'list', 'set', 'inet', 't', 'i')
  expect(listed.replace(/\s+/g, ' ')).toContain(
    'elements = { 0.0.0.0/8, 10.0.0.1, 10.0.0.5-10.0.0.7, 224.0.0.0/3 comment "to the end" }',
  )
  await handle
    .transaction()
    .delete(ranges('10.0.0.1', { prefix: { addr: '224.0.0.0', len: 3 } }))
    .commit()
  expect((await nft(namespace, 'list', 'set', 'inet', 't', 'i')).replace(/\s+/g, ' ')).toContain(
    'elements = { 0.0.0.0/8, 10.0.0.5-10.0.0.7 }',
  )
})

test('named counters', async () => {
  const { namespace, handle } = await open()
  await handle
    .transaction()
    .add(table)
    .add({ chain: { ...owner, name: 'c' } })
    .add({ counter: { ...owner, name: 'hits', packets: 3, bytes: 100, comment: 'seen' } })
    .add({ rule: { ...owner, chain: 'c', expr: [{ counter: 'hits' }] } })
    .commit()
  const text = await nft(namespace, 'list', 'ruleset')
  expect(text).toContain('packets 3 bytes 100')
  expect(text).toContain('counter name "hits"')
  await handle
    .transaction()
    .flush({ chain: { ...owner, name: 'c' } })
    .delete({ counter: { ...owner, name: 'hits' } })
    .commit()
  expect(await nft(namespace, 'list', 'ruleset')).not.toContain('hits')
})

test('all or nothing, and the operation that the kernel refused', async () => {
  const { namespace, handle } = await open()
  await handle.transaction().add(table).add(addresses).commit()
  const before = await nft(namespace, 'list', 'ruleset')
  const error = await failure(
    handle
      .transaction()
      .add({ chain: { ...owner, name: 'c' } })
      .add(element('10.0.0.1'))
      .add({ rule: { ...owner, chain: 'c', expr: [{ counter: null }, verdict.jump('nowhere')] } })
      .add({ chain: { ...owner, name: 'd' } })
      .commit(),
  )
  expect(error.code).toBe('NFB_MISSING')
  expect(error.operation).toBe('nft.commit')
  expect(error.path).toBe('operations[2].rule.expr[1]')
  expect(await nft(namespace, 'list', 'ruleset')).toBe(before)
})

test('codes of what the kernel refuses', async () => {
  const { handle } = await open()
  await handle.transaction().create(table).add(addresses).commit()
  const exists = await failure(handle.transaction().create(table).commit())
  expect([exists.code, exists.errno, exists.path]).toEqual([
    'NFB_EXISTS',
    'EEXIST',
    'operations[0].table.name',
  ])
  const missing = await failure(handle.transaction().add(table).delete(element('10.0.0.9')).commit())
  expect([missing.code, missing.errno]).toEqual(['NFB_MISSING', 'ENOENT'])
  expect(missing.path).toMatch(/^operations\[1\]\.element/)
  const twice = handle.transaction().add(element('10.0.0.1'))
  await twice.commit()
  expect((await failure(handle.transaction().create(element('10.0.0.1')).commit())).code).toBe('NFB_EXISTS')
  expect(() =>
    handle
      .transaction()
      .delete({ set: { ...owner, name: 'none' } })
      .commitSync(),
  ).toThrow(expect.objectContaining({ code: 'NFB_MISSING', path: 'operations[0].set.name' }))
})

test('the statement and the element that the kernel points at', async () => {
  const { handle } = await open()
  const begin = (): Transaction =>
    handle
      .transaction()
      .add(table)
      .add({ chain: { ...owner, name: 'c' } })
  const set = begin().add({
    rule: {
      ...owner,
      chain: 'c',
      expr: [match.tcp.dport.eq(5), match.ip.saddr.inSet('nosuch'), verdict.accept()],
    },
  })
  expect((await failure(set.commit())).path).toBe('operations[2].rule.expr[1]')
  const elements = begin()
    .add({ map: { ...owner, name: 'm', type: 'ifname', map: 'verdict' } })
    .add({
      element: {
        ...owner,
        name: 'm',
        elem: [
          ['lo', verdict.accept()],
          ['eth0', verdict.jump('nosuch')],
        ],
      },
    })
  expect((await failure(elements.commit())).path).toBe('operations[3].element.elem[1]')
  const elsewhere = begin().add({ chain: { ...owner, table: 'nosuch', name: 'c' } })
  expect((await failure(elsewhere.commit())).path).toBe('operations[2].chain.table')
})

test('a transaction for a generation that is past', async () => {
  const { handle } = await open()
  const generation = await handle.generation()
  await handle.transaction().add(table).commit({ expectGeneration: generation })
  const stale = handle.transaction().add(addresses)
  const error = await failure(stale.commit({ expectGeneration: generation }))
  expect([error.code, error.errno]).toEqual(['NFB_STALE_GENERATION', 'ERESTART'])
  await stale.commit({ expectGeneration: await handle.generation() })
  expect(await handle.generation()).toBe(generation + 2)
})

test('an empty transaction changes nothing', async () => {
  const { handle } = await open()
  const generation = await handle.generation()
  expect(await handle.transaction().commit({ handles: true })).toEqual({ handles: [] })
  expect(handle.transaction().commitSync()).toEqual({ handles: [] })
  expect(await handle.generation()).toBe(generation)
})

test('the whole ruleset is flushed', async () => {
  const { namespace, handle } = await open()
  await handle
    .transaction()
    .add(table)
    .add({ table: { family: 'ip', name: 'u' } })
    .commit()
  await handle
    .transaction()
    .flush({ ruleset: { family: 'ip' } })
    .commit()
  expect(await nft(namespace, 'list', 'tables')).toBe('table inet t\n')
  await handle.transaction().flush({ ruleset: null }).commit()
  expect(await nft(namespace, 'list', 'tables')).toBe('')
})

test('bad input is refused before anything is sent', async () => {
  const { handle } = await open()
  const generation = await handle.generation()
  const error = await failure(
    handle.transaction().add(table).add(addresses).add(element('10.0.0.1', '10.0.0.256')).commit(),
  )
  expect([error.code, error.path]).toEqual(['NFB_INVALID_ADDRESS', 'operations[2].element.elem[1]'])
  expect(await handle.generation()).toBe(generation)
})

test('a closed handle says so', async () => {
  const { handle } = await open()
  handle.close()
  handle.close()
  expect((await failure(handle.transaction().add(table).commit())).code).toBe('NFB_CLOSED')
  expect(() => handle.transaction().add(table).commitSync()).toThrow(
    expect.objectContaining({ code: 'NFB_CLOSED' }),
  )
})
