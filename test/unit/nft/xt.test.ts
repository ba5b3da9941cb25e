import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHexadecimal, hexadecimal } from '../../../src/nft/datatype/index.js'
import { ruleset, toText } from '../../../src/nft/index.js'
import type { XtStatement } from '../../../src/nft/model/index.js'
import { isDecoded, readXt, writeXt, xtMeaning } from '../../../src/nft/xt/index.js'

type Type = 'match' | 'target'
const zeros = (count: number): string => '00'.repeat(count)

/** What iptables 1.8.9 and ip6tables write on a machine with little endian numbers: the bytes, the options, the text. */
const cases: readonly [Type, string, number, 'ip' | 'ip6', string, string][] = [
  ['match', 'mark', 1, 'ip', `01000000ff0000000100000000000000`, '! --mark 0x1/0xff'],
  ['match', 'addrtype', 1, 'ip', '0400000005000000', '! --src-type LOCAL --limit-iface-in'],
  ['match', 'limit', 0, 'ip', `400d03000a000000${zeros(32)}`, '--limit 3/minute --limit-burst 10'],
  ['match', 'udp', 0, 'ip', `430044000000ffff00000000${zeros(4)}`, '--sport 67:68'],
  ['match', 'tcp', 0, 'ip', `0000ffff5000500000060206${zeros(4)}`, '! --dport 80 ! --tcp-flags SYN,RST SYN'],
  ['match', 'icmp', 0, 'ip', '0304040000000000', '--icmp-type 3/4'],
  ['match', 'icmp6', 0, 'ip6', '8000ff0000000000', '--icmpv6-type 128'],
  ['match', 'mac', 0, 'ip', `0242ac110002000000000000${zeros(4)}`, '--mac-source 02:42:ac:11:00:02'],
  ['target', 'REJECT', 0, 'ip', '0300000000000000', '--reject-with icmp-port-unreachable'],
  ['target', 'REJECT', 0, 'ip6', '0600000000000000', '--reject-with tcp-reset'],
  ['target', 'MARK', 2, 'ip', '10000000f0000000', '--set-xmark 0x10/0xf0'],
  [
    'target',
    'DNAT',
    2,
    'ip',
    `03000000ac110002${zeros(12)}ac110002${zeros(12)}00500050${zeros(8)}`,
    '--to-destination 172.17.0.2:80',
  ],
  [
    'target',
    'DNAT',
    2,
    'ip6',
    `03000000fd00${zeros(13)}02fd00${zeros(13)}0200500051${zeros(8)}`,
    '--to-destination [fd00::2]:80-81',
  ],
  ['target', 'MASQUERADE', 0, 'ip', `0100000000000000${zeros(16)}`, ''],
  ['target', 'MASQUERADE', 0, 'ip6', `10000000${zeros(36)}`, '--random-fully'],
  ['target', 'TCPMSS', 0, 'ip', 'ffff000000000000', '--clamp-mss-to-pmtu'],
]

describe('what iptables writes is read, written back, and named as iptables names it', () => {
  test.each(cases)('%s %s, revision %i, %s: %s', (type, name, rev, family, info, text) => {
    const statement = readXt(type, { name, rev, info: fromHexadecimal(info) }, family)
    expect(isDecoded(statement.xt), JSON.stringify(statement)).toBe(true)
    expect(hexadecimal(writeXt(statement, family).info)).toBe(info)
    expect(toText(statement, { family })).toBe(`xt ${type} "${name}"${text === '' ? '' : ` ${text}`}`)
    expect(JSON.parse(JSON.stringify(statement))).toEqual(statement)
  })
})

describe('whatever an extension is told comes back as it was', () => {
  const names = [
    ...new Set(
      cases.map(([type, name, rev, family, info]) => [type, name, rev, family, info.length / 2] as const),
    ),
  ]
  const sizes = [
    ...names,
    ['match', 'conntrack', 3, 'ip', 168],
    ['match', 'multiport', 1, 'ip', 48],
    ['target', 'CT', 2, 'ip', 72],
  ] as const
  test.each(sizes)('%s %s', (type, name, rev, family, size) => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: size, maxLength: size }),
      // Mostly zeros, as structures are: more of them are understood.
      fc
        .array(fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(255) }), {
          minLength: size,
          maxLength: size,
        })
        .map((each) => Uint8Array.from(each)),
    )
    fc.assert(
      fc.property(bytes, (info) => {
        const statement = readXt(type, { name, rev, info }, family)
        expect(writeXt(statement, family)).toEqual({ name, rev, info })
        // No text and no meaning of it fails.
        toText(statement, { family })
        xtMeaning(statement, family)
      }),
    )
  })
})

describe('what is not understood', () => {
  test.each<[string, Type, string, number, string, 'ip' | 'inet']>([
    ['another revision', 'match', 'mark', 0, '0100000000000000', 'ip'],
    ['another size', 'match', 'mark', 1, '0100', 'ip'],
    ['bytes that the options do not say', 'match', 'mark', 1, `01000000ff00000001000000000000ff`, 'ip'],
    ['an extension that nobody here knows', 'match', 'recent', 1, '00', 'ip'],
    ['a family that iptables does not have', 'match', 'mark', 1, '01000000ff0000000100000000000000', 'inet'],
  ])('%s is kept as it is', (_, type, name, rev, info, family) => {
    const statement = readXt(type, { name, rev, info: fromHexadecimal(info) }, family)
    expect(statement).toEqual({ xt: { type, name, rev, info } })
    expect(writeXt(statement, family)).toEqual({ name, rev, info: fromHexadecimal(info) })
    expect(xtMeaning(statement, family)).toBeUndefined()
  })

  test.each<[string, XtStatement, 'ip' | 'inet', RegExp]>([
    ['without a word of what it is told', { xt: { type: 'match', name: 'mark' } }, 'ip', /rev, info/],
    ['bytes that are none', { xt: { type: 'match', name: 'mark', rev: 1, info: 'x' } }, 'ip', /hexadecimal/],
    [
      'a revision that is not known',
      { xt: { type: 'target', name: 'MARK', rev: 7, options: { 'set-xmark': [1, 1] } } },
      'ip',
      /no revision 7/,
    ],
    [
      'another family',
      { xt: { type: 'target', name: 'MARK', rev: 2, options: { 'set-xmark': [1, 1] } } },
      'inet',
      /family inet/,
    ],
    [
      'a code of the other family',
      { xt: { type: 'target', name: 'REJECT', rev: 0, options: { 'reject-with': 'icmp6-no-route' } } },
      'ip',
      /none of/,
    ],
  ])('%s is refused', (_, statement, family, message) => {
    expect(() => writeXt(statement, family)).toThrow(message)
  })
})

test('nft prints an extension by its name alone, which is read and not added', () => {
  const json = {
    nftables: [
      {
        rule: { family: 'ip', table: 't', chain: 'c', expr: [{ xt: { type: 'match', name: 'conntrack' } }] },
      },
    ],
  }
  const [operation] = ruleset.fromJson(json).operations
  expect(operation).toMatchObject({ add: { rule: { expr: [{ xt: { name: 'conntrack' } }] } } })
})

test('a rule with an extension is a comment in a text that nft reads', () => {
  const rule = {
    family: 'ip',
    table: 't',
    chain: 'c',
    expr: [
      { counter: null },
      { xt: { type: 'target', name: 'MARK', rev: 2, options: { 'set-xmark': [1, 255] } } },
    ],
  } as const
  expect(toText([{ rule }])).toContain('# counter xt target "MARK" --set-xmark 0x1/0xff')
})

test('JSON has it only where nft need not read it', () => {
  const xt = { type: 'target', name: 'MARK', rev: 2, options: { 'set-xmark': [1, 255] } } as const
  const rule = { family: 'ip', table: 't', chain: 'c', expr: [{ xt }] } as const
  expect(() => ruleset.toJson([{ rule }])).toThrow(/nftables\[0\]\.rule\.expr\[0\]\.xt/)
  expect(ruleset.toJson([{ rule }], { opaque: 'omit' }).nftables).toHaveLength(1)
  const json: unknown = JSON.parse(JSON.stringify(ruleset.toJson([{ rule }], { keep: true })))
  expect(ruleset.fromJson(json).operations).toEqual([{ add: { rule } }])
})
