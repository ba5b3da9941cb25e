import { readFileSync } from 'node:fs'
import type { Family, MapObject, SetObject, Statement } from '../../../src/nft/model/index.js'

/** A rule in nft's syntax, as our value, and the expressions that nft makes of it. */
export interface RuleCase {
  readonly family: Family
  readonly nft: string
  readonly expr: readonly Statement[]
  readonly lines: readonly string[]
}

const families: ReadonlySet<string> = new Set(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])

function isFamily(text: string): text is Family {
  return families.has(text)
}

/** Reads a table of cases, such as `compile-cases.txt`: blocks of family and rule, our value on the next line, the expected lines. */
export function readCases(file = './compile-cases.txt'): RuleCase[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  return text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((block) => block.length > 0)
    .map(([head = '', value = '', ...lines]) => {
      const [, family = '', nft = ''] = /^(\w+): (.*)$/.exec(head) ?? []
      if (!isFamily(family)) throw new Error(`the table of cases is damaged at: ${head}`)
      const expr: Statement[] = JSON.parse(value)
      // What a listing gives is for the conformance suite.
      const expected = lines.map((line) => line.trim()).filter((line) => !/^(lists|needs|chain): /.test(line))
      return { family, nft, expr, lines: expected }
    })
}

/** The sets and maps of the table `t` that the cases' compilation depends on. */
export function declaredSets(family: Family): (SetObject | MapObject)[] {
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
