/**
 * What we print, as text and as JSON, is read by nft and makes the same: each rule of the conformance tables, as it was
 * written and as it is listed. Compared is what the kernel has in the end.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { type Family, match, Nft, redirect, ruleset, type Statement, toText } from '../../src/nft/index.js'
import { familyNumbers } from '../../src/nft/kernel/constants.js'
import { missingFeatures } from '../conformance/features.js'
import { kernelRecords } from '../conformance/records.js'
import { installJson, installText } from '../conformance/reference.js'
import { missingNeeds } from '../conformance/rules.js'
import { type RuleCase, readCases } from '../conformance/table.js'
import { worldText } from '../conformance/world.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile } from '../support/tools.js'

const keep = closeAfterEach()
const cases = readCases()
let missing: ReadonlyMap<string, string>
beforeAll(async () => {
  missing = await missingFeatures(async () => first(await newNamespaces(keep, 1)))
})

function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('nothing is there')
  return one
}

/** Rules that nft 1.0.6 has no JSON for, in no form. */
const withoutJson: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/"map":\{"op"/, 'nft reads no JSON of a rule that changes a map'],
  [/"rt0"/, 'nft reads no number of an address in JSON'],
]

/** Rules that are listed in another form than they were written in, which means the same, and why. */
const otherwiseListed: readonly (readonly [why: string, ...lines: string[]])[] = [
  ['a mask of whole bytes is a prefix', 'ip6 saddr & ffff:: == fe80::'],
  [
    'a set of ranges that touch or overlap is counted as it was written',
    'tcp dport { 5-10, 8-12 }',
    'tcp dport { 5-10, 11-12 }',
    'tcp dport { 5, 5 }',
    'ip saddr { 10.0.0.0/8, 10.1.0.0/16 }',
  ],
  [
    'the protocol is asked of the kernel, not of the header',
    'ip protocol tcp tcp dport 80',
    'ip6 nexthdr udp udp dport 53',
  ],
]
/** The kernel has older keys for the addresses of a connection, which the text of nft does not tell from the newer. */
const olderKeys = /^ct (original|reply) [sd]addr /

interface Chosen {
  readonly index: number
  readonly line: string
}

/** A namespace with the sets and the chains of all cases, and no rule yet. */
async function world(family: Family, rules: readonly RuleCase[]): Promise<Namespace> {
  const made = first(await newNamespaces(keep, 1))
  await ip(made, 'link', 'set', 'lo', 'up')
  const chains = rules.map(({ chain }) => chain)
  await nftFile(made, worldText(family, chains))
  return made
}

/** The records of each rule: of one that was refused none. */
async function recordsOf(
  namespace: Namespace,
  family: Family,
  chosen: readonly Chosen[],
): Promise<readonly string[]> {
  const { chains } = await kernelRecords(namespace)
  return chosen.map(({ index }) => JSON.stringify(chains.get(`${familyNumbers[family]} t case${index}`)))
}

describe.each<Family>(['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev'])('family %s', (family) => {
  const rules = cases.flatMap((one) => (one.kind === 'rule' && one.family === family ? [one] : []))

  it('nft makes of our text and our JSON what it makes of its own', async () => {
    const chosen = [...rules.entries()].flatMap(([index, { nft: line, needs }]): Chosen[] =>
      missingNeeds(needs, missing) === undefined ? [{ index, line }] : [],
    )
    const add = (index: number, text: string): string => `add rule ${family} t case${index} ${text}`
    const theirs = await world(family, rules)
    await installText(
      theirs,
      chosen.map(({ index, line }) => add(index, line)),
    )
    const listed = new Map<string, readonly Statement[]>()
    for (const object of (await keep(await Nft.open({ netns: theirs })).list()).nftables)
      if ('rule' in object) listed.set(object.rule.chain, object.rule.expr)
    const expected = await recordsOf(theirs, family, chosen)
    const written = (index: number): readonly Statement[] => rules[index]?.expr ?? []
    const told = (index: number): readonly Statement[] => listed.get(`case${index}`) ?? []
    const isOpaque = (expr: readonly Statement[]): boolean => expr.some((one) => 'opaque' in one)

    const faults: object[] = []
    for (const [title, exprOf] of [
      ['as written', written],
      ['as listed', told],
    ] as const) {
      const asText = await world(family, rules)
      const texts = chosen.map(({ index }) => toText(exprOf(index), { family }))
      const { refused } = await installText(
        asText,
        chosen.map(({ index }, place) => add(index, texts[place] ?? '')),
      )
      const byText = await recordsOf(asText, family, chosen)

      const asJson = await world(family, rules)
      const jsons = chosen.map(({ index }) => {
        const rule = { family, table: 't', chain: `case${index}`, expr: exprOf(index) }
        const { nftables } = ruleset.toJson([{ rule }], { opaque: 'omit' })
        return nftables.filter((object) => 'rule' in object).map((object) => ({ add: object }))
      })
      const refusedJson = await installJson(asJson, jsons)
      const byJson = await recordsOf(asJson, family, chosen)

      for (const [place, { index, line }] of chosen.entries()) {
        const isOtherwise = otherwiseListed.some(([, ...lines]) => lines.includes(line))
        if (isOpaque(exprOf(index)) || (isOtherwise && title === 'as listed')) continue
        if (byText[place] !== expected[place] && !olderKeys.test(line))
          faults.push({ title, line, text: texts[place], refused: refused.get(place) })
        const json = JSON.stringify(jsons[place])
        const why = withoutJson.find(([pattern]) => pattern.test(json))
        if ((byJson[place] !== expected[place]) !== (why !== undefined))
          faults.push({ title, line, json, refused: refusedJson.get(place), why: why?.[1] })
      }
    }
    expect(chosen.length).toBeGreaterThan(5)
    expect(faults).toEqual([])
  })
})

describe('what nft has no words for', () => {
  it('makes a comment of a line, and a comment with quotation marks one without', async () => {
    const made = first(await newNamespaces(keep, 1))
    const owner = { family: 'inet', table: 't' } as const
    const text = toText([
      { table: { family: 'inet', name: 't', comment: 'a "table"' } },
      {
        set: {
          ...owner,
          name: 's',
          type: 'ifname',
          comment: 'a\n"set"',
          elem: ['lo', 'a"b', { elem: { val: 'eth0', comment: 'an "element"' } }],
        },
      },
      { chain: { ...owner, name: 'c', comment: '"' } },
      { rule: { ...owner, chain: 'c', comment: 'a "rule"', expr: [match.iifname.eq('a"b')] } },
      { rule: { ...owner, chain: 'c', comment: 'a "rule"', expr: [match.iifname.eq('lo')] } },
      { opaque: { message: 'nftNewObject', record: {} } },
    ])
    // As it is, without a line's end behind it.
    await nftFile(made, text)
    const printed = await nft(made, 'list', 'ruleset')
    for (const comment of ["a 'table'", "a 'set'", "an 'element'", "'", "a 'rule'"])
      expect(printed).toContain(`comment "${comment}"`)
    expect(printed).toContain('elements = { "lo",')
    expect(printed.match(/iifname/g)).toHaveLength(1)
  })

  it('is said for it: the protocol whose ports a map translates', async () => {
    const made = first(await newNamespaces(keep, 1))
    const owner = { family: 'inet', table: 't' } as const
    const map = { key: match.tcp.dport.expression, data: { set: [[80, 8080] as const] } }
    const text = toText([
      { table: { family: 'inet', name: 't' } },
      { chain: { ...owner, name: 'c', type: 'nat', hook: 'prerouting', prio: 0 } },
      { rule: { ...owner, chain: 'c', expr: [redirect({ port: { map } })] } },
      { rule: { ...owner, chain: 'c', expr: [match.tcp.sport.gt(5), redirect({ port: { map } })] } },
    ])
    await nftFile(made, text)
    expect(text.match(/meta l4proto tcp/g)).toHaveLength(1)
    const printed = await nft(made, 'list', 'ruleset')
    expect(printed.match(/redirect to :tcp dport map/g)).toHaveLength(2)
  })
})
