import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unwrap } from '../../../src/native/failure.js'
import { addon } from '../../../src/native/load.js'
import { MessageFlag, Packer } from '../../../src/native/pack.js'
import type { Stamp } from '../../../src/native/stamp.js'
import {
  type BatchContext,
  compileOperation,
  type Operation,
  SetScope,
  Trail,
} from '../../../src/nft/compile/index.js'
import { concat, match, type Rule, type Statement, verdict } from '../../../src/nft/index.js'
import { AlikeRules } from '../../../src/nft/prepare/index.js'

/** A packer that says how many messages were stamped. */
class Counting extends Packer {
  stamped = 0
  override stamp(flags: number, stamp: Stamp, rows: Uint32Array): number {
    this.stamped += rows.length / stamp.rowWords
    return super.stamp(flags, stamp, rows)
  }
}

interface Sent {
  readonly bytes: string
  readonly stamped: number
}

/** What a commit sends, with or without looking for alike rules; or the message and place of the error. */
function sent(operations: readonly Operation[], search: boolean, echo = false): Sent {
  const packer = new Counting()
  const batch: BatchContext = { sink: packer, scope: new SetScope(), trail: new Trail(), nextSetId: 0 }
  const alike = search ? new AlikeRules(batch, echo) : undefined
  try {
    for (const [index, operation] of operations.entries()) {
      if (alike?.take(operation)) continue
      alike?.flush()
      batch.trail.enter(index)
      compileOperation(batch, operation, { echo })
      batch.trail.leave()
    }
    alike?.flush()
  } catch (error) {
    return { bytes: `${batch.trail}: ${error}`, stamped: packer.stamped }
  }
  const bytes = unwrap(addon.encode(packer.words()), 'test')
  return { bytes: Buffer.from(bytes).toString('hex'), stamped: packer.stamped }
}

/** Compares both, and returns how many messages were stamped. */
function stampedOf(operations: readonly Operation[]): number {
  const found = sent(operations, true)
  expect(found.bytes).toBe(sent(operations, false).bytes)
  return found.stamped
}

const add = (expr: readonly Statement[], more: Partial<Rule> = {}): Operation => ({
  add: { rule: { family: 'inet', table: 't', chain: 'c', expr, ...more } },
})
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const usual = (n: number): Statement[] => [
  match.ip.saddr.eq(`10.0.${n >> 8}.${n & 255}`),
  match.ip.daddr.eq('192.0.2.1'),
  match.tcp.dport.eq(n),
  verdict.accept(),
]

describe('alike rules', () => {
  test('are stamped, all but the first few', () => {
    expect(stampedOf(numbers(1000).map((n) => add(usual(n))))).toBeGreaterThan(990)
    const echoed = numbers(20).map((n) => add(usual(n)))
    const found = sent(echoed, true, true)
    expect(found).toMatchObject({ bytes: sent(echoed, false, true).bytes })
    expect(found.stamped).toBeGreaterThan(10)
    expect(Buffer.from(found.bytes, 'hex').readUInt16LE(6) & MessageFlag.echo).toBe(MessageFlag.echo)
  })

  test('with constants that begin to differ later, and with other operations in between', () => {
    const operations = [
      ...numbers(20).map((n) => add([match.tcp.dport.eq(n), match.meta.mark.eq(7), verdict.drop()])),
      ...numbers(20).map((n) => add([match.tcp.dport.eq(n), match.meta.mark.eq(n), verdict.drop()])),
      ...numbers(20).map((n) => add([match.tcp.dport.eq(n), match.meta.mark.eq(n), verdict.accept()])),
      { flush: { chain: { family: 'inet', table: 't', name: 'c' } } } as const,
      ...numbers(20).map((n) => add([match.tcp.dport.eq(n), match.meta.mark.eq(1), verdict.accept()])),
    ]
    expect(stampedOf(operations)).toBeGreaterThan(60)
  })

  test('with comments, places, tables of their own: only what is equal', () => {
    expect(stampedOf(numbers(20).map((n) => add(usual(n), { comment: 'c' })))).toBeGreaterThan(10)
    expect(stampedOf(numbers(20).map((n) => add(usual(n), { comment: `c${n}` })))).toBe(0)
    expect(stampedOf(numbers(20).map((n) => add(usual(n), { handle: 5 })))).toBe(0)
    expect(stampedOf(numbers(20).map((n) => add(usual(n), { table: `t${n % 2}` })))).toBe(0)
    expect(stampedOf(numbers(20).map((n) => add(usual(n), { family: n % 2 === 0 ? 'inet' : 'ip' })))).toBe(0)
    expect(stampedOf(numbers(20).map(() => add(usual(1))))).toBe(0)
  })

  test.each<readonly [string, (n: number) => Statement[]]>([
    ['protocols', (n) => [match.meta.l4proto.eq(n), match.th.dport.eq(5)]],
    ['parts of bytes', (n) => [match.ip.dscp.eq(n % 64)]],
    ['literal sets', (n) => [match.ip.saddr.eq(`10.0.0.${n}`), match.tcp.dport.in(80, 443)]],
    ['prefixes', (n) => [match.ip.saddr.eq(`10.${n}.0.0/16`)]],
    ['ranges', (n) => [match.tcp.dport.between(n, n + 1)]],
    ['names of sets', (n) => [match.ip.saddr.inSet(`s${n}`)]],
  ])('what cannot be prepared is compiled: %s', (_, shape) => {
    expect(stampedOf(numbers(40).map((n) => add(shape(n))))).toBe(0)
  })

  test('values that mean something else among others', () => {
    const names = [
      'eth0',
      'eth1',
      'eth2',
      'eth3',
      'eth4',
      'eth*',
      'star\\*',
      '@set',
      'eth5',
      'exists',
      'missing',
      'eth6',
    ]
    expect(
      stampedOf(
        names.map((name) => add([{ match: { op: '==', left: match.iifname.expression, right: name } }])),
      ),
    ).toBeGreaterThan(2)
    const flags = ['new', 'established', 'invalid', 'related', 'untracked', 'new', 'invalid'] as const
    expect(stampedOf(flags.map((flag) => add([match.ct.state.in(flag)])))).toBeGreaterThan(2)
  })

  test('a wrong value fails as it does alone', () => {
    for (const wrong of ['nowhere', '1.2.3.4/8', '', '@', 5]) {
      const operations = [
        ...numbers(20).map((n) => add(usual(n))),
        add([{ match: { op: '==', left: match.ip.saddr.expression, right: wrong } }, ...usual(5).slice(1)]),
        ...numbers(20).map((n) => add(usual(n))),
      ]
      stampedOf(operations)
    }
    expect(
      sent([...numbers(9).map((n) => add(usual(n))), add([match.tcp.dport.eq(70_000)])], true).bytes,
    ).toMatch(/^\[9\]\.rule\.expr\[0\]\.match\.right: /)
  })

  test('any sequence of rules is sent as it is compiled one by one', () => {
    const address = fc.oneof(fc.ipV4(), fc.constantFrom('10.0.0.0/8', '@s', 'x', '10.0.0.1-10.0.0.9'))
    const port = fc.oneof(
      { arbitrary: fc.integer({ min: 0, max: 65535 }), weight: 20 },
      { arbitrary: fc.constantFrom(-1, 1.5, 65536), weight: 1 },
    )
    const name = fc.constantFrom('eth0', 'wlan0', 'br-1', 'v*', 'a\\*', 'a-name-of-15-by')
    const statement = fc.oneof(
      fc.ipV4().map((value) => match.ip.saddr.eq(value)),
      fc.integer({ min: 0, max: 65535 }).map((value) => match.tcp.dport.eq(value)),
      fc.integer({ min: 0, max: 0xffffffff }).map((value) => match.meta.mark.eq(value)),
      name.map((value) => match.iifname.eq(value)),
      fc.constant(concat(match.ip.saddr, match.tcp.dport).inSet('s')),
      fc.constant(verdict.accept()),
      { arbitrary: fc.tuple(address, port).map(([addr]) => match.ip.daddr.ne(addr)), weight: 1 },
      { arbitrary: port.map((value) => match.tcp.sport.gt(value)), weight: 1 },
    )
    const few = fc.array(statement, { minLength: 1, maxLength: 3 })
    // Rules of one shape for a while: the statements of one rule, drawn again from what makes them.
    const shapes = fc.array(
      fc.oneof(
        fc
          .array(fc.tuple(fc.ipV4(), port, name), { maxLength: 12 })
          .map((rows) =>
            rows.map(([a, p, i]) => [
              match.ip.saddr.eq(a),
              match.iifname.eq(i),
              match.tcp.dport.eq(p),
              verdict.drop(),
            ]),
          ),
        fc.array(few, { maxLength: 5 }),
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(shapes, (groups) => {
        stampedOf(groups.flat().map((expr) => add(expr)))
      }),
      { numRuns: 300 },
    )
  })
})
