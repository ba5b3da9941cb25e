/** docs/nftables.md: every row of its tables, and its example, against nft. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import * as library from '../../src/nft/index.js'
import { shapes } from '../../src/nft/json/shapes.js'
import { ip, isObject, nft, nftFile } from '../support/tools.js'
import { type RuleTable, readPage } from './nft-docs-page.js'

const page = readPage(readFileSync(new URL('../../docs/nftables.md', import.meta.url), 'utf8'))

let theirs: Namespace
let ours: Namespace
let connection: library.Nft
beforeAll(async () => {
  theirs = await Namespace.create()
  ours = await Namespace.create()
  for (const space of [theirs, ours]) await ip(space, 'link', 'set', 'lo', 'up')
  connection = await library.Nft.open({ netns: ours })
})
afterAll(() => {
  connection.close()
  ours.close()
  theirs.close()
})

/** What the right side of a row says: values of the model, made by the builders. */
function evaluate(code: string, bindings: object = library): unknown[] {
  const made: unknown = new Function(...Object.keys(bindings), `return [${code}]`)(...Object.values(bindings))
  return Array.isArray(made) ? made : []
}

/** The table that rows of rules stand in, with the rules in `nft`'s syntax. */
function tableText({ family, hook }: RuleTable, rule: string): string {
  const hasHelpers = family === 'ip' || family === 'inet'
  const world = page.world
    .split('\n')
    .filter((line) => hasHelpers || !line.startsWith('ct helper'))
    .join('\n')
  return `flush ruleset
    table ${family} t {\n${world}\nchain c { ${hook}\n${rule}\n}\n}`
}

const sorted = (text: string): string =>
  text.replace(/\{ ([^{}\n]+) \}/g, (_, elements: string) => `{ ${elements.split(', ').sort().join(', ')} }`)

/** What the kernel or nft of this machine does not have, by the beginning of the row, and why. */
const lacking: readonly (readonly [row: string, why: string])[] = [
  ['ct timeout set', 'this kernel has no timeout policies'],
  ['meta secmark set', 'the context of a secmark needs SELinux'],
  ['queue', 'this kernel has no NFT_QUEUE'],
  ['last', 'nft 1.0.6 does not know it'],
  ['flow add', 'this kernel has no flowtables'],
  ['udp dport 4789 vxlan', 'nft 1.0.6 does not see into tunnels'],
  ['meta mark set ct mark |', 'nft 1.0.6 combines no two fields'],
  ['meta mark set ip dscp', 'nft 1.0.6 takes no number of fewer bits for a mark'],
  ['gre', 'nft 1.0.6 does not know its header'],
  ['tunnel', 'nft 1.0.6 does not read it in this family'],
  ['table netdev t { tunnel', 'nft 1.0.6 does not know named tunnels'],
  ['ct expectation set', 'the world of the rows has none, since inet tables have none'],
]

describe.each(page.rules)('rules, $family $hook', (rules) => {
  it.each(rules.rows)('%s', async (row, code) => {
    const [, why] = lacking.find(([start]) => row.startsWith(start)) ?? []
    const expr = evaluate(code)
    const read = library.ruleset.fromJson({
      nftables: [{ rule: { family: rules.family, table: 't', chain: 'c', expr } }],
    })
    if (why !== undefined) {
      await expect(nftFile(theirs, tableText(rules, row)), why).rejects.toThrow()
      expect(read.operations.map((operation) => library.toText(operation))).toEqual([
        `add rule ${rules.family} t c ${row}`,
      ])
      return
    }
    await nftFile(theirs, tableText(rules, row))
    await nftFile(ours, tableText(rules, ''))
    const sets = await connection.list({ kinds: ['set'] })
    const transaction = connection.transaction()
    for (const object of sets.nftables) if ('set' in object || 'map' in object) transaction.declare(object)
    await transaction.addAll(read).commit()
    const [expected, got] = [await nft(theirs, 'list', 'ruleset'), await nft(ours, 'list', 'ruleset')]
    expect(sorted(got)).toBe(sorted(expected))
    expect(got).not.toBe(await emptyList(rules))
  })
})

async function emptyList(rules: RuleTable): Promise<string> {
  await nftFile(theirs, tableText(rules, ''))
  return nft(theirs, 'list', 'ruleset')
}

describe('objects', () => {
  it.each(page.objects)('%s', async (row, code) => {
    const [object] = evaluate(code)
    const [, why] = lacking.find(([start]) => row.startsWith(start)) ?? []
    if (why !== undefined) {
      await expect(nftFile(theirs, `flush ruleset\n${row}`), why).rejects.toThrow()
      // The row is what is printed, on one line.
      const printed = library
        .toText(library.ruleset.fromJson({ nftables: [object] }))
        .replaceAll(/\{\s+/g, '{ ')
        .replaceAll(/\s*\n\s*/g, '; ')
      expect(printed).toBe(row)
      return
    }
    await nftFile(theirs, `flush ruleset\n${row}`)
    await nft(ours, 'flush', 'ruleset')
    const [kind = '', inner] = Object.entries(isObject(object) ? object : {})[0] ?? []
    const owner = isObject(inner)
      ? { family: inner.family, name: kind === 'table' ? inner.name : inner.table }
      : {}
    const objects = kind === 'table' ? [object] : [{ table: owner }, object]
    await connection
      .transaction()
      .addAll(library.ruleset.fromJson({ nftables: objects }))
      .commit()
    expect(await nft(ours, 'list', 'ruleset')).toBe(await nft(theirs, 'list', 'ruleset'))
  })
})

it('the worked example prints what the page shows', async () => {
  await nft(ours, 'flush', 'ruleset')
  const printed: string[] = []
  const run = new Function(
    ...Object.keys(library),
    'netns',
    'console',
    `return (async () => {${page.example.replace(/^import .*$/m, '')}})()`,
  )
  await run(...Object.values(library), ours, { log: (text: string) => printed.push(text) })
  expect(printed).toEqual([page.output])
  expect(`${page.output}\n`).toBe(await nft(ours, 'list', 'ruleset'))
  const { nftables } = await connection.list()
  expect(nftables).toContainEqual({ rule: expect.objectContaining(page.value) })
})

/** The properties by which the values of a union are told apart: the kinds of statements, of expressions. */
function kindsOf(name: string): string[] {
  const shape = shapes[name]
  if (shape === undefined) return []
  if (shape.kind === 'union') return shape.of.flatMap((each) => ('ref' in each ? kindsOf(each.ref) : []))
  if (shape.kind !== 'object') return []
  return Object.keys(shape.properties)
    .filter((property) => !property.endsWith('?'))
    .slice(0, 1)
}

it('the page has its tables, and a row for each kind of statement and expression', () => {
  const values = JSON.stringify(page.rules.flatMap(({ rows }) => rows.map(([, code]) => evaluate(code))))
  const kinds = [...kindsOf('Statement'), ...kindsOf('Expression')]
  // What belongs to xtables nft prints, and reads not.
  const missing = kinds.filter((kind) => kind !== 'xt' && !values.includes(`"${kind}":`))
  expect(kinds.length).toBeGreaterThan(40)
  expect(missing).toEqual([])
})
