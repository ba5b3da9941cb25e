import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type Change, Nft, type NftEvent, type NftEvents, verdict } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile } from '../support/tools.js'
import { designText } from './nft-design.js'

const keep = closeAfterEach()
const inTable = { family: 'inet', table: 't' } as const

async function open(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

async function take(events: NftEvents, count: number): Promise<NftEvent[]> {
  const taken: NftEvent[] = []
  while (taken.length < count) {
    const { value, done } = await events.next()
    if (done) throw new Error('the events ended')
    taken.push(value)
  }
  return taken
}

const changesOf = (events: readonly NftEvent[]): Change[] =>
  events.flatMap((event) => (event.kind === 'change' ? event.changes : []))

/** `add table`, `delete rule`, … */
const words = (changes: readonly Change[]): string[] =>
  changes.map((change) =>
    'add' in change ? `add ${Object.keys(change.add)}` : `delete ${Object.keys(change.delete)}`,
  )

test('each transaction is one event, with what it changed', async () => {
  const { namespace, handle } = await open()
  await nftFile(
    namespace,
    'table inet t { set old { type ipv4_addr; }; chain c { tcp dport { 22, 23 } drop; }; }',
  )
  const events = keep(await handle.events())
  const before = await handle.generation()
  await nftFile(
    namespace,
    `add set inet t nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 10.1.0.0-10.1.0.9 }; }
     add element inet t old { 10.0.0.1, 10.0.0.2 }
     add rule inet t c ip saddr @nets tcp dport { 80, 443 } counter accept
     insert rule inet t c ct state vmap { established : accept, invalid : drop }
     add counter inet t hits`,
  )
  await handle
    .transaction()
    .add({ chain: { ...inTable, name: 'd' } })
    .commit()
  const [first, second] = await take(events, 2)
  if (first?.kind !== 'change' || second?.kind !== 'change') throw new Error('changes were expected')
  expect(first.generation).toBe(before + 1)
  expect(first.process.name).toBe('nft')
  expect(second).toMatchObject({ generation: before + 2, process: { name: expect.stringMatching(/^nfb/) } })
  expect(words(first.changes).sort()).toEqual(
    ['add set', 'add element', 'add element', 'add rule', 'add rule', 'add counter'].sort(),
  )
  const elements = first.changes.flatMap((change) =>
    'add' in change && 'element' in change.add ? [change.add.element] : [],
  )
  expect(elements).toEqual([
    {
      ...inTable,
      name: 'nets',
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [{ prefix: { addr: '10.0.0.0', len: 24 } }, { range: ['10.1.0.0', '10.1.0.9'] }],
    },
    { ...inTable, name: 'old', type: 'ipv4_addr', elem: ['10.0.0.1', '10.0.0.2'] },
  ])
  // The rules are as the listing has them, and in their order.
  const listed = (await handle.list({ ...inTable, chain: 'c', kinds: ['rule'] })).nftables
  const rules = first.changes.filter((change) => 'add' in change && 'rule' in change.add)
  expect(rules).toMatchObject([{ add: listed[2] }, { add: listed[0] }])
  expect(rules.map((change) => 'add' in change && change.place)).toEqual(['last', 'first'])
  await nft(namespace, 'add', 'rule', 'inet', 't', 'c', 'index', '1', 'drop')
  const [, known] = listed
  const [third] = await take(events, 1)
  expect(changesOf(third ? [third] : [])).toMatchObject([
    { place: { after: known && 'rule' in known ? known.rule.handle : -1 } },
  ])
  expect(second.changes).toEqual([{ add: { chain: { ...inTable, name: 'd', handle: expect.any(Number) } } }])
})

test('what goes is told: rules as they were, the rest by name', async () => {
  const { namespace, handle } = await open()
  await nftFile(
    namespace,
    `table inet t { set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }; map m { type mark : verdict; }
     counter hits { }; quota q { 5 bytes ; }; chain c { tcp dport { 80, 443 } accept; }; }`,
  )
  const events = keep(await handle.events())
  const [rule] = (await handle.list({ ...inTable, chain: 'c', kinds: ['rule'] })).nftables
  await nftFile(namespace, 'delete element inet t s { 10.0.0.2 }')
  await nftFile(namespace, 'delete table inet t')
  const [first, second] = await take(events, 2)
  expect(changesOf(first ? [first] : [])).toEqual([
    { delete: { element: { ...inTable, name: 's', type: 'ipv4_addr', elem: ['10.0.0.2'] } } },
  ])
  const gone = changesOf(second ? [second] : [])
  expect(gone).toContainEqual({ delete: rule })
  expect(gone).toContainEqual({ delete: { set: { ...inTable, name: 's' } } })
  expect(gone).toContainEqual({ delete: { map: { ...inTable, name: 'm' } } })
  expect(gone).toContainEqual({ delete: { counter: { ...inTable, name: 'hits' } } })
  expect(gone).toContainEqual({ delete: { quota: { ...inTable, name: 'q' } } })
  expect(gone).toContainEqual({ delete: { chain: { ...inTable, name: 'c' } } })
  expect(gone.at(-1)).toEqual({ delete: { table: { family: 'inet', name: 't' } } })
  expect(words(gone)).not.toContain('delete opaque')
})

test('what is told of a ruleset makes the same ruleset again', async () => {
  const { namespace, handle } = await open()
  const copy = await open()
  const events = keep(await handle.events())
  await nftFile(namespace, designText)
  const [event] = await take(events, 1)
  const changes = changesOf(event ? [event] : [])
  expect(changes.length).toBeGreaterThan(30)
  const transaction = copy.handle.transaction()
  // The kernel tells tables first; chains before what jumps to them; sets before rules.
  for (const change of changes) {
    if (!('add' in change)) throw new Error('nothing was deleted')
    if ('opaque' in change.add) throw new Error(JSON.stringify(change.add.opaque.message))
    if ('rule' in change.add) {
      const { handle: _, ...rule } = change.add.rule
      transaction.add({ rule })
    } else transaction.add(change.add)
  }
  await transaction.commit()
  const steady = (text: string): string => text.replace(/ expires [0-9dhms]+/g, '')
  expect(steady(await nft(copy.namespace, 'list', 'ruleset'))).toBe(
    steady(await nft(namespace, 'list', 'ruleset')),
  )
})

test('a snapshot first, if it is asked for, and one where events were lost', async () => {
  const { handle } = await open()
  await handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .commit()
  const events = keep(await handle.events({ snapshot: true, limit: 2 }))
  const witness = keep(await handle.events())
  const [snapshot] = await take(events, 1)
  expect(snapshot).toEqual({ kind: 'resync', ruleset: await handle.list() })

  const many = 50
  for (let index = 0; index < many; index++)
    await handle
      .transaction()
      .add({ chain: { ...inTable, name: `c${index}` } })
      .commit()
  // The witness has them all, so that far more than two have come here, too: those that did not fit were given up for a snapshot.
  await take(witness, many)
  await expect.poll(() => events.waiting).toBeGreaterThan(0)
  const [resync] = await take(events, 1)
  expect(resync).toEqual({ kind: 'resync', ruleset: await handle.list() })
  // What happened before the snapshot is not told again; sets are known from it.
  await handle
    .transaction()
    .add({ set: { ...inTable, name: 's', type: 'ipv4_addr' } })
    .add({ rule: { ...inTable, chain: 'c4', expr: [verdict.accept()] } })
    .commit()
  let [next] = await take(events, 1)
  // On a busy machine more was lost while the snapshot was read: then there is another one.
  while (next?.kind === 'resync') [next] = await take(events, 1)
  expect(words(changesOf(next ? [next] : []))).toEqual(['add set', 'add rule'])
  expect(next).toMatchObject({ generation: await handle.generation() })
})

test('what nft monitor prints is told, in its order', async () => {
  const { namespace, handle } = await open()
  const monitor = spawn('nsenter', [`--net=${namespace.path()}`, '--', 'nft', 'monitor'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let printed = ''
    monitor.stdout.on('data', (text: Buffer) => {
      printed += text.toString()
    })
    // nft is ready when it tells something; what was made before is not counted. It reads the whole ruleset first, and again
    // when that changed meanwhile: each change waits longer than the one before, so that it gets through on any machine.
    let started = 0
    const start = async (): Promise<string> => {
      const name = `start${started++}`
      await handle
        .transaction()
        .add({ table: { family: 'ip', name } })
        .commit()
      return name
    }
    while (!printed.includes('new generation')) await start().then(() => sleep(20 * 2 ** started))
    const last = await start()
    const generations = (): number => printed.split('new generation').length
    await expect.poll(() => printed.slice(printed.indexOf(last))).toContain('new generation')
    const lines = (): string[] => printed.split('\n').filter((line) => /^(add|delete|insert)/.test(line))
    const events = keep(await handle.events())
    const [before, generationsBefore] = [lines().length, generations()]
    await nftFile(
      namespace,
      `table inet t { set s { type ipv4_addr; }; chain c { }; chain d { jump c; counter; }; }
       add element inet t s { 10.0.0.1 }`,
    )
    await nftFile(namespace, 'flush chain inet t d\ndelete element inet t s { 10.0.0.1 }')
    await nftFile(namespace, 'delete table inet t')
    const changes = changesOf(await take(events, 3))
    await expect.poll(generations).toBe(generationsBefore + 3)
    await expect.poll(() => lines().slice(before).length).toBe(changes.length)
    expect(words(changes)).toEqual(
      lines()
        .slice(before)
        .map((line) => line.split(' ').slice(0, 2).join(' ')),
    )
  } finally {
    monitor.kill()
  }
})

test('it ends when it is closed, and outlives the connection that it came from', async () => {
  const { namespace, handle } = await open()
  const events = keep(await handle.events())
  handle.close()
  await nftFile(namespace, 'table inet t { }')
  const seen: string[] = []
  for await (const event of events) {
    seen.push(event.kind)
    break
  }
  expect(seen).toEqual(['change'])
  expect(await events.next()).toEqual({ done: true, value: undefined })
  await expect(handle.events()).rejects.toMatchObject({ code: 'NFB_CLOSED' })

  const other = keep(await Nft.open({ netns: namespace }))
  const waiting = keep(await other.events())
  const [one, two] = [waiting.next(), waiting.next()]
  waiting.close()
  expect(await Promise.all([one, two])).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ])
})

test('others are watched: what this connection commits is not told', async () => {
  const { namespace, handle } = await open()
  let told = 0
  const watch = keep(await handle.watchOthers(() => told++))
  for (let count = 0; count < 10; count++)
    await handle
      .transaction()
      .add({ table: { family: 'ip', name: `mine${count}` } })
      .commit()
  expect(told).toBe(0)
  await nft(namespace, 'add table inet t')
  await expect.poll(() => told).toBe(1)
  watch.close()
  const events = keep(await handle.events())
  await nft(namespace, 'delete table inet t')
  await events.next()
  expect(told).toBe(1)
})
