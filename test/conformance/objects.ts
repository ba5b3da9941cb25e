/** The cases that are a table's own objects: each in a table of its own, installed by nft and by us, and compared. */
import type { Namespace } from '../../src/netns/index.js'
import { Nft, type RulesetObject } from '../../src/nft/index.js'
import { familyNumbers } from '../../src/nft/kernel/constants.js'
import { comparable } from '../kernel/nft-list-compare.js'
import { isObject, nft, nftJson } from '../support/tools.js'
import { installOurs } from './ours.js'
import { difference, type Outcome } from './outcome.js'
import { kernelRecords } from './records.js'
import { installJson, installText } from './reference.js'
import { missingNeeds, type NewNamespace } from './rules.js'
import type { ObjectCase } from './table.js'

export async function runObjects(
  cases: readonly ObjectCase[],
  missing: ReadonlyMap<string, string>,
  newNamespace: NewNamespace,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = cases.map(({ needs }) => {
    const skipped = missingNeeds(needs, missing)
    return { faults: [], ...(skipped !== undefined && { skipped }) }
  })
  const name = (index: number): string => `case${index}`
  const complete = [...cases.keys()].filter((index) => outcomes[index]?.skipped === undefined)
  const lacking = [...cases.keys()].filter((index) => outcomes[index]?.skipped !== undefined)
  const values = (index: number): RulesetObject[] => withTable(cases[index], name(index))

  const [byText, byJson, byUs] = [await newNamespace(), await newNamespace(), await newNamespace()]
  const text = await installText(
    byText,
    complete.map((index) => `table ${cases[index]?.family} ${name(index)} { ${cases[index]?.nft}; }`),
  )
  const json = await installJson(
    byJson,
    complete.map((index) => values(index).map((object) => ({ add: object }))),
  )
  const handle = await Nft.open({ netns: byUs })
  const refused = await installOurs(handle, complete.map(values), [])
  const ours = await ourTables(handle)
  handle.close()
  const [textTables, jsonTables, ourTablesByNft] = [
    await nftTables(byText),
    await nftTables(byJson),
    await nftTables(byUs),
  ]
  const [theirRecords, ourRecords] = [await kernelRecords(byText), await kernelRecords(byUs)]

  for (const [position, index] of complete.entries()) {
    const [one, outcome] = [cases[index], outcomes[index]]
    if (one === undefined || outcome === undefined) continue
    const { faults } = outcome
    const nftRefused = text.refused.get(position)
    if (nftRefused !== undefined)
      faults.push(`nft refuses the text, and the case names no need: ${nftRefused}`)
    const weRefused = refused.get(position)
    if (weRefused !== undefined) faults.push(`we refuse: ${weRefused}`)
    if (faults.length > 0) continue

    const table = name(index)
    const theirs = unordered(textTables.get(table))
    faults.push(...difference('nft lists', unordered(ourTablesByNft.get(table)), theirs))
    const key = `${familyNumbers[one.family]} ${table}`
    faults.push(...difference('the kernel has', ourRecords.tables.get(key), theirRecords.tables.get(key)))

    const jsonRefused = json.get(position)
    if (jsonRefused !== undefined) outcome.note = `nft -j refuses our value: ${jsonRefused}`
    else if (difference('', unordered(jsonTables.get(table)), theirs).length > 0)
      outcome.note = 'nft -j makes something else of our value than of the text'

    faults.push(...difference('we list', unordered(ours.get(table)), unordered(listed(one, table))))
  }
  await tryAlone(cases, lacking, outcomes, newNamespace, values)
  return outcomes
}

/** The objects of a case, and the table in front of them unless it is one of them. */
function withTable(one: ObjectCase | undefined, table: string): RulesetObject[] {
  if (one === undefined) return []
  const objects = one.objects(table)
  return objects.some((object) => 'table' in object)
    ? objects
    : [{ table: { family: one.family, name: table } }, ...objects]
}

function listed(one: ObjectCase, table: string): readonly object[] {
  const lists = one.lists(table)
  if (lists === undefined) return withTable(one, table)
  return lists.some((object) => 'table' in object)
    ? lists
    : [{ table: { family: one.family, name: table } }, ...lists]
}

/** Objects in an order of their own; what is left of a timeout changes, and is not compared. */
function unordered(objects: readonly object[] = []): unknown[] {
  const text = (value: unknown): string => JSON.stringify(value)
  return objects
    .map((object) => withoutExpires(comparable(object)))
    .sort((one, other) => (text(one) < text(other) ? -1 : 1))
}

function withoutExpires(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExpires)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'expires')
      .map(([key, child]) => [key, withoutExpires(child)]),
  )
}

function byTable(objects: readonly object[]): Map<string, object[]> {
  const tables = new Map<string, object[]>()
  for (const object of objects)
    for (const [kind, value] of Object.entries(object)) {
      if (!isObject(value) || kind === 'metainfo') continue
      const table = String(kind === 'table' ? value.name : value.table)
      tables.set(table, [...(tables.get(table) ?? []), object])
    }
  return tables
}

/** The objects as nft lists them; where its JSON fails on one of the tables, table by table, or in text. */
async function nftTables(namespace: Namespace): Promise<Map<string, object[]>> {
  try {
    return byTable(await nftJson(namespace, 'list', 'ruleset'))
  } catch {
    const tables = new Map<string, object[]>()
    for (const line of (await nft(namespace, 'list', 'tables')).split('\n')) {
      const [, family, table] = /^table (\w+) (\w+)/.exec(line) ?? []
      if (family === undefined || table === undefined) continue
      try {
        tables.set(table, byTable(await nftJson(namespace, 'list', 'table', family, table)).get(table) ?? [])
      } catch {
        const text = await nft(namespace, 'list', 'table', family, table).catch(String)
        tables.set(table, [{ text }])
      }
    }
    return tables
  }
}

async function ourTables(handle: Nft): Promise<Map<string, object[]>> {
  return byTable((await handle.list()).nftables)
}

/** What nft or the kernel lacks: a refusal must be the kernel's, and what it takes is listed as the value. */
async function tryAlone(
  cases: readonly ObjectCase[],
  chosen: readonly number[],
  outcomes: readonly Outcome[],
  newNamespace: NewNamespace,
  values: (index: number) => RulesetObject[],
): Promise<void> {
  if (chosen.length === 0) return
  const handle = await Nft.open({ netns: await newNamespace() })
  const refused = await installOurs(handle, chosen.map(values), [])
  const tables = await ourTables(handle)
  handle.close()
  for (const [position, index] of chosen.entries()) {
    const [one, outcome] = [cases[index], outcomes[index]]
    if (one === undefined || outcome === undefined) continue
    const table = `case${index}`
    const error = refused.get(position)
    if (error === undefined)
      outcome.faults.push(
        ...difference('we list', unordered(tables.get(table)), unordered(listed(one, table))),
      )
    else if (!isObject(error) || error.errno === undefined) outcome.faults.push(`we refuse: ${error}`)
  }
}
