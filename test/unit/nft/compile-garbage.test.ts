import { expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { compileOperation, located, type Operation } from '../../../src/nft/compile/index.js'
import { declaredSets, readCases } from './cases.js'
import { batchOf, Collector } from './debug-notation.js'

const garbage: readonly unknown[] = [
  null,
  undefined,
  -1,
  0.5,
  2 ** 70,
  Number.NaN,
  12n,
  '',
  'x',
  '@',
  'constructor',
  '__proto__',
  'x'.repeat(300),
  'a\0b',
  true,
  [],
  {},
  [[]],
  { set: [] },
  { concat: [] },
  { elem: null },
  Symbol('x'),
  () => 1,
]

/** Every value that comes of replacing one part of `value`, at any depth, by garbage. */
function* mutations(value: unknown): Generator<unknown> {
  for (const other of garbage) yield other
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const other of mutations(item)) yield [...value.slice(0, index), other, ...value.slice(index + 1)]
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      for (const other of mutations(item)) yield { ...value, [key]: other }
  }
}

/** Compiles; an error must be one of ours with a path inside the operation. */
function outcome(operation: unknown): 'compiled' | 'refused' {
  const batch = batchOf(new Collector(), declaredSets('inet'))
  batch.trail.enter('operations')
  batch.trail.enter(0)
  try {
    compileOperation(batch, operation as Operation, { echo: false })
    return 'compiled'
  } catch (error) {
    const shown = located(error, 'nft.commit', batch.trail)
    if (!(shown instanceof NfbridgeError)) throw new Error('a foreign error', { cause: shown })
    expect(shown.path).toMatch(/^operations\[0\]/)
    expect(shown.code).toMatch(/^NFB_INVALID_/)
    return 'refused'
  }
}

const owner = { family: 'inet', table: 't' }
const objects: readonly unknown[] = [
  { add: { table: { family: 'inet', name: 't', flags: ['dormant'], comment: 'x' } } },
  {
    create: {
      chain: {
        ...owner,
        name: 'c',
        type: 'filter',
        hook: 'input',
        prio: 'filter + 5',
        policy: 'drop',
        dev: 'lo',
      },
    },
  },
  {
    add: {
      set: {
        ...owner,
        name: 's',
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        timeout: 5,
        size: 9,
        elem: [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [1, 2] }] }],
      },
    },
  },
  {
    add: {
      map: { ...owner, name: 'm', type: 'ifname', map: 'verdict', elem: [['lo', { jump: { target: 'x' } }]] },
    },
  },
  {
    add: {
      element: {
        ...owner,
        name: 's',
        type: 'ipv4_addr',
        elem: [{ elem: { val: '10.0.0.1', timeout: 5, comment: 'x', counter: { packets: 1, bytes: 2 } } }],
      },
    },
  },
  { delete: { element: { ...owner, name: 'm', type: 'mark', map: 'mark', elem: [[1, 2], 3] } } },
  { add: { counter: { ...owner, name: 'n', packets: 1, bytes: 2, comment: 'x' } } },
  { add: { quota: { ...owner, name: 'n', bytes: 5, used: 1, inv: true, comment: 'x' } } },
  {
    add: {
      limit: { ...owner, name: 'n', rate: 5, rate_unit: 'kbytes', per: 'day', burst: 1, burst_unit: 'bytes' },
    },
  },
  { add: { 'ct helper': { ...owner, name: 'n', type: 'ftp', protocol: 'tcp', l3proto: 'ip' } } },
  { add: { 'ct timeout': { ...owner, name: 'n', protocol: 'tcp', l3proto: 'ip', policy: { close: 5 } } } },
  {
    add: {
      'ct expectation': {
        ...owner,
        name: 'n',
        protocol: 'tcp',
        dport: 5,
        timeout: 5,
        size: 5,
        l3proto: 'ip',
      },
    },
  },
  { add: { secmark: { ...owner, name: 'n', context: 'x' } } },
  { add: { synproxy: { ...owner, name: 'n', mss: 1, wscale: 1, flags: ['timestamp'] } } },
  {
    add: {
      flowtable: { ...owner, name: 'n', hook: 'ingress', prio: 'filter', dev: ['lo'], flags: ['counter'] },
    },
  },
  { delete: { quota: { ...owner, name: 'n' } } },
  { delete: { flowtable: { ...owner, name: 'n' } } },
  { replace: { rule: { ...owner, chain: 'c', handle: 5, expr: [{ counter: null }], comment: 'x' } } },
  { delete: { rule: { ...owner, chain: 'c', handle: 5 } } },
  { flush: { chain: { ...owner, name: 'c' } } },
  { flush: { ruleset: { family: 'ip' } } },
]

test('garbage in any place of any object is refused with its path, or compiles', () => {
  let refused = 0
  for (const object of objects)
    for (const mutation of mutations(object)) if (outcome(mutation) === 'refused') refused++
  expect(refused).toBeGreaterThan(1000)
})

test('garbage in any place of any statement', () => {
  let refused = 0
  // One of each shape: what differs in values only tells nothing more.
  const shapes = new Map(
    readCases('./statement-cases.txt').map((one) => [
      JSON.stringify(one.expr).replace(/"[^"]*"(?=[,\]}])|\d+/g, ''),
      one,
    ]),
  )
  for (const { expr, family } of shapes.values())
    for (const mutation of mutations(expr))
      if (outcome({ add: { rule: { family, table: 't', chain: 'c', expr: mutation } } }) === 'refused')
        refused++
  expect(refused).toBeGreaterThan(5_000)
})

test('garbage in any place of any rule', () => {
  let refused = 0
  for (const { expr } of readCases().filter(({ family }) => family === 'inet'))
    for (const mutation of mutations(expr))
      if (outcome({ add: { rule: { ...owner, chain: 'c', expr: mutation } } }) === 'refused') refused++
  expect(refused).toBeGreaterThan(20_000)
})
