import { describe, expect, it } from 'vitest'
import type { AddedKeys } from '../../../src/explain/added-keys.js'
import { type Packet, reversed, tupleOf } from '../../../src/explain/packet.js'
import type {
  Expression,
  ListedObject,
  MatchOperator,
  PayloadReference,
  Statement,
} from '../../../src/nft/index.js'
import { evaluator, links, packet } from './fixtures.js'

const family = 'bridge'
const table = 't'
const ACCEPT: Statement = { accept: null }
const match = (left: Expression, right: Expression, op: MatchOperator = '=='): Statement => ({
  match: { op, left, right },
})
const field = (payload: PayloadReference): Expression => ({ payload })

const QUESTION: Expression = {
  concat: [
    field({ protocol: 'ip', field: 'saddr' }),
    field({ protocol: 'ip', field: 'daddr' }),
    field({ protocol: 'udp', field: 'sport' }),
    field({ protocol: 'udp', field: 'dport' }),
  ],
}
const ANSWER: Expression = {
  concat: [
    field({ protocol: 'ip', field: 'daddr' }),
    field({ protocol: 'ip', field: 'saddr' }),
    field({ protocol: 'udp', field: 'dport' }),
    field({ protocol: 'udp', field: 'sport' }),
  ],
}
const asked = (...elem: readonly (readonly (string | number)[])[]): ListedObject => ({
  set: {
    family,
    table,
    name: 'asked',
    type: ['ipv4_addr', 'ipv4_addr', 'inet_service', 'inet_service'],
    flags: ['dynamic', 'timeout'],
    ...(elem.length > 0 && { elem: elem.map((concat) => ({ concat })) }),
  },
})
const UPDATE: Statement = { set: { op: 'update', elem: QUESTION, set: '@asked' } }

/** What a bridge passes from one port to another. */
function frame(more: Partial<Packet> = {}): Packet {
  return packet({
    inputDevice: links.lo,
    inputBridge: links.docker0,
    outputBridge: links.docker0,
    outputDevice: links.uplink,
    source: '172.17.0.2',
    destination: '172.17.0.3',
    ...more,
  })
}

/** The first datagram of a client, whose kernel chose the port, and its answer. */
function datagrams(): { question: Packet; answer: Packet } {
  const { tcpFlags: _, ...rest } = frame()
  const question = { ...rest, protocol: 17, sourcePort: { low: 32768, high: 60999 }, destinationPort: 53 }
  return { question, answer: { ...question, ...reversed(tupleOf(question)) } }
}

function judge(
  of: Packet,
  rules: readonly (readonly Statement[])[],
  objects: readonly ListedObject[] = [],
  added?: AddedKeys,
) {
  return evaluator([
    { table: { family, name: table } },
    ...objects,
    { chain: { family, table, name: 'c', type: 'filter', hook: 'forward', prio: -200, policy: 'drop' } },
    ...rules.map((expr): ListedObject => ({ rule: { family, table, chain: 'c', expr } })),
  ]).hook({ layer: 'bridge', hook: 'forward', ...(added && { added }) }, of)
}

describe('rules of a bridge that tracks no connection', () => {
  const tcp = frame()
  const answer = frame({ tcpFlags: 0x12 })
  const init = frame({ protocol: 132, sctpChunk: 'init' })
  const initAck = frame({ protocol: 132, sctpChunk: 'init-ack' })
  const six = frame({ family: 'ip6', source: 'fd00::2', destination: 'fd00::3' })
  const noSyn = match({ '&': [field({ protocol: 'tcp', field: 'flags' }), ['syn', 'ack']] }, 'syn', '!=')
  const chunk = (name: 'init' | 'data', exists: boolean): Statement =>
    match({ 'sctp chunk': { name } }, exists)
  const fragment = (op: MatchOperator, mask = 0x1fff): Statement =>
    match({ '&': [field({ protocol: 'ip', field: 'frag-off' }), mask] }, 0, op)
  const exthdr = (exists: boolean): Statement => match({ exthdr: { name: 'frag' } }, exists)
  const raw = match({ payload: { base: 'th', offset: 136, len: 8 } }, 6)
  const mac = (right: string): Statement =>
    match(field({ protocol: 'ether', field: 'daddr' }), { set: [right] })
  const framed = frame({ etherDestination: '02:42:ac:11:00:03' })

  it.each<[string, Packet, readonly Statement[], 'accept' | 'drop' | 'unknown']>([
    ['a SYN', tcp, [noSyn], 'drop'],
    ['its answer', answer, [noSyn], 'accept'],
    ['a type of Ethernet', tcp, [match(field({ protocol: 'ether', field: 'type' }), 'ip')], 'accept'],
    [
      'another type',
      six,
      [match(field({ protocol: 'ether', field: 'type' }), { set: ['ip', 'arp'] })],
      'drop',
    ],
    ['an INIT', init, [chunk('init', true)], 'accept'],
    ['an INIT where none may be', init, [chunk('init', false)], 'drop'],
    ['an INIT ACK where none may be', initAck, [chunk('init', false)], 'accept'],
    ['a chunk that is not there', init, [chunk('data', true)], 'drop'],
    ['no chunk of SCTP in TCP', tcp, [chunk('init', false)], 'accept'],
    ['a chunk by its type', init, [match({ 'sctp chunk': { name: 'init', field: 'type' } }, 1)], 'accept'],
    [
      'a field of a chunk that nobody knows',
      init,
      [match({ 'sctp chunk': { name: 'init', field: 'a-rwnd' } }, 1)],
      'unknown',
    ],
    ['a first packet, which is no fragment', tcp, [fragment('!=')], 'drop'],
    ['a first packet, which is no fragment either way', tcp, [fragment('==')], 'accept'],
    ['whether it may become fragments', tcp, [fragment('==', 0x4000)], 'unknown'],
    ['a fragment header', six, [exthdr(true)], 'drop'],
    ['no fragment header', six, [exthdr(false)], 'accept'],
    ['no header of IPv6 in IPv4', tcp, [exthdr(false)], 'drop'],
    ['bits without a name', tcp, [raw], 'unknown'],
    ['bits without a name behind what does not hold', tcp, [noSyn, raw], 'drop'],
    ['a MAC address', framed, [mac('02:42:ac:11:00:03')], 'accept'],
    ['a frame for another', framed, [match({ meta: { key: 'pkttype' } }, 'other')], 'accept'],
    [
      'a frame for everybody',
      { ...framed, etherDestination: 'ff:ff:ff:ff:ff:ff' },
      [match({ meta: { key: 'pkttype' } }, 'broadcast')],
      'accept',
    ],
    [
      'a frame for several',
      { ...framed, etherDestination: '33:33:ff:00:00:02' },
      [match({ meta: { key: 'pkttype' } }, 'multicast')],
      'accept',
    ],
    ['another MAC address', framed, [mac('02:42:ac:11:00:04')], 'drop'],
  ])('%s', (_, of, statements, verdict) => {
    expect(judge(of, [[...statements, ACCEPT]]).verdict).toBe(verdict)
  })

  it.each(['ibrname', 'ibridgename'] as const)('the bridge as the key of a map of verdicts (%s)', (key) => {
    const map: ListedObject = {
      map: { family, table, name: 'v', type: 'ifname', map: 'verdict', elem: [['docker0', ACCEPT]] },
    }
    const rule: Statement = { vmap: { key: { meta: { key } }, data: '@v' } }
    expect(judge(tcp, [[rule]], [map]).verdict).toBe('accept')
    expect(judge({ ...tcp, inputBridge: links.uplink }, [[rule]], [map]).verdict).toBe('drop')
  })
})

describe('who asked', () => {
  const rules = [
    [match(ANSWER, '@asked'), ACCEPT],
    [match(field({ protocol: 'udp', field: 'dport' }), 53), UPDATE, ACCEPT],
  ]

  it('is answered, from a port that the kernel chose and nobody knows', () => {
    const { question, answer } = datagrams()
    expect(judge(answer, rules, [asked()]).verdict).toBe('drop')
    const { verdict, added } = judge(question, rules, [asked()])
    expect(verdict).toBe('accept')
    expect(judge(answer, rules, [asked()], added).verdict).toBe('accept')
  })

  it('is not known by what another one asked, and perhaps from a port of the same bounds', () => {
    const { question, answer } = datagrams()
    const { added } = judge(question, rules, [asked()])
    expect(judge({ ...answer, destination: '172.17.0.9' }, rules, [asked()], added).verdict).toBe('drop')
    expect(judge({ ...answer, destinationPort: 80 }, rules, [asked()], added).verdict).toBe('drop')
    const other = { low: 32768, high: 60999 }
    expect(judge({ ...answer, destinationPort: other }, rules, [asked()], added).verdict).toBe('unknown')
    expect(judge({ ...answer, destinationPort: 40000 }, rules, [asked()], added).verdict).toBe('unknown')
  })

  it('may be one of those who asked before', () => {
    const { answer } = datagrams()
    const of = (port: number): ListedObject => asked(['172.17.0.2', '172.17.0.3', port, 53])
    expect(judge(answer, rules, [of(40000)]).verdict).toBe('unknown')
    expect(judge(answer, rules, [of(1000)]).verdict).toBe('drop')
    expect(judge({ ...answer, destinationPort: 40000 }, rules, [of(40000)]).verdict).toBe('accept')
    expect(judge({ ...answer, destination: '172.17.0.9' }, rules, [of(40000)]).verdict).toBe('drop')
  })

  it('is certain only where no other answer to what is not known leaves it out', () => {
    const { question, answer } = datagrams()
    const byMark: Statement = match({ payload: { base: 'th', offset: 64, len: 8 } }, 1)
    const perhaps = [[byMark, UPDATE], [ACCEPT]]
    const { verdict, added } = judge(question, perhaps, [asked()])
    expect(verdict).toBe('accept')
    expect(judge(answer, rules, [asked()], added).verdict).toBe('unknown')
  })

  it('is let through by a limit, and not by one that has to be exceeded', () => {
    const { question } = datagrams()
    const limited = (inv: boolean): Statement => ({
      set: {
        op: 'update',
        elem: field({ protocol: 'ip', field: 'saddr' }),
        set: '@askers',
        stmt: [{ limit: { rate: 1000, burst: 4000, per: 'second', ...(inv && { inv }) } }],
      },
    })
    const askers: ListedObject = { set: { family, table, name: 'askers', type: 'ipv4_addr' } }
    expect(judge(question, [[limited(false), ACCEPT]], [askers]).verdict).toBe('accept')
    expect(judge(question, [[limited(true), ACCEPT]], [askers]).verdict).toBe('drop')
  })
})
