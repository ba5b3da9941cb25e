import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failed } from '../../../src/native/failure.js'
import { addon } from '../../../src/native/load.js'
import { atOnce } from '../../../src/native/slices.js'
import { type ReplyMessage, unpack } from '../../../src/native/unpack.js'
import { assemble, type KernelRuleset } from '../../../src/nft/list-assemble.js'
import type { Statement } from '../../../src/nft/model/index.js'

/** The messages of a recorded dump (test/fixtures/record.py). */
function recorded(name: string): ReplyMessage[] {
  const text = readFileSync(new URL(`../../fixtures/netfilter-${name}.hex`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const decoded = addon.decode('netfilter', Buffer.from(line, 'hex'))
      if (failed(decoded)) throw new Error(JSON.stringify(decoded))
      return [...unpack(decoded)]
    })
}

function of<N extends ReplyMessage['name']>(
  messages: readonly ReplyMessage[],
  name: N,
): Extract<ReplyMessage, { name: N }>[] {
  return messages.filter((message): message is Extract<ReplyMessage, { name: N }> => message.name === name)
}

const elements = ['icc', 'links', 'marks', 'nets', 'publish', 'ranges', 'seen', 'tohits'].flatMap((set) =>
  of(recorded(`elements-${set}`), 'nftNewElement').map(({ record }) => record),
)
const kernel: KernelRuleset = {
  tables: of(recorded('tables'), 'nftNewTable').map(({ record }) => record),
  chains: of(recorded('chains'), 'nftNewChain').map(({ record }) => record),
  sets: of(recorded('sets'), 'nftNewSet').map(({ record }) => record),
  listsSets: true,
  elements: [
    ...elements,
    // Of the anonymous sets no elements were recorded: `{ established : accept, related : accept, invalid : drop }`.
    {
      family: 1,
      table: 'shop',
      set: '__map0',
      elements: [
        { key: { value: Uint8Array.of(1, 0, 0, 0) }, data: { verdict: { code: 0 } } },
        { key: { value: Uint8Array.of(2, 0, 0, 0) }, data: { verdict: { code: 1 } } },
        { key: { value: Uint8Array.of(4, 0, 0, 0) }, data: { verdict: { code: 1 } } },
      ],
    },
    {
      family: 1,
      table: 'shop',
      set: '__set0',
      elements: [{ key: { value: Uint8Array.of(0, 80) } }, { key: { value: Uint8Array.of(0, 22) } }],
    },
  ],
  objects: of(recorded('objects'), 'nftNewObject').map(({ record }) => record),
  flowtables: of(recorded('flowtables'), 'nftNewFlowtable').map(({ record }) => record),
  rules: of(recorded('rules'), 'nftNewRule').map(({ record }) => record),
}
const ruleset = atOnce(assemble(kernel, {}))

const field = (protocol: string, name: string): object => ({ payload: { protocol, field: name } })
const meta = (key: string): object => ({ meta: { key } })
const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } })

/** The rule with a handle, in the table `shop` or another. */
function rule(
  handle: number,
  table = 'shop',
): { readonly expr: readonly Statement[]; readonly comment?: string } {
  for (const object of ruleset)
    if ('rule' in object && object.rule.handle === handle && object.rule.table === table) return object.rule
  throw new Error(`no rule ${handle}`)
}

const modelled: readonly {
  readonly title: string
  readonly handle: number
  readonly expr: readonly object[]
  readonly comment?: string
}[] = [
  {
    title: 'ip saddr . ip daddr . meta l4proto . th dport @links accept',
    handle: 22,
    expr: [
      match(
        { concat: [field('ip', 'saddr'), field('ip', 'daddr'), meta('l4proto'), field('th', 'dport')] },
        '@links',
      ),
      { accept: null },
    ],
  },
  { title: 'drop', handle: 23, expr: [{ drop: null }] },
  {
    title: 'ct state vmap { established : accept, related : accept, invalid : drop }',
    handle: 25,
    expr: [
      {
        vmap: {
          key: { ct: { key: 'state' } },
          data: {
            set: [
              ['invalid', { drop: null }],
              ['established', { accept: null }],
              ['related', { accept: null }],
            ],
          },
        },
      },
    ],
  },
  {
    title: 'iifname . oifname vmap @icc',
    handle: 26,
    expr: [{ vmap: { key: { concat: [meta('iifname'), meta('oifname')] }, data: '@icc' } }],
  },
  {
    title: 'ip saddr @nets counter packets 5 bytes 300 accept comment "known"',
    handle: 27,
    comment: 'known',
    expr: [match(field('ip', 'saddr'), '@nets'), { counter: { packets: 5, bytes: 300 } }, { accept: null }],
  },
  {
    title: 'ip saddr . tcp dport @ranges accept',
    handle: 28,
    expr: [match({ concat: [field('ip', 'saddr'), field('tcp', 'dport')] }, '@ranges'), { accept: null }],
  },
  {
    title: 'tcp dport { 22, 80 } limit rate 5/minute burst 7 packets log prefix "new: " level info flags all',
    handle: 30,
    expr: [
      match(field('tcp', 'dport'), { set: [22, 80] }),
      { limit: { rate: 5, burst: 7, per: 'minute' } },
      { log: { prefix: 'new: ', level: 'info', flags: 'all' } },
    ],
  },
  { title: 'counter name hits', handle: 35, expr: [{ counter: 'hits' }] },
  {
    title: 'ct original ip saddr 10.0.0.1 accept',
    handle: 39,
    expr: [match({ ct: { key: 'ip saddr', dir: 'original' } }, '10.0.0.1'), { accept: null }],
  },
  {
    title: 'fib daddr type local reject with icmpx type admin-prohibited',
    handle: 40,
    expr: [
      match({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
      { reject: { type: 'icmpx', expr: 'admin-prohibited' } },
    ],
  },
  {
    title: 'log group 3 snaplen 128 queue-threshold 4',
    handle: 52,
    expr: [{ log: { group: 3, snaplen: 128, 'queue-threshold': 4 } }],
  },
  { title: 'jump same_bridge', handle: 53, expr: [{ jump: { target: 'same_bridge' } }] },
  { title: 'goto same_bridge', handle: 54, expr: [{ goto: { target: 'same_bridge' } }] },
  {
    title: 'ip saddr 10.0.0.7 notrack',
    handle: 55,
    expr: [match(field('ip', 'saddr'), '10.0.0.7'), { notrack: null }],
  },
  {
    title: 'dnat ip to ip daddr . meta l4proto . th dport map @publish',
    handle: 57,
    expr: [
      {
        dnat: {
          family: 'ip',
          addr: {
            map: {
              key: { concat: [field('ip', 'daddr'), meta('l4proto'), field('th', 'dport')] },
              data: '@publish',
            },
          },
        },
      },
    ],
  },
  {
    title: 'tcp dport 90 redirect to :91',
    handle: 58,
    expr: [match(field('tcp', 'dport'), 90), { redirect: { port: 91 } }],
  },
  {
    title: 'ip protocol tcp ip daddr 10.3.3.3 dnat ip to 10.4.4.4-10.4.4.9:100-200 random,persistent',
    handle: 59,
    expr: [
      match(field('ip', 'protocol'), 'tcp'),
      match(field('ip', 'daddr'), '10.3.3.3'),
      {
        dnat: {
          family: 'ip',
          addr: { range: ['10.4.4.4', '10.4.4.9'] },
          port: { range: [100, 200] },
          flags: ['random', 'persistent'],
        },
      },
    ],
  },
  {
    title: 'ip protocol tcp oifname "br*" masquerade to :1024-2048 fully-random',
    handle: 60,
    expr: [
      match(field('ip', 'protocol'), 'tcp'),
      match(meta('oifname'), 'br*'),
      { masquerade: { port: { range: [1024, 2048] }, flags: 'fully-random' } },
    ],
  },
]

describe('recorded rules', () => {
  it.each(modelled)('$title', ({ handle, expr, comment }) => {
    expect(rule(handle).expr).toEqual(expr)
    expect(rule(handle).comment).toBe(comment)
  })

  it('ether type ip iifname . ether saddr . ip saddr @senders accept (bridge)', () => {
    expect(rule(3, 'guard').expr).toEqual([
      match(field('ether', 'type'), 'ip'),
      match({ concat: [meta('iifname'), field('ether', 'saddr'), field('ip', 'saddr')] }, '@senders'),
      { accept: null },
    ])
  })

  it('write marks', () => {
    // ip saddr != 10.0.0.0/24 ip daddr 10.1.0.0-10.1.0.9 meta mark set 0x2a ct mark set meta mark
    expect(rule(31).expr).toEqual([
      match(field('ip', 'saddr'), { prefix: { addr: '10.0.0.0', len: 24 } }, '!='),
      match(field('ip', 'daddr'), { range: ['10.1.0.0', '10.1.0.9'] }),
      { mangle: { key: { meta: { key: 'mark' } }, value: 42 } },
      { mangle: { key: { ct: { key: 'mark' } }, value: { meta: { key: 'mark' } } } },
    ])
  })

  it('are understood, extensions of xtables included', () => {
    const whole = ruleset.flatMap((object) => ('rule' in object ? [object.rule] : []))
    expect(whole.length).toBe(kernel.rules.length)
    const opaque = whole.flatMap(({ expr }) =>
      expr.flatMap((statement) => ('opaque' in statement ? [statement.opaque.expressions] : [])),
    )
    expect(opaque).toEqual([])
    expect(whole.some(({ expr }) => expr.some((statement) => 'xt' in statement))).toBe(true)
  })
})

describe('recorded objects', () => {
  const named = (kind: string, name: string): object | undefined => {
    const pairs = ruleset.map((object) => Object.entries(object)[0])
    return pairs.find((pair) => pair?.[0] === kind && pair[1].name === name)?.[1]
  }

  it('are tables with comments, chains with hooks, counters', () => {
    expect(named('table', 'shop')).toMatchObject({ family: 'inet', comment: 'a table' })
    expect(named('chain', 'forward')).toMatchObject({
      type: 'filter',
      hook: 'forward',
      prio: 0,
      policy: 'drop',
      comment: 'hooked',
    })
    expect(named('chain', 'same_bridge')).not.toHaveProperty('hook')
    expect(named('counter', 'hits')).toMatchObject({ table: 'shop', packets: 1, bytes: 2 })
  })

  it('are sets and maps with their elements', () => {
    expect(named('set', 'links')).toMatchObject({
      type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
      size: 1024,
      elem: [{ elem: { val: { concat: ['172.17.0.3', '172.17.0.2', 'tcp', 80] }, comment: 'app web' } }],
    })
    expect(named('set', 'nets')).toMatchObject({
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: ['192.168.1.1', '192.168.1.9'] }],
    })
    expect(named('set', 'ranges')).toMatchObject({
      elem: [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [80, 90] }] }],
    })
    expect(named('set', 'seen')).toMatchObject({ flags: ['timeout', 'dynamic'], timeout: 3600, size: 128 })
    expect(named('map', 'publish')).toMatchObject({
      map: ['ipv4_addr', 'inet_service'],
      elem: [[{ concat: ['10.0.0.1', 'tcp', 8080] }, { concat: ['172.17.0.2', 80] }]],
    })
    expect(named('map', 'icc')).toMatchObject({
      map: 'verdict',
      elem: [[{ concat: ['br0', 'br0'] }, { jump: { target: 'same_bridge' } }]],
    })
    expect(named('map', 'marks')).toMatchObject({
      map: { typeof: { meta: { key: 'mark' } } },
      elem: [['10.0.0.1', 7]],
    })
  })

  it('are quotas, limits, helpers and the like', () => {
    const of = (kind: string): object[] =>
      ruleset.flatMap((object) =>
        Object.entries(object).flatMap(([name, value]) => (name === kind ? [value] : [])),
      )
    for (const kind of ['quota', 'limit', 'ct helper', 'ct timeout', 'ct expectation', 'synproxy'])
      expect(of(kind), kind).toMatchObject([{ family: 'inet', table: 'shop' }])
    expect(ruleset.filter((object) => 'opaque' in object)).toEqual([])
  })

  it('do not show the sets without names', () => {
    expect(named('set', '__set0')).toBeUndefined()
    expect(named('map', '__map0')).toBeUndefined()
  })
})
