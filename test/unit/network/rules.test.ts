import { expect, it } from 'vitest'
import { comparableRule } from '../../../src/network/rules/listed-rule.js'
import { EVERY_RULE, rulesetObjects } from '../../../src/network/rules/ruleset.js'
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
