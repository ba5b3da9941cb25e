/**
 * Every case of the tables, installed by nft (as text and as JSON) and by us: the same listing, the same records in the
 * kernel, the same expressions, and our listing gives back the value. `npm run conformance` runs this file.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import type { Family } from '../../src/nft/index.js'
import { missingFeatures } from './features.js'
import type { Outcome } from './outcome.js'
import { runRules } from './rules.js'
import { readCases, readFeatures, title } from './table.js'

const spaces: Namespace[] = []
async function newNamespace(): Promise<Namespace> {
  const namespace = await Namespace.create()
  spaces.push(namespace)
  return namespace
}
afterAll(() => {
  for (const namespace of spaces) namespace.close()
})

const cases = readCases()
let missing: ReadonlyMap<string, string>
beforeAll(async () => {
  missing = await missingFeatures(newNamespace)
}, 60_000)

describe('the table', () => {
  test('has at least 400 cases, each once, whose needs have their probe', () => {
    expect(cases.length).toBeGreaterThanOrEqual(400)
    const titles = cases.map((one) => `${title(one)} ${one.kind === 'rule' ? (one.chain ?? '') : ''}`)
    expect(titles.filter((name, index) => titles.indexOf(name) !== index)).toEqual([])
    const known = new Set(readFeatures().map(({ name }) => name))
    expect(cases.flatMap(({ needs }) => needs).filter((name) => !known.has(name))).toEqual([])
  })
})

const families: readonly Family[] = ['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev']
describe.each(families)('rules, family %s', (family) => {
  const chosen = cases.filter((one) => one.kind === 'rule').filter((one) => one.family === family)
  let outcomes: Outcome[] = []
  beforeAll(async () => {
    outcomes = await runRules(family, chosen, missing, newNamespace)
    for (const [index, { note }] of outcomes.entries()) {
      const one = chosen[index]
      if (note !== undefined && one !== undefined) console.log(`${title(one)}: ${note}`)
    }
  }, 60_000)
  test.each(chosen.map((one, index) => [title(one), index] as const))('%s', (_, index) => {
    judge(outcomes[index])
  })
})

function judge(outcome: Outcome | undefined): void {
  if (outcome === undefined) throw new Error('the case was not run')
  if (outcome.faults.length > 0) throw new Error(outcome.faults.join('\n'))
}
