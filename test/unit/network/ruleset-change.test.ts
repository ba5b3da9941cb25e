import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVERY_RULE, rulesetChange, rulesetObjects } from '../../../src/network/rules/ruleset.js'
import type { RulesetConditions } from '../../../src/network/rules/standing.js'
import type { RulesetObject } from '../../../src/nft/index.js'

/** Every set that a rule looks into. */
const SETS = [
  ...new Set(
    [...JSON.stringify(rulesetObjects('t', EVERY_RULE)).matchAll(/"@(\w+)"/g)].map(([, name]) => name ?? ''),
  ),
]

const conditions: fc.Arbitrary<RulesetConditions> = fc.record({
  sets: fc.subarray(SETS).map((names) => new Set(names)),
  offload: fc.constantFrom(undefined, ['eth0'], ['eth0', 'eth1']),
})

const rules = (sets: readonly string[]): string[] =>
  rulesetObjects('t', { sets: new Set(sets) }).flatMap((object) =>
    'rule' in object ? [`${object.rule.chain} ${JSON.stringify(object.rule.expr)}`] : [],
  )

describe('the rules that stand', () => {
  it('look into no set that is empty, unless it is for what is not in it', () => {
    const text = rules([])
      .filter((rule) => !rule.includes('"!="'))
      .join('\n')
    const filled = ['host_bridges', 'strict', 'isolated', 'same_bridge', 'asked', 'asked_of_links', 'askers']
    const found = [...text.matchAll(/"@(\w+?)6?"/g)].map(([, name]) => name)
    expect([...new Set(found)].filter((name) => !filled.includes(name ?? ''))).toEqual([])
    expect(SETS.length).toBeGreaterThan(50)
  })

  it('are those that do something: a rule that is left out could match nothing', () => {
    fc.assert(
      fc.property(conditions, ({ sets, offload }) => {
        const stand = new Set(sorted(rulesetObjects('t', { sets, offload })))
        for (const object of rulesetObjects('t', { ...EVERY_RULE, offload })) {
          if (!('rule' in object) || stand.has(JSON.stringify(object))) continue
          const needs = object.rule.expr.flatMap((statement) =>
            'match' in statement && statement.match.op === '!='
              ? []
              : [...JSON.stringify(statement).matchAll(/"@(\w+)"/g)].map(([, name]) => name ?? ''),
          )
          const lacks = needs.some((name) => !sets.has(name))
          expect(lacks || JSON.stringify(object.rule.expr).includes('"jump"')).toBe(true)
        }
      }),
    )
  })

  it('change as if all were made anew', () => {
    fc.assert(
      fc.property(conditions, conditions, (before, after) => {
        expect(changed(before, after)).toEqual(sorted(rulesetObjects('t', after)))
      }),
    )
  })

  it('change in no chain whose rules stay', () => {
    fc.assert(
      fc.property(conditions, (one) => {
        const { flush, add, delete: gone } = rulesetChange('t', one, one)
        expect([...flush, ...add, ...gone]).toEqual([])
      }),
    )
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
  // A map that is there already is added again.
  return [...new Set(sorted([...objects, ...change.add]))]
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
