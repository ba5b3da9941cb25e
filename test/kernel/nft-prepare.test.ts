import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import {
  counter,
  match,
  Nft,
  type Rows,
  type RuleObject,
  type RulesetObject,
  type SetObject,
  type SlotValue,
  slot,
  verdict,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nftFile, nft as nftTool } from '../support/tools.js'

const keep = closeAfterEach()
const place = { family: 'ip', table: 't' } as const
const base: readonly RulesetObject[] = [
  { table: { family: 'ip', name: 't' } },
  { chain: { ...place, name: 'c' } },
]

function rule(
  client: SlotValue | { slot: string },
  server: SlotValue | { slot: string },
  port: SlotValue | { slot: string },
): RuleObject {
  return {
    rule: {
      ...place,
      chain: 'c',
      expr: [
        { match: { op: '==', left: match.ip.saddr.expression, right: plain(client) } },
        { match: { op: '==', left: match.ip.daddr.expression, right: plain(server) } },
        { match: { op: '==', left: match.tcp.dport.expression, right: plain(port) } },
        counter(),
        verdict.accept(),
      ],
    },
  }
}

function plain(value: SlotValue | { slot: string }): string | number | { slot: string } {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'object' && 'slot' in value) return value
  throw new TypeError('not in these tests')
}

const preparedRule = () => rule(slot('client'), slot('server'), slot('port'))
const address = (network: number, n: number): string =>
  `${network}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
const ruleRows = (count: number): (readonly [string, string, number])[] =>
  Array.from({ length: count }, (_, n) => [address(10, n), address(172, n), n] as const)

const set: SetObject = {
  set: {
    ...place,
    name: 's',
    type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
    size: 200_000,
  },
}
const columns = ['client', 'server', 'proto', 'port']
const elementRows = (count: number): (readonly SlotValue[])[] =>
  Array.from({ length: count }, (_, n) => [
    address(10, n),
    address(172, n),
    n % 2 === 0 ? 'tcp' : 'udp',
    n & 0xffff,
  ])

function numbers(count: number): Uint32Array {
  const rows = new Uint32Array(4 * count)
  for (let n = 0; n < count; n++)
    rows.set([0x0a000000 + n, 0xac000000 + n, n % 2 === 0 ? 6 : 17, n & 0xffff], 4 * n)
  return rows
}

async function open(): Promise<{ readonly nft: Nft; readonly namespace: Namespace }> {
  const namespace = keep(await Namespace.create())
  return { nft: keep(await Nft.open({ netns: namespace })), namespace }
}

async function listed(
  objects: readonly RulesetObject[],
  prepare?: (nft: Nft, namespace: Namespace) => Promise<unknown>,
): Promise<string> {
  const { nft, namespace } = await open()
  const transaction = nft.transaction()
  for (const object of objects) transaction.add(object)
  await transaction.commit()
  await prepare?.(nft, namespace)
  return nftTool(namespace, 'list', 'ruleset')
}

async function listedBy(text: string): Promise<string> {
  const namespace = keep(await Namespace.create())
  await nftFile(namespace, text)
  return nftTool(namespace, 'list', 'ruleset')
}

/** Elements in an order of their own; the kernel has none. */
function sorted(listing: string): string {
  return listing
    .replace(/[{}\s]+/g, ' ')
    .split(',')
    .map((one) => one.trim())
    .sort()
    .join('\n')
}

describe('the kernel has the same', () => {
  test('after 10,000 prepared rules, alike plain ones, and those of nft', async () => {
    const rows = ruleRows(10_000)
    const lines = rows.map(([a, b, port]) => `ip saddr ${a} ip daddr ${b} tcp dport ${port} counter accept`)
    const expected = await listedBy(`table ip t {\nchain c {\n${lines.join('\n')}\n}\n}\n`)
    expect(expected.split('\n').length).toBeGreaterThan(10_000)
    const plain = await listed([...base, ...rows.map((row) => rule(...row))])
    expect(plain === expected).toBe(true)
    const prepared = await listed(base, (nft) =>
      nft.transaction().addPrepared(nft.prepare(preparedRule()), rows).commit(),
    )
    expect(prepared === expected).toBe(true)
  })

  test('after 100,000 prepared elements, from lists and from numbers, plain ones, and those of nft', async () => {
    const count = 100_000
    const rows = elementRows(count)
    const elements = rows.map((fields) => fields.join(' . ')).join(', ')
    const type = 'type ipv4_addr . ipv4_addr . inet_proto . inet_service\nsize 200000'
    const expected = await listedBy(
      `table ip t {\nset s {\n${type}\nelements = { ${elements} }\n}\nchain c { }\n}\n`,
    )
    expect(elementsOf(expected).size).toBe(count)
    const element = {
      element: { ...place, name: 's', elem: rows.map((concat) => ({ concat: concat.map(plain) })) },
    }
    expect(sorted(await listed([...base, set, element])) === sorted(expected)).toBe(true)
    const forms: readonly Rows[] = [rows, numbers(count)]
    for (const form of forms) {
      const found = await listed([...base, set], (nft) =>
        nft.transaction().addPrepared(nft.prepareElements(set, columns), form).commit(),
      )
      expect(sorted(found) === sorted(expected)).toBe(true)
    }
  })
})

function elementsOf(listing: string): Set<string> {
  return new Set(listing.match(/\d+\.\d+\.\d+\.\d+ \. \d+\.\d+\.\d+\.\d+ \. (?:tcp|udp) \. [\w-]+/g))
}

test('prepared and plain operations in their order are one transaction', async () => {
  const { nft, namespace } = await open()
  const prepared = nft.prepare(preparedRule())
  const before = await nft.generation()
  const transaction = nft.transaction()
  for (const object of base) transaction.add(object)
  transaction
    .add(rule('1.1.1.1', '2.2.2.2', 1))
    .addPrepared(prepared, [
      ['10.0.0.1', '10.0.0.2', 2],
      ['10.0.0.3', '10.0.0.4', 3],
    ])
    .add(rule('3.3.3.3', '4.4.4.4', 4))
    .addPrepared(prepared, Uint32Array.of(0x0a000005, 0x0a000006, 5))
  await transaction.commit()
  expect(await nft.generation()).toBe(before + 1)
  const ports = (await nftTool(namespace, '-n', 'list', 'chain', 'ip', 't', 'c')).match(/dport \d+/g)
  expect(ports).toEqual(['dport 1', 'dport 2', 'dport 3', 'dport 4', 'dport 5'])

  const { handles } = await nft
    .transaction()
    .addPrepared(prepared, [['10.0.0.7', '10.0.0.8', 6]])
    .commit({ handles: true })
  expect(handles).toEqual([expect.any(Number)])
  nft.transaction().addPrepared(prepared, []).commitSync()
})

test('a wrong row: nothing is sent', async () => {
  const { nft } = await open()
  const before = await nft.generation()
  const transaction = nft.transaction()
  for (const object of base) transaction.add(object)
  transaction.addPrepared(nft.prepare(preparedRule()), [
    ['10.0.0.1', '10.0.0.2', 2],
    ['10.0.0.1', 'nowhere', 2],
  ])
  await expect(transaction.commit()).rejects.toMatchObject({
    code: 'NFB_INVALID_ADDRESS',
    path: 'operations[2].rows[1].server',
  })
  expect(() => transaction.commitSync()).toThrow(NfbridgeError)
  expect(await nft.generation()).toBe(before)
})

test('what the kernel refuses names the row', async () => {
  const { nft } = await open()
  const transaction = nft.transaction()
  for (const object of [...base, set]) transaction.add(object)
  await transaction.commit()
  const missing = nft.prepare({
    rule: { ...place, chain: 'missing', expr: [match.tcp.dport.eq(slot('port'))] },
  })
  await expect(
    nft
      .transaction()
      .add(rule('1.1.1.1', '1.1.1.1', 1))
      .addPrepared(missing, [[1], [2]])
      .commit(),
  ).rejects.toMatchObject({ code: 'NFB_MISSING', path: 'operations[1].rows[0]' })

  // The second is there, beyond the first message: elements are not created twice.
  const rows = numbers(3000)
  rows.set(rows.subarray(0, 4), 4 * 2500)
  const map = { map: { ...place, name: 'm', type: set.set.type, map: 'mark', size: 10_000 } } as const
  await nft.transaction().add(map).commit()
  const withMark = new Uint32Array(5 * 3000)
  for (let n = 0; n < 3000; n++) withMark.set([...rows.subarray(4 * n, 4 * n + 4), n], 5 * n)
  await expect(
    nft
      .transaction()
      .addPrepared(nft.prepareElements(map, [...columns, 'mark']), withMark)
      .commit(),
  ).rejects.toMatchObject({ code: 'NFB_EXISTS', path: expect.stringMatching(/^operations\[0\]\.rows/) })
})

test('several worker threads prepare and commit at once, also from shared memory', async () => {
  const namespaces = await Promise.all([0, 1, 2].map(async () => keep(await Namespace.create())))
  const shared = new Uint32Array(new SharedArrayBuffer(3 * 4 * 1000))
  for (let n = 0; n < 1000; n++) shared.set([0x0a000000 + n, 0xac000000 + n, n], 3 * n)
  const program = fileURLToPath(new URL('./nft-prepare-worker.mjs', import.meta.url))
  const ended = await Promise.all(
    namespaces.map(
      (namespace) =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(program, { workerData: { path: namespace.path(), rows: shared } })
          worker.once('error', reject)
          worker.once('exit', resolve)
        }),
    ),
  )
  expect(ended).toEqual([0, 0, 0])
  const listings = await Promise.all(namespaces.map((namespace) => nftTool(namespace, 'list', 'ruleset')))
  expect(listings[0]?.match(/dport/g)).toHaveLength(1000)
  expect(new Set(listings).size).toBe(1)
})

describe('alike rules in a large transaction', () => {
  const many = (count: number, chain = 'c'): RuleObject[] =>
    ruleRows(count).map((row) => ({ rule: { ...rule(...row).rule, chain } }))

  test('each has its handle', async () => {
    const { nft } = await open()
    const transaction = nft.transaction()
    for (const object of [...base, ...many(500)]) transaction.add(object)
    const { handles } = await transaction.commit({ handles: true })
    expect(handles).toHaveLength(502)
    const ofRules = handles.slice(2)
    expect(ofRules.every((handle) => typeof handle === 'number')).toBe(true)
    expect(new Set(ofRules).size).toBe(500)
    const { nftables } = await nft.list({ family: 'ip', table: 't' })
    const listedRules = nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))
    expect(listedRules.map(({ handle }) => handle)).toEqual(ofRules)
  })

  test('what the kernel refuses is found in the operation that it came from', async () => {
    const { nft } = await open()
    const transaction = nft.transaction()
    for (const object of base) transaction.add(object)
    for (const object of many(400)) transaction.add(object)
    for (const object of many(20, 'missing')) transaction.add(object)
    await expect(transaction.commit()).rejects.toMatchObject({
      code: 'NFB_MISSING',
      path: expect.stringMatching(/^operations\[402\]\.(?:add\.)?rule/),
    })

    const lookups = nft.transaction()
    for (const object of base) lookups.add(object)
    for (let n = 0; n < 400; n++)
      lookups.add({
        rule: {
          ...place,
          chain: 'c',
          expr: [match.tcp.dport.eq(n), match.ip.saddr.inSet('missing'), verdict.accept()],
        },
      })
    await expect(lookups.commit()).rejects.toMatchObject({
      code: 'NFB_MISSING',
      path: expect.stringMatching(/^operations\[2\]\..*expr\[1\]/),
    })
  })

  test('a wrong value among them fails before anything is sent', async () => {
    const { nft } = await open()
    const before = await nft.generation()
    const transaction = nft.transaction()
    for (const object of [...base, ...many(400)]) transaction.add(object)
    transaction.add(rule('10.0.0.1', '10.0.0.2', 65536))
    await expect(transaction.commit()).rejects.toMatchObject({
      code: 'NFB_INVALID_PORT',
      path: expect.stringMatching(/^operations\[402\]\..*expr\[2\]\.match\.right$/),
    })
    expect(await nft.generation()).toBe(before)
  })
})
