import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NftExpressionRecord } from '../../../src/native/records.js'
import { decompileExpressions, SetCatalog } from '../../../src/nft/decompile/index.js'
import { kernelRecord, plainRecord } from '../../../src/nft/kernel/plain-record.js'
import type { Statement } from '../../../src/nft/model/index.js'

const noSets = new SetCatalog([])
const read = (expressions: readonly NftExpressionRecord[]): Statement[] =>
  decompileExpressions(expressions, 'inet', noSets)

const l4proto: NftExpressionRecord = { name: 'meta', data: { key: 16, dreg: 1 } }
const isTcp: NftExpressionRecord = {
  name: 'cmp',
  data: { sreg: 1, op: 0, data: { value: Uint8Array.of(6) } },
}
const dport: NftExpressionRecord = { name: 'payload', data: { base: 2, offset: 2, len: 2, dreg: 1 } }
const is80: NftExpressionRecord = {
  name: 'cmp',
  data: { sreg: 1, op: 0, data: { value: Uint8Array.of(0, 80) } },
}
/** An expression that no version of the tables knows. */
const unknown: NftExpressionRecord = { name: 'future', data: { opaque: Uint8Array.of(1, 2, 3, 4) } }
const accept: NftExpressionRecord = { name: 'immediate', data: { dreg: 0, data: { verdict: { code: 1 } } } }

const match = (left: object, right: unknown): object => ({ match: { op: '==', left, right } })
const tcp80 = match({ payload: { protocol: 'tcp', field: 'dport' } }, 80)
const tcp = match({ meta: { key: 'l4proto' } }, 'tcp')
const opaque = (...expressions: NftExpressionRecord[]): object => ({
  opaque: { expressions: expressions.map(plainRecord) },
})

describe('what is not understood', () => {
  it('stands in its place among what is', () => {
    expect(read([l4proto, isTcp, dport, is80, unknown, accept])).toEqual([
      tcp80,
      opaque(unknown),
      { accept: null },
    ])
  })

  it('keeps what it may read from registers with it', () => {
    expect(read([l4proto, isTcp, dport, unknown])).toEqual([tcp, opaque(dport, unknown)])
  })

  it('keeps what reads its result with it', () => {
    // `cmp` reads a register that nothing known has written since.
    expect(read([unknown, is80, accept])).toEqual([opaque(unknown, is80), { accept: null }])
    expect(read([l4proto, isTcp, unknown, is80])).toEqual([tcp, opaque(unknown, is80)])
  })

  it('does not take what is loaded afterwards', () => {
    expect(read([unknown, l4proto, isTcp, dport, is80])).toEqual([opaque(unknown), tcp80])
  })

  it('takes what stands between it and the reader of its result', () => {
    const other: NftExpressionRecord = {
      name: 'cmp',
      data: { sreg: 2, op: 0, data: { value: Uint8Array.of(1) } },
    }
    expect(read([unknown, l4proto, isTcp, dport, is80, other, accept])).toEqual([
      opaque(unknown, l4proto, isTcp, dport, is80, other),
      { accept: null },
    ])
  })

  it('keeps the match that it depends on', () => {
    const write: NftExpressionRecord = { name: 'payload', data: { base: 2, offset: 2, len: 2, sreg: 1 } }
    const port: NftExpressionRecord = {
      name: 'immediate',
      data: { dreg: 1, data: { value: Uint8Array.of(0, 81) } },
    }
    expect(read([l4proto, isTcp, port, write])).toEqual([tcp, opaque(port, write)])
  })

  it('is a load whose result is used later, by name and registers', () => {
    const numgen: NftExpressionRecord = {
      name: 'numgen',
      data: { dreg: 1, modulus: 2, type: 0, setName: 's' },
    }
    const compare: NftExpressionRecord = {
      name: 'cmp',
      data: { sreg: 1, op: 0, data: { value: Uint8Array.of(0, 0, 0, 0) } },
    }
    expect(read([numgen, compare, accept])).toEqual([opaque(numgen, compare), { accept: null }])
  })

  it('is a load that nothing uses', () => {
    expect(read([l4proto, isTcp, dport, is80, accept, dport])).toEqual([
      tcp80,
      { accept: null },
      opaque(dport),
    ])
  })

  it('is an attribute that the tables do not know', () => {
    const strange: NftExpressionRecord = {
      name: 'counter',
      data: { packets: 1n, bytes: 2n },
      opaque: [{ type: 99, bytes: Uint8Array.of(1) }],
    }
    expect(read([strange, accept])).toEqual([opaque(strange), { accept: null }])
  })

  it('is an attribute of known data that the tables do not know', () => {
    const strange: NftExpressionRecord = {
      name: 'counter',
      data: { packets: 1n, bytes: 2n, opaque: [{ type: 99, bytes: Uint8Array.of(1) }] },
    }
    expect(read([strange, accept])).toEqual([opaque(strange), { accept: null }])
  })

  it.each<[string, NftExpressionRecord]>([
    ['a verdict', { name: 'immediate', data: { dreg: 0, data: { verdict: { code: -77 } } } }],
    [
      'a limit of a strange period',
      { name: 'limit', data: { rate: 1n, unit: 7n, type: 0, flags: 0, burst: 1 } },
    ],
    ['a flag of log', { name: 'log', data: { level: 4, flags: 0x100 } }],
    ['a flag of masq', { name: 'masq', data: { flags: 0x20 } }],
    ['an ICMP rejection of an unknown family', { name: 'reject', data: { type: 0, icmpCode: 1 } }],
    ['an object of a kind that is not modelled', { name: 'objref', data: { immType: 5, immName: 'q' } }],
  ])('is %s', (_, expression) => {
    expect(read([expression])).toEqual([opaque(expression)])
  })

  it('is a comparison of more bytes than were loaded at once', () => {
    const saddr: NftExpressionRecord = { name: 'payload', data: { base: 1, offset: 12, len: 4, dreg: 1 } }
    const port: NftExpressionRecord = { name: 'payload', data: { base: 2, offset: 2, len: 2, dreg: 9 } }
    const both: NftExpressionRecord = {
      name: 'cmp',
      data: { sreg: 1, op: 0, data: { value: Uint8Array.of(1, 2, 3, 4, 0, 80, 0, 0) } },
    }
    expect(read([saddr, port, both])).toEqual([opaque(saddr, port, both)])
  })

  it('is a set that is not there', () => {
    const lookup: NftExpressionRecord = { name: 'lookup', data: { set: 'gone', sreg: 1, flags: 0 } }
    expect(read([dport, lookup])).toEqual([opaque(dport, lookup)])
  })

  it('takes its anonymous set along', () => {
    const record = { name: '__set7', flags: 3, keyType: 13, keyLen: 2, dataLen: 0 }
    const elements = [{ key: { value: Uint8Array.of(0, 80) } }]
    const numgen: NftExpressionRecord = {
      name: 'numgen',
      data: { dreg: 1, modulus: 2, type: 0, setName: 's' },
    }
    const lookup: NftExpressionRecord = { name: 'lookup', data: { set: '__set7', sreg: 1, flags: 0 } }
    const sets = new SetCatalog([{ record, elements }])
    expect(decompileExpressions([numgen, lookup], 'inet', sets)).toEqual([
      {
        opaque: {
          expressions: [numgen, lookup].map(plainRecord),
          sets: [{ record: plainRecord(record), elements: elements.map(plainRecord) }],
        },
      },
    ])
  })
})

const register = fc.constantFrom(1, 2, 3, 4, 8, 9, 10, 11, 23)
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const expression: fc.Arbitrary<NftExpressionRecord> = fc.oneof(
  fc.record({ name: fc.constant('meta' as const), data: fc.record({ key: fc.nat(40), dreg: register }) }),
  fc.record({ name: fc.constant('ct' as const), data: fc.record({ key: fc.nat(30), dreg: register }) }),
  fc.record({
    name: fc.constant('payload' as const),
    data: fc.record({
      base: fc.nat(4),
      offset: fc.nat(40),
      len: fc.integer({ min: 1, max: 20 }),
      dreg: register,
    }),
  }),
  fc.record({
    name: fc.constant('cmp' as const),
    data: fc.record({
      sreg: register,
      op: fc.nat(6),
      data: fc.record({ value: fc.integer({ min: 1, max: 20 }).chain(bytes) }),
    }),
  }),
  fc.record({
    name: fc.constant('bitwise' as const),
    data: fc.integer({ min: 1, max: 16 }).chain((len) =>
      fc.record({
        sreg: register,
        dreg: register,
        len: fc.constant(len),
        op: fc.nat(3),
        mask: fc.record({ value: bytes(len) }),
        xor: fc.record({ value: bytes(len) }),
      }),
    ),
  }),
  fc.record({
    name: fc.constant('immediate' as const),
    data: fc.record({ dreg: register, data: fc.record({ value: fc.uint8Array({ maxLength: 16 }) }) }),
  }),
  fc.record({
    name: fc.constant('nat' as const),
    data: fc.record({
      type: fc.nat(2),
      family: fc.constantFrom(2, 10),
      regAddrMin: register,
      flags: fc.nat(64),
    }),
  }),
  fc.record({ name: fc.constant('later' as const), data: fc.record({ opaque: fc.uint8Array() }) }),
  fc.record({ name: fc.constant('dup' as const), data: fc.record({ sregAddr: register }) }),
  fc.constant(accept),
  fc.constant(unknown),
)

describe('any rule', () => {
  it('is read without an exception, and what is unknown is kept in its order', () => {
    const strangers = ['later', 'future']
    fc.assert(
      fc.property(
        fc.array(expression, { maxLength: 12 }),
        fc.constantFrom('inet', 'ip', 'bridge'),
        (rule, family) => {
          // Each its own object, so that what is kept can be told apart.
          const own = rule.map((each) => ({ ...each }))
          const statements = decompileExpressions(own, family, noSets)
          const kept = statements.flatMap((each) => ('opaque' in each ? each.opaque.expressions : []))
          const places = kept.filter(({ name }) => strangers.includes(String(name)))
          expect(places.map(kernelRecord)).toEqual(own.filter(({ name }) => strangers.includes(name ?? '')))
          // JSON holds all of it.
          expect(JSON.parse(JSON.stringify(kept))).toEqual(kept)
          expect(new Set(places).size).toBe(places.length)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
