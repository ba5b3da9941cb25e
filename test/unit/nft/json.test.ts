import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { type RulesetObject, ruleset } from '../../../src/nft/index.js'
import { isObject } from '../../support/tools.js'
import { readCases } from './cases.js'

function refusalOf(json: unknown): NfbridgeError {
  try {
    ruleset.fromJson(json)
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error(`this was accepted: ${JSON.stringify(json)}`)
}

const table = { table: { family: 'inet', name: 't' } } as const
const rule = (...expr: unknown[]): object => ({ rule: { family: 'inet', table: 't', chain: 'c', expr } })
const cases = readCases()

describe('what is right is read as it is', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))('%s', (_, { family, expr }) => {
    const given = { rule: { family, table: 't', chain: 'c', expr } }
    expect(ruleset.fromJson({ nftables: [given] }).nftables).toEqual([given])
    // What nft reads is the same, but for the types of maps and the pairs of bit operations.
    const written = JSON.parse(JSON.stringify(ruleset.toJson([given], { keep: true })))
    expect(ruleset.fromJson(written).nftables).toEqual(JSON.parse(JSON.stringify(inPairs([given]))))
  })
})

/** `a | b | c` as `(a | b) | c`. */
function inPairs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inPairs)
  if (!isObject(value)) return value
  for (const operator of ['&', '|', '^', '<<', '>>']) {
    const operands = value[operator]
    if (Array.isArray(operands))
      return operands.map(inPairs).reduce((left, right) => ({ [operator]: [left, right] }))
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inPairs(child)]))
}

/** Every place in a value, with its path as errors say it. */
function* places(value: unknown, path: string): Generator<{ path: string; put(value: unknown): unknown }> {
  yield { path, put: (wrong) => wrong }
  if (Array.isArray(value))
    for (const [index, child] of value.entries())
      for (const place of places(child, `${path}[${index}]`))
        yield { path: place.path, put: (wrong) => value.with(index, place.put(wrong)) }
  else if (isObject(value))
    for (const [key, child] of Object.entries(value))
      for (const place of places(child, `${path}.${key}`))
        yield { path: place.path, put: (wrong) => ({ ...value, [key]: place.put(wrong) }) }
}

test('every value of every case wrong in turn is refused with a path to it', () => {
  let count = 0
  let exact = 0
  for (const { family, expr } of cases) {
    const given = { rule: { family, table: 't', chain: 'c', comment: 'x', handle: 4, expr } }
    for (const place of places(given, 'nftables[0]'))
      for (const wrong of [{ nonsense: 1 }, [[{ nonsense: 1 }]], () => 1]) {
        const { code, path = '' } = refusalOf({ nftables: [place.put(wrong)] })
        expect(code, place.path).toBe('NFB_INVALID_ARGUMENT')
        const isThere =
          path === place.path || path.startsWith(`${place.path}.`) || path.startsWith(`${place.path}[`)
        expect(isThere || place.path.startsWith(path), `${path} for ${place.path}`).toBe(true)
        count++
        if (isThere) exact++
      }
  }
  expect(count).toBeGreaterThan(5000)
  // The rest are values whose wrongness makes another alternative the nearest, such as a statement's only property.
  expect(exact / count).toBeGreaterThan(0.9)
})

const wrongs: readonly (readonly [path: string, json: unknown])[] = [
  ['', 'no json'],
  ['nftables', {}],
  ['nftables[0]', { nftables: [{}] }],
  ['nftables[0]', { nftables: [{ table: {}, chain: {} }] }],
  ['nftables[0]', { nftables: [{ tabel: { family: 'ip', name: 'x' } }] }],
  ['nftables[0].table.family', { nftables: [{ table: { family: 'ipv4', name: 'x' } }] }],
  ['nftables[0].table', { nftables: [{ table: { family: 'ip' } }] }],
  ['nftables[0].add.table.name', { nftables: [{ add: { table: { family: 'ip', name: 5 } } }] }],
  ['nftables[0]', { nftables: [{ list: { ruleset: null } }] }],
  [
    'nftables[1].rule.expr[1].match.op',
    {
      nftables: [
        table,
        rule({ accept: null }, { match: { op: '=~', left: { meta: { key: 'mark' } }, right: 5 } }),
      ],
    },
  ],
  [
    'nftables[0].rule.expr[0].match.left.payload.field',
    {
      nftables: [
        rule({ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dprot' } }, right: 5 } }),
      ],
    },
  ],
  [
    'nftables[0].rule.expr[0].match.left.payload.field',
    {
      nftables: [
        rule({ match: { op: '==', left: { payload: { protocol: 'ip', field: 'dport' } }, right: 5 } }),
      ],
    },
  ],
  [
    'nftables[0].rule.expr[0].match.left.meta.key',
    { nftables: [rule({ match: { op: '==', left: { meta: { key: 'marc' } }, right: 5 } })] },
  ],
  [
    'nftables[0].rule.expr[0].match',
    { nftables: [rule({ match: { op: '==', left: { meta: { key: 'mark' } } } })] },
  ],
  [
    'nftables[0].rule.expr[0].match.rihgt',
    { nftables: [rule({ match: { op: '==', left: { meta: { key: 'mark' } }, right: 5, rihgt: 5 } })] },
  ],
  ['nftables[0].rule.expr[0].log.level', { nftables: [rule({ log: { level: 'loud' } })] }],
  ['nftables[0].rule.expr[0].jump.target', { nftables: [rule({ jump: { target: 5 } })] }],
  [
    'nftables[0].set.flags[0]',
    { nftables: [{ set: { family: 'ip', table: 't', name: 's', type: 'mark', flags: 'intervall' } }] },
  ],
  [
    'nftables[0].set.type[1]',
    { nftables: [{ set: { family: 'ip', table: 't', name: 's', type: ['mark', 'marc'] } }] },
  ],
  ['nftables[0].metainfo.json_schema_version', { nftables: [{ metainfo: { json_schema_version: 7 } }] }],
  [
    'nftables[0].chain.prio',
    { nftables: [{ chain: { family: 'ip', table: 't', name: 'c', prio: 'filtre' } }] },
  ],
]

test.each(wrongs)('what is wrong is refused at %s', (path, json) => {
  const error = refusalOf(json)
  expect([error.code, error.path ?? '']).toEqual(['NFB_INVALID_ARGUMENT', path])
})

const objects: readonly RulesetObject[] = [
  { table: { family: 'inet', name: 't' } },
  { chain: { family: 'inet', table: 't', name: 'a' } },
  { chain: { family: 'inet', table: 't', name: 'b' } },
  { counter: { family: 'inet', table: 't', name: 'n' } },
  { set: { family: 'inet', table: 't', name: 's', type: 'mark' } },
  {
    map: {
      family: 'inet',
      table: 't',
      name: 'm',
      type: 'mark',
      map: 'verdict',
      elem: [[1, { jump: { target: 'b' } }]],
    },
  },
  { element: { family: 'inet', table: 't', name: 's', elem: [1] } },
  { rule: { family: 'inet', table: 't', chain: 'a', expr: [{ jump: { target: 'b' } }] } },
  { rule: { family: 'inet', table: 't', chain: 'a', expr: [{ accept: null }] } },
]

test('objects in any order become operations in an order that works; rules keep theirs', () => {
  const expected = objects.map((object) => ({ add: object }))
  const last = objects.slice(-2)
  expect(ruleset.fromJson({ nftables: [...last, ...objects.slice(0, -2).reverse()] }).operations).toEqual(
    [0, 2, 1, 3, 5, 4, 6, 7, 8].map((index) => expected[index]),
  )
})

test('commands stay where they are; additions between them are put in order', () => {
  const flush = { flush: { ruleset: null } }
  const gone = { delete: { chain: { family: 'inet', table: 't', name: 'a' } } }
  const [add, chain, , , , , , first] = objects
  const { operations } = ruleset.fromJson({ nftables: [flush, chain, { add }, { add: first }, gone] })
  expect(operations).toEqual([flush, { add }, { add: chain }, { add: first }, gone])
})

test('the handle of a listed rule is no place to add it at; that of a command is', () => {
  const listed = { rule: { family: 'inet', table: 't', chain: 'c', handle: 7, expr: [] } }
  const { nftables, operations } = ruleset.fromJson({ nftables: [listed, { add: listed }] })
  expect(nftables).toEqual([listed])
  expect(operations).toEqual([
    { add: { rule: { family: 'inet', table: 't', chain: 'c', expr: [] } } },
    { add: listed },
  ])
})

test('one value where a list is expected, what nft prints otherwise, and metainfo', () => {
  const { nftables, metainfo } = ruleset.fromJson(
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
        { table: { family: 'ip', name: 'd', flags: 't' } },
        { set: { family: 'ip', table: 'd', name: 's', type: 'mark', flags: 'interval', elem: 5 } },
        { map: { family: 'ip', table: 'd', name: 'm', type: 'mark', map: 'ipv4_addr . inet_service' } },
      ],
    }),
  )
  expect(metainfo?.version).toBe('1.0.6')
  expect(nftables).toEqual([
    { table: { family: 'ip', name: 'd', flags: ['dormant'] } },
    { set: { family: 'ip', table: 'd', name: 's', type: 'mark', flags: ['interval'], elem: [5] } },
    { map: { family: 'ip', table: 'd', name: 'm', type: 'mark', map: ['ipv4_addr', 'inet_service'] } },
  ])
})

test('toJson says what nft reads, or keeps all of it', () => {
  const given: RulesetObject[] = [
    { table: { family: 'ip', name: 't', flags: ['dormant'], comment: 'c' } },
    {
      chain: {
        family: 'ip',
        table: 't',
        name: 'c',
        type: 'filter',
        hook: 'input',
        prio: 'mangle + 5',
        comment: 'c',
      },
    },
    {
      set: { family: 'ip', table: 't', name: 's', type: 'mark', flags: ['timeout', 'dynamic'], timeout: 1.5 },
    },
  ]
  expect(ruleset.toJson({ nftables: given }).nftables).toEqual([
    { metainfo: { json_schema_version: 1 } },
    { table: { family: 'ip', name: 't' } },
    { chain: { family: 'ip', table: 't', name: 'c', type: 'filter', hook: 'input', prio: -145 } },
    { set: { family: 'ip', table: 't', name: 's', type: 'mark', flags: ['timeout'], timeout: 2 } },
  ])
  expect(ruleset.toJson(given, { keep: true }).nftables.slice(1)).toEqual(given)
})

test('what is opaque is refused with its path, or left out as a whole', () => {
  const opaque: RulesetObject = {
    rule: { family: 'ip', table: 't', chain: 'c', expr: [{ accept: null }, { opaque: { expressions: [] } }] },
  }
  const given = [{ table: { family: 'ip', name: 't' } } as const, opaque]
  expect(() => ruleset.toJson(given)).toThrow(
    expect.objectContaining({ code: 'NFB_INVALID_ARGUMENT', path: 'nftables[1].rule.expr[1].opaque' }),
  )
  expect(ruleset.toJson(given, { opaque: 'omit' }).nftables).toEqual([
    { metainfo: { json_schema_version: 1 } },
    given[0],
  ])
})

describe('a set that a rule fills', () => {
  const set = { family: 'ip', table: 't', name: 'd', type: 'ipv4_addr', flags: ['timeout'], handle: 3 }
  const key = { payload: { protocol: 'ip', field: 'saddr' } }
  const rule = {
    family: 'ip',
    table: 't',
    chain: 'c',
    expr: [{ set: { op: 'update', elem: { elem: { val: key, timeout: 30 } }, set: '@d' } }],
  }

  test('is dynamic, although nft prints it without the flag; others stay as they are', () => {
    const other = { ...set, name: 'other' }
    const { operations, nftables } = ruleset.fromJson({ nftables: [{ set }, { set: other }, { rule }] })
    const flags = operations.flatMap((each) =>
      'add' in each && 'set' in each.add ? [each.add.set.flags] : [],
    )
    expect(flags).toEqual([['timeout', 'dynamic'], ['timeout']])
    expect(nftables[0]).toMatchObject({ set: { flags: ['timeout', 'dynamic'] } })
    const said = ruleset.fromJson({ nftables: [{ set: { ...set, flags: ['dynamic'] } }, { rule }] })
    expect(said.nftables[0]).toMatchObject({ set: { flags: ['dynamic'] } })
  })
})
