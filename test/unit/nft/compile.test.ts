import { describe, expect, test } from 'vitest'
import { declaredSets, readCases } from './cases.js'
import { compileLines } from './debug-notation.js'

const cases = readCases()

test('the table has its cases', () => {
  expect(cases.length).toBeGreaterThan(280)
})

describe('rules compile to what nft makes of them', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))(
    '%s',
    (_, { family, expr, lines }) => {
      const compiled = compileLines(family, expr, declaredSets(family))
      expect(compiled.map((line) => line.replace(/\s+/g, ' ').trim())).toEqual(lines)
    },
  )
})
