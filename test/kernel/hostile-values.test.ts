import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/address/index.js'
import { Conntrack } from '../../src/conntrack/index.js'
import { Namespace, NfbridgeError } from '../../src/index.js'
import {
  iptablesRule,
  map,
  Nft,
  prepare,
  prepareElements,
  ruleset,
  type Statement,
  slot,
  toText,
  vmap,
} from '../../src/nft/index.js'
import { applyInNamespace, Rtnl } from '../../src/rtnl/index.js'
import { errorOf, expectRefused, unlooked, unwanted } from '../support/hostile-values.js'

interface Handles {
  readonly namespace: Namespace
  readonly nft: Nft
  readonly rtnl: Rtnl
  readonly conntrack: Conntrack
}

let handles: Handles

beforeAll(async () => {
  const namespace = await Namespace.create()
  const netns = namespace
  handles = {
    namespace,
    nft: await Nft.open({ netns }),
    rtnl: await Rtnl.open({ netns }),
    conntrack: await Conntrack.open({ netns }),
  }
})

afterAll(() => {
  for (const handle of Object.values(handles)) handle.close()
})

/** A call, and a right value of what it takes: each part of that is replaced by one that is hostile. */
interface Target {
  readonly given: unknown
  /** What is given are several arguments. */
  readonly isArguments?: true
  readonly call: (given: never) => unknown
}

const set = { family: 'inet', table: 't', name: 's', type: ['ipv4_addr', 'inet_service'] }
const rule = {
  family: 'inet',
  table: 't',
  chain: 'c',
  comment: 'why',
  expr: [
    { match: { left: { payload: { protocol: 'ip', field: 'saddr' } }, op: '==', right: '10.0.0.1' } },
    {
      match: {
        left: { meta: { key: 'iifname' } },
        op: '==',
        right: { set: ['eth0', { range: ['a', 'b'] }] },
      },
    },
    { limit: { rate: 5, per: 'second', burst: 5 } },
    { log: { prefix: 'p', level: 'info' } },
    { counter: { packets: 0, bytes: 0 } },
    { vmap: { key: { ct: { key: 'state' } }, data: { set: [['new', { accept: null }]] } } },
    { accept: null },
  ],
}
const operations = [
  { add: { table: { family: 'inet', name: 't', comment: 'why' } } },
  {
    add: {
      chain: {
        family: 'inet',
        table: 't',
        name: 'c',
        type: 'filter',
        hook: 'input',
        prio: 0,
        policy: 'accept',
      },
    },
  },
  { add: { set: { ...set, flags: ['interval', 'timeout'], timeout: 5, comment: 'why' } } },
  {
    add: {
      element: {
        ...set,
        elem: [
          { concat: ['10.0.0.1', 80] },
          { elem: { val: { concat: ['10.0.0.2', { range: [1, 5] }] }, comment: 'why' } },
        ],
      },
    },
  },
  { add: { rule } },
  { add: { counter: { family: 'inet', table: 't', name: 'n', packets: 0, bytes: 0 } } },
  { flush: { set } },
  { delete: { element: { ...set, elem: [{ concat: ['10.0.0.1', 80] }] } } },
  { rename: { chain: { family: 'inet', table: 't', name: 'c', newname: 'd' } } },
]

const device = { device: 'lo' }
const link = {
  name: 'a0',
  kind: 'veth',
  up: true,
  mtu: 1400,
  address: '02:00:00:00:00:01',
  alias: 'why',
  peer: { name: 'a1', up: true },
}
const changes = [
  { kind: 'link', action: 'create', link },
  {
    kind: 'link',
    action: 'create',
    link: { name: 'b0', kind: 'bridge', bridge: { stpState: false, ageingTime: 5 } },
  },
  { kind: 'link', action: 'change', link: { device: 'b0', up: true, port: { isolated: true } } },
  { kind: 'address', action: 'add', address: { ...device, address: '10.0.0.1/24', scope: 'host' } },
  {
    kind: 'route',
    action: 'add',
    route: { destination: '10.1.0.0/16', gateway: '10.0.0.2', ...device, metric: 5 },
  },
  {
    kind: 'route',
    action: 'add',
    route: { destination: '10.2.0.0/16', nexthops: [{ gateway: '10.0.0.2', ...device, weight: 1 }] },
  },
  { kind: 'rule', action: 'add', rule: { family: 4, source: '10.0.0.0/8', table: 5, priority: 5 } },
  {
    kind: 'neighbour',
    action: 'add',
    neighbour: { ...device, address: '10.0.0.9', mac: '02:00:00:00:00:01' },
  },
  { kind: 'fdb', action: 'add', entry: { ...device, mac: '02:00:00:00:00:01' } },
  {
    kind: 'qdisc',
    action: 'add',
    qdisc: { ...device, parent: 'root', kind: 'tbf', rate: 1000, burst: 1000 },
  },
  { kind: 'filter', action: 'add', filter: { ...device, parent: 'ingress', protocol: 'all', priority: 1 } },
  { kind: 'link', action: 'delete', link: { device: 'a0' } },
]
const tuple = {
  source: parseAddress('10.0.0.1'),
  destination: parseAddress('10.0.0.2'),
  protocol: 'tcp',
  sourcePort: 1,
  destinationPort: 2,
}
const filter = {
  family: 4,
  protocol: 'tcp',
  original: { source: tuple.source, sourcePort: { first: 1, last: 5 } },
  reply: { destination: tuple.destination, destinationPort: 5 },
  zone: 0,
  mark: { value: 1, mask: 1 },
  status: { has: ['assured'], lacks: ['dying'] },
}

const targets: Readonly<Record<string, Target>> = {
  'Nft.open': {
    given: { netns: '/proc/self/ns/net', listingLimit: 5000 },
    call: async (given) => (await Nft.open(given)).close(),
  },
  'Rtnl.open': {
    given: { netns: '/proc/self/ns/net', listingLimit: 5000 },
    call: async (given) => (await Rtnl.open(given)).close(),
  },
  'Conntrack.open': {
    given: { netns: '/proc/self/ns/net' },
    call: async (given) => (await Conntrack.open(given)).close(),
  },
  'transaction.commit': {
    given: operations,
    call: async (given) => {
      await handles.nft.transaction().addAll(given).commit()
      await handles.nft.transaction().flush({ ruleset: null }).commit()
    },
  },
  'transaction.commitSync': {
    given: operations,
    call: (given) => {
      handles.nft.transaction().addAll(given).commitSync()
      handles.nft.transaction().flush({ ruleset: null }).commitSync()
    },
  },
  'transaction.declare': {
    given: { set },
    call: (given) =>
      handles.nft
        .transaction()
        .declare(given)
        .add(JSON.parse(JSON.stringify(operations[3])))
        .check(),
  },
  'transaction.commit, its options': {
    given: { handles: true, expectGeneration: 1, ranges: 'checked', iptables: 'refuse' },
    call: (given) =>
      handles.nft
        .transaction()
        .add({ table: { family: 'inet', name: 't' } })
        .commit(given),
  },
  prepare: {
    given: {
      rule: {
        ...rule,
        expr: [...rule.expr, { match: { left: { meta: { key: 'mark' } }, op: '==', right: slot('mark') } }],
      },
    },
    call: (given) => prepare(given),
  },
  prepareElements: {
    isArguments: true,
    given: [{ set }, ['address', 'port']],
    call: (given) => prepareElements(given[0], given[1]),
  },
  addPrepared: {
    given: [{ a: '10.0.0.1' }],
    call: (given) =>
      handles.nft
        .transaction()
        .add({ table: { family: 'inet', name: 't' } })
        .add({ set: { family: 'inet', table: 't', name: 'a', type: 'ipv4_addr' } })
        .addPrepared(
          prepareElements({ set: { family: 'inet', table: 't', name: 'a', type: 'ipv4_addr' } }, ['a']),
          given,
        )
        .check(),
  },
  map: {
    isArguments: true,
    given: [{ meta: { key: 'mark' } }, [[1, 2]]],
    call: (given) => map(given[0], given[1]),
  },
  vmap: {
    isArguments: true,
    given: [{ meta: { key: 'mark' } }, [[1, { accept: null }]]],
    call: (given) => vmap(given[0], given[1]),
  },
  'nft.list': {
    given: { family: 'inet', table: 't', chain: 'c', kinds: ['rule'], elements: true },
    call: (given) => handles.nft.list(given),
  },
  'nft.count': {
    given: { family: 'inet', table: 't', sets: ['s'] },
    call: (given) => handles.nft.count(given),
  },
  'nft.element': {
    isArguments: true,
    given: [{ family: 'inet', table: 't', name: 's' }, { concat: ['10.0.0.1', 80] }],
    call: (given) => handles.nft.element(given[0], given[1]),
  },
  'nft.elements': {
    isArguments: true,
    given: [{ family: 'inet', table: 't', name: 's' }, { onChange: 'ignore' }],
    call: async (given) => {
      for await (const _ of handles.nft.elements(given[0], given[1])) break
    },
  },
  'nft.reset': {
    given: { objects: { kind: 'counter', family: 'inet', table: 't' } },
    call: (given) => handles.nft.reset(given),
  },
  'nft.events': {
    given: { snapshot: true, limit: 5 },
    call: async (given) => (await handles.nft.events(given)).close(),
  },
  'nft.traces': { given: { limit: 5 }, call: async (given) => (await handles.nft.traces(given)).close() },
  'ruleset.fromJson': {
    given: { nftables: operations.slice(0, 6) },
    call: (given) => ruleset.fromJson(given),
  },
  'ruleset.toJson': { given: { nftables: [{ rule }] }, call: (given) => ruleset.toJson(given) },
  'ruleset.toOperations': { given: { nftables: [{ rule }] }, call: (given) => ruleset.toOperations(given) },
  toText: { given: { rule }, call: (given) => toText(given) },
  iptablesRule: {
    given: { ...rule, family: 'ip', table: 'filter', chain: 'FORWARD' },
    call: (given) => iptablesRule(given),
  },
  'rtnl.apply': {
    given: changes,
    call: async (given) => {
      await handles.rtnl.apply(given).catch((error) => clean(error))
      await clean()
    },
  },
  'rtnl.applySync': {
    given: changes.slice(0, 2),
    call: async (given) => {
      handles.rtnl.applySync(given)
      await clean()
    },
  },
  applyInNamespace: {
    given: changes.slice(0, 2),
    call: async (given) => {
      await applyInNamespace(handles.namespace, given)
      await clean()
    },
  },
  'rtnl.links.list': {
    given: { kind: 'veth', master: 'lo', group: 5 },
    call: (given) => handles.rtnl.links.list(given),
  },
  'rtnl.links.getAll': { given: ['lo', 1], call: (given) => handles.rtnl.links.getAll(given) },
  'rtnl.addresses.list': {
    given: { device: 'lo', family: 4 },
    call: (given) => handles.rtnl.addresses.list(given),
  },
  'rtnl.routes.list': {
    given: { family: 4, table: 254, device: 'lo' },
    call: (given) => handles.rtnl.routes.list(given),
  },
  'rtnl.routes.lookup': {
    given: { destination: '127.0.0.1', source: '127.0.0.1', mark: 5 },
    call: (given) => handles.rtnl.routes.lookup(given),
  },
  'rtnl.neighbours.list': {
    given: { device: 'lo', family: 4 },
    call: (given) => handles.rtnl.neighbours.list(given),
  },
  'rtnl.fdb.list': { given: { device: 'lo' }, call: (given) => handles.rtnl.fdb.list(given) },
  'rtnl.events': {
    given: { topics: ['link'], limit: 5 },
    call: async (given) => (await handles.rtnl.events(given)).close(),
  },
  'conntrack.list': { given: filter, call: (given) => handles.conntrack.list(given) },
  'conntrack.delete': { given: tuple, call: (given) => handles.conntrack.delete(given) },
  'conntrack.delete, an entry': {
    given: { original: tuple, reply: tuple, id: 1, zone: 0 },
    call: (given) => handles.conntrack.delete(given),
  },
  'conntrack.deleteAll': { given: filter, call: (given) => handles.conntrack.deleteAll(given) },
  'conntrack.deleteListed': { given: [tuple], call: (given) => handles.conntrack.deleteListed(given) },
  'conntrack.forget': {
    given: [{ filters: [filter], unless: [{}] }],
    call: (given) => handles.conntrack.forget(given, false),
  },
}

/** Takes away what a call has made; its error is the test's to judge. */
async function clean(error?: unknown): Promise<void> {
  for (const { name } of await handles.rtnl.links.list())
    if (name !== 'lo') await handles.rtnl.links.delete({ device: name })
  if (error !== undefined) throw error
}

/** Each place in a value, the value itself first. */
function placesOf(value: unknown): string[][] {
  const inside = isMade(value)
    ? Object.entries(value).flatMap(([key, part]) => placesOf(part).map((place) => [key, ...place]))
    : []
  return [[], ...inside]
}

/** A list or an object, not an instance of a class. */
function isMade(value: unknown): value is object {
  return (
    Array.isArray(value) ||
    (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
  )
}

function replaced(value: unknown, [step, ...rest]: readonly string[], by: unknown): unknown {
  if (step === undefined) return by
  if (!isMade(value)) throw new Error(`there is nothing at ${step}`)
  const copy: object = Array.isArray(value) ? [...value] : { ...value }
  Reflect.set(copy, step, replaced(Reflect.get(copy, step), rest, by))
  return copy
}

describe('a hostile value anywhere in what a call takes is right, or an NfbridgeError', () => {
  it.each(Object.entries(targets))('%s', async (_, { given, isArguments, call }) => {
    const failures: string[] = []
    for (const place of placesOf(given).slice(isArguments ? 1 : 0))
      for (const [index, value] of [...unwanted, ...unlooked].entries()) {
        const error = await errorOf(() => call(replaced(given, place, value) as never))
        if (error === undefined) continue
        try {
          expectRefused(error)
        } catch {
          const code = error instanceof NfbridgeError ? `${error.code} ` : ''
          failures.push(`${place.join('.')} <- value ${index}: ${code}${String(error).slice(0, 150)}`)
        }
      }
    expect(failures).toEqual([])
  })
})

describe('half a character is written nowhere: another one would stand in its place', () => {
  const half = 'a\ud800'
  const table = { family: 'inet', table: 't' } as const
  const left = { meta: { key: 'iifname' } } as const
  const rules: Readonly<Record<string, Statement[]>> = {
    'the prefix of a log': [{ log: { prefix: half } }],
    'the name of an interface': [{ match: { left, op: '==', right: half } }],
    'names that begin so': [{ match: { left, op: '==', right: `${half}*` } }],
  }
  const refused = {
    code: expect.stringMatching(/^NFB_INVALID/),
    message: expect.stringContaining('half a character'),
  }

  it.each(Object.entries(rules))('%s', async (_, expr) => {
    const rule = { ...table, chain: 'c', expr }
    await expect(handles.nft.transaction().add({ rule }).commit()).rejects.toMatchObject(refused)
  })

  it.each(['name', 'comment'])('the %s of a table', async (property) => {
    const object = { table: { family: 'inet', name: 't', [property]: half } } as const
    await expect(handles.nft.transaction().add(object).commit()).rejects.toMatchObject(refused)
  })

  it('the alias of a link', async () => {
    await expect(handles.rtnl.links.change({ device: 'lo', alias: half })).rejects.toMatchObject(refused)
  })
})
