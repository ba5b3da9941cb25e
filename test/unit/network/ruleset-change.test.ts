import { describe, expect, it } from 'vitest'
import {
  EVERY_RULE,
  type RulesetConditions,
  rulesetChange,
  rulesetObjects,
} from '../../../src/network/rules/ruleset.js'
import type { RulesetObject } from '../../../src/nft/index.js'

const CONDITIONAL = [
  'tracked_ports',
  'unchecked_ports',
  'forging_ports',
  'closed_ports',
  'closed_macs',
  'internal',
]

/** Every conditional set with elements and without, offload in effect and not. */
const conditions: readonly RulesetConditions[] = Array.from(
  { length: 2 ** CONDITIONAL.length },
  (_, bits) => ({
    sets: new Set(CONDITIONAL.filter((_, index) => (bits >> index) & 1)),
    offload: bits % 3 === 0 ? [`eth${bits}`] : undefined,
  }),
)

const isConditional = (object: RulesetObject): boolean =>
  !rulesetObjects('t', { sets: new Set() }).some((other) => JSON.stringify(other) === JSON.stringify(object))

describe('what stands only while something is there', () => {
  it('is what this test changes', () => {
    const text = JSON.stringify(rulesetObjects('t', EVERY_RULE).filter(isConditional))
    for (const set of CONDITIONAL) expect(text).toContain(`@${set}`)
  })

  it('comes and goes as if all were made anew', () => {
    for (const before of conditions)
      for (const after of conditions)
        expect(changed(before, after)).toEqual(sorted(rulesetObjects('t', after)))
  })

  it('touches no chain whose rules stay', () => {
    for (const one of conditions) {
      const { flush, add, delete: gone } = rulesetChange('t', one, one)
      expect([...flush, ...add, ...gone]).toEqual([])
    }
    const { flush } = rulesetChange('t', { sets: new Set() }, { sets: new Set(['tracked_ports']) })
    expect(flush.map(({ chain }) => chain.name)).toEqual(['onward'])
  })
})

/** The ruleset after a change, as the kernel would carry it out. */
function changed(before: RulesetConditions, after: RulesetConditions): string[] {
  const change = rulesetChange('t', before, after)
  let objects = rulesetObjects('t', before)
  for (const { chain } of change.flush)
    objects = objects.filter(
      (object) =>
        !('rule' in object && object.rule.family === chain.family && object.rule.chain === chain.name),
    )
  for (const gone of change.delete) {
    const text = JSON.stringify(gone)
    expect(objects.map((object) => JSON.stringify(object))).toContain(text)
    if ('chain' in gone)
      expect(objects.some((object) => refersTo(object, gone.chain.family, gone.chain.name))).toBe(false)
    objects = objects.filter((object) => JSON.stringify(object) !== text)
  }
  return sorted([...objects, ...change.add])
}

function refersTo(object: RulesetObject, family: string, chain: string): boolean {
  return (
    'rule' in object &&
    object.rule.family === family &&
    JSON.stringify(object.rule).includes(`"target":"${chain}"`)
  )
}

function sorted(objects: readonly RulesetObject[]): string[] {
  return objects.map((object) => JSON.stringify(object)).sort()
}
