/** What later versions of nft than this machine's write, by reading: the kernel's listing is compared by the conformance suite. */
import { expect, test } from 'vitest'
import { readCases } from './cases.js'
import { compileLines } from './debug-notation.js'

const cases = readCases('../../conformance/tables/later.txt').filter(({ lines }) => lines.length > 0)

test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))(
  '%s',
  (_, { family, expr, lines }) => {
    const compiled = compileLines(family, expr)
    expect(compiled.map((line) => line.replace(/\s+/g, ' ').trim())).toEqual(lines)
  },
)
