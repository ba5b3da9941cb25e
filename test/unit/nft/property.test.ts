/** Random rules through compiler and decompiler, and random wrong values, without a kernel. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { compileOperation, located, type Operation } from '../../../src/nft/compile/index.js'
import type { Statement } from '../../../src/nft/model/index.js'
import { readCases } from '../../conformance/table.js'
import { declaredSets } from '../../conformance/world.js'
import { comparable } from '../../kernel/nft-list-compare.js'
import { replaced, rules, wrong } from '../../support/nft-arbitraries.js'
import { batchOf, Collector } from './debug-notation.js'
import { readBack } from './read-back.js'

function listed(expr: readonly Statement[]): Statement[] {
  return readBack(expr, 'inet', declaredSets('inet'))
}

test('a rule that was compiled is read as the same value', () => {
  fc.assert(
    fc.property(rules, (expr) => {
      expect(comparable(listed(expr))).toEqual(comparable(expr))
    }),
    { numRuns: 2000, verbose: 1 },
  )
})

test('what is read of a case of the conformance suite settles after it was written again', () => {
  const cases = readCases().filter((one) => one.kind === 'rule' && one.family === 'inet')
  for (const one of cases) {
    if (one.kind !== 'rule') continue
    // A set of one range that two ranges became is a range when it is written again.
    const twice = listed(listed(one.expr))
    expect(comparable(listed(twice)), one.nft).toEqual(comparable(twice))
  }
})

const owner = { family: 'inet', table: 't' } as const
/** Every rule and object of the conformance suite as an operation. */
const operations: readonly object[] = readCases().flatMap((one) =>
  one.kind === 'rule'
    ? [{ add: { rule: { ...owner, chain: 'c', expr: one.expr } } }]
    : one.objects('t').map((object) => ({ add: object })),
)

test('a wrong value in any place is refused with code and path, or means something', () => {
  let refused = 0
  fc.assert(
    fc.property(fc.constantFrom(...operations), fc.nat(), wrong, (operation, place, other) => {
      const batch = batchOf(new Collector(), declaredSets('inet'))
      batch.trail.enter('operations')
      batch.trail.enter(0)
      try {
        compileOperation(batch, replaced(operation, place, other) as Operation, { echo: false })
      } catch (error) {
        refused++
        const shown = located(error, 'nft.commit', batch.trail)
        if (!(shown instanceof NfbridgeError)) throw new Error('a foreign error', { cause: shown })
        expect(shown.code).toMatch(/^NFB_INVALID_/)
        expect(shown.path).toMatch(/^operations\[0\]/)
      }
    }),
    { numRuns: 5000, verbose: 1 },
  )
  expect(refused).toBeGreaterThan(2000)
})
