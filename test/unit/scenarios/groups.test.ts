import { describe, expect, it } from 'vitest'
import { groups } from '../../../scenarios/groups/index.js'
import { parseHeld } from '../../../scenarios/held.js'
import { parseMatrix } from '../../../scenarios/matrix.js'
import type { Scenario } from '../../../scenarios/scenario.js'
import { machineNames } from '../../../scenarios/world.js'

const all = groups.flatMap(({ name: group, scenarios }) =>
  scenarios.map((scenario) => ({ name: scenario.name, group, scenario })),
)

describe('the scenarios', () => {
  it('are sixty at least, each with a name of its own', () => {
    expect(all.length).toBeGreaterThanOrEqual(60)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  // That each row decides something, and each probe has a row, the runner finds out.
  it.each(all)('$group/$name says what it expects, of machines that it has', ({ scenario }) => {
    const machines = new Set([...machineNames(scenario), 'containers', '*', 'localhost'])
    const literals = new Set((scenario.targets ?? []).map(({ address, name = address }) => name))
    expect(scenario.about).toMatch(/^[A-Za-z].*\.$/)
    expect(scenario.stages.length).toBeGreaterThan(0)
    for (const { expect: matrix, held = '', hold = [] } of scenario.stages) {
      const rows = parseMatrix(matrix)
      expect(rows.length).toBeGreaterThan(0)
      const named = rows.flatMap(({ from, to }) => [...from, ...to])
      const unknown = named.filter((name) => !machines.has(name.split('@')[0] ?? '') && !literals.has(name))
      expect(unknown).toEqual([])
      parseHeld(held)
      expect(new Set(hold).size).toBe(hold.length)
    }
  })

  it.each(all)('$group/$name has steps on containers that it has', ({ scenario }) => {
    const names = new Set(machineNames(scenario))
    for (const step of scenario.stages.flatMap(({ steps = [] }) => steps)) {
      if ('container' in step) expect(names.has(step.container), JSON.stringify(step)).toBe(true)
    }
  })

  it.each(all)('$group/$name says of each held connection what becomes of it', ({ scenario }) => {
    expect(heldWithoutFate(scenario)).toEqual([])
  })
})

/** Connections that are held, and of which a later stage says nothing. */
function heldWithoutFate(scenario: Scenario): string[] {
  let open: string[] = []
  const forgotten: string[] = []
  for (const { held = '', hold = [] } of scenario.stages) {
    const fates = new Map(parseHeld(held).map(({ text, fate }) => [text, fate]))
    forgotten.push(...open.filter((text) => !fates.has(text)))
    open = [...open.filter((text) => fates.get(text) === 'lives'), ...hold]
  }
  return forgotten
}
