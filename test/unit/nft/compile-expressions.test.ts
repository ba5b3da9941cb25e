import { describe, expect, test } from 'vitest'
import { readCases } from './cases.js'
import { compileLines } from './debug-notation.js'

const cases = readCases('./compile-cases-expressions.txt')

test('the table has its cases', () => {
  expect(cases.length).toBeGreaterThan(420)
})

describe('expressions compile to what nft makes of them', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))(
    '%s',
    (_, { family, expr, lines }) => {
      const compiled = compileLines(family, expr)
      expect(compiled.map((line) => line.replace(/\s+/g, ' ').trim())).toEqual(
        lines.map((line) => line.replace(/\s+/g, ' ')),
      )
    },
  )
})
