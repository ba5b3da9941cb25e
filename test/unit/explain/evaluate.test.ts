import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/explain/packet.js'
import { tracked } from '../../../src/explain/packet.js'
import type {
  ConcatExpression,
  Expression,
  ListedObject,
  MatchOperator,
  NamedSet,
  PayloadReference,
  RawPayloadReference,
  Statement,
} from '../../../src/nft/index.js'
import { evaluator, links, oneChain, packet } from './fixtures.js'

const ACCEPT: Statement = { accept: null }
const match = (left: Expression, right: Expression, op: MatchOperator = '=='): Statement => ({
  match: { op, left, right },
})
const IP_SADDR: Expression = { payload: { protocol: 'ip', field: 'saddr' } }
const IP_DADDR: Expression = { payload: { protocol: 'ip', field: 'daddr' } }
const TCP_DPORT: Expression = { payload: { protocol: 'tcp', field: 'dport' } }
const TH_DPORT: Expression = { payload: { protocol: 'th', field: 'dport' } }
const L4PROTO: Expression = { meta: { key: 'l4proto' } }
const CT_STATE: Expression = { ct: { key: 'state' } }

function verdictOf(
  statements: readonly Statement[],
  of: Packet = packet(),
  sets: readonly ListedObject[] = [],
) {
  return oneChain([[...statements, ACCEPT]], { sets }).hook({ layer: 'ip', hook: 'forward' }, of).verdict
}

const set = (of: Pick<NamedSet, 'type' | 'elem'> & Partial<NamedSet>): ListedObject => ({
  set: { family: 'inet', table: 't', name: 's', ...of },
})

describe('comparisons', () => {
  const forwarded = tracked(packet({ outputDevice: links.uplink }))
  it.each<[string, Statement, 'accept' | 'drop']>([
    ['an address', match(IP_SADDR, '172.17.0.2'), 'accept'],
    ['another address', match(IP_SADDR, '172.17.0.3'), 'drop'],
    ['a negation', match(IP_SADDR, '172.17.0.3', '!='), 'accept'],
    ['a prefix', match(IP_SADDR, { prefix: { addr: '172.17.0.0', len: 16 } }), 'accept'],
    ['outside of a prefix', match(IP_SADDR, { prefix: { addr: '172.18.0.0', len: 16 } }), 'drop'],
    ['a range', match(TCP_DPORT, { range: [79, 81] }), 'accept'],
    ['outside of a range', match(TCP_DPORT, { range: [81, 90] }), 'drop'],
    ['a range, negated', match(TCP_DPORT, { range: [81, 90] }, '!='), 'accept'],
    ['less', match(TCP_DPORT, 81, '<'), 'accept'],
    ['not less', match(TCP_DPORT, 80, '<'), 'drop'],
    ['another protocol', match({ payload: { protocol: 'udp', field: 'dport' } }, 80), 'drop'],
    [
      'another protocol, negated: the packet has no such field',
      match({ payload: { protocol: 'udp', field: 'dport' } }, 81, '!='),
      'drop',
    ],
    [
      'a field of the other family',
      match({ payload: { protocol: 'ip6', field: 'saddr' } }, '::1', '!='),
      'drop',
    ],
    ['a literal set', match(TCP_DPORT, { set: [22, { range: [80, 90] }] }), 'accept'],
    ['a literal set, negated', match(TCP_DPORT, { set: [22, 80] }, '!='), 'drop'],
    ['a name of a device', match({ meta: { key: 'iifname' } }, 'docker0'), 'accept'],
    ['a beginning of a name', match({ meta: { key: 'oifname' } }, 'up*'), 'accept'],
    ['another beginning', match({ meta: { key: 'oifname' } }, 'eth*'), 'drop'],
    ['a device by its index', match({ meta: { key: 'oif' } }, 'uplink'), 'accept'],
    ['a group of devices', match({ meta: { key: 'oifgroup' } }, 5), 'accept'],
    ['a protocol by name', match(L4PROTO, 'tcp'), 'accept'],
    ['the family', match({ meta: { key: 'nfproto' } }, 'ipv4'), 'accept'],
    ['the other family', match({ meta: { key: 'nfproto' } }, 'ipv6'), 'drop'],
    ['one of several states', match(CT_STATE, ['established', 'new'], 'in'), 'accept'],
    ['none of several states', match(CT_STATE, ['established', 'related'], 'in'), 'drop'],
    ['a single state', match(CT_STATE, 'new', 'in'), 'accept'],
    ['a state that it has not', match(CT_STATE, 'invalid', 'in'), 'drop'],
    ['no status bit', match({ ct: { key: 'status' } }, 'dnat', 'in'), 'drop'],
    ['the original destination', match({ ct: { key: 'ip daddr', dir: 'original' } }, '192.0.2.7'), 'accept'],
    ['the port of the answers', match({ ct: { key: 'proto-src', dir: 'reply' } }, 80), 'accept'],
    [
      'flags under a mask',
      match({ '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, ['syn', 'ack']] }, 'syn'),
      'accept',
    ],
    [
      'flags under a mask, others',
      match({ '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, ['syn', 'ack']] }, 'ack'),
      'drop',
    ],
    ['bits of an address', match({ '&': [IP_SADDR, '255.255.0.0'] }, '172.17.0.0'), 'accept'],
    ['the type of an address', match({ fib: { result: 'type', flags: ['saddr'] } }, 'unicast'), 'accept'],
    ['no route back', match({ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, false), 'accept'],
    ['a route to it', match({ fib: { result: 'oif', flags: 'daddr' } }, true), 'accept'],
    ['a limit, taken to pass', { limit: { rate: 1 } }, 'accept'],
    ['over a limit, taken not to be', { limit: { rate: 1, inv: true } }, 'drop'],
    ['a counter', { counter: null }, 'accept'],
    ['an extension header', match({ exthdr: { name: 'frag' } }, true), 'drop'],
  ])('%s', (_, statement, verdict) => {
    expect(verdictOf([statement], forwarded)).toBe(verdict)
  })
})

describe('sets', () => {
  it('of single values, of ranges, of prefixes, of beginnings, and with what stands for the rest', () => {
    const lookUp = [match(IP_SADDR, '@s')]
    const addresses = { type: 'ipv4_addr' } as const
    expect(verdictOf(lookUp, packet(), [set({ ...addresses, elem: ['172.17.0.2'] })])).toBe('accept')
    expect(verdictOf(lookUp, packet(), [set({ ...addresses, elem: ['172.17.0.3'] })])).toBe('drop')
    expect(verdictOf(lookUp, packet(), [set({ ...addresses })])).toBe('drop')
    expect(
      verdictOf(lookUp, packet(), [
        set({ ...addresses, elem: [{ elem: { val: '172.17.0.2', timeout: 5 } }] }),
      ]),
    ).toBe('accept')
    const ranged = { ...addresses, flags: ['interval'] as const }
    expect(
      verdictOf(lookUp, packet(), [set({ ...ranged, elem: [{ prefix: { addr: '172.16.0.0', len: 12 } }] })]),
    ).toBe('accept')
    expect(
      verdictOf(lookUp, packet(), [set({ ...ranged, elem: [{ range: ['172.17.0.3', '172.17.0.9'] }] })]),
    ).toBe('drop')
    expect(verdictOf(lookUp, packet(), [set({ ...ranged, elem: ['*'] })])).toBe('accept')
    const names = [match({ meta: { key: 'iifname' } }, '@s')]
    expect(verdictOf(names, packet(), [set({ type: 'ifname', elem: ['docker*'] })])).toBe('accept')
    expect(verdictOf(names, packet(), [set({ type: 'ifname', elem: ['podman*'] })])).toBe('drop')
  })

  it('that a rule fills from the packet itself, of its own run alone', () => {
    const [iif, oif] = [{ meta: { key: 'iifname' } }, { meta: { key: 'oifname' } }] as const
    const pairs = set({ type: ['ifname', 'ifname'], flags: ['dynamic'] })
    const rule = (op: 'update' | 'delete'): Statement[] => [
      { set: { op, elem: { concat: [iif, iif] }, set: '@s' } },
      match({ concat: [iif, oif] }, '@s'),
    ]
    const [same, other] = [links.docker0, links.uplink].map((outputDevice) => packet({ outputDevice }))
    expect(verdictOf(rule('update'), same, [pairs])).toBe('accept')
    expect(verdictOf(rule('update'), other, [pairs])).toBe('drop')
    expect(verdictOf(rule('delete'), same, [pairs])).toBe('drop')
    // What the rule makes its key of must be there.
    const absent: Statement = { set: { op: 'add', elem: { meta: { key: 'oifkind' } }, set: '@s' } }
    expect(verdictOf([absent], packet(), [pairs])).toBe('drop')
  })

  it('of concatenations, also with ranges inside', () => {
    const key = { concat: [IP_SADDR, IP_DADDR, L4PROTO, TH_DPORT] }
    const type = ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'] as const
    const rule = [match(key, '@s')]
    expect(
      verdictOf(rule, packet(), [set({ type, elem: [{ concat: ['172.17.0.2', '192.0.2.7', 'tcp', 80] }] })]),
    ).toBe('accept')
    expect(
      verdictOf(rule, packet(), [set({ type, elem: [{ concat: ['172.17.0.2', '192.0.2.7', 'udp', 80] }] })]),
    ).toBe('drop')
    const ranges: ConcatExpression = {
      concat: [{ prefix: { addr: '172.17.0.0', len: 16 } }, '192.0.2.7', 'tcp', { range: [80, 90] }],
    }
    expect(verdictOf(rule, packet(), [set({ type, elem: [ranges] })])).toBe('accept')
    expect(verdictOf(rule, packet({ destinationPort: 91 }), [set({ type, elem: [ranges] })])).toBe('drop')
    expect(
      verdictOf(rule, packet({ family: 'ip6', source: '::1', destination: '::1' }), [
        set({ type, elem: [ranges] }),
      ]),
    ).toBe('drop')
  })

  it.each<[string, PayloadReference | RawPayloadReference]>([
    ['by its name', { protocol: 'icmpv6', field: 'taddr' }],
    ['as bits, as earlier versions of nft write it', { base: 'th', offset: 64, len: 128 }],
  ])('of the target of neighbour discovery, %s', (_, payload) => {
    const rule = [match({ concat: [{ meta: { key: 'iifname' } }, { payload }] }, '@s')]
    const message = packet({
      family: 'ip6',
      source: 'fe80::2',
      destination: 'fe80::1',
      protocol: 58,
      icmpType: 136,
      discovery: { kind: 'advertisement', target: 'fd00::2' },
    })
    const type = ['ifname', 'ipv6_addr'] as const
    expect(verdictOf(rule, message, [set({ type, elem: [{ concat: ['docker0', 'fd00::2'] }] })])).toBe(
      'accept',
    )
    expect(verdictOf(rule, message, [set({ type, elem: [{ concat: ['docker0', 'fd00::3'] }] })])).toBe('drop')
  })

  it('name the element that decided', () => {
    const sets = [
      set({ type: 'ipv4_addr', flags: ['interval'], elem: [{ prefix: { addr: '172.17.0.0', len: 16 } }] }),
    ]
    const result = oneChain([[match(IP_SADDR, '@s'), ACCEPT]], { sets }).hook(
      { layer: 'ip', hook: 'forward' },
      packet(),
    )
    expect(result.decisive).toMatchObject({
      kind: 'rule',
      table: 't',
      chain: 'c',
      handle: 10,
      text: 'ip saddr @s accept',
      element: { set: '@s', text: '172.17.0.0/16' },
      effect: 'accept',
    })
  })
})

describe('what is not known', () => {
  const byUser = match({ meta: { key: 'skuid' } }, 1000)

  it('is named where the verdict hangs on it', () => {
    const { inputDevice: _, ...sent } = packet()
    const result = oneChain([[byUser, ACCEPT]]).hook({ layer: 'ip', hook: 'forward' }, sent)
    expect(result).toMatchObject({ verdict: 'unknown', undecided: ['meta skuid 1000'] })
  })

  it('does not matter where the verdict is the same', () => {
    const { inputDevice: _, ...sent } = packet()
    const evaluated = oneChain([[byUser, ACCEPT], [ACCEPT]])
    expect(evaluated.hook({ layer: 'ip', hook: 'forward' }, sent)).toMatchObject({
      verdict: 'accept',
      undecided: [],
    })
  })

  it('in a concatenation excludes all the same the elements that differ elsewhere', () => {
    const key = { concat: [IP_SADDR, L4PROTO, TH_DPORT] }
    const type = ['ipv4_addr', 'inet_proto', 'inet_service'] as const
    const ping = packet({ protocol: 1, icmpType: 8 })
    expect(
      verdictOf([match(key, '@s')], ping, [set({ type, elem: [{ concat: ['172.17.0.2', 'tcp', 80] }] })]),
    ).toBe('drop')
    expect(
      verdictOf([match(key, '@s')], ping, [set({ type, elem: [{ concat: ['172.17.0.2', 'icmp', 80] }] })]),
    ).toBe('unknown')
  })

  it('but for its bounds decides where the bounds do', () => {
    const SPORT: Expression = { payload: { protocol: 'tcp', field: 'sport' } }
    const from = packet({ sourcePort: { low: 32768, high: 60999 } })
    expect(verdictOf([match(SPORT, { range: [1024, 65535] })], from)).toBe('accept')
    expect(verdictOf([match(SPORT, 80)], from)).toBe('drop')
    expect(verdictOf([match(SPORT, 80, '!=')], from)).toBe('accept')
    expect(verdictOf([match(SPORT, 1024, '>=')], from)).toBe('accept')
    expect(verdictOf([match(SPORT, 40000, '<')], from)).toBe('unknown')
    expect(verdictOf([match(SPORT, 40000)], from)).toBe('unknown')
    const type = ['ipv4_addr', 'inet_service'] as const
    const rule = [match({ concat: [IP_SADDR, SPORT] }, '@s')]
    expect(verdictOf(rule, from, [set({ type, elem: [{ concat: ['172.17.0.2', 80] }] })])).toBe('drop')
  })

  it('in a mark, or in an address that a rule writes, is not taken for what was there before', () => {
    const mark = { meta: { key: 'mark' } } as const
    const random: Statement = { mangle: { key: mark, value: { numgen: { mode: 'random', mod: 2 } } } }
    expect(verdictOf([random, match(mark, 0)])).toBe('unknown')
    expect(verdictOf([random])).toBe('accept')
    const rewritten: Statement = {
      mangle: { key: { payload: { protocol: 'ip', field: 'daddr' } }, value: '10.0.0.1' },
    }
    expect(oneChain([[rewritten]]).hook({ layer: 'ip', hook: 'forward' }, packet()).verdict).not.toBe(
      'accept',
    )
    const lowered: Statement = { mangle: { key: { payload: { protocol: 'ip', field: 'ttl' } }, value: 9 } }
    expect(verdictOf([lowered])).toBe('accept')
  })

  it('of a kind that this library has no words for leaves the verdict open', () => {
    const opaque: Statement = { opaque: { expressions: [{ name: 'match' }] } }
    expect(verdictOf([opaque])).toBe('unknown')
  })
})

describe('chains', () => {
  const family = 'inet'
  const chain = (name: string, more: object = {}): ListedObject => ({
    chain: { family, table: 't', name, ...more },
  })
  const rule = (name: string, ...expr: Statement[]): ListedObject => ({
    rule: { family, table: 't', chain: name, expr },
  })
  const base = { type: 'filter', hook: 'forward', prio: 0, policy: 'accept' } as const
  const run = (...objects: ListedObject[]) =>
    evaluator(objects).hook({ layer: 'ip', hook: 'forward' }, packet())

  it('are jumped to and come back, gone to and do not', () => {
    const jump: Statement = { jump: { target: 'inner' } }
    const goto: Statement = { goto: { target: 'inner' } }
    const drop: Statement = { drop: null }
    expect(run(chain('inner'), chain('b', base), rule('b', jump), rule('b', drop)).verdict).toBe('drop')
    expect(run(chain('inner'), chain('b', base), rule('b', goto), rule('b', drop)).verdict).toBe('accept')
    expect(
      run(
        chain('inner'),
        chain('b', base),
        rule('inner', { return: null }),
        rule('inner', drop),
        rule('b', jump),
      ).verdict,
    ).toBe('accept')
    expect(run(chain('inner'), chain('b', base), rule('inner', drop), rule('b', jump)).verdict).toBe('drop')
  })

  it('are found by a map of verdicts', () => {
    const data = '@v' as const
    const key = { meta: { key: 'iifname' } } as const
    const map: ListedObject = {
      map: {
        family,
        table: 't',
        name: 'v',
        type: 'ifname',
        map: 'verdict',
        elem: [['docker0', { jump: { target: 'inner' } }]],
      },
    }
    const objects = [
      map,
      chain('inner'),
      chain('b', base),
      rule('inner', { drop: null }),
      rule('b', { vmap: { key, data } }),
    ]
    expect(run(...objects).steps).toMatchObject([
      { effect: 'jump inner', element: { set: '@v' } },
      { effect: 'drop' },
    ])
  })

  it('of other tables drop what one accepted, in the order of their priorities', () => {
    const late: ListedObject = {
      chain: { family: 'ip', table: 'foreign', name: 'x', ...base, prio: 10, policy: 'drop' },
    }
    const result = run(chain('b', base), rule('b', ACCEPT), late)
    expect(result.verdict).toBe('drop')
    expect(result.decisive).toEqual({
      kind: 'policy',
      family: 'ip',
      table: 'foreign',
      chain: 'x',
      effect: 'drop',
    })
    expect(
      run(
        chain('b', base),
        rule('b', ACCEPT),
        { table: { family: 'ip', name: 'foreign', flags: ['dormant'] } },
        late,
      ).verdict,
    ).toBe('accept')
  })

  it('of raw priority see no connection yet, later ones do', () => {
    const at = (prio: number) =>
      evaluator([
        chain('b', { ...base, hook: 'prerouting', prio, policy: 'drop' }),
        rule('b', match(CT_STATE, 'new', 'in'), ACCEPT),
      ])
    expect(at(-300).hook({ layer: 'ip', hook: 'prerouting' }, packet()).verdict).toBe('drop')
    expect(at(-150).hook({ layer: 'ip', hook: 'prerouting' }, packet()).verdict).toBe('accept')
  })
})

describe('translation', () => {
  const family = 'inet'
  const publish: ListedObject = {
    map: {
      family,
      table: 't',
      name: 'publish',
      type: ['ipv4_addr', 'inet_proto', 'inet_service'],
      map: ['ipv4_addr', 'inet_service'],
      elem: [[{ concat: ['192.0.2.1', 'tcp', 8080] }, { concat: ['172.17.0.2', 80] }]],
    },
  }
  const nat = (hook: 'prerouting' | 'postrouting', ...rules: Statement[][]): ListedObject[] => [
    publish,
    { chain: { family, table: 't', name: hook, type: 'nat', hook, prio: 0, policy: 'accept' } },
    ...rules.map((expr): ListedObject => ({ rule: { family, table: 't', chain: hook, expr } })),
  ]
  const toMap: Statement = {
    dnat: {
      family: 'ip',
      addr: { map: { key: { concat: [IP_DADDR, L4PROTO, TH_DPORT] }, data: '@publish' } },
    },
  }

  it('by a map of addresses and ports changes the packet and what its connection knows', () => {
    const sent = packet({
      inputDevice: links.uplink,
      source: '198.51.100.9',
      destination: '192.0.2.1',
      destinationPort: 8080,
    })
    const { packet: after, steps } = evaluator(nat('prerouting', [toMap])).hook(
      { layer: 'ip', hook: 'prerouting' },
      sent,
    )
    expect(after).toMatchObject({
      destination: '172.17.0.2',
      destinationPort: 80,
      connection: {
        status: 32,
        original: { destination: '192.0.2.1' },
        reply: { source: '172.17.0.2', sourcePort: 80 },
      },
    })
    expect(steps).toMatchObject([{ effect: 'to 172.17.0.2:80', element: { set: '@publish' } }])
  })

  it('leaves alone what the map has not, and goes on with the next rule', () => {
    const other: Statement = { dnat: { family: 'ip', addr: '10.0.0.1' } }
    const { packet: after } = evaluator(nat('prerouting', [toMap], [other])).hook(
      { layer: 'ip', hook: 'prerouting' },
      packet(),
    )
    expect(after).toMatchObject({ destination: '10.0.0.1', destinationPort: 80 })
  })

  it('takes place once, and only for the first packet', () => {
    const first: Statement = { dnat: { family: 'ip', addr: '10.0.0.1' } }
    const second: Statement = { dnat: { family: 'ip', addr: '10.0.0.2' } }
    const evaluated = evaluator(nat('prerouting', [first], [second]))
    expect(evaluated.hook({ layer: 'ip', hook: 'prerouting' }, packet()).packet.destination).toBe('10.0.0.1')
    const { connection, ...rest } = tracked(packet())
    if (!connection) throw new Error('a tracked packet has a connection')
    const established = { ...rest, connection: { ...connection, state: 'established' as const } }
    expect(evaluated.hook({ layer: 'ip', hook: 'prerouting' }, established).packet.destination).toBe(
      '192.0.2.7',
    )
  })

  it('masquerade takes the address of the device', () => {
    const sent = tracked(packet({ outputDevice: links.uplink }))
    const { packet: after } = evaluator(nat('postrouting', [{ masquerade: null }])).hook(
      { layer: 'ip', hook: 'postrouting' },
      sent,
    )
    expect(after).toMatchObject({
      source: '192.0.2.1',
      connection: { status: 16, reply: { destination: '192.0.2.1' } },
    })
  })

  it('a mark that a rule sets is seen by later ones', () => {
    const mark = { meta: { key: 'mark' } } as const
    const evaluated = oneChain([[{ mangle: { key: mark, value: 7 } }], [match(mark, 7), ACCEPT]])
    expect(evaluated.hook({ layer: 'ip', hook: 'forward' }, packet()).verdict).toBe('accept')
  })
})
