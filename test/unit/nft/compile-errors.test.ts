import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { compileOperation, located, type Operation } from '../../../src/nft/compile/index.js'
import { batchOf, Collector } from './debug-notation.js'

/** The code and path of the error that an operation compiles to; the operation is the third of its transaction. */
function fault(operation: unknown): readonly [string, string | undefined] | undefined {
  const sink = new Collector()
  const batch = batchOf(sink)
  batch.trail.enter('operations')
  batch.trail.enter(2)
  try {
    // What a caller without types may pass.
    compileOperation(batch, operation as Operation, { echo: false })
  } catch (error) {
    const shown = located(error, 'nft.commit', batch.trail)
    if (shown instanceof NfbridgeError) return [shown.code, shown.path]
    throw error
  }
  return undefined
}

const owner = { family: 'inet', table: 't' }
const rule = (...expr: unknown[]): unknown => ({ add: { rule: { ...owner, chain: 'c', expr } } })
const match = (left: unknown, right: unknown, op = '=='): unknown =>
  rule({ accept: null }, { match: { op, left, right } })
const payload = (protocol: string, field: string): unknown => ({ payload: { protocol, field } })
const element = (elem: unknown, more: object = {}): unknown => ({
  add: { element: { ...owner, name: 's', type: 'ipv4_addr', elem, ...more } },
})
const set = (more: object): unknown => ({ add: { set: { ...owner, name: 's', type: 'ipv4_addr', ...more } } })
const chain = (more: object): unknown => ({ add: { chain: { ...owner, name: 'c', ...more } } })

const at = 'operations[2].rule.expr[1].match'
const table: readonly (readonly [string, unknown, string, string])[] = [
  ['no operation', { put: {} }, 'NFB_INVALID_ARGUMENT', 'operations[2]'],
  ['no object', { add: { gateway: {} } }, 'NFB_INVALID_ARGUMENT', 'operations[2]'],
  [
    'a family that does not exist',
    { add: { table: { family: 'ip4', name: 't' } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].table',
  ],
  [
    'a name that is empty',
    { add: { table: { family: 'ip', name: '' } } },
    'NFB_INVALID_NAME',
    'operations[2].table',
  ],
  [
    'a name that is too long',
    { add: { table: { family: 'ip', name: 'x'.repeat(256) } } },
    'NFB_INVALID_NAME',
    'operations[2].table',
  ],
  [
    'a flag of tables',
    { add: { table: { family: 'ip', name: 't', flags: ['lazy'] } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].table.flags',
  ],
  [
    'a comment that is too long',
    { add: { table: { family: 'ip', name: 't', comment: 'x'.repeat(129) } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].table.comment',
  ],
  [
    'a hook of another family',
    chain({ type: 'filter', hook: 'egress', prio: 0 }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].chain.hook',
  ],
  [
    'a chain type',
    chain({ type: 'nut', hook: 'input', prio: 0 }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].chain.type',
  ],
  [
    'no priority',
    chain({ type: 'filter', hook: 'input' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].chain.prio',
  ],
  [
    'a priority by a wrong name',
    chain({ type: 'filter', hook: 'input', prio: 'first' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].chain.prio',
  ],
  [
    'a policy',
    chain({ type: 'filter', hook: 'input', prio: 0, policy: 'reject' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].chain.policy',
  ],
  ['a policy without a hook', chain({ policy: 'drop' }), 'NFB_INVALID_ARGUMENT', 'operations[2].chain'],
  [
    'a type that does not exist',
    set({ type: 'ipv5_addr' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].set.type',
  ],
  ['a type without a length', set({ type: 'integer' }), 'NFB_INVALID_ARGUMENT', 'operations[2].set.type'],
  [
    'a type by a name of Object',
    set({ type: 'constructor' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].set.type',
  ],
  ['too many fields', set({ type: Array(6).fill('mark') }), 'NFB_INVALID_ARGUMENT', 'operations[2].set.type'],
  ['a flag of sets', set({ flags: ['anonymous'] }), 'NFB_INVALID_ARGUMENT', 'operations[2].set.flags'],
  ['a size of none', set({ size: 0 }), 'NFB_INVALID_ARGUMENT', 'operations[2].set.size'],
  ['a timeout before now', set({ timeout: -1 }), 'NFB_INVALID_ARGUMENT', 'operations[2].set.timeout'],
  [
    'an element of a set that is declared',
    set({ elem: ['10.0.0.1', '10.0.0'] }),
    'NFB_INVALID_ADDRESS',
    'operations[2].set.elem[1]',
  ],
  [
    'an address above 255',
    element(['10.0.0.1', '10.0.0.256']),
    'NFB_INVALID_ADDRESS',
    'operations[2].element.elem[1]',
  ],
  [
    'an address with a leading zero',
    element(['10.0.0.01']),
    'NFB_INVALID_ADDRESS',
    'operations[2].element.elem[0]',
  ],
  ['a number for an address', element([5]), 'NFB_INVALID_ADDRESS', 'operations[2].element.elem[0]'],
  ['null for an element', element([null]), 'NFB_INVALID_ARGUMENT', 'operations[2].element.elem[0]'],
  ['no array of elements', element('10.0.0.1'), 'NFB_INVALID_ARGUMENT', 'operations[2].element.elem'],
  [
    'a prefix in a set without intervals',
    element([{ prefix: { addr: '10.0.0.0', len: 8 } }]),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'a prefix that is too long',
    element([{ prefix: { addr: '10.0.0.0', len: 33 } }], { flags: ['interval'] }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'a range that ends before it begins',
    element([{ range: ['10.0.0.9', '10.0.0.1'] }], { flags: ['interval'] }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'a pair in a set',
    element([['10.0.0.1', { accept: null }]]),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'no pair in a map',
    element(['10.0.0.1'], { map: 'verdict' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'a value where a verdict is due',
    element([['10.0.0.1', 5]], { map: 'verdict' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0][1]',
  ],
  [
    'a verdict where a value is due',
    element([['10.0.0.1', { drop: null }]], { map: 'mark' }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0][1]',
  ],
  [
    'a port above 65535',
    element([{ concat: ['10.0.0.1', 65536] }], { type: ['ipv4_addr', 'inet_service'] }),
    'NFB_INVALID_PORT',
    'operations[2].element.elem[0].concat[1]',
  ],
  [
    'too few fields',
    element([{ concat: ['10.0.0.1'] }], { type: ['ipv4_addr', 'inet_service'] }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0]',
  ],
  [
    'a name of 16 bytes',
    element(['sixteen-bytes-xx'], { type: 'ifname' }),
    'NFB_INVALID_NAME',
    'operations[2].element.elem[0]',
  ],
  [
    'a comment of an element',
    element([{ elem: { val: '10.0.0.1', comment: 'x'.repeat(129) } }]),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0].elem.val',
  ],
  [
    'a timeout of an element',
    element([{ elem: { val: '10.0.0.1', timeout: Number.NaN } }]),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.elem[0].elem.timeout',
  ],
  [
    'no type',
    element(['10.0.0.1'], { type: undefined }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].element.type',
  ],
  [
    'no statements',
    { add: { rule: { ...owner, chain: 'c' } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule',
  ],
  ['an unknown statement', rule({ allow: null }), 'NFB_INVALID_ARGUMENT', 'operations[2].rule.expr[0].allow'],
  ['null for a statement', rule(null), 'NFB_INVALID_ARGUMENT', 'operations[2].rule.expr[0]'],
  ['a jump to nowhere', rule({ jump: {} }), 'NFB_INVALID_ARGUMENT', 'operations[2].rule.expr[0].jump'],
  ['an unknown header', match(payload('tpc', 'dport'), 80), 'NFB_INVALID_ARGUMENT', `${at}.left`],
  ['an unknown field', match(payload('tcp', 'port'), 80), 'NFB_INVALID_ARGUMENT', `${at}.left`],
  ['an unknown key of meta', match({ meta: { key: 'colour' } }, 1), 'NFB_INVALID_ARGUMENT', `${at}.left`],
  [
    'a key of ct without its direction',
    match({ ct: { key: 'proto-dst' } }, 1),
    'NFB_INVALID_ARGUMENT',
    `${at}.left`,
  ],
  [
    'a direction that ct state has not',
    match({ ct: { key: 'state', dir: 'reply' } }, 'new'),
    'NFB_INVALID_ARGUMENT',
    `${at}.left`,
  ],
  ['an unknown operator', match(payload('tcp', 'dport'), 80, '~'), 'NFB_INVALID_ARGUMENT', at],
  ['a port above 65535 in a match', match(payload('tcp', 'dport'), 65536), 'NFB_INVALID_PORT', `${at}.right`],
  ['a fraction', match(payload('tcp', 'dport'), 80.5), 'NFB_INVALID_PORT', `${at}.right`],
  ['a negative number', match({ meta: { key: 'mark' } }, -1), 'NFB_INVALID_ARGUMENT', `${at}.right`],
  [
    'an address in a literal set',
    match(payload('ip', 'saddr'), { set: ['10.0.0.1', 'x'] }),
    'NFB_INVALID_ADDRESS',
    `${at}.right.set[1]`,
  ],
  [
    'an empty literal set',
    match(payload('ip', 'saddr'), { set: [] }),
    'NFB_INVALID_ARGUMENT',
    `${at}.right.set`,
  ],
  [
    'a list for what has no flags',
    match(payload('tcp', 'dport'), [80, 443], 'in'),
    'NFB_INVALID_ARGUMENT',
    `${at}.right`,
  ],
  [
    'an unknown state',
    match({ ct: { key: 'state' } }, ['new', 'old'], 'in'),
    'NFB_INVALID_ARGUMENT',
    `${at}.right`,
  ],
  [
    'a range by an order',
    match(payload('tcp', 'dport'), { range: [1, 2] }, '<'),
    'NFB_INVALID_ARGUMENT',
    `${at}.right`,
  ],
  [
    'a concatenation with one value',
    match({ concat: [payload('ip', 'saddr'), payload('tcp', 'dport')] }, 5),
    'NFB_INVALID_ARGUMENT',
    `${at}.right`,
  ],
  ['a constant on the left', match('10.0.0.1', '10.0.0.1'), 'NFB_INVALID_ARGUMENT', `${at}.left`],
  [
    'a field of another protocol',
    rule(
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'udp' } },
      { match: { op: '==', left: payload('tcp', 'dport'), right: 80 } },
    ),
    'NFB_INVALID_ARGUMENT',
    `${at}.left`,
  ],
  [
    'two network protocols',
    rule(
      { match: { op: '==', left: payload('ip', 'ttl'), right: 1 } },
      { match: { op: '==', left: payload('ip6', 'hoplimit'), right: 1 } },
    ),
    'NFB_INVALID_ARGUMENT',
    `${at}.left`,
  ],
  [
    'a target without a family',
    rule({ dnat: { addr: '10.0.0.1' } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].dnat',
  ],
  [
    'a port without a protocol',
    rule({ dnat: { family: 'ip', addr: '10.0.0.1', port: 80 } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].dnat.port',
  ],
  [
    'a map whose data is not known',
    rule({ dnat: { family: 'ip', addr: { map: { key: payload('ip', 'daddr'), data: '@m' } } } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].dnat.addr',
  ],
  [
    'an address that is none',
    rule({ snat: { family: 'ip', addr: '10.0.0' } }),
    'NFB_INVALID_ADDRESS',
    'operations[2].rule.expr[0].snat.addr',
  ],
  [
    'a flag of translation',
    rule({ masquerade: { flags: 'sticky' } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].masquerade.flags',
  ],
  [
    'a limit of nothing',
    rule({ limit: { rate: 0 } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].limit',
  ],
  [
    'a level of the log',
    rule({ log: { level: 'loud' } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].log',
  ],
  [
    'a code of rejection',
    rule({ reject: { type: 'icmp', expr: 'go-away' } }),
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule.expr[0].reject',
  ],
  [
    'a rule by index',
    { add: { rule: { ...owner, chain: 'c', expr: [], index: 1 } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule',
  ],
  [
    'a rule deleted without a handle',
    { delete: { rule: { ...owner, chain: 'c' } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule',
  ],
  [
    'a rule replaced without a handle',
    { replace: { rule: { ...owner, chain: 'c', expr: [] } } },
    'NFB_INVALID_ARGUMENT',
    'operations[2].rule',
  ],
]

describe('what is wrong, and where', () => {
  test.each(table)('%s', (_, operation, code, path) => {
    expect(fault(operation)).toEqual([code, path])
  })
})
