/** What the kernel "does not support" is explained by what it was given. */
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import {
  type Chain,
  type NamedSet,
  Nft,
  type Operation,
  type RulesetObject,
  type SetElement,
  type Statement,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't', name: 's' } as const
const counter = { counter: null } as const
const limit = { limit: { rate: 5, per: 'second' } } as const
const ctCount = { 'ct count': { val: 2 } } as const
const counted = { counter: { packets: 0, bytes: 0 } } as const
const source = { payload: { protocol: 'ip', field: 'saddr' } } as const

const set = (more: Partial<NamedSet>): RulesetObject => ({ set: { ...owner, type: 'ipv4_addr', ...more } })
const element = (attributes: object, value = '10.0.0.1'): SetElement => ({
  elem: { val: value, ...attributes },
})
const elements = (...elem: SetElement[]): RulesetObject => ({ element: { ...owner, elem } })
const chain = (hook: Chain['hook'], type: Chain['type'] = 'filter', prio = 0): RulesetObject =>
  ({
    chain: { family: 'inet', table: 't', name: 'c', type, hook, prio },
  }) as RulesetObject
const rule = (...expr: Statement[]): RulesetObject => ({
  rule: { family: 'inet', table: 't', chain: 'c', expr },
})
const adding = (...stmt: (typeof counter | typeof limit | typeof ctCount)[]): Statement => ({
  set: { op: 'add', elem: source, set: '@s', ...(stmt.length > 0 && { stmt }) },
})
const compared = (
  left: Extract<Statement, { match: object }>['match']['left'],
  right: number | string,
): Statement => ({
  match: { op: '==', left, right },
})

async function opened(): Promise<Nft> {
  const namespace = keep(await Namespace.create())
  const handle = keep(await Nft.open({ netns: namespace }))
  await handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .commit()
  return handle
}

async function commit(handle: Nft, ...objects: readonly RulesetObject[]): Promise<unknown> {
  const transaction = handle.transaction()
  for (const object of objects) transaction.add(object)
  return transaction.commit().then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** What is refused by what it was given, where, and what the message says; then what is right. */
const cases: readonly (readonly [
  string,
  readonly RulesetObject[],
  path: string,
  message: RegExp,
  readonly RulesetObject[],
])[] = [
  [
    'an element that lacks a statement of its set',
    [
      set({ stmt: [counter, limit] }),
      elements(element({ ...counted, ...limit }), element(counted, '10.0.0.2')),
    ],
    'operations[1].element.elem[1]',
    /it lacks limit, as the set declares counter, limit/,
    [set({ stmt: [counter, limit] }), elements(element({ ...counted, ...limit }), '10.0.0.2')],
  ],
  [
    'an element of a set that is declared with it',
    [set({ stmt: [counter, limit], elem: [element(limit)] })],
    'operations[0].set.elem[0]',
    /it lacks counter, as the set declares counter, limit/,
    [set({ stmt: [counter, limit], elem: [element({ ...counted, ...limit })] })],
  ],
  [
    'an element with other statements than its set',
    [set({ stmt: [counter] }), elements(element(limit))],
    'operations[1].element.elem[0]',
    /it lacks counter and it has limit in excess/,
    [set({ stmt: [limit] }), elements(element(limit))],
  ],
  [
    'an element with more statements than its set',
    [set({ stmt: [counter] }), elements(element({ ...counted, ...limit }))],
    'operations[1].element.elem[0]',
    /it has limit in excess, as the set declares counter/,
    [set({ stmt: [counter, limit] }), elements(element({ ...counted, ...limit }))],
  ],
  [
    'statements in another order',
    [set({ stmt: [counter, limit] }), elements(element({ ...limit, ...counted }))],
    'operations[1].element.elem[0]',
    /it has limit, counter, and the set declares counter, limit/,
    [set({ stmt: [limit, counter] }), elements(element({ ...limit, ...counted }))],
  ],
  [
    'a count of connections for elements that expire',
    [set({ flags: ['timeout'] }), elements(element({ 'ct count': { val: 5 } }))],
    'operations[1].element.elem[0]',
    /ct count is for elements that do not expire/,
    [set({}), elements(element({ 'ct count': { val: 5 } }))],
  ],
  [
    'a set of counts of connections that expire',
    [set({ flags: ['timeout', 'dynamic'], stmt: [ctCount] })],
    'operations[0].set.stmt',
    /ct count is for elements that do not expire/,
    [set({ flags: ['dynamic'], stmt: [ctCount] })],
  ],
  [
    'ranges to which rules add',
    [set({ flags: ['interval', 'dynamic'] })],
    'operations[0].set.flags',
    /\(dynamic\) holds no ranges \(interval\)/,
    [set({ flags: ['dynamic'] })],
  ],
  [
    'objects to which rules add',
    [{ map: { ...owner, type: 'ipv4_addr', map: 'counter', flags: ['dynamic'] } }],
    'operations[0].map.flags',
    /rules do not add \(dynamic\) to a map of objects/,
    [{ map: { ...owner, type: 'ipv4_addr', map: 'counter' } }],
  ],
  [
    'a constant set that expires',
    [set({ flags: ['constant', 'timeout'] })],
    'operations[0].set.flags',
    /never changes \(constant\) do not expire/,
    [set({ flags: ['constant'] })],
  ],
  [
    'a rule that adds to ranges',
    [set({ flags: ['interval'] }), chain('input'), rule(adding())],
    'operations[2].rule.expr[0]',
    /@s has the flag interval/,
    [set({ flags: ['dynamic'] }), chain('input'), rule(adding())],
  ],
  [
    'a rule that adds with other statements',
    [set({ flags: ['dynamic'], stmt: [counter] }), chain('input'), rule(adding(limit))],
    'operations[2].rule.expr[0]',
    /it lacks counter and it has limit in excess/,
    [set({ flags: ['dynamic'], stmt: [limit] }), chain('input'), rule(adding(limit))],
  ],
  [
    'a rule that counts the connections of elements that expire',
    [set({ flags: ['dynamic', 'timeout'] }), chain('input'), rule(adding(ctCount))],
    'operations[2].rule.expr[0]',
    /ct count is for elements that do not expire/,
    [set({ flags: ['dynamic'] }), chain('input'), rule(adding(ctCount))],
  ],
  [
    'a chain of nat that forwards',
    [chain('forward', 'nat')],
    'operations[0].chain.hook',
    /the type nat has no hook forward, only prerouting, input, output, postrouting/,
    [chain('prerouting', 'nat')],
  ],
  [
    'a chain of nat before connection tracking',
    [chain('prerouting', 'nat', -300)],
    'operations[0].chain.prio',
    /above -200, not -300/,
    [chain('prerouting', 'nat', -199)],
  ],
  [
    'a chain of the type route elsewhere',
    [chain('prerouting', 'route')],
    'operations[0].chain.hook',
    /only output/,
    [chain('output', 'route')],
  ],
  ...(
    [
      ['masquerade', { masquerade: null }, 'filter', 'postrouting', 'nat', 'postrouting'],
      ['masquerade', { masquerade: null }, 'nat', 'prerouting', 'nat', 'postrouting'],
      ['dnat', { dnat: { family: 'ip', addr: '10.0.0.1' } }, 'nat', 'postrouting', 'nat', 'prerouting'],
      ['snat', { snat: { family: 'ip', addr: '10.0.0.1' } }, 'nat', 'prerouting', 'nat', 'input'],
      ['redirect', { redirect: null }, 'nat', 'postrouting', 'nat', 'output'],
      [
        'reject',
        { reject: { type: 'icmpx', expr: 'port-unreachable' } },
        'filter',
        'postrouting',
        'filter',
        'forward',
      ],
      [
        'fib',
        compared({ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, 0),
        'filter',
        'output',
        'filter',
        'prerouting',
      ],
      [
        'fib',
        compared({ fib: { result: 'type', flags: ['daddr', 'oif'] } }, 'local'),
        'filter',
        'input',
        'filter',
        'output',
      ],
      [
        'socket',
        compared({ socket: { key: 'transparent' } }, 1),
        'filter',
        'postrouting',
        'filter',
        'output',
      ],
      [
        'setting meta pkttype',
        { mangle: { key: { meta: { key: 'pkttype' } }, value: 'host' } },
        'filter',
        'postrouting',
        'filter',
        'prerouting',
      ],
    ] as const
  ).map(
    ([name, statement, type, hook, rightType, rightHook]) =>
      [
        `${name} in ${type} ${hook}`,
        [chain(hook, type), rule(counter, statement)],
        'operations[1].rule.expr[1]',
        new RegExp(`${name} is possible only .*${rightHook}.*; c is of the type ${type} at ${hook}`),
        [chain(rightHook, rightType), rule(counter, statement)],
      ] as const,
  ),
  [
    'a jump to a chain with such a statement',
    [
      chain('input'),
      { chain: { family: 'inet', table: 't', name: 'd' } },
      { rule: { family: 'inet', table: 't', chain: 'd', expr: [{ masquerade: null }] } },
      rule({ jump: { target: 'd' } }),
    ],
    'operations[3].rule.expr[0]',
    /a chain that it jumps to has a statement/,
    [
      chain('postrouting', 'nat'),
      { chain: { family: 'inet', table: 't', name: 'd' } },
      { rule: { family: 'inet', table: 't', chain: 'd', expr: [{ masquerade: null }] } },
      rule({ jump: { target: 'd' } }),
    ],
  ],
]

test.for(cases)('%s', async ([, wrong, path, message, right]) => {
  const handle = await opened()
  const error = await commit(handle, ...wrong)
  expect(error).toBeInstanceOf(NfbridgeError)
  expect(error).toMatchObject({ code: 'NFB_REJECTED', path, message: expect.stringMatching(message) })
  expect(error).not.toMatchObject({ message: expect.stringContaining('too old') })
  expect(await commit(handle, ...right)).toBeUndefined()
})

test('the statements of a set that is there are known, also when the element says its type', async () => {
  const handle = await opened()
  expect(await commit(handle, set({ stmt: [counter, limit] }))).toBeUndefined()
  for (const type of [{}, { type: 'ipv4_addr' }] as const) {
    const error = await commit(handle, { element: { ...owner, ...type, elem: [element(counted)] } })
    expect(error).toMatchObject({
      code: 'NFB_REJECTED',
      errno: 'EOPNOTSUPP',
      message: expect.stringContaining('it lacks limit, as the set declares counter, limit'),
    })
  }
})

test('inserting says it, too', async () => {
  const handle = await opened()
  expect(await commit(handle, chain('input'))).toBeUndefined()
  const inserted: Operation = {
    insert: { rule: { family: 'inet', table: 't', chain: 'c', expr: [{ masquerade: null }] } },
  }
  const error = await handle
    .transaction()
    .insert(inserted.insert)
    .commit()
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({
    code: 'NFB_REJECTED',
    path: 'operations[0].rule.expr[0]',
    message: expect.stringContaining(
      'masquerade is possible only in chains of the type nat at the hooks postrouting',
    ),
  })
})
