import { expect, test } from 'vitest'
import { readCases, readFeatures, title } from '../../conformance/table.js'

const cases = readCases()

test('the conformance suite has at least 400 cases', () => {
  expect(cases.length).toBeGreaterThanOrEqual(400)
})

test('each case is there once', () => {
  const names = cases.map((one) => `${title(one)} ${one.kind === 'rule' ? (one.chain ?? '') : ''}`)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('what cases need can be found out', () => {
  const known = new Set(readFeatures().map(({ name }) => name))
  expect(cases.flatMap(({ needs }) => needs).filter((name) => !known.has(name))).toEqual([])
})
