import { describe, expect, test } from 'vitest'
import type { MessageName, MessageRecords, OpaqueEntry } from '../../../src/native/records.js'
import { compileOperation } from '../../../src/nft/compile/index.js'
import {
  decompileRule,
  isAnonymous,
  type KernelSet,
  readChain,
  readFlowtable,
  readObject,
  readSet,
  readTable,
  SetCatalog,
} from '../../../src/nft/decompile/index.js'
import { ruleset } from '../../../src/nft/json/index.js'
import type { RulesetObject, UnknownParts } from '../../../src/nft/model/index.js'
import { toText } from '../../../src/nft/text/index.js'
import { batchOf, Collector } from './debug-notation.js'

/** A comment (type 0), and values of types that nobody here knows. */
const userdata = Uint8Array.of(0, 2, 0x78, 0, 200, 2, 1, 2, 201, 0)
const unknownData = [
  { type: 200, value: '0102' },
  { type: 201, value: '' },
]
const attribute: OpaqueEntry = { type: 0x8063, bytes: Uint8Array.of(9, 8, 7, 6) }
const unknownAttribute = { type: 0x8063, value: '09080706' }
const opaque = [attribute]
const unknown: UnknownParts = { userdata: unknownData, attributes: [unknownAttribute] }
const owner = { family: 'inet', table: 't' } as const

/** The last message of a kind that an object is compiled to. */
function compiled<K extends MessageName>(object: RulesetObject, message: K): MessageRecords[K] {
  const sink = new Collector()
  compileOperation(batchOf(sink), { add: object }, { echo: false })
  const record = sink.of(message).at(-1)
  if (record === undefined) throw new Error(message)
  return record
}

const finish = <T>(steps: Generator<undefined, T, undefined>): T => {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

const readWhole = (set: KernelSet): RulesetObject | undefined => finish(readSet(set))

describe('what an object has beside what is known is listed, and written back as it was', () => {
  test('table', () => {
    const record = { family: 1, name: 't', flags: 0x41, userdata, opaque }
    const table = readTable(record)
    expect(table).toEqual({
      family: 'inet',
      name: 't',
      flags: ['dormant'],
      comment: 'x',
      unknown: { ...unknown, flags: 0x40 },
    })
    expect(table && compiled({ table }, 'nftNewTable')).toEqual(record)
  })

  test('chain, and where it is hooked in', () => {
    const record = {
      family: 1,
      table: 't',
      name: 'c',
      type: 'filter',
      hook: { hooknum: 1, priority: 0, opaque },
      policy: 1,
      flags: 0x81,
      userdata,
      opaque,
    }
    const chain = readChain(record)
    expect(chain).toMatchObject({
      comment: 'x',
      unknown: { ...unknown, hook: [unknownAttribute], flags: 0x80 },
    })
    expect(chain && compiled({ chain }, 'nftNewChain')).toEqual(record)
  })

  test('rule', () => {
    const record = { family: 1, table: 't', chain: 'c', expressions: [], userdata, opaque }
    const rule = decompileRule(record, 'inet', new SetCatalog([]))
    expect(rule).toEqual({ ...owner, chain: 'c', expr: [], comment: 'x', unknown })
    expect(rule && compiled({ rule }, 'nftNewRule')).toEqual(record)
  })

  test('object and flowtable', () => {
    const object = { family: 1, table: 't', name: 'o', type: 1, data: {}, userdata, opaque } as const
    const counter = readObject(object)
    expect(counter).toMatchObject({ counter: { comment: 'x', unknown } })
    expect(counter && compiled(counter, 'nftNewObject')).toEqual(object)
    const record = {
      family: 1,
      table: 't',
      name: 'f',
      hook: { num: 0, priority: 0, opaque },
      flags: 0x10,
      opaque,
    }
    const flowtable = readFlowtable(record)
    expect(flowtable?.unknown).toEqual({
      attributes: [unknownAttribute],
      hook: [unknownAttribute],
      flags: 0x10,
    })
    expect(flowtable && compiled({ flowtable }, 'nftNewFlowtable')).toEqual(record)
  })

  test('set, its description and its elements', () => {
    const key = Uint8Array.of(10, 0, 0, 1)
    const element = { key: { value: key }, flags: 0x20, userdata, opaque }
    const record = {
      family: 1,
      table: 't',
      name: 's',
      flags: 0x400,
      keyType: 7,
      keyLen: 4,
      desc: { size: 5, opaque },
      opaque,
    }
    const set = {
      record: { ...record, userdata: Uint8Array.of(7, 2, 0x78, 0, 200, 2, 1, 2, 201, 0) },
      elements: [element],
    }
    expect(isAnonymous(set.record)).toBe(false)
    const listed = readWhole(set)
    expect(listed).toEqual({
      set: {
        ...owner,
        name: 's',
        type: 'ipv4_addr',
        size: 5,
        comment: 'x',
        unknown: { ...unknown, description: [unknownAttribute], flags: 0x400 },
        elem: [{ elem: { val: '10.0.0.1', comment: 'x', unknown: { ...unknown, flags: 0x20 } } }],
      },
    })
    if (listed === undefined) throw new Error('a set')
    expect(
      readWhole({
        record: compiled(listed, 'nftNewSet'),
        elements: compiled(listed, 'nftNewElement').elements ?? [],
      }),
    ).toEqual(listed)
    expect(compiled(listed, 'nftNewElement').elements).toEqual([element])
  })

  test('element of a set of ranges', () => {
    const record = { family: 1, table: 't', name: 's', flags: 4, keyType: 7, keyLen: 4 }
    const elements = [
      { key: { value: Uint8Array.of(0, 0, 0, 0) }, flags: 1 },
      { key: { value: Uint8Array.of(10, 0, 0, 0) }, userdata },
      { key: { value: Uint8Array.of(11, 0, 0, 0) }, flags: 1 },
    ]
    const listed = readWhole({ record, elements })
    expect(listed).toMatchObject({
      set: { elem: [{ elem: { comment: 'x', unknown: { userdata: unknownData } } }] },
    })
    if (listed === undefined) throw new Error('a set')
    expect(compiled(listed, 'nftNewElement').elements).toEqual(elements)
  })
})

describe('user data that is no list of values', () => {
  test.each<[string, readonly number[]]>([
    ['a length beyond the end', [0, 9, 1]],
    ['one type twice', [200, 1, 1, 200, 1, 2]],
    ['text of a program of its own', [...Buffer.from('owner=me')]],
  ])('%s is kept whole', (_, bytes) => {
    const record = { family: 1, name: 't', flags: 0, userdata: Uint8Array.from(bytes) }
    const table = readTable(record)
    expect(table?.unknown).toEqual({ userdata: Buffer.from(bytes).toString('hex') })
    expect(table && compiled({ table }, 'nftNewTable')).toEqual(record)
  })
})

describe('what is no value of an unknown type is refused, with its path', () => {
  test.each<[UnknownParts, string, RegExp]>([
    [{ userdata: 'abc' }, 'table.unknown.userdata', /hexadecimal/],
    [{ userdata: [{ type: 256, value: '' }] }, 'table.unknown.userdata[0]', /below 256/],
    [
      { userdata: [{ type: 1, value: '00'.repeat(255) }] },
      'table.unknown.userdata',
      /longer than the 256 bytes/,
    ],
    [{ attributes: [{ type: 99, value: 'zz' }] }, 'table.unknown.attributes[0]', /hexadecimal/],
    [{ attributes: [{ type: -1, value: '' }] }, 'table.unknown.attributes[0]', /unknown type/],
  ])('case %#', (parts, path, message) => {
    const batch = batchOf(new Collector())
    const table = { family: 'inet', name: 't', unknown: parts } as const
    expect(() => compileOperation(batch, { add: { table } }, { echo: false })).toThrow(message)
    expect(batch.trail.toString()).toBe(path)
  })
})

test('JSON has it where it is to keep all, text leaves it out', () => {
  const table = { family: 'inet', name: 't', unknown: { ...unknown, flags: 0x40 } } as const
  expect(ruleset.toJson([{ table }]).nftables[1]).toEqual({ table: { family: 'inet', name: 't' } })
  const json: unknown = JSON.parse(JSON.stringify(ruleset.toJson([{ table }], { keep: true })))
  expect(ruleset.fromJson(json).operations).toEqual([{ add: { table } }])
  expect(toText([{ table }])).toBe(toText([{ table: { family: 'inet', name: 't' } }]))
})
