/**
 * The tables of cases: blocks with an empty line between them.
 *
 *     inet: tcp dport 80                     the family of the table, and a rule in nft's syntax
 *       [{"match": …}]                       our value of it: the statements, written by hand
 *       lists: [{"match": …}]                what a listing gives, where it is neither our value nor what nft lists
 *       chain: type filter hook input …      the chain must be a base chain; else it is a chain without a hook
 *       needs: flowtable                     a feature of features.txt, without which the case is skipped
 *       mended: it never matches             why our rule in the kernel is another than that of nft 1.0.6
 *
 *     object inet: set s { type mark; }      what stands in the braces of a table of its own, in nft's syntax
 *       [{"set": {"name": "s", …}}]          our objects; family and table are filled in
 *
 * Indented lines that begin otherwise are the expressions that the unit tests compare.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Family, RulesetObject, Statement } from '../../src/nft/model/index.js'

interface CommonCase {
  readonly file: string
  readonly family: Family
  readonly nft: string
  readonly needs: readonly string[]
  /** Why the kernel has other expressions of us than of nft 1.0.6. */
  readonly mended: string | undefined
}

export interface RuleCase extends CommonCase {
  readonly kind: 'rule'
  readonly expr: readonly Statement[]
  readonly lists: readonly Statement[] | undefined
  readonly chain: string | undefined
}

export interface ObjectCase extends CommonCase {
  readonly kind: 'object'
  /** The objects of a table, their family and table filled in. */
  objects(table: string): RulesetObject[]
  lists(table: string): object[] | undefined
}

export type Case = RuleCase | ObjectCase

/** A case's name in reports. */
export function title(one: Case): string {
  return `${one.kind === 'object' ? 'object ' : ''}${one.family}: ${one.nft}`
}

const families: ReadonlySet<string> = new Set(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])

function isFamily(text: string): text is Family {
  return families.has(text)
}

const tables = new URL('./tables/', import.meta.url)
const shared = new URL('../unit/nft/compile-cases.txt', import.meta.url)

/** All cases: those of our own tables, and the rules whose expressions the unit tests know. */
export function readCases(): Case[] {
  const files = readdirSync(tables)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => new URL(name, tables))
  return [shared, ...files].flatMap(readTable)
}

function readTable(url: URL): Case[] {
  const file = url.pathname.split('/').at(-1) ?? ''
  return readFileSync(url, 'utf8')
    .split(/\n(?:[ \t]*\n)+/)
    .map((block) => block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')))
    .filter((block) => block.length > 0)
    .map((block) => readBlock(file, block))
}

function readBlock(file: string, [head = '', ...rest]: readonly string[]): Case {
  const [, object, family = '', nft = ''] = /^(object )?(\w+): (.*)$/.exec(head) ?? []
  if (!isFamily(family)) throw new Error(`${file} is damaged at: ${head}`)
  const lines = rest.map((line) => line.trim())
  const option = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  const value = option('value') ?? lines.find((line) => line.startsWith('[{') || line === '[]')
  if (value === undefined) throw new Error(`${file} has no value for: ${head}`)
  const parsed = json(file, head, value)
  const listed = option('lists')
  const lists = listed === undefined ? undefined : json(file, head, listed)
  const needs = option('needs')?.split(/,\s*/) ?? []
  const common = { file, family, nft, needs, mended: option('mended') }
  if (object === undefined)
    // The table is the only source of both; what is wrong in it fails as a case.
    return {
      ...common,
      kind: 'rule',
      expr: parsed as Statement[],
      lists: lists as Statement[] | undefined,
      chain: option('chain'),
    }
  return {
    ...common,
    kind: 'object',
    objects: (table) => inTable(parsed, family, table) as RulesetObject[],
    lists: (table) => lists && inTable(lists, family, table),
  }
}

function json(file: string, head: string, text: string): object[] {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${file} is damaged at: ${head}`, { cause: error })
  }
}

/** `{ set: { name: 's' } }` as an object of a family's table; a table gets its name. */
function inTable(objects: readonly object[], family: Family, table: string): object[] {
  return objects.map((object) =>
    Object.fromEntries(
      Object.entries(object).map(([kind, value]) => [
        kind,
        { family, ...(kind === 'table' ? { name: table } : { table }), ...value },
      ]),
    ),
  )
}

/** A feature that this kernel or this nft may lack, and what nft must take for it to be there. */
export interface Feature {
  readonly name: string
  readonly probe: string
}

/** `name | text for nft -f`, one a line. */
export function readFeatures(): Feature[] {
  return readFileSync(new URL('./features.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', probe = ''] = line.split('|', 2)
      return { name: name.trim(), probe: `${probe.trim()}\n` }
    })
}
