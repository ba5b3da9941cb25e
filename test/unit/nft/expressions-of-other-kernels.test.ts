import { describe, expect, test } from 'vitest'
import { compileExpressions } from '../../../src/nft/compile/index.js'
import { decompileExpressions, SetCatalog } from '../../../src/nft/decompile/index.js'
import type { Expression, Family, Statement } from '../../../src/nft/model/index.js'
import { batchOf, Collector } from './debug-notation.js'

/**
 * What the kernel here is built without, or refuses in the hooks at hand: the numbers are those of
 * linux/netfilter/nf_tables.h, by hand.
 */
const cases: readonly (readonly [
  title: string,
  family: Family,
  left: Expression,
  right: Expression,
  load: object,
  bytes: readonly number[],
])[] = [
  [
    'tunnel path',
    'netdev',
    { tunnel: { key: 'path' } },
    true,
    { name: 'tunnel', data: { dreg: 1, key: 0 } },
    [1],
  ],
  [
    'tunnel id',
    'netdev',
    { tunnel: { key: 'id' } },
    7,
    { name: 'tunnel', data: { dreg: 1, key: 1 } },
    [7, 0, 0, 0],
  ],
  [
    'socket cgroupv2',
    'inet',
    { socket: { key: 'cgroupv2', level: 2 } },
    4711,
    { name: 'socket', data: { dreg: 1, key: 3, level: 2 } },
    [0x67, 0x12, 0, 0, 0, 0, 0, 0],
  ],
  ['rt mtu', 'ip', { rt: { key: 'mtu' } }, 1400, { name: 'rt', data: { dreg: 1, key: 3 } }, [0x78, 5]],
  [
    'ipsec out reqid',
    'inet',
    { ipsec: { key: 'reqid', dir: 'out', spnum: 1 } },
    5,
    { name: 'xfrm', data: { dreg: 1, key: 5, dir: 1, spnum: 1 } },
    [5, 0, 0, 0],
  ],
  [
    'ipsec out ip6 saddr',
    'inet',
    { ipsec: { key: 'saddr', dir: 'out', family: 'ip6', spnum: 0 } },
    '::1',
    { name: 'xfrm', data: { dreg: 1, key: 4, dir: 1, spnum: 0 } },
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ],
  [
    'meta ibrpvid',
    'bridge',
    { meta: { key: 'ibrpvid' } },
    5,
    { name: 'meta', data: { dreg: 1, key: 28 } },
    [5, 0],
  ],
  [
    'meta ibrvproto',
    'bridge',
    { meta: { key: 'ibrvproto' } },
    '8021q',
    { name: 'meta', data: { dreg: 1, key: 29 } },
    [0x81, 0],
  ],
  [
    'fields of routing headers that only our model names',
    'ip6',
    { exthdr: { name: 'srh', field: 'sid[2]' } },
    '::2',
    { name: 'exthdr', data: { dreg: 1, type: 43, offset: 24, len: 16, op: 0 } },
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ],
]

describe('expressions that the kernel here does not have', () => {
  test.each(cases)('%s compiles and is read', (_, family, left, right, load, bytes) => {
    const expr: Statement[] = [{ match: { op: '==', left, right } }]
    const batch = batchOf(new Collector())
    const expressions = compileExpressions(batch, { family, table: 't', chain: 'c', expr })
    const compare = { name: 'cmp', data: { sreg: 1, op: 0, data: { value: Uint8Array.from(bytes) } } }
    expect(expressions).toEqual([load, compare])
    expect(decompileExpressions(expressions, family, new SetCatalog([]))).toEqual(expr)
  })
})

describe('values that expressions do not have are refused', () => {
  const wrong: readonly (readonly [string, unknown, unknown])[] = [
    ['an unknown extension header', { exthdr: { name: 'nope' } }, true],
    ['an unknown field', { 'tcp option': { name: 'maxseg', field: 'nope' } }, 5],
    ['a TCP option of no kind', { 'tcp option': { base: 256, offset: 0, len: 8 } }, 5],
    ['a TCP option of no bits', { 'tcp option': { base: 5, offset: 0, len: 0 } }, 5],
    ['an IPv4 option that is a prototype', { 'ip option': { name: 'constructor' } }, true],
    ['an SCTP chunk without a name', { 'sctp chunk': {} }, true],
    ['a route without a key', { rt: {} }, 5],
    ['a next hop of no family', { rt: { key: 'nexthop' } }, '::1'],
    ['a cgroup without a level', { socket: { key: 'cgroupv2' } }, 5],
    ['a level of another key', { socket: { key: 'mark', level: 1 } }, 5],
    ['a TTL that is not compared so', { osf: { key: 'name', ttl: 'maybe' } }, 'Linux'],
    ['a name that is too long', { osf: { key: 'name' } }, 'a name of more than fifteen bytes'],
    ['numbers below nothing', { numgen: { mode: 'inc', mod: 0 } }, 0],
    ['an offset that runs over', { numgen: { mode: 'inc', mod: 2, offset: 0xffffffff } }, 0],
    ['a mode of none', { numgen: { mode: 'dec', mod: 2 } }, 0],
    ['a hash of nothing', { jhash: { mod: 2 } }, 0],
    ['a hash of a constant', { jhash: { mod: 2, expr: 5 } }, 0],
    ['IPsec without a direction', { ipsec: { key: 'spi' } }, 0],
    ['IPsec addresses without a family', { ipsec: { key: 'saddr', dir: 'in' } }, '::1'],
    ['a policy beyond the kernel', { ipsec: { key: 'spi', dir: 'in', spnum: 256 } }, 0],
    ['a tunnel without a key', { tunnel: { key: 'name' } }, 0],
    ['a day of no week', { meta: { key: 'day' } }, 'Someday'],
    ['an hour of no day', { meta: { key: 'hour' } }, '25:00'],
    ['a date of no year', { meta: { key: 'time' } }, '2026-13-01 00:00:00'],
  ]
  test.each(wrong)('%s', (_, left, right) => {
    const expr = [{ match: { op: '==', left, right } }] as Statement[]
    const rule = { family: 'inet', table: 't', chain: 'c', expr } as const
    expect(() => compileExpressions(batchOf(new Collector()), rule)).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/^(InvalidValue|TypeError)$/) }),
    )
  })
})
