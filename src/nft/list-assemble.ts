/** The records of a listing as a ruleset in the order of `nft list ruleset`. */

import type { MessageName, MessageRecords } from '../native/records.js'
import type { Datatype } from './datatype/index.js'
import {
  decompileRule,
  isAnonymous,
  type KernelSet,
  readChain,
  readFamily,
  readFlowtable,
  readObject,
  readSet,
  readTable,
  SetCatalog,
} from './decompile/index.js'
import { plainRecord } from './kernel/plain-record.js'
import type { ListFilter } from './list.js'
import type { ListedObject, OpaqueObject } from './model/index.js'

/** What the kernel listed. */
export interface KernelRuleset {
  readonly tables: readonly MessageRecords['nftNewTable'][]
  readonly chains: readonly MessageRecords['nftNewChain'][]
  readonly sets: readonly MessageRecords['nftNewSet'][]
  /** Whether the sets were asked for, or are there for the sake of the rules only. */
  readonly listsSets: boolean
  readonly elements: readonly MessageRecords['nftNewElement'][]
  readonly objects: readonly MessageRecords['nftNewObject'][]
  readonly flowtables: readonly MessageRecords['nftNewFlowtable'][]
  readonly rules: readonly MessageRecords['nftNewRule'][]
}

interface InTable {
  readonly family?: number
  readonly table?: string
}

/** Whether something is in the family and table that are asked for. */
export function isInScope({ family, table }: InTable, filter: ListFilter): boolean {
  if (filter.family !== undefined && readFamily(family) !== filter.family) return false
  return filter.table === undefined || table === filter.table
}

/** One table's part of a listing. */
class TableListing {
  table: ListedObject | undefined
  readonly objects: ListedObject[] = []
  readonly sets: KernelSet[] = []
  readonly chains: MessageRecords['nftNewChain'][] = []
  readonly rules = new Map<string, MessageRecords['nftNewRule'][]>()
}

type Steps<T> = Generator<undefined, T, undefined>

/** The ruleset, in steps: each table with its objects, sets, chains, and the rules in the order of the chains. */
export function* assemble(
  kernel: KernelRuleset,
  filter: ListFilter,
  interfaces?: Datatype,
): Steps<ListedObject[]> {
  const tables = new Map<string, TableListing>()
  const listing = (family: number | undefined, table: string | undefined): TableListing => {
    const key = `${family} ${table}`
    const known = tables.get(key)
    if (known) return known
    const added = new TableListing()
    tables.set(key, added)
    return added
  }
  for (const record of kernel.tables)
    if (isInScope({ ...record, table: record.name ?? '' }, filter)) {
      const table = readTable(record)
      listing(record.family, record.name).table = table ? { table } : opaque('nftNewTable', record)
    }
  const elements = yield* elementsBySet(kernel)
  for (const record of kernel.sets)
    if (isInScope(record, filter))
      listing(record.family, record.table).sets.push({
        record,
        elements: elements.get(setKey(record.family, record.table, record.name)) ?? [],
      })
  for (const record of kernel.objects)
    if (isInScope(record, filter)) {
      const object = readObject(record)
      listing(record.family, record.table).objects.push(object ?? opaque('nftNewObject', record))
    }
  for (const record of kernel.flowtables)
    if (isInScope(record, filter)) {
      const flowtable = readFlowtable(record)
      listing(record.family, record.table).objects.push(
        flowtable ? { flowtable } : opaque('nftNewFlowtable', record),
      )
    }
  for (const record of kernel.chains)
    if (isInScope(record, filter) && (filter.chain === undefined || record.name === filter.chain))
      listing(record.family, record.table).chains.push(record)
  for (const record of kernel.rules) {
    yield
    if (isInScope(record, filter) && (filter.chain === undefined || record.chain === filter.chain)) {
      const { rules } = listing(record.family, record.table)
      const chain = record.chain ?? ''
      const known = rules.get(chain)
      if (known) known.push(record)
      else rules.set(chain, [record])
    }
  }
  const objects: ListedObject[] = []
  for (const table of tables.values())
    for (const object of yield* tableObjects(table, kernel.listsSets, filter, interfaces))
      objects.push(object)
  return objects
}

function* tableObjects(
  listing: TableListing,
  listsSets: boolean,
  filter: ListFilter,
  interfaces: Datatype | undefined,
): Steps<ListedObject[]> {
  const { table, objects, sets, chains, rules } = listing
  const result: ListedObject[] = table ? [table, ...objects] : [...objects]
  if (listsSets)
    for (const set of sets)
      if (!isAnonymous(set.record) && (filter.set === undefined || set.record.name === filter.set))
        result.push(...(yield* setObjects(set, interfaces)))
  for (const chain of chains) {
    const known = readChain(chain)
    result.push(known ? { chain: known } : opaque('nftNewChain', chain))
  }
  const catalog = new SetCatalog(sets, interfaces)
  // Rules come in the order of their chains; without the chains, in the order of the kernel.
  const order = chains.length > 0 ? chains.map((chain) => chain.name ?? '') : [...rules.keys()]
  for (const chain of order)
    for (const record of rules.get(chain) ?? []) {
      yield
      const family = readFamily(record.family)
      const rule = family && decompileRule(record, family, catalog)
      result.push(rule ? { rule } : opaque('nftNewRule', record))
    }
  return result
}

/** A set that is not understood is kept with its elements. */
function* setObjects(set: KernelSet, interfaces: Datatype | undefined): Steps<ListedObject[]> {
  const known = yield* readSet(set, interfaces)
  if (known) return [known]
  const { record, elements } = set
  const { family, table, name } = record
  const objects: ListedObject[] = [opaque('nftNewSet', record)]
  if (elements.length > 0)
    objects.push(
      opaque('nftNewElement', {
        ...(family !== undefined && { family }),
        ...(table !== undefined && { table }),
        ...(name !== undefined && { set: name }),
        elements,
      }),
    )
  return objects
}

function opaque<K extends MessageName>(message: K, record: MessageRecords[K]): OpaqueObject {
  return { opaque: { message, record: plainRecord(record) } }
}

function* elementsBySet({ elements }: KernelRuleset): Steps<Map<string, KernelSet['elements'][number][]>> {
  const bySet = new Map<string, KernelSet['elements'][number][]>()
  for (const { family, table, set, elements: some = [] } of elements) {
    yield
    const key = setKey(family, table, set)
    const known = bySet.get(key)
    // A large set comes in thousands of parts: one by one, not as arguments of one call.
    if (known) for (const element of some) known.push(element)
    else bySet.set(key, [...some])
  }
  return bySet
}

function setKey(family: number | undefined, table: string | undefined, name: string | undefined): string {
  return `${family} ${table} ${name}`
}
