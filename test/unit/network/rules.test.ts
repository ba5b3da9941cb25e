import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { comparableRule } from '../../../src/network/rules/listed-rule.js'
import { EVERY_RULE, rulesetObjects } from '../../../src/network/rules/ruleset.js'
import { toText } from '../../../src/nft/index.js'
import { readBack } from '../nft/read-back.js'

const objects = rulesetObjects('t', EVERY_RULE)
const rules = objects.flatMap((object) => ('rule' in object ? [object.rule] : []))

it('every rule of ours is listed as host.check expects it', () => {
  expect(rules.length).toBeGreaterThan(50)
  for (const { family, expr } of rules) {
    const declared = objects.flatMap((object) =>
      ('set' in object && object.set.family === family) || ('map' in object && object.map.family === family)
        ? [object]
        : [],
    )
    expect(comparableRule(readBack(expr, family, declared), family)).toBe(comparableRule(expr, family))
  }
})

/** The block of the page between the fences after this sentence. */
const PAGE = new URL('../../../docs/rules.md', import.meta.url)
const BLOCK = /(These are all that there are:\n\n```\n)[^`]*(```)/

it('docs/rules.md has every rule that may stand', () => {
  const chains = (['inet', 'bridge'] as const).map((family) =>
    toText(
      rulesetObjects('nfbridge', EVERY_RULE, [family]).filter(
        (object) => 'chain' in object || 'rule' in object,
      ),
    ),
  )
  const text = `${chains.join('\n').trim()}\n`
  const page = readFileSync(PAGE, 'utf8')
  if (process.env.UPDATE_GOLDEN)
    writeFileSync(
      PAGE,
      page.replace(BLOCK, (_, before, after) => before + text + after),
    )
  expect(readFileSync(PAGE, 'utf8')).toContain(text)
})
