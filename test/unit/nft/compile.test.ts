import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Family, MapObject, SetObject, Statement } from '../../../src/nft/model/index.js'
import { compileLines } from './debug-notation.js'

interface Case {
  readonly family: Family
  readonly nft: string
  readonly expr: readonly Statement[]
  readonly lines: readonly string[]
}

const families: ReadonlySet<string> = new Set(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])

function isFamily(text: string): text is Family {
  return families.has(text)
}

/** Blocks of: family and rule, our value on the next line, the expected lines. */
function readCases(): Case[] {
  const text = readFileSync(new URL('./compile-cases.txt', import.meta.url), 'utf8')
  return text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((block) => block.length > 0)
    .map(([head = '', value = '', ...lines]) => {
      const [, family = '', nft = ''] = /^(\w+): (.*)$/.exec(head) ?? []
      if (!isFamily(family)) throw new Error(`the table of cases is damaged at: ${head}`)
      const expr: Statement[] = JSON.parse(value)
      return { family, nft, expr, lines: lines.map((line) => line.trim()) }
    })
}

function declared(family: Family): (SetObject | MapObject)[] {
  const owner = { family, table: 't' }
  return [
    { set: { ...owner, name: 'marks', type: 'mark', flags: ['interval'] } },
    { map: { ...owner, name: 'ma', type: 'ipv4_addr', map: 'ipv4_addr' } },
    { map: { ...owner, name: 'mp', type: 'inet_service', map: 'inet_service' } },
    {
      map: { ...owner, name: 'mc', type: ['ipv4_addr', 'inet_service'], map: ['ipv4_addr', 'inet_service'] },
    },
    {
      map: { ...owner, name: 'm6', type: ['ipv6_addr', 'inet_service'], map: ['ipv6_addr', 'inet_service'] },
    },
  ]
}

const cases = readCases()

test('the table has its cases', () => {
  expect(cases.length).toBeGreaterThan(280)
})

describe('rules compile to what nft makes of them', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))(
    '%s',
    (_, { family, expr, lines }) => {
      const compiled = compileLines(family, expr, declared(family)).map((line) =>
        line.replace(/\s+/g, ' ').trim(),
      )
      expect(compiled).toEqual(lines)
    },
  )
})
