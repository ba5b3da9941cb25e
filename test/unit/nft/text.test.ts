import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { match, type Operation, type Statement, table, toText, verdict } from '../../../src/nft/index.js'
import { readCases } from './cases.js'

const filter = table('inet', 'f')
const opaque: Statement = {
  opaque: { expressions: [{ name: 'unheard', data: { opaque: { hex: '01ab' } } }] },
}

describe('toText', () => {
  test.each<readonly [Parameters<typeof toText>[0], string]>([
    [80, '80'],
    ['10.0.0.1', '10.0.0.1'],
    [{ prefix: { addr: '10.0.0.0', len: 8 } }, '10.0.0.0/8'],
    [{ set: [80, { range: [90, 99] }] }, '{ 80, 90-99 }'],
    [{ elem: { val: 80, timeout: 90.5, comment: 'web' } }, '80 timeout 1m30s500ms comment "web"'],
    [['established', 'related'], 'established,related'],
    [{ '<<': [{ '|': [{ meta: { key: 'mark' } }, 1] }, 3] }, '(meta mark | 0x00000001) << 3'],
    [{ '|': ['syn', 'ack', 'fin'] }, 'syn | ack | fin'],
    [{ payload: { base: 'nh', offset: 8, len: 16 } }, '@nh,8,16'],
    [verdict.jump('other'), 'jump other'],
    [match.tcp.dport.in(80, 443), 'tcp dport { 80, 443 }'],
    [match.meta.mark.eq(16), 'meta mark 0x00000010'],
    [match.tcp.flags.eq('syn', 'ack'), 'tcp flags == syn | ack'],
    [[match.tcp.dport.eq(80), verdict.accept()], 'tcp dport 80 accept'],
    [{ counter: null }, 'counter'],
    [{ tunnel: 'v' }, 'tunnel name "v"'],
    [{ tunnel: { key: 'id' } }, 'tunnel id'],
    [
      {
        tunnel: {
          family: 'netdev',
          table: 't',
          name: 'v',
          id: 1,
          'dst-ipv4': '192.0.2.1',
          type: 'geneve',
          tunnel: [{ class: 16, 'opt-type': 1, data: '0x12345678' }],
        },
      },
      'table netdev t {\n\ttunnel v {\n\t\tid 1\n\t\tip daddr 192.0.2.1\n\t\tgeneve {\n\t\t\tclass 0x10 opt-type 0x1 data "0x12345678"\n\t\t}\n\t}\n}',
    ],
    [
      {
        add: table('netdev', 't').tunnel('v', {
          id: 1,
          'dst-ipv6': '2001:db8::1',
          type: 'erspan',
          tunnel: { version: 2, direction: 'egress', hwid: 3 },
        }),
      },
      'add tunnel netdev t v { id 1; ip6 daddr 2001:db8::1; erspan { version 2; direction egress; hwid 3; }; }',
    ],
    [
      { add: table('netdev', 't').tunnel('v', { id: 1, 'dst-ipv4': '192.0.2.1', flags: 'dont-fragment' }) },
      '# add tunnel netdev t v { id 1; ip daddr 192.0.2.1; # flags dont-fragment; }',
    ],
    [{ limit: { rate: 5, burst: 5 } }, 'limit rate 5/second'],
    [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }, 'reject'],
    [filter.table(), 'table inet f {\n}'],
    [
      filter.counter('c', { packets: 1, bytes: 2 }),
      'table inet f {\n\tcounter c {\n\t\tpackets 1 bytes 2\n\t}\n}',
    ],
    [filter.rule('c', verdict.accept()), 'table inet f {\n\tchain c {\n\t\taccept\n\t}\n}'],
    [[], ''],
  ])('%j', (value, text) => {
    expect(toText(value)).toBe(text)
  })

  test.each<readonly [Operation, string]>([
    [{ add: filter.table({ comment: 'c' }) }, 'add table inet f { comment "c"; }'],
    [{ create: filter.chain('c') }, 'create chain inet f c'],
    [
      { add: filter.chain('c', { type: 'filter', hook: 'input', prio: -150, policy: 'drop' }) },
      'add chain inet f c { type filter hook input priority mangle; policy drop; }',
    ],
    [
      { add: filter.set('s', { type: 'mark', flags: ['interval'], elem: [1, 2, 3, 4, 5, 6] }) },
      'add set inet f s { type mark; flags interval; elements = { 0x00000001, 0x00000002, 0x00000003, 0x00000004, 0x00000005, 0x00000006 }; }',
    ],
    [{ insert: filter.rule('c', verdict.accept()) }, 'insert rule inet f c accept'],
    [
      { replace: filter.rule({ chain: 'c', handle: 5, comment: 'x' }, verdict.drop()) },
      'replace rule inet f c handle 5 drop comment "x"',
    ],
    [{ delete: filter.rule({ chain: 'c', handle: 5 }, verdict.drop()) }, 'delete rule inet f c handle 5'],
    [{ delete: filter.elements('s', [80]) }, 'delete element inet f s { 80 }'],
    [{ flush: { ruleset: null } }, 'flush ruleset'],
    [{ flush: { ruleset: { family: 'ip' } } }, 'flush ruleset ip'],
    [{ flush: filter.chain('c') }, 'flush chain inet f c'],
    [
      { rename: { chain: { family: 'inet', table: 'f', name: 'c', newname: 'd' } } },
      'rename chain inet f c d',
    ],
    [
      { add: filter.rule('c', verdict.continue(), opaque) },
      '# add rule inet f c # continue # opaque: unheard {"opaque":{"hex":"01ab"}}',
    ],
  ])('%j', (operation, text) => {
    expect(toText(operation)).toBe(text)
  })

  test('handles are shown where they are asked for', () => {
    const listed = [
      { table: { family: 'inet', name: 'f', handle: 1 } },
      { chain: { family: 'inet', table: 'f', name: 'c', handle: 2 } },
      { rule: { family: 'inet', table: 'f', chain: 'c', handle: 3, expr: [{ accept: null }] } },
    ] as const
    expect(toText(listed, { handles: true })).toBe(
      'table inet f { # handle 1\n\tchain c { # handle 2\n\t\taccept # handle 3\n\t}\n}',
    )
    expect(toText(listed)).not.toContain('handle')
  })

  test('what is opaque is a comment as a whole', () => {
    expect(toText(opaque)).toBe('# opaque: unheard {"opaque":{"hex":"01ab"}}')
    const text = toText(filter.rule('c', match.tcp.dport.eq(80), opaque))
    expect(text).toContain('\t\t# tcp dport 80 # opaque: unheard {"opaque":{"hex":"01ab"}}\n')
  })

  test('text from outside cannot become syntax', () => {
    const text = toText(filter.rule({ chain: 'c', comment: 'x" accept\n\t\taccept "' }, verdict.drop()))
    expect(text.split('\n')[2]).toBe(`\t\tdrop comment "x' accept accept '"`)
  })

  test('the cases have a text without comments', () => {
    for (const { family, expr } of readCases())
      expect(toText(expr, { family })).not.toMatch(/# |undefined|\[object/)
  })

  test('any value has a text, of one line where it is no ruleset', () => {
    const keys = [
      'match',
      'counter',
      'payload',
      'set',
      'map',
      'elem',
      'rule',
      'add',
      'expr',
      'op',
      'left',
      'nftables',
    ]
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue(),
        fc.constantFrom<unknown>(undefined, Number.NaN, 5n, new Uint8Array(2), Symbol('s'), () => 1),
        fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 3 }),
        fc.array(tie('any'), { maxLength: 3 }),
      ),
    })).any
    fc.assert(
      fc.property(value, (given) => {
        expect(typeof toText(given as Statement)).toBe('string')
      }),
      { numRuns: 2000 },
    )
    const circular: unknown[] = []
    circular.push(circular)
    expect(toText(circular as Statement[])).toMatch(/^# not nft's syntax/)
  })
})
