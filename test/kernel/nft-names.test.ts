/** Names of interfaces that begin alike (`eth*`), and names that end in a star (`eth\*`): there and back in every form. */
import { expect, test } from 'vitest'
import { type Expression, Nft, type RulesetObject, ruleset, toText } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { nftFile } from '../support/tools.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const
const name = { meta: { key: 'iifname' } } as const
const pair = { concat: [name, { payload: { protocol: 'tcp', field: 'dport' } }] } as const
const ranged = { flags: ['interval'] } as const

function compared(left: Expression, right: Expression): RulesetObject {
  return { rule: { ...owner, chain: 'c', expr: [{ match: { op: '==', left, right } }] } }
}

/** What has a value in it; those that hold single names alone. */
const single: { readonly [form: string]: (value: string) => RulesetObject } = {
  set: (value) => ({ set: { ...owner, name: 's', type: 'ifname', elem: [value] } }),
  map: (value) => ({
    map: { ...owner, name: 'm', type: 'ifname', map: 'verdict', elem: [[value, { accept: null }]] },
  }),
  'data of a map': (value) => ({
    map: { ...owner, name: 'd', type: 'mark', map: 'ifname', elem: [[1, value]] },
  }),
  concatenation: (value) => ({
    set: { ...owner, name: 's', type: ['ifname', 'inet_service'], elem: [{ concat: [value, 80] }] },
  }),
  'end of a range': (value) => compared(name, { range: [value, 'eth5'] }),
}

const several: typeof single = {
  rule: (value) => compared(name, value),
  'set of a rule': (value) => compared(name, { set: [value, 'lo'] }),
  'concatenation of a rule': (value) => compared(pair, { set: [{ concat: [value, 80] }] }),
  'map of a rule': (value) => ({
    rule: {
      ...owner,
      chain: 'c',
      expr: [{ vmap: { key: name, data: { set: [[value, { accept: null }]] } } }],
    },
  }),
  'set of ranges': (value) => ({ set: { ...owner, ...ranged, name: 's', type: 'ifname', elem: [value] } }),
  'set of ranges in fields': (value) => ({
    set: {
      ...owner,
      ...ranged,
      name: 's',
      type: ['ifname', 'inet_service'],
      elem: [{ concat: [value, 80] }],
    },
  }),
}

const wholes = { ...single, ...several }
const starts = [
  ...Object.keys(wholes).flatMap((form) => [`eth\\*`, `a\\\\*`].map((value) => ({ form, value }))),
  ...Object.keys(several).map((form) => ({ form, value: 'eth*' })),
]

test.for(starts)('$form: $value', async ({ form, value }) => {
  const made = wholes[form]?.(value)
  if (made === undefined) throw new Error('a form is expected')
  const handles: Nft[] = []
  const [first, byText, byJson] = await newNamespaces(keep, 3)
  if (first === undefined || byText === undefined || byJson === undefined)
    throw new Error('three are expected')
  for (const netns of [first, byText, byJson]) handles.push(keep(await Nft.open({ netns })))
  const [nft, textual, json] = handles
  if (nft === undefined || textual === undefined || json === undefined) throw new Error('three are expected')
  const table = { table: { family: 'inet', name: 't' } } as const
  const chain = { chain: { ...owner, name: 'c' } } as const
  await nft
    .transaction()
    .addAll([{ add: table }, { add: chain }, { add: made }])
    .commit()
  const listed = await nft.list({ family: 'inet', table: 't' })
  expect(JSON.stringify(listed.nftables)).toContain(JSON.stringify(value))
  // nft has no text for a name that ends in a backslash and a star, and no range of names.
  if (value !== 'a\\\\*' && form !== 'end of a range') {
    await nftFile(byText, toText(listed))
    expect(toText(await textual.list({ family: 'inet', table: 't' }))).toBe(toText(listed))
  }
  await json
    .transaction()
    .addAll(ruleset.toOperations(ruleset.fromJson(ruleset.toJson(listed))))
    .commit()
  expect(toText(await json.list({ family: 'inet', table: 't' }))).toBe(toText(listed))
})

test.for(Object.keys(single))('$0: names that begin alike are refused', async (form) => {
  const made = single[form]?.('eth*')
  if (made === undefined) throw new Error('a form is expected')
  const [netns] = await newNamespaces(keep, 1)
  const nft = keep(await Nft.open({ ...(netns && { netns }) }))
  await expect(
    nft
      .transaction()
      .addAll([{ add: { table: { family: 'inet', name: 't' } } }, { add: made }])
      .commit(),
  ).rejects.toMatchObject({
    code: 'NFB_INVALID_ARGUMENT',
    path: expect.stringMatching(/^operations\[1\]\.(set|map|rule)\.(elem\[0\]|expr\[0\])/),
    message: expect.stringContaining('stands for every name that begins so'),
  })
})
