/** Fields that later versions of nft have words for: what we list, as text and as JSON, is read by nft 1.0.6 and makes the same. */
import { expect, test } from 'vitest'
import { type Expression, Nft, type Ruleset, type RulesetObject, toText } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { nft } from '../support/tools.js'

const keep = closeAfterEach()
const owner = { family: 'ip6', table: 't' } as const
const icmpv6 = (field: 'taddr' | 'daddr' | 'type'): Expression => ({ payload: { protocol: 'icmpv6', field } })
const rule = (left: Expression, right: Expression, types: readonly string[]): RulesetObject => ({
  rule: {
    ...owner,
    chain: 'c',
    expr: [
      { match: { op: '==', left: icmpv6('type'), right: { set: [...types] } } },
      { match: { op: '==', left, right } },
      { accept: null },
    ],
  },
})
const objects: readonly RulesetObject[] = [
  { table: { family: 'ip6', name: 't' } },
  { chain: { ...owner, name: 'c' } },
  { set: { ...owner, name: 'targets', type: { typeof: icmpv6('taddr') }, elem: ['2001:db8::1'] } },
  { set: { ...owner, name: 'others', type: { typeof: icmpv6('daddr') }, elem: ['2001:db8::2'] } },
  rule(icmpv6('taddr'), '2001:db8::133', ['nd-neighbor-advert', 'nd-neighbor-solicit']),
  rule(icmpv6('daddr'), '2001:db8::133', ['nd-redirect']),
]
const bridgeKeys: readonly RulesetObject[] = [
  { table: { family: 'bridge', name: 't' } },
  { set: { family: 'bridge', table: 't', name: 'a', type: { typeof: { meta: { key: 'ibrhwaddr' } } } } },
]

const forms: readonly (readonly [string, (listed: Ruleset) => string, readonly string[]])[] = [
  ['text', (listed) => toText(listed.nftables), []],
  ['JSON', (listed) => JSON.stringify(listed), ['-j']],
]

test.each(
  forms.flatMap(([form, print, flags]) =>
    [['rules and sets of ICMPv6', objects] as const, ['sets of keys of meta', bridgeKeys] as const].map(
      ([what, made]) => [what, form, print, flags, made] as const,
    ),
  ),
)('%s as %s', async (_, _form, print, flags, made) => {
  const namespaces = await newNamespaces(keep, 2)
  const [one, other] = namespaces
  if (!one || !other) throw new Error('two namespaces are expected')
  const handle = keep(await Nft.open({ netns: one }))
  const transaction = handle.transaction()
  for (const object of made) transaction.add(object)
  await transaction.commit()
  const printed = print(await handle.list())
  expect(printed).not.toMatch(/[td]addr|ibrhwaddr/)
  await nft(other, ...flags, printed)
  expect(await nft(other, 'list', 'ruleset')).toBe(await nft(one, 'list', 'ruleset'))
})
