/** Random rules, sets and maps in the kernel are listed as they were given; random wrong values change nothing. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { type NamedMap, type NamedSet, Nft, type RulesetObject, type Statement } from '../../src/nft/index.js'
import { readCases } from '../conformance/table.js'
import { declaredSets, worldText } from '../conformance/world.js'
import { maps, replaced, rules, sets, wrong } from '../support/nft-arbitraries.js'
import { nftFile } from '../support/tools.js'
import { comparable } from './nft-list-compare.js'

const owner = { family: 'inet', table: 't' } as const
let namespace: Namespace
let nft: Nft
beforeEach(async () => {
  namespace = await Namespace.create()
  nft = await Nft.open({ netns: namespace })
})
afterEach(() => {
  nft.close()
  namespace.close()
})

async function commit(...objects: readonly RulesetObject[]): Promise<void> {
  const transaction = nft.transaction()
  for (const object of objects) transaction.add(object)
  await transaction.commit()
}

test('rules', async () => {
  const property = fc.asyncProperty(
    fc.array(rules, { minLength: 1, maxLength: 5 }),
    async (some: readonly (readonly Statement[])[]) => {
      await commit({ table: { family: 'inet', name: 't' } }, { chain: { ...owner, name: 'other' } })
      await commit(
        { chain: { ...owner, name: 'c' } },
        ...some.map((expr) => ({ rule: { ...owner, chain: 'c', expr } })),
      )
      const { nftables } = await nft.list({ ...owner, chain: 'c' })
      const listed = nftables.flatMap((object) => ('rule' in object ? [object.rule.expr] : []))
      await nft.transaction().flush({ ruleset: null }).commit()
      expect(comparable(listed)).toEqual(comparable(some))
    },
  )
  await fc.assert(property, { numRuns: 150, verbose: 1 })
})

async function listedAlone(object: RulesetObject): Promise<unknown> {
  await commit({ table: { family: 'inet', name: 't' } }, { chain: { ...owner, name: 'other' } }, object)
  const { nftables } = await nft.list({ ...owner, kinds: ['set'] })
  await nft.transaction().flush({ ruleset: null }).commit()
  return comparable(nftables)
}

test('sets', async () => {
  const property = fc.asyncProperty(sets, async (set: NamedSet) => {
    expect(await listedAlone({ set })).toEqual(comparable([{ set }]))
  })
  await fc.assert(property, { numRuns: 150, verbose: 1 })
})

test('maps', async () => {
  const property = fc.asyncProperty(maps, async (map: NamedMap) => {
    expect(await listedAlone({ map })).toEqual(comparable([{ map }]))
  })
  await fc.assert(property, { numRuns: 150, verbose: 1 })
})

const verbs = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'rename', 'flush'] as const

test('a transaction with a wrong value in any place happens whole or not at all', {}, async () => {
  await nftFile(namespace, worldText('inet', []))
  await commit({ chain: { ...owner, name: 'c' } })
  const snapshot = async (): Promise<unknown> => comparable((await nft.list()).nftables)
  const before = await snapshot()
  const operations: readonly object[] = readCases().flatMap((one) =>
    one.kind === 'rule'
      ? [{ rule: { ...owner, chain: 'c', expr: one.expr } }]
      : one.objects('t').filter((object) => !('table' in object)),
  )
  const refused = { here: 0, byKernel: 0 }
  const property = fc.asyncProperty(
    fc.constantFrom(...operations),
    fc.constantFrom(...verbs),
    fc.nat(),
    wrong,
    async (object, verb, place, other) => {
      const generation = await nft.generation()
      const transaction = nft.transaction()
      for (const declared of declaredSets('inet')) transaction.declare(declared)
      // What is before the wrong value must not stay.
      transaction.add({ chain: { ...owner, name: 'before' } })
      Reflect.apply(transaction[verb], transaction, [replaced(object, place, other)])
      try {
        await transaction.commit()
      } catch (error) {
        if (!(error instanceof NfbridgeError)) throw new Error('a foreign error', { cause: error })
        if (error.errno === undefined) refused.here++
        else refused.byKernel++
        expect(error.code).toMatch(/^NFB_(INVALID_|REJECTED|MISSING|EXISTS|BUSY|NOT_SUPPORTED|TOO_LARGE)/)
        expect(error.path).toMatch(/^operations\[[01]\]/)
        expect(await nft.generation()).toBe(generation)
        expect(await snapshot()).toEqual(before)
        return
      }
      await nft.transaction().flush({ ruleset: null }).commit()
      await nftFile(namespace, worldText('inet', []))
      await commit({ chain: { ...owner, name: 'c' } })
    },
  )
  await fc.assert(property, { numRuns: 500, verbose: 1 })
  expect(refused.here).toBeGreaterThan(100)
  expect(refused.byKernel).toBeGreaterThan(0)
})
