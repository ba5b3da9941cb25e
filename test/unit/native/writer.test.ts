import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { readMessages } from '../../../src/native/reader.js'
import { RecordWriter } from '../../../src/native/writer.js'
import { referenceDecode } from './reference.js'
import { layouts, messages, schemas } from './tables.js'

function faultOf(record: object): NfbridgeError {
  const writer = new RecordWriter(layouts)
  writer.write('newPart', 0, { len: 1 })
  const before = [...writer.words()]
  try {
    writer.write('newThing', 0, record)
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
    expect([...writer.words()]).toEqual(before) // what failed has left nothing
    expect(writer.count).toBe(1)
    return error
  }
  throw new Error('it was accepted')
}

const u = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
const s32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const text = fc
  .oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 40 }))
  .filter((value) => !value.includes('\0'))
const bytes = fc.uint8Array({ maxLength: 90 })
const opaque = fc.array(fc.record({ type: u(16), bytes }), { minLength: 1, maxLength: 3 })

const { thing } = fc.letrec((tie) => ({
  part: fc.oneof(
    fc.record({ len: u(32), number: fc.constant(7), content: tie('thing') }, { requiredKeys: ['number'] }),
    fc.record(
      { number: fc.constant(9), content: fc.record({ opaque: bytes }), opaque },
      { requiredKeys: ['number'] },
    ),
  ),
  thing: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ au8: u(8), au16: u(16), au32: u(32), as32: s32, au64: u64, opaque }, { requiredKeys: [] }),
    fc.record(
      {
        abe16: u(16),
        abe32: u(32),
        abeS32: s32,
        abe64: u64,
        aflag: fc.constant(true),
        astring: text,
        abytes: bytes,
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        astrings: fc.array(text, { maxLength: 4 }),
        inner: tie('thing'),
        many: fc.array(tie('part'), { maxLength: 3 }),
        hops: fc.array(tie('part'), { maxLength: 3 }),
        kind: fc.constant('large'),
        data: tie('thing'),
      },
      { requiredKeys: ['kind'] },
    ),
    fc.record({ kind: fc.constant('small'), data: tie('part'), opaque }, { requiredKeys: ['kind'] }),
    fc.record({ kind: fc.constant('unheard of'), data: fc.record({ opaque: bytes }) }),
  ),
}))

describe('what is written', () => {
  test('is what a decoder made from the grammar alone reads, and what the reader reads', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(u(16), thing), { maxLength: 6 }), (batch) => {
        const writer = new RecordWriter(layouts)
        for (const [index, [flags, record]] of batch.entries()) {
          if (typeof record !== 'object' || record === null) throw new Error('no record')
          expect(writer.write('newThing', flags, record)).toBe(index)
        }
        const words = writer.words()
        const expected = batch.map(([flags, record]) => ({
          name: 'newThing',
          flags,
          record: { ...Object(record) },
        }))
        const reference = referenceDecode(schemas, messages, [...words])
        expect(reference).toEqual(expected.map((message) => ({ ...message, tag: 0 })))
        const read = [...readMessages(layouts, words.slice().buffer)]
        expect(read.map(({ name, flags, record }) => ({ name, flags, record }))).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  test('grows past its first buffer and begins anew after a reset', () => {
    const writer = new RecordWriter(layouts)
    const long = { astring: 'é'.repeat(5000), abytes: new Uint8Array(70_000).fill(7) }
    for (let index = 0; index < 20; index++) writer.write('newThing', index, long)
    const read = referenceDecode(schemas, messages, [...writer.words()])
    expect(read.length).toBe(20)
    expect(read[19]).toEqual({ name: 'newThing', flags: 19, tag: 0, record: long })
    writer.reset()
    expect(writer.count).toBe(0)
    expect(writer.words().length).toBe(0)
    writer.write('newPart', 0, { len: 3 })
    expect([...writer.words()]).toEqual([0, 0, 0, 2, 0, 3])
  })

  test('leaves out what is undefined', () => {
    const writer = new RecordWriter(layouts)
    writer.write('newPart', 1, { len: undefined, number: 4 })
    expect([...writer.words()]).toEqual([0, 1, 0, 2, 1, 4])
  })
})

describe('a value that is wrong is refused with its path', () => {
  const cases: [object, string][] = [
    [{ au8: 256 }, 'au8'],
    [{ au8: -1 }, 'au8'],
    [{ au8: 1.5 }, 'au8'],
    [{ au8: '1' }, 'au8'],
    [{ au16: 65536 }, 'au16'],
    [{ abe16: Number.NaN }, 'abe16'],
    [{ au32: 2 ** 32 }, 'au32'],
    [{ abe32: -1 }, 'abe32'],
    [{ as32: 2 ** 31 }, 'as32'],
    [{ au64: 1 }, 'au64'],
    [{ au64: -1n }, 'au64'],
    [{ abe64: 2n ** 64n }, 'abe64'],
    [{ aflag: false }, 'aflag'],
    [{ astring: 'a\0b' }, 'astring'],
    [{ astring: 'é\0b'.slice(1) }, 'astring'],
    [{ astring: 5 }, 'astring'],
    [{ abytes: [1, 2] }, 'abytes'],
    [{ abytes: new Uint16Array(1) }, 'abytes'],
    [{ astrings: ['a', 2] }, 'astrings[1]'],
    [{ inner: 3 }, 'inner'],
    [{ inner: { inner: { au8: 999 } } }, 'inner.inner.au8'],
    [{ many: {} }, 'many'],
    [{ many: [{ len: 1 }, { number: 7, content: { hops: [{ len: -1 }] } }] }, 'many[1].content.hops[0].len'],
    [{ kind: 'small', data: { len: 'x' } }, 'data.len'],
    [{ kind: 'unheard of', data: { len: 1 } }, 'data'],
    [{ data: {} }, 'data'],
    [{ nothing: 1 }, 'nothing'],
    [{ inner: { toString: 1 } }, 'inner.toString'],
    [{ opaque: [{ type: 70_000, bytes: new Uint8Array(1) }] }, 'opaque[0].type'],
    [{ inner: { opaque: [{ type: 7, bytes: 'x' }] } }, 'inner.opaque[0].bytes'],
    [{ opaque: new Uint8Array(4) }, 'opaque'],
    [{ astring: null }, 'astring'],
  ]
  test.each(cases)('%o', (record, path) => {
    const fault = faultOf(record)
    expect(fault.code).toBe('NFB_INVALID_ARGUMENT')
    expect(fault.path).toBe(path)
  })

  test('a character that is not ASCII does not hide a NUL behind it', () => {
    expect(faultOf({ astring: 'é\0' }).path).toBe('astring')
  })
})
