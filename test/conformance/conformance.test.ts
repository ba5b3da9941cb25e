/**
 * Every case of the tables, installed by nft (as text and as JSON) and by us: the same listing, the same records in the
 * kernel, the same expressions, and our listing gives back the value. `npm run conformance` runs this file.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import type { Family } from '../../src/nft/index.js'
import { missingFeatures } from './features.js'
import { runObjects } from './objects.js'
import type { Outcome } from './outcome.js'
import { runRules } from './rules.js'
import { type Case, readCases, title } from './table.js'

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
})

/** One group of cases, run together before each is judged. */
function group<C extends Case>(name: string, chosen: readonly C[], run: () => Promise<Outcome[]>): void {
  if (chosen.length === 0) return
  describe(name, () => {
    let outcomes: readonly Outcome[] = []
    beforeAll(async () => {
      outcomes = await run()
      const notes = chosen.flatMap((one, index) => {
        const note = outcomes[index]?.note
        return note === undefined ? [] : [`  ${title(one)}: ${note}`]
      })
      if (notes.length > 0) console.log(`${name}: installed by nft -f, not by nft -j -f\n${notes.join('\n')}`)
    })
    for (const [index, one] of chosen.entries())
      test(title(one), ({ skip }) => {
        const outcome = outcomes[index]
        if (outcome === undefined) throw new Error('the case was not run')
        if (outcome.faults.length > 0) throw new Error(outcome.faults.join('\n'))
        if (outcome.skipped !== undefined) skip(outcome.skipped)
      })
  })
}

const families: readonly Family[] = ['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev']
for (const family of families) {
  const chosen = cases.filter((one) => one.kind === 'rule').filter((one) => one.family === family)
  group(`rules, family ${family}`, chosen, () => runRules(family, chosen, missing, newNamespace))
}
const objects = cases.filter((one) => one.kind === 'object')
group('objects', objects, () => runObjects(objects, missing, newNamespace))
