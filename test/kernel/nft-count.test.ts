import { expect, test } from 'vitest'
import { Nft } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const

test('rules and elements are counted by name, as JSON', async () => {
  const [netns] = await newNamespaces(keep, 1)
  const nft = keep(await Nft.open({ ...(netns && { netns }) }))
  await nft
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .add({ chain: { ...owner, name: '__proto__' } })
    .add({ chain: { ...owner, name: 'empty' } })
    .add({ rule: { ...owner, chain: '__proto__', expr: [{ accept: null }] } })
    .add({ set: { ...owner, name: 's', type: 'mark', elem: [1, 2] } })
    .add({ set: { ...owner, name: 'r', type: 'mark', flags: ['interval'], elem: [{ range: [1, 9] }] } })
    .commit()
  const counts = await nft.count({ family: 'inet', table: 't' })
  expect(JSON.parse(JSON.stringify(counts.elements))).toEqual({ s: 2, r: 1 })
  expect(JSON.stringify(counts.rules)).toBe('{"__proto__":1}')
  // biome-ignore lint/complexity/useLiteralKeys: a name that every object with a prototype has
  expect(counts.rules['toString']).toBeUndefined()
})
