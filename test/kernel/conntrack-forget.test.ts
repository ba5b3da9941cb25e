/** Connections forgotten by what they are, in the kernel and on the addon's thread: what both do is what {@link isSelected} says. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cidr, type IPAddress, parseAddress } from '../../src/address/index.js'
import {
  type ConnectionSelection,
  Conntrack,
  type ConntrackEntry,
  type ConntrackFilter,
  isSelected,
} from '../../src/conntrack/index.js'
import type { SocketHandle } from '../../src/native/addon.js'
import { failed } from '../../src/native/failure.js'
import { Packer } from '../../src/native/pack.js'
import type { CtEntryRecord } from '../../src/native/records.js'
import { Namespace } from '../../src/netns/index.js'
import { nftFile } from '../support/tools.js'

const CREATE = 0x400
const MOST_A_SEND = 128
const EEXIST = 17
const EOPNOTSUPP = 95

let namespace: Namespace
let socket: SocketHandle
let table: Conntrack

beforeAll(async () => {
  namespace = await Namespace.create()
  await nftFile(
    namespace,
    `table inet t {
      chain c { type filter hook input priority 0; ct state new counter; }
      chain n { type nat hook prerouting priority -100; }
    }`,
  )
  socket = await namespace.openSocket('netfilter', 'test')
  table = await Conntrack.open({ netns: namespace })
})

afterAll(() => {
  table.close()
  socket.close()
  namespace.close()
})

interface Made {
  readonly source: string
  readonly destination: string
  readonly protocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly mark: number
  readonly zone: number
  /** Who answers instead of the destination, and from which port. */
  readonly translated?: { readonly address: string; readonly port: number } | undefined
}

function record(made: Made): CtEntryRecord {
  const [source, destination] = [parseAddress(made.source), parseAddress(made.destination)]
  const ip = (from: IPAddress, to: IPAddress): object =>
    from.family === 4 ? { v4Src: from.bytes, v4Dst: to.bytes } : { v6Src: from.bytes, v6Dst: to.bytes }
  const proto = (srcPort: number, dstPort: number): object => ({ num: made.protocol, srcPort, dstPort })
  const to = made.translated && parseAddress(made.translated.address)
  const port = made.translated?.port ?? 0
  const range =
    to &&
    (to.family === 4 ? { v4Minip: to.bytes, v4Maxip: to.bytes } : { v6Minip: to.bytes, v6Maxip: to.bytes })
  return {
    family: source.family === 4 ? 2 : 10,
    tupleOrig: { ip: ip(source, destination), proto: proto(made.sourcePort, made.destinationPort) },
    tupleReply: { ip: ip(destination, source), proto: proto(made.destinationPort, made.sourcePort) },
    timeout: 3600,
    mark: made.mark,
    ...(made.zone !== 0 && { zone: made.zone }),
    ...(made.protocol === 6 && { protoinfo: { tcp: { state: 3 } } }),
    ...(range && { natDst: { ...range, proto: { portMin: port, portMax: port } } }),
  }
}

/** Has the kernel track connections; those that it tracks already stay. */
async function track(all: readonly Made[]): Promise<void> {
  for (let start = 0; start < all.length; start += MOST_A_SEND) {
    const packer = new Packer()
    for (const made of all.slice(start, start + MOST_A_SEND)) packer.add('ctNew', CREATE, record(made))
    const outcome = await socket.request(packer.words())
    // One that is there, or that the same ports of another one stand in the way of.
    if (failed(outcome) && !outcome.every(({ errno }) => errno === EEXIST || errno === EOPNOTSUPP))
      throw new Error(JSON.stringify(outcome))
  }
}

const key = ({ original, zone }: ConntrackEntry): string => JSON.stringify([original, zone])
const keys = (entries: readonly ConntrackEntry[]): string[] => entries.map(key).sort()

const hosts = {
  4: ['10.0.0.1', '10.0.0.2', '10.0.1.1', '192.0.2.1'],
  6: ['fd00::1', 'fd00::2', 'fd00:0:0:1::1', '2001:db8::1'],
}
const networks = { 4: ['10.0.0.0/24', '10.0.0.0/23', '0.0.0.0/0'], 6: ['fd00::/64', 'fd00::/63', '::/0'] }
const port = fc.integer({ min: 1, max: 5 })
const family = fc.constantFrom<4 | 6>(4, 6)

const made: fc.Arbitrary<Made> = family.chain((of) =>
  fc.record({
    source: fc.constantFrom(...hosts[of]),
    destination: fc.constantFrom(...hosts[of]),
    protocol: fc.constantFrom(6, 17),
    sourcePort: port,
    destinationPort: port,
    mark: fc.constantFrom(0, 0x107, 0x200),
    zone: fc.constantFrom(0, 0, 3),
    translated: fc.option(fc.record({ address: fc.constantFrom(...hosts[of]), port }), { nil: undefined }),
  }),
)

const end = (of: 4 | 6): fc.Arbitrary<IPAddress | Cidr> =>
  fc.oneof(
    fc.constantFrom(...hosts[of]).map((text) => parseAddress(text)),
    fc.constantFrom(...networks[of]).map((text) => Cidr.parse(text)),
  )
const ports = fc.oneof(
  port,
  fc.tuple(port, port).map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) })),
)
const tuple = (of: 4 | 6): fc.Arbitrary<NonNullable<ConntrackFilter['original']>> =>
  fc.record(
    { source: end(of), destination: end(of), sourcePort: ports, destinationPort: ports },
    { requiredKeys: [] },
  )
const filter: fc.Arbitrary<ConntrackFilter> = family.chain((of) =>
  fc.record(
    {
      family: fc.constant(of),
      protocol: fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp'),
      original: tuple(of),
      reply: tuple(of),
      address: fc.constantFrom(...hosts[of]).map((text) => parseAddress(text)),
      zone: fc.constantFrom(0, 3),
      mark: fc.constantFrom<NonNullable<ConntrackFilter['mark']>>(0x107, { value: 0x100, mask: 0x100 }),
      status: fc.constantFrom<NonNullable<ConntrackFilter['status']>>({ has: ['dnat'] }, { lacks: ['dnat'] }),
      portKept: fc.constant<true>(true),
    },
    { requiredKeys: [] },
  ),
)
/** A filter that the kernel tests by itself. */
const kernelFilter: fc.Arbitrary<ConntrackFilter> = fc
  .record({
    direction: fc.constantFrom<'original' | 'reply'>('original', 'reply'),
    source: fc.constantFrom(...hosts[4]).map((text) => parseAddress(text)),
    destination: fc.option(
      fc.constantFrom(...hosts[4]).map((text) => parseAddress(text)),
      { nil: undefined },
    ),
    ports: fc.option(fc.record({ sourcePort: port, destinationPort: port }, { requiredKeys: [] }), {
      nil: undefined,
    }),
  })
  .map(({ direction, source, destination, ports: some }) => ({
    family: 4 as const,
    ...(some && { protocol: 'udp' as const }),
    [direction]: { source, ...(destination && { destination }), ...some },
  }))
const selection: fc.Arbitrary<ConnectionSelection> = fc.record(
  { filters: fc.array(filter, { maxLength: 3 }), unless: fc.array(filter, { maxLength: 2 }) },
  { requiredKeys: ['filters'] },
)

describe('what is forgotten', () => {
  const numRuns = 60
  const check = (selections: fc.Arbitrary<ConnectionSelection[]>, walk: boolean): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.array(made, { minLength: 30, maxLength: 120 }), selections, async (all, chosen) => {
        await table.deleteAll({})
        await track(all)
        const before = await table.list()
        expect(before.length).toBeGreaterThan(0)
        await table.forget(chosen, walk)
        expect(keys(await table.list())).toEqual(keys(before.filter((each) => !isSelected(each, chosen))))
      }),
      { numRuns, endOnFailure: true },
    )

  it('is what the selections mean, where it is listed', () =>
    check(fc.array(selection, { maxLength: 3 }), false))
  it('is the same where the kernel may be asked', () => check(fc.array(selection, { maxLength: 3 }), true))
  it('is the same where the kernel tests all of it', () =>
    check(
      fc.array(kernelFilter, { minLength: 1, maxLength: 3 }).map((filters) => [{ filters }]),
      true,
    ))

  it('is counted by deleteAll', async () => {
    await table.deleteAll({})
    const of = (source: string, sourcePort: number): Made => ({
      ...{
        source,
        destination: '192.0.2.1',
        protocol: 17,
        sourcePort,
        destinationPort: 53,
        mark: 0,
        zone: 0,
      },
    })
    await track([of('10.0.0.1', 1), of('10.0.0.1', 2), of('10.0.0.2', 1)])
    expect(await table.deleteAll({ original: { source: parseAddress('10.0.0.1') } })).toBe(2)
    expect(await table.deleteAll({ original: { sourcePort: { first: 1, last: 2 } } })).toBe(1)
  })
})

/** Connections of one address to many ports, of either family. */
const flood = (source: string, destination: string, count: number): Made[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ source, destination, protocol: 17, mark: 0, zone: 0 },
    sourcePort: 1 + Math.floor(index / 60_000),
    destinationPort: 1 + (index % 60_000),
  }))

async function stall(work: () => Promise<unknown>): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 })
  monitor.enable()
  await work()
  await new Promise((done) => setTimeout(done, 5))
  monitor.disable()
  return monitor.max / 1e6
}

describe('140,000 connections of one address', () => {
  const count = 140_000
  it.each([
    ['10.0.0.1', '192.0.2.1', true],
    ['10.0.0.1', '192.0.2.1', false],
    ['fd00::1', '2001:db8::1', true],
  ])(
    'go without holding the event loop (%s to %s, the kernel asked: %s)',
    async (from, to, walk) => {
      await table.deleteAll({})
      await track(flood(from, to, count))
      await track(flood('10.0.0.2', '192.0.2.1', 5))
      const source = parseAddress(from)
      const selections = [{ filters: [{ reply: { source } }, { original: { source } }] }]
      const longest = await stall(() => table.forget(selections, walk))
      expect(await table.deleteAll({})).toBe(5)
      // What a busy machine takes away is less; a listing in JavaScript holds it for seconds.
      expect(longest).toBeLessThan(250)
    },
    60_000,
  )
})
