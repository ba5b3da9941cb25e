/** Names that lead to nothing, or to something else than is asked of it: the kernel refuses, and the error says why. */
import { expect, test } from 'vitest'
import { Nft, type RulesetObject, type Statement } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const
const mark = { meta: { key: 'mark' } } as const

function rule(...expr: readonly Statement[]): RulesetObject {
  return { rule: { ...owner, chain: 'c', expr } }
}

const standing: readonly RulesetObject[] = [
  { table: { family: 'inet', name: 't' } },
  { table: { family: 'bridge', name: 'b' } },
  { chain: { ...owner, name: 'c' } },
  { chain: { ...owner, name: 'base', type: 'filter', hook: 'input', prio: 0, policy: 'accept' } },
  { set: { ...owner, name: 's', type: 'mark' } },
  { set: { ...owner, name: 'grows', type: 'mark', flags: ['dynamic'] } },
  { map: { ...owner, name: 'marks', type: 'mark', map: 'mark' } },
  { counter: { ...owner, name: 'n' } },
]

const overlapping = [
  { concat: [{ range: ['10.0.0.1', '10.0.0.5'] }, 80] },
  { concat: [{ range: ['10.0.0.3', '10.0.0.9'] }, 80] },
] as const

const cases: readonly (readonly [object: RulesetObject, code: string, path: string, reason: string])[] = [
  [
    rule({ jump: { target: 'none' } }),
    'NFB_MISSING',
    'rule.expr[0]',
    'there is no chain none in table inet t',
  ],
  [rule({ counter: 'none' }), 'NFB_MISSING', 'rule.expr[0]', 'there is no counter none in table inet t'],
  [rule({ quota: 'n' }), 'NFB_MISSING', 'rule.expr[0]', 'there is no quota n in table inet t'],
  [
    rule({ flow: { op: 'add', flowtable: '@none' } }),
    'NFB_MISSING',
    'rule.expr[0]',
    'there is no flowtable none',
  ],
  [
    rule({ jump: { target: 'base' } }),
    'NFB_REJECTED',
    'rule.expr[0]',
    'the chain base has a hook of its own',
  ],
  [
    rule({ vmap: { key: mark, data: '@marks' } }),
    'NFB_REJECTED',
    'rule.expr[0]',
    '@marks does not fit: a map of verdicts',
  ],
  [
    { element: { ...owner, name: 's', type: 'mark', elem: [{ elem: { val: 1, timeout: 5 } }] } },
    'NFB_REJECTED',
    'element.elem[0]',
    'only if it has the flag timeout',
  ],
  [
    { element: { ...owner, name: 's', type: 'ipv6_addr', elem: ['::1'] } },
    'NFB_REJECTED',
    'element.elem[0]',
    'it does not fit s: the keys, of which "ipv6_addr" was said,',
  ],
  [
    { set: { ...owner, name: 's', type: 'ipv6_addr' } },
    'NFB_EXISTS',
    'set.name',
    'there already, with another type',
  ],
  [
    { set: { ...owner, name: 'x', type: 'mark', 'gc-interval': 5 } },
    'NFB_REJECTED',
    'set.gc-interval',
    'only with the flag timeout',
  ],
  [
    {
      set: {
        ...owner,
        name: 'x',
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        elem: overlapping,
      },
    },
    'NFB_EXISTS',
    'set.elem',
    'two of its elements overlap',
  ],
]

const base = { ...owner, name: 'base', type: 'filter', hook: 'input', prio: 0, policy: 'accept' } as const
const there = 'the chain base is there already, with another type, hook or priority'
const bridge = { family: 'bridge', table: 'b' } as const

const further: typeof cases = [
  [{ chain: { ...base, hook: 'output' } }, 'NFB_REJECTED', 'chain', there],
  [{ chain: { ...base, type: 'route', hook: 'output' } }, 'NFB_REJECTED', 'chain', there],
  [{ chain: { ...base, prio: 5 } }, 'NFB_REJECTED', 'chain', there],
  [
    { chain: { ...base, name: 'c' } },
    'NFB_REJECTED',
    'chain.hook',
    'the chain c is there already, without a hook',
  ],
  [
    rule({ set: { op: 'add', elem: { elem: { val: mark, timeout: 5 } }, set: '@grows' } }),
    'NFB_REJECTED',
    'rule.expr[0]',
    'elements of @grows have timeouts only if it has the flag timeout',
  ],
  [
    { chain: { ...bridge, name: 'n', type: 'nat', hook: 'prerouting', prio: 0, policy: 'accept' } },
    'NFB_MISSING',
    'chain.type',
    'chains of the family bridge have the type filter alone, not nat',
  ],
  [
    { 'ct helper': { ...owner, name: 'h', type: 'nosuch', protocol: 'tcp' } },
    'NFB_MISSING',
    'ct helper',
    'the kernel has no helper nosuch of connection tracking for tcp',
  ],
  ...(
    [
      [{ chain: { ...owner, table: 'none', name: 'c' } }, 'chain'],
      [{ rule: { ...owner, table: 'none', chain: 'c', expr: [] } }, 'rule'],
      [{ set: { ...owner, table: 'none', name: 's', type: 'mark' } }, 'set'],
      [{ element: { ...owner, table: 'none', name: 's', type: 'mark', elem: [1] } }, 'element'],
      [{ counter: { ...owner, table: 'none', name: 'n' } }, 'counter'],
    ] as const
  ).map(([object, kind]) => [object, 'NFB_MISSING', `${kind}.table`, 'there is no table inet none'] as const),
  [
    { rule: { ...owner, chain: 'none', expr: [] } },
    'NFB_MISSING',
    'rule.chain',
    'there is no chain none in table inet t',
  ],
  [
    { element: { ...owner, name: 'none', type: 'mark', elem: [1] } },
    'NFB_MISSING',
    'element.name',
    'there is no set or map none in table inet t',
  ],
]

test.for([...cases, ...further])('%j', async ([object, code, path, reason]) => {
  const [netns] = await newNamespaces(keep, 1)
  const nft = keep(await Nft.open({ ...(netns && { netns }) }))
  await nft
    .transaction()
    .addAll(standing.map((add) => ({ add })))
    .commit()
  await expect(nft.transaction().add(object).commit()).rejects.toMatchObject({
    code,
    path: `operations[0].${path}`,
    reason: expect.stringContaining(reason),
    errno: expect.stringMatching(/^E/),
  })
})

test('flags of a set are a list', async () => {
  const [netns] = await newNamespaces(keep, 1)
  const nft = keep(await Nft.open({ ...(netns && { netns }) }))
  const set = { ...owner, name: 's', type: 'mark', flags: 'interval' }
  // @ts-expect-error nft's JSON has a text there
  await expect(nft.transaction().add({ set }).commit()).rejects.toMatchObject({
    code: 'NFB_INVALID_ARGUMENT',
    path: 'operations[0].set.flags',
    message: expect.stringContaining('a list of flags is expected, ["interval"]'),
  })
})
