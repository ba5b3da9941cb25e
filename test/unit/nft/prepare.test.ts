import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IPv4Address, IPv6Address, MacAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { unwrap } from '../../../src/native/failure.js'
import { addon } from '../../../src/native/load.js'
import { Packer } from '../../../src/native/pack.js'
import { compileOperation, located, type Operation, SetScope, Trail } from '../../../src/nft/compile/index.js'
import {
  concat,
  type Expression,
  type MapObject,
  match,
  type Preparable,
  type Prepared,
  type PrepareOptions,
  prepare,
  prepareElements,
  type Rows,
  type SetObject,
  type SlotValue,
  type Statement,
  slot,
  toText,
  verdict,
} from '../../../src/nft/index.js'
import { PreparedRows } from '../../../src/nft/prepare/index.js'

const place = { family: 'inet', table: 't', chain: 'c' } as const

/** What is sent for operations, in hexadecimal. */
function sent(operations: readonly Operation[], declared: readonly (SetObject | MapObject)[] = []): string {
  const packer = new Packer()
  const scope = new SetScope()
  for (const object of declared) scope.declare('set' in object ? object.set : object.map)
  const trail = new Trail()
  try {
    for (const [index, operation] of operations.entries()) {
      trail.enter(index)
      compileOperation({ sink: packer, scope, trail, nextSetId: 0 }, operation, { echo: false })
      trail.leave()
    }
  } catch (error) {
    throw located(error, 'test', trail)
  }
  return Buffer.from(unwrap(addon.encode(packer.words()), 'test')).toString('hex')
}

function stamped(prepared: Prepared, rows: Rows): string {
  return sent([{ prepared: new PreparedRows(prepared, rows) }])
}

const rule = (...expr: Statement[]): Preparable => ({ rule: { ...place, expr } })

/** The same rule, with the slots' names and with values. */
type Shape = (...values: readonly Expression[]) => readonly Statement[]

function isSame(
  names: readonly string[],
  shape: Shape,
  rows: readonly (readonly SlotValue[])[],
  options: PrepareOptions = {},
): void {
  const slots = names.map((name) => slot(name))
  const prepared = prepare({ rule: { ...place, expr: shape(...slots) } }, { ...options, slots: names })
  const plain = rows.map((row): Operation => {
    const values = row.map((value): Expression => (isAddress(value) ? value.toString() : value))
    return { add: { rule: { ...place, expr: shape(...values) } } }
  })
  expect(stamped(prepared, rows)).toBe(sent(plain, options.declared))
}

function isAddress(value: SlotValue): value is IPv4Address | IPv6Address | MacAddress {
  return value instanceof IPv4Address || value instanceof IPv6Address || value instanceof MacAddress
}

const eq = (left: Expression, right: Expression): Statement => ({ match: { op: '==', left, right } })
const field = (protocol: 'ip' | 'tcp', name: 'saddr' | 'daddr' | 'dport' | 'sport'): Expression =>
  protocol === 'ip' && (name === 'saddr' || name === 'daddr')
    ? { payload: { protocol, field: name } }
    : { payload: { protocol: 'tcp', field: name === 'sport' ? 'sport' : 'dport' } }

describe('a prepared rule makes the bytes of the plain one', () => {
  test('addresses and a port', () => {
    isSame(
      ['from', 'to', 'port'],
      (from, to, port) => [
        eq(field('ip', 'saddr'), from ?? ''),
        eq(field('ip', 'daddr'), to ?? ''),
        eq(field('tcp', 'dport'), port ?? ''),
        { counter: null },
        verdict.accept(),
      ],
      [
        ['10.0.0.1', IPv4Address.parse('10.0.0.2'), 80],
        ['255.255.255.255', '0.0.0.0', 'https'],
      ],
    )
  })

  test('values that are merged into one comparison, with each other and with constants', () => {
    const ether = (name: 'saddr' | 'daddr'): Expression => ({ payload: { protocol: 'ether', field: name } })
    isSame(['to', 'from'], (to, from) => [eq(ether('daddr'), to ?? ''), eq(ether('saddr'), from ?? '')], [
      ['02:00:00:00:00:01', MacAddress.parse('02:00:00:00:00:02')],
    ])
    isSame(['to'], (to) => [eq(ether('daddr'), to ?? ''), eq(ether('saddr'), '02:00:00:00:00:09')], [
      ['02:00:00:00:00:01'],
      ['ff:ff:ff:ff:ff:ff'],
    ])
    isSame(['both'], (both) => [eq(ether('daddr'), both ?? ''), eq(ether('saddr'), both ?? '')], [
      ['02:00:00:00:00:01'],
    ])
  })

  test('names, marks, IPv6 addresses, flags, translation, order, elements looked up', () => {
    isSame(
      ['name', 'mark', 'v6', 'state', 'low'],
      (name, mark, v6, state, low) => [
        eq({ meta: { key: 'iifname' } }, name ?? ''),
        eq({ meta: { key: 'mark' } }, mark ?? ''),
        eq({ payload: { protocol: 'ip6', field: 'saddr' } }, v6 ?? ''),
        { match: { op: 'in', left: { ct: { key: 'state' } }, right: state ?? '' } },
        { match: { op: '>', left: { meta: { key: 'mark' } }, right: low ?? '' } },
        verdict.drop(),
      ],
      [
        ['eth0', 0xdeadbeef, IPv6Address.parse('2001:db8::1'), ['established', 'related'], 7],
        ['a-name-of-15-by', 0, '::', 'new', 0xffffffff],
        ['star\\*', 1, 'ff02::1', 'invalid', 5],
      ],
    )
    isSame(
      ['addr', 'port'],
      (addr, port) => [
        match.meta.l4proto.eq('tcp'),
        { dnat: { family: 'ip', addr: addr ?? '', port: port ?? 0 } },
      ],
      [['10.0.0.1', 8080]],
    )
  })

  test('any values, drawn at random', () => {
    const row = fc.tuple(
      fc.ipV4(),
      fc.integer({ min: 0, max: 65535 }),
      fc.integer({ min: 0, max: 0xffffffff }),
    )
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        isSame(
          ['client', 'port', 'mark'],
          (client, port, mark) => [
            eq(field('tcp', 'dport'), port ?? ''),
            eq({ meta: { key: 'mark' } }, mark ?? ''),
            eq(field('ip', 'saddr'), client ?? ''),
          ],
          rows,
        )
      }),
      { numRuns: 100 },
    )
  })

  test('rows as lists, numbers and bytes are the same', () => {
    const prepared = prepare(
      rule(
        match.ip.saddr.eq(slot('client')),
        match.tcp.dport.eq(slot('port')),
        match.meta.mark.eq(slot('mark')),
        verdict.accept(),
      ),
    )
    expect(prepared.slots).toEqual([
      { name: 'client', type: 'ipv4_addr', bytes: 4, offset: 0 },
      { name: 'port', type: 'inet_service', bytes: 2, offset: 4 },
      { name: 'mark', type: 'mark', bytes: 4, offset: 8 },
    ])
    expect(prepared.rowBytes).toBe(12)
    const lists = stamped(prepared, [
      ['10.0.0.1', 80, 5],
      [0x0a000002, 443, 6],
    ])
    expect(stamped(prepared, Uint32Array.of(0x0a000001, 80, 5, 0x0a000002, 443, 6))).toBe(lists)
    const bytes = Uint8Array.of(10, 0, 0, 1, 0, 80, 9, 9, 5, 0, 0, 0, 10, 0, 0, 2, 1, 187, 9, 9, 6, 0, 0, 0)
    expect(stamped(prepared, bytes)).toBe(lists)
    const shifted = new Uint8Array(25)
    shifted.set(bytes, 1)
    expect(stamped(prepared, shifted.subarray(1))).toBe(lists)
  })

  test('no rows make nothing', () => {
    const prepared = prepare(rule(match.tcp.dport.eq(slot('port'))))
    for (const rows of [[], new Uint32Array(0), new Uint8Array(0)]) expect(stamped(prepared, rows)).toBe('')
  })
})

describe('prepared elements make the bytes of the plain ones', () => {
  const owner = { family: 'inet', table: 't', name: 's' } as const
  const set: SetObject = {
    set: { ...owner, type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'] },
  }
  const names = ['client', 'server', 'proto', 'port']

  test('a concatenated key', () => {
    const prepared = prepareElements(set, names)
    const rows = [
      ['10.0.0.1', '10.0.0.2', 'tcp', 80],
      ['10.0.0.3', '10.0.0.4', 17, 53],
    ]
    const elem = rows.map((row) => ({ concat: row }))
    expect(stamped(prepared, rows)).toBe(sent([{ add: { element: { ...owner, elem } } }], [set]))
  })

  test('maps of addresses and of verdicts, timeouts, ranges of concatenations, one field', () => {
    const map: MapObject = { map: { ...owner, type: 'inet_service', map: ['ipv4_addr', 'inet_service'] } }
    expect(stamped(prepareElements(map, ['port', 'addr', 'to']), [[80, '10.0.0.1', 8080]])).toBe(
      sent([{ add: { element: { ...owner, elem: [[80, { concat: ['10.0.0.1', 8080] }]] } } }], [map]),
    )
    const verdicts: MapObject = { map: { ...owner, type: 'ifname', map: 'verdict' } }
    const jump = prepare(
      { element: { ...owner, elem: [[slot('name'), verdict.jump('x')]] } },
      { declared: [verdicts] },
    )
    expect(stamped(jump, [['eth0']])).toBe(
      sent([{ add: { element: { ...owner, elem: [['eth0', verdict.jump('x')]] } } }], [verdicts]),
    )
    const timed: SetObject = { set: { ...owner, type: 'ipv4_addr', flags: ['timeout'] } }
    const elem = (val: Expression): Preparable => ({
      element: { ...owner, elem: [{ elem: { val, timeout: 5, comment: 'c' } }] },
    })
    const timedElement = elem('10.0.0.1')
    expect(stamped(prepare(elem(slot('a')), { declared: [timed] }), [['10.0.0.1']])).toBe(
      sent([{ add: timedElement }], [timed]),
    )
    const ranges: SetObject = { set: { ...owner, type: ['ipv4_addr', 'mark'], flags: ['interval'] } }
    const single: Preparable = { element: { ...owner, elem: [{ concat: ['10.0.0.1', 7] }] } }
    const ranged = prepare(
      { element: { ...owner, elem: [{ concat: [slot('a'), slot('m')] }] } },
      { declared: [ranges] },
    )
    const expected = sent([{ add: single }], [ranges])
    expect(stamped(ranged, [['10.0.0.1', 7]])).toBe(expected)
    expect(stamped(ranged, Uint32Array.of(0x0a000001, 7))).toBe(expected)
  })

  test('many are split into messages that hold 60,000 bytes at most', () => {
    const prepared = prepareElements(set, names)
    const count = 10_000
    const rows = new Uint32Array(4 * count)
    for (let n = 0; n < count; n++) rows.set([0x0a000000 + n, 0x0b000000 + n, 6, n], 4 * n)
    const bytes = Buffer.from(stamped(prepared, rows), 'hex')
    let elements = 0
    let at = 0
    while (at < bytes.length) {
      const length = bytes.readUInt32LE(at)
      // nlmsghdr, nfgenmsg, table "t", set "s", then the nest up to the end.
      const nest = at + 16 + 4 + 8 + 8
      expect(bytes.readUInt16LE(nest)).toBe(at + length - nest)
      expect(bytes.readUInt16LE(nest)).toBeLessThanOrEqual(60_004)
      for (let one = nest + 4; one < at + length; one += bytes.readUInt16LE(one)) {
        expect(bytes.subarray(one + 12, one + 16).readUInt32BE()).toBe(0x0a000000 + elements)
        elements++
      }
      at += length
    }
    expect(elements).toBe(count)
  })
})

function refusal(action: () => unknown): { code: string; path: string | undefined; reason: string } {
  try {
    action()
  } catch (error) {
    if (error instanceof NfbridgeError) return { code: error.code, path: error.path, reason: error.reason }
    throw error
  }
  throw new Error('nothing was refused')
}

describe('refused', () => {
  const v4 = (right: Expression): Statement => eq(field('ip', 'saddr'), right)
  const s = slot('x')
  test.each<readonly [string, Preparable, string, RegExp]>([
    [
      'a prefix',
      rule(v4({ prefix: { addr: '10.0.0.0', len: 8 } }), v4({ range: [s, '10.0.0.9'] })),
      'rule.expr[1].match.right.range',
      /range/,
    ],
    ['the end of a range', rule(v4({ range: ['10.0.0.1', s] })), 'rule.expr[0].match.right.range', /range/],
    ['a protocol', rule(match.meta.l4proto.eq(s)), 'rule.expr[0].match.right', /decides/],
    ['part of a byte', rule(match.ip.dscp.eq(s)), 'rule.expr[0].match.right', /part of a byte/],
    ['a literal set', rule(match.tcp.dport.in(80, 443), v4(s)), '', /literal set/],
    ['an element of one', rule(eq(field('tcp', 'dport'), { set: [s, 80] })), '', /literal set/],
    ['no slot', rule(verdict.accept()), '', /no slot/],
    [
      'two types',
      rule(v4(s), match.tcp.dport.eq(s)),
      'rule.expr[1].match.right',
      /ipv4_addr in one place and inet_service/,
    ],
    [
      'a single range of a set',
      { element: { family: 'ip', table: 't', name: 's', type: 'ipv4_addr', flags: ['interval'], elem: [s] } },
      '',
      /one element/,
    ],
    [
      'two elements',
      { element: { family: 'ip', table: 't', name: 's', type: 'ipv4_addr', elem: [s, '10.0.0.1'] } },
      '',
      /one element/,
    ],
    ['no type', { element: { family: 'ip', table: 't', name: 's', elem: [s] } }, 'element.type', /type/],
  ])('%s', (_, object, path, reason) => {
    const found = refusal(() => prepare(object))
    expect(found.reason).toMatch(reason)
    expect({ code: found.code, path: found.path ?? '' }).toEqual({ code: 'NFB_INVALID_ARGUMENT', path })
  })

  test('a slot in a rule that is not prepared', () => {
    const found = refusal(() => sent([{ add: { rule: { ...place, expr: [v4(s)] } } }]))
    expect(found).toMatchObject({ path: '[0].rule.expr[0].match.right' })
    expect(found.reason).toMatch(/prepare/)
  })

  test('names that are not those of the slots', () => {
    for (const slots of [[], ['y'], ['x', 'x'], ['x', 'y']])
      expect(refusal(() => prepare(rule(v4(s)), { slots })).reason).toMatch(/the slots are x/)
    const set: SetObject = { set: { family: 'ip', table: 't', name: 's', type: ['ipv4_addr', 'mark'] } }
    expect(refusal(() => prepareElements(set, ['a'])).reason).toMatch(/2 fields/)
    expect(refusal(() => prepareElements(set, ['a', 'a'])).code).toBe('NFB_INVALID_ARGUMENT')
  })

  const prepared = prepare(
    rule(match.ip.saddr.eq(slot('client')), match.tcp.dport.eq(slot('port')), match.iifname.eq(slot('name'))),
  )
  const good = ['10.0.0.1', 80, 'eth0'] as const
  test.each<readonly [SlotValue[], string, string]>([
    [['10.0.0', 80, 'eth0'], 'client', 'NFB_INVALID_ADDRESS'],
    [['10.0.0.0/8', 80, 'eth0'], 'client', 'NFB_INVALID_ADDRESS'],
    [[-1, 80, 'eth0'], 'client', 'NFB_INVALID_ADDRESS'],
    [[2 ** 32, 80, 'eth0'], 'client', 'NFB_INVALID_ADDRESS'],
    [[IPv6Address.parse('::1'), 80, 'eth0'], 'client', 'NFB_INVALID_ADDRESS'],
    [['10.0.0.1', 65536, 'eth0'], 'port', 'NFB_INVALID_PORT'],
    [['10.0.0.1', Number.NaN, 'eth0'], 'port', 'NFB_INVALID_PORT'],
    [['10.0.0.1', ['http', 'https'], 'eth0'], 'port', 'NFB_INVALID_ARGUMENT'],
    [['10.0.0.1', 80, 'eth*'], 'name', 'NFB_INVALID_ARGUMENT'],
    [['10.0.0.1', 80, 'a-name-of-sixteen'], 'name', 'NFB_INVALID_NAME'],
    [['10.0.0.1', 80, ''], 'name', 'NFB_INVALID_NAME'],
  ])('the row %j', (row, name, code) => {
    expect(refusal(() => stamped(prepared, [good, good, row]))).toMatchObject({
      code,
      path: `[0].rows[2].${name}`,
    })
  })

  test('rows of another length or kind', () => {
    expect(refusal(() => stamped(prepared, [good, ['10.0.0.1', 80]])).path).toBe('[0].rows[1]')
    expect(refusal(() => stamped(prepared, new Uint8Array(23))).path).toBe('[0].rows')
    expect(refusal(() => stamped(prepared, Uint32Array.of(1, 2, 3))).reason).toMatch(/no place for name/)
    const numbers = prepare(rule(match.ip.saddr.eq(slot('client')), match.tcp.dport.eq(slot('port'))))
    expect(refusal(() => stamped(numbers, Uint32Array.of(1, 2, 3))).path).toBe('[0].rows')
    expect(refusal(() => stamped(numbers, Uint32Array.of(1, 2, 3, 65536)))).toMatchObject({
      path: '[0].rows[1].port',
      code: 'NFB_INVALID_ARGUMENT',
    })
  })

  test('a slot is written as nft writes a variable', () => {
    expect(toText(rule(match.ip.saddr.eq(slot('client')), verdict.accept()))).toContain(
      'ip saddr $client accept',
    )
  })

  test('a concatenation of slots is no match', () => {
    expect(
      refusal(() => prepare(rule(eq(concat(match.ip.saddr, match.tcp.dport).expression, s)))).reason,
    ).toMatch(/set/)
  })
})
