/** The text of every case of the conformance tables: what nft lists, and what nft makes of it. */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  counter,
  type Family,
  match,
  Nft,
  type Operation,
  table,
  toText,
  verdict,
  vmap,
} from '../../src/nft/index.js'
import { missingFeatures } from '../conformance/features.js'
import { installText } from '../conformance/reference.js'
import { missingNeeds } from '../conformance/rules.js'
import { readCases } from '../conformance/table.js'
import { worldText } from '../conformance/world.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile } from '../support/tools.js'
import { differences } from './nft-text-differences.js'

const keep = closeAfterEach()
const cases = readCases()
let missing: ReadonlyMap<string, string>
beforeAll(async () => {
  missing = await missingFeatures(async () => {
    const [space] = await newNamespaces(keep, 1)
    if (!space) throw new Error('no namespace')
    return space
  })
})

const families: readonly Family[] = ['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev']

/** The lines of each chain `case…` of a listing, the elements of sets in one order. */
function chains(text: string): Map<string, string> {
  const found = [...text.matchAll(/^\tchain (case\d+) \{\n(.*?)^\t\}$/gms)]
  return new Map(found.map(([, name = '', lines = '']) => [name, sorted(lines)]))
}

function sorted(text: string): string {
  return text.replace(/\{ ([^{}\n]+) \}/g, (_, all: string) => `{ ${all.split(', ').sort().join(', ')} }`)
}

describe.each(families)('rules, family %s', (family) => {
  const rules = cases.flatMap((one) => (one.kind === 'rule' && one.family === family ? [one] : []))
  const world = worldText(
    family,
    rules.map(({ chain }) => chain),
  )

  it('are printed as nft prints them, and read by nft as they were meant', async () => {
    const [here, there] = await newNamespaces(keep, 2)
    if (!here || !there) throw new Error('no namespaces')
    for (const space of [here, there]) {
      await ip(space, 'link', 'set', 'lo', 'up')
      await nftFile(space, world)
    }
    const chosen = [...rules.entries()].filter(([, { needs }]) => !missingNeeds(needs, missing))
    const command = (index: number, text: string): string => `add rule ${family} t case${index} ${text}`
    await installText(
      here,
      chosen.map(([index, { nft: line }]) => command(index, line)),
    )
    const { refused } = await installText(
      there,
      chosen.map(([index, { expr }]) => command(index, toText(expr, { family }))),
    )
    const connection = keep(await Nft.open({ netns: here }))
    const theirs = chains(await nft(here, 'list', 'ruleset'))
    const again = chains(await nft(there, 'list', 'ruleset'))
    const ours = chains(toText(await connection.list()))
    const found: object[] = []
    for (const [position, [index, { nft: line, expr }]] of chosen.entries()) {
      const name = `case${index}`
      const expected = theirs.get(name)?.trim()
      const text = ours.get(name)?.trim()
      const why = differences.find((one) => one.family === family && one.line === line)?.why
      const meant = again.get(name)?.trim()
      // What the listing keeps opaque is a comment; which rules that are, the tests of the listing say.
      const isPrinted = text === expected || text?.startsWith('# opaque: ')
      const same = isPrinted && meant === expected && !refused.has(position)
      if (same === (why === undefined)) continue
      const said = toText(expr, { family })
      found.push({ line, said, refused: refused.get(position), expected, text, meant, why })
    }
    expect(chosen.length).toBeGreaterThan(0)
    expect(found).toEqual([])
  })
})

it('objects of tables are printed as nft prints them', async () => {
  const [here] = await newNamespaces(keep, 1)
  if (!here) throw new Error('no namespace')
  await ip(here, 'link', 'set', 'lo', 'up')
  const objects = cases.filter((one) => one.kind === 'object' && !missingNeeds(one.needs, missing))
  await installText(
    here,
    objects.map(({ family, nft: line }, index) => `table ${family} case${index} { ${line}; }`),
  )
  const tables = (text: string): string[] => comparable(text).split(/^(?=table )/m)
  const connection = keep(await Nft.open({ netns: here }))
  const theirs = tables(await nft(here, '-a', 'list', 'ruleset'))
  const ours = tables(`${toText(await connection.list(), { handles: true })}\n`)
  const found: object[] = []
  for (const [index, expected] of theirs.entries()) {
    const text = ours[index]
    const [, at] = / case(\d+) /.exec(expected) ?? []
    const line = objects[Number(at)]?.nft
    const why = differences.find((one) => one.line === line)?.why
    if ((text === expected) !== (why === undefined)) found.push({ line, expected, text, why })
  }
  expect(theirs.length).toBeGreaterThan(40)
  expect(found).toEqual([])
})

/** What is left of a timeout changes while we look; the order of elements is by chance. */
function comparable(text: string): string {
  return text
    .replace(/ expires \w+/g, ' expires …')
    .replace(
      /elements = \{ ([^}]*) \}/g,
      (_, all: string) => `elements = { ${all.split(/,\s+/).sort().join(', ')} }`,
    )
}

it('a whole listing is read by nft again, and the same is listed', async () => {
  const [here, there] = await newNamespaces(keep, 2)
  if (!here || !there) throw new Error('no namespace')
  for (const space of [here, there]) await ip(space, 'link', 'set', 'lo', 'up')
  const objects = cases.filter((one) => one.kind === 'object' && !missingNeeds(one.needs, missing))
  await installText(
    here,
    objects.map(({ family, nft: line }, index) => `table ${family} case${index} { ${line}; }`),
  )
  const connection = keep(await Nft.open({ netns: here }))
  await nftFile(there, `${toText(await connection.list())}\n`)
  const again = keep(await Nft.open({ netns: there }))
  expect(comparable(await nft(there, 'list', 'ruleset'))).toBe(comparable(await nft(here, 'list', 'ruleset')))
  expect(comparable(toText(await again.list()))).toBe(comparable(toText(await connection.list())))
})

it('operations as commands do what the transaction does', async () => {
  const [here, there] = await newNamespaces(keep, 2)
  if (!here || !there) throw new Error('no namespace')
  const filter = table('inet', 'f')
  const operations: Operation[] = [
    { create: filter.table({ comment: 'c' }) },
    { add: filter.counter('hits', { packets: 1, bytes: 2, comment: 'n' }) },
    { add: filter.quota('volume', { bytes: 5000, inv: true }) },
    { add: filter.limit('slow', { rate: 5, per: 'minute' }) },
    { add: filter.chain('other', { comment: 'o' }) },
    { add: filter.chain('c', { type: 'filter', hook: 'input', prio: -145, policy: 'drop' }) },
    { add: filter.set('s', { type: 'mark', flags: ['interval'], elem: [1, 2, 3, { range: [5, 9] }] }) },
    { add: filter.set('t', { type: 'ipv4_addr', timeout: 90, flags: ['timeout'], comment: 't' }) },
    { add: filter.map('m', { type: 'inet_service', map: 'verdict', elem: [[80, verdict.jump('other')]] }) },
    { add: filter.elements('t', [{ elem: { val: '10.0.0.1', timeout: 9000, comment: 'x' } }, '10.0.0.2']) },
    { add: filter.mapElements('m', [[81, verdict.accept()]]) },
    { add: filter.rule({ chain: 'c', comment: 'r' }, vmap(match.tcp.dport, '@m'), counter('hits')) },
    { insert: filter.rule('c', match.ct.state.in('new', 'related'), verdict.return()) },
    { delete: filter.elements('t', ['10.0.0.2']) },
    { add: filter.chain('gone') },
    { delete: filter.chain('gone') },
    { flush: filter.chain('other') },
  ]
  const connection = keep(await Nft.open({ netns: here }))
  await connection.transaction().addAll(operations).commit()
  await nftFile(there, `${operations.map((operation) => toText(operation)).join('\n')}\n`)
  expect(comparable(await nft(there, 'list', 'ruleset'))).toBe(comparable(await nft(here, 'list', 'ruleset')))
})
