import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FieldTable } from '../../../src/native/addon.js'
import { failed } from '../../../src/native/failure.js'
import { addon } from '../../../src/native/load.js'
import { Packer } from '../../../src/native/pack.js'
import type { MessageName, MessageRecords } from '../../../src/native/records.js'
import { unpack } from '../../../src/native/unpack.js'

type Properties = { readonly [name: string]: unknown }

const u = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
const SCALARS = {
  u8: u(8),
  u16: u(16),
  be16: u(16),
  u32: u(32),
  be32: u(32),
  s32: fc.integer(),
  beS32: fc.integer(),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  be64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  string: fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0')),
  bytes: fc.uint8Array({ maxLength: 40 }),
  flag: fc.constant(true),
  strings: fc.array(
    fc.string({ maxLength: 15 }).filter((text) => !text.includes('\0')),
    { maxLength: 3 },
  ),
} as const

/** An attribute number that no table has: NLA_TYPE_MASK is 0x3fff. */
const unknownAttribute = fc.record({ type: fc.integer({ min: 0x3f00, max: 0x3fff }), bytes: SCALARS.bytes })

const made = new Map<string, fc.Arbitrary<Properties>>()

/** Records of a schema of the addon, whatever it has; nests up to a depth. */
function records(schema: number, depth: number): fc.Arbitrary<Properties> {
  const key = `${schema} ${depth}`
  const arbitrary = made.get(key) ?? makeRecords(schema, depth)
  made.set(key, arbitrary)
  return arbitrary
}

function makeRecords(schema: number, depth: number): fc.Arbitrary<Properties> {
  const table = addon.schemas[schema]
  if (table === undefined) throw new Error(`there is no schema ${schema}`)
  const keys = new Set(table.fields.map((field) => field.key).filter((key) => key !== undefined))
  const plain: { [name: string]: fc.Arbitrary<unknown> } = {}
  const selects: FieldTable[] = []
  for (const [index, field] of table.fields.entries()) {
    if (keys.has(index)) continue
    if (field.type === 'select') selects.push(field)
    else if (field.type === 'nested') {
      if (depth > 0) plain[field.name] = records(field.schema ?? -1, depth - 1)
    } else if (field.type === 'list' || field.type === 'structs') {
      if (depth > 0) plain[field.name] = fc.array(records(field.schema ?? -1, depth - 1), { maxLength: 2 })
    } else plain[field.name] = SCALARS[field.type]
  }
  const names = Object.keys(plain)
  let result: fc.Arbitrary<Properties> = fc
    .subarray(names, { maxLength: Math.min(8, names.length) })
    .chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, plain[name] ?? fc.constant(0)]))))
  for (const field of selects) {
    const key = table.fields[field.key ?? -1]
    if (key === undefined) throw new Error(`${field.name} has no key`)
    const known = (field.variants ?? []).map((variant) =>
      depth > 0
        ? fc.record({
            [key.name]: fc.constant(variant.key),
            [field.name]: records(variant.schema, depth - 1),
          })
        : fc.record({ [key.name]: fc.constant(variant.key) }),
    )
    const unknown = fc.record({
      [key.name]: fc.constant(key.type === 'string' ? 'unheard of' : 0xfffe),
      [field.name]: fc.record({ opaque: SCALARS.bytes }),
    })
    const selected = fc.oneof(fc.constant({}), unknown, ...known)
    result = fc.tuple(result, selected).map(([rest, chosen]) => ({ ...rest, ...chosen }))
  }
  return fc
    .tuple(result, fc.option(fc.array(unknownAttribute, { minLength: 1, maxLength: 2 }), { nil: undefined }))
    .map(([record, opaque]) => (opaque === undefined ? record : { ...record, opaque }))
}

/** The same, but for fields of fixed headers, which come back as zeros when they were left out. */
function expectSame(sent: unknown, got: unknown, path: string): void {
  if (sent instanceof Uint8Array || typeof sent !== 'object' || sent === null) {
    expect(got, path).toEqual(sent)
    return
  }
  if (typeof got !== 'object' || got === null) throw new Error(`${path} is missing`)
  if (Array.isArray(sent)) {
    expect(Array.isArray(got) ? got.length : got, path).toBe(sent.length)
  }
  const theirs = new Map<string, unknown>(Object.entries(got))
  for (const [name, value] of Object.entries(sent)) expectSame(value, theirs.get(name), `${path}.${name}`)
  for (const [name, value] of theirs) if (!(name in sent)) expect(value, `${path}.${name}`).toBe(0)
}

function isMessageName(name: string): name is MessageName {
  return addon.messages.some((message) => message.name === name)
}

function throughTheAddon(name: MessageName, record: MessageRecords[MessageName]): unknown {
  const table = addon.messages.find((message) => message.name === name)
  const packer = new Packer()
  packer.add(name, 0, record)
  const encoded = addon.encode(packer.words())
  if (failed(encoded)) throw new Error(JSON.stringify(encoded))
  const decoded = addon.decode(table?.protocol ?? 'route', new Uint8Array(encoded))
  if (failed(decoded)) throw new Error(JSON.stringify(decoded))
  const messages = [...unpack(decoded)]
  expect(messages.map((message) => message.name)).toEqual([name])
  const [message] = messages
  return message !== undefined && message.name !== 'opaque' ? message.record : undefined
}

describe('a record that is packed, encoded, decoded and unpacked is the same', () => {
  test('there are messages of both families', () => {
    expect(new Set(addon.messages.map((message) => message.protocol))).toEqual(
      new Set(['route', 'netfilter']),
    )
    expect(addon.messages.length).toBeGreaterThan(30)
  })

  // One of the messages that share a schema stands for them all.
  const seen = new Set<number>()
  const messages = addon.messages.filter(({ schema }) => !seen.has(schema) && seen.add(schema))
  test.each(messages)('$name', ({ name, schema }) => {
    if (!isMessageName(name)) throw new Error(name)
    fc.assert(
      fc.property(records(schema, 4), (record) => expectSame(record, throughTheAddon(name, record), name)),
      { numRuns: 40 },
    )
  })
})

test('garbage through the decoder is messages or failures, never a crash', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('route', 'netfilter'),
      fc.uint8Array({ maxLength: 200 }),
      (protocol, bytes) => {
        const decoded = addon.decode(protocol, bytes)
        if (failed(decoded)) expect(decoded[0]?.reason).toBe('malformed')
        else expect([...unpack(decoded)].length).toBeGreaterThanOrEqual(0)
      },
    ),
    { numRuns: 2000 },
  )
})

test('garbage through the encoder is bytes or failures, never a crash', () => {
  const word = fc.oneof(u(6), u(32), fc.constant(0xffffffff))
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      const encoded = addon.encode(Uint32Array.from(words))
      if (failed(encoded)) expect(encoded[0]?.reason).toMatch(/malformed|too-large/)
      else expect(encoded.byteLength).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 3000 },
  )
})
