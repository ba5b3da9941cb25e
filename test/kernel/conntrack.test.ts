import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Cidr, IPv4Address, IPv6Address, parseAddress } from '../../src/address/index.js'
import { Conntrack, type ConntrackEntry, type ConntrackFilter } from '../../src/conntrack/index.js'
import { Namespace } from '../../src/netns/index.js'
import { expectSameAtRest } from '../support/at-rest.js'
import { ip, nftFile, conntrack as tool } from '../support/tools.js'

const localhost = IPv4Address.parse('127.0.0.1')
const other = IPv4Address.parse('127.0.0.2')

/**
 * Real flows in the namespace: TCP connections that stay open and datagrams, from and to known ports. Ends when its
 * standard input does.
 */
const program = `
const net = require('node:net'), dgram = require('node:dgram')
const listen = (host, port) => new Promise((ready) => { const s = net.createServer(() => {}); s.listen(port, host, () => ready(s)) })
const connect = (from, localPort, to, port) => new Promise((ready) => {
  const s = net.connect({ host: to, port, localAddress: from, localPort }, () => ready(s)) })
const send = (from, sport, to, dport) => new Promise((ready) => {
  const s = dgram.createSocket(from.includes(':') ? 'udp6' : 'udp4')
  s.on('error', () => {})
  s.bind(sport, from, () => s.send('hello', dport, to, () => ready(s))) })
;(async () => {
  await listen('127.0.0.1', 8001); await listen('127.0.0.2', 8002); await listen('::1', 8001)
  await connect('127.0.0.1', 40001, '127.0.0.1', 8001)
  await connect('127.0.0.1', 40002, '127.0.0.2', 8002)
  await connect('::1', 40003, '::1', 8001)
  await send('127.0.0.1', 41001, '127.0.0.1', 5001)
  await send('127.0.0.1', 41002, '127.0.0.2', 5002)
  await send('127.0.0.1', 41003, '127.0.0.1', 5003)
  await send('127.0.0.1', 41004, '127.0.0.1', 5004)
  await send('::1', 41005, '::1', 5005)
  for (const port of (process.argv[1] || '').split(',').filter(Boolean)) await send('127.0.0.1', Number(port), '127.0.0.1', 5100)
  setTimeout(() => process.stdout.write('ready\\n'), 50)
})()
process.stdin.on('end', () => process.exit(0)).resume()
`

let namespace: Namespace
let table: Conntrack
let flows: ChildProcess

/** Starts the flows and waits until they are there. */
async function start(...ports: number[]): Promise<void> {
  const args = [`--net=${namespace.path()}`, '--', process.execPath, '-e', program, ports.join()]
  flows = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  if (!flows.stdout) throw new Error('no output')
  await once(flows.stdout, 'data')
}

async function open(): Promise<void> {
  namespace = await Namespace.create()
  await ip(namespace, 'link', 'set', 'lo', 'up')
  // Connection tracking begins with the first rule that uses it.
  await nftFile(
    namespace,
    `table inet t {
      chain raw_in { type filter hook prerouting priority raw; udp dport 5004 ct zone set 3; }
      chain raw_out { type filter hook output priority raw; udp dport 5004 ct zone set 3; }
      chain out { type filter hook output priority filter; udp dport 5003 ct mark set 0x107; ct state new counter; }
    }`,
  )
  await namespace.writeSysctl('net.netfilter.nf_conntrack_acct', '1')
  // By default a datagram that nobody answers is forgotten after half a minute.
  await namespace.writeSysctl('net.netfilter.nf_conntrack_udp_timeout', '3600')
  table = await Conntrack.open({ netns: namespace })
}

async function shut(): Promise<void> {
  table.close()
  if (flows?.exitCode === null) {
    flows.stdin?.end()
    await once(flows, 'exit')
  }
  namespace.close()
}

/** A line of `conntrack -L -o extended,id` in the terms of ours. */
function parseLine(line: string): object {
  const values = (name: string): string[] =>
    Array.from(line.matchAll(new RegExp(`\\b${name}=(\\S+)`, 'g')), ([, v = '']) => v)
  const tuple = (index: number): object => ({
    source: values('src')[index],
    destination: values('dst')[index],
    sourcePort: Number(values('sport')[index]),
    destinationPort: Number(values('dport')[index]),
  })
  const counters = (index: number): object => ({
    packets: values('packets')[index],
    bytes: values('bytes')[index],
  })
  const [, , protocol, , , state] = line.split(/\s+/)
  return {
    protocol,
    state: protocol === 'tcp' ? state?.toLowerCase() : undefined,
    original: tuple(0),
    reply: tuple(1),
    replied: !line.includes('[UNREPLIED]'),
    assured: line.includes('[ASSURED]'),
    mark: Number(values('mark')[0]),
    zone: Number(values('zone')[0] ?? 0),
    id: Number(values('id')[0]),
    counters: { original: counters(0), reply: counters(1) },
  }
}

function comparable(entry: ConntrackEntry): object {
  const tuple = ({
    source,
    destination,
    sourcePort,
    destinationPort,
  }: ConntrackEntry['original']): object => ({
    source: String(source),
    destination: String(destination),
    sourcePort,
    destinationPort,
  })
  const counters = (direction: 'original' | 'reply'): object => ({
    packets: String(entry.counters?.[direction].packets),
    bytes: String(entry.counters?.[direction].bytes),
  })
  return {
    protocol: entry.protocol,
    state: entry.state,
    original: tuple(entry.original),
    reply: tuple(entry.reply),
    replied: entry.status.includes('seen-reply'),
    assured: entry.status.includes('assured'),
    mark: entry.mark,
    zone: entry.zone,
    id: entry.id,
    counters: { original: counters('original'), reply: counters('reply') },
  }
}

const bySource = (one: ConntrackEntry, two: ConntrackEntry): number =>
  (one.original.sourcePort ?? 0) - (two.original.sourcePort ?? 0)

describe('list', () => {
  beforeAll(async () => {
    await open()
    await start()
  })
  afterAll(shut)

  it('tells what the conntrack tool tells', async () => {
    const byId = (one: object, two: object): number =>
      'id' in one && 'id' in two ? Number(one.id) - Number(two.id) : 0
    const theirs = async (): Promise<object[]> => {
      const v4 = await tool(namespace, '-L', '-f', 'ipv4', '-o', 'extended,id')
      const v6 = await tool(namespace, '-L', '-f', 'ipv6', '-o', 'extended,id')
      const lines = `${v4}${v6}`.split('\n').filter((line) => /^ipv[46]/.test(line))
      return lines.map(parseLine).sort(byId)
    }
    await expectSameAtRest(async () => (await table.list()).map(comparable).sort(byId), theirs)
    expect((await table.list()).length).toBeGreaterThanOrEqual(8)
    const [first] = await table.list({ original: { sourcePort: 40001 } })
    expect(first?.timeout).toBeGreaterThan(0)
    expect(first?.state).toBe('established')
  })

  const cases: readonly { title: string; filter: ConntrackFilter; sources: readonly number[] }[] = [
    { title: 'one port of the source', filter: { original: { sourcePort: 40001 } }, sources: [40001] },
    {
      title: 'protocol and port',
      filter: { protocol: 'tcp', original: { destinationPort: 8002 } },
      sources: [40002],
    },
    { title: 'protocol', filter: { family: 4, protocol: 'udp' }, sources: [41001, 41002, 41003, 41004] },
    { title: 'protocol by its number', filter: { family: 6, protocol: 6 }, sources: [40003] },
    { title: 'family', filter: { family: 6 }, sources: [40003, 41005] },
    { title: 'destination', filter: { original: { destination: other } }, sources: [40002, 41002] },
    { title: 'source of the answers', filter: { reply: { source: other } }, sources: [40002, 41002] },
    {
      title: 'both directions',
      filter: {
        protocol: 'udp',
        original: { source: localhost },
        reply: { source: other, sourcePort: 5002 },
      },
      sources: [41002],
    },
    { title: 'an address anywhere', filter: { address: other }, sources: [40002, 41002] },
    {
      title: 'an address anywhere and a port',
      filter: { protocol: 'tcp', address: other, reply: { sourcePort: 8002 } },
      sources: [40002],
    },
    { title: 'an IPv6 address', filter: { address: IPv6Address.parse('::1') }, sources: [40003, 41005] },
    {
      title: 'a network',
      filter: { protocol: 'udp', original: { destination: Cidr.parse('127.0.0.2/31') } },
      sources: [41002],
    },
    { title: 'a zone', filter: { zone: 3 }, sources: [41004] },
    {
      title: 'the default zone',
      filter: { zone: 0, family: 4, protocol: 'udp' },
      sources: [41001, 41002, 41003],
    },
    { title: 'a mark', filter: { mark: 0x107 }, sources: [41003] },
    { title: 'bits of a mark', filter: { mark: { value: 0x100, mask: 0xff00 } }, sources: [41003] },
    {
      title: 'bits of a mark, others in the value',
      filter: { mark: { value: 0x1ff, mask: 0xf00 } },
      sources: [41003],
    },
    { title: 'nothing that is there', filter: { original: { sourcePort: 1 } }, sources: [] },
  ]
  it.each(cases)('by $title', async ({ filter, sources }) => {
    const entries = await table.list(filter)
    expect(entries.sort(bySource).map((entry) => entry.original.sourcePort)).toEqual(sources)
  })

  it('says which property of a filter is wrong, and sends nothing', async () => {
    const wrong: readonly [ConntrackFilter, string][] = [
      [{ zone: 65536 }, 'filter.zone'],
      [{ mark: { value: -1, mask: 1 } }, 'filter.mark.value'],
      [{ protocol: 256 }, 'filter.protocol'],
      [{ original: { sourcePort: 70000 } }, 'filter.original.sourcePort'],
      [{ family: 4, address: parseAddress('::1') }, 'filter'],
    ]
    for (const [filter, path] of wrong)
      await expect(table.list(filter)).rejects.toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path })
  })
})

describe('delete', () => {
  beforeEach(open)
  afterEach(shut)

  it('forgets one connection by its tuple, and says when it is gone', async () => {
    await start()
    const tuple = {
      source: localhost,
      destination: localhost,
      protocol: 'udp',
      sourcePort: 41001,
      destinationPort: 5001,
    } as const
    expect(await table.delete(tuple)).toBe(true)
    expect(await table.delete(tuple)).toBe(false)
    expect(await table.list({ original: { sourcePort: 41001 } })).toEqual([])
    expect(await table.list({ original: { sourcePort: 41003 } })).toHaveLength(1)
  })

  it('forgets a connection by its entry, in its zone', async () => {
    await start()
    for (const filter of [{ zone: 3 }, { original: { sourcePort: 40003 } }]) {
      const [entry] = await table.list(filter)
      if (!entry) throw new Error('no entry')
      expect(await table.delete(entry)).toBe(true)
      expect(await table.delete(entry)).toBe(false)
      expect(await table.list(filter)).toEqual([])
    }
  })

  it('leaves a connection of the same ports alone that has another id', async () => {
    await start()
    const [entry] = await table.list({ original: { sourcePort: 41001 } })
    if (!entry) throw new Error('no entry')
    expect(await table.delete({ ...entry, id: entry.id === 1 ? 2 : 1 })).toBe(false)
    expect(await table.list({ original: { sourcePort: 41001 } })).toHaveLength(1)
  })

  it('refuses a tuple without a protocol: the kernel would forget everything', async () => {
    await start()
    const tuple = { source: localhost, destination: localhost }
    // @ts-expect-error what a caller in JavaScript may give
    await expect(table.delete(tuple)).rejects.toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
    expect((await table.list()).length).toBeGreaterThanOrEqual(8)
  })
})

describe('deleteAll', () => {
  beforeEach(open)
  afterEach(shut)

  it('forgets what the filter and the test mean, in several sends', async () => {
    const ports = Array.from({ length: 300 }, (_, index) => 43000 + index)
    await start(...ports)
    expect(await table.list({ original: { destinationPort: 5100 } })).toHaveLength(300)
    const odd = (entry: ConntrackEntry): boolean => (entry.original.sourcePort ?? 0) % 2 === 1
    expect(await table.deleteAll({ protocol: 'udp', original: { destinationPort: 5100 } }, odd)).toBe(150)
    expect(await table.deleteAll({ protocol: 'udp', original: { destinationPort: 5100 } })).toBe(150)
    expect(await table.deleteAll({ protocol: 'udp', original: { destinationPort: 5100 } })).toBe(0)
    expect(await table.list({ original: { sourcePort: 41001 } })).toHaveLength(1)
    expect(await table.deleteAll({ address: other })).toBe(2)
    expect(await table.deleteAll({})).toBeGreaterThan(0)
    expect(await table.list()).toEqual([])
  })
})

it('is closed for good', async () => {
  await open()
  await shut()
  await expect(table.list()).rejects.toMatchObject({ code: 'NFB_CLOSED' })
})
