/** The kernel's own records of what the cases made, without what differs between two namespaces. */
import type { Namespace } from '../../src/netns/index.js'
import { dumpRecords, withoutTypeof } from '../kernel/nft-records.js'
import { isObject } from '../support/tools.js'

type Records = ReadonlyMap<string, unknown[]>

/** Handles, generations and what is left of timeouts; and numbers that the kernel gives to sets of one batch. */
const volatile = new Set(['handle', 'id', 'resId', 'use', 'expiration', 'version', 'count'])

function plain(value: unknown, sets: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map((item) => plain(item, sets))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !volatile.has(key))
      .map(([key, child]) => [
        key,
        // An anonymous set stands for its content.
        key === 'set' && typeof child === 'string' && sets.has(child) ? sets.get(child) : plain(child, sets),
      ]),
  )
}

function push(records: Map<string, unknown[]>, key: string, value: unknown): void {
  const known = records.get(key)
  if (known) known.push(value)
  else records.set(key, [value])
}

const ordered = (values: unknown[]): unknown[] =>
  values
    .map((value): [string, unknown] => [JSON.stringify(value), value])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, value]) => value)

/** Everything in the namespace: by `family table` and by `family table chain` for rules. */
export async function kernelRecords(namespace: Namespace): Promise<{ tables: Records; chains: Records }> {
  const sets = await dumpRecords(namespace, 'nftGetSet', 'nftNewSet', {})
  const tables = new Map<string, unknown[]>()
  const chains = new Map<string, unknown[]>()
  const anonymous = new Map<string, Map<string, unknown>>()
  for (const { userdata, ...set } of sets) {
    const { family, table, name } = set
    const messages = await dumpRecords(namespace, 'nftGetElement', 'nftNewElement', {
      ...(family !== undefined && { family }),
      ...(table !== undefined && { table }),
      ...(name !== undefined && { set: name }),
    })
    const elements = ordered(
      messages.flatMap((message) => message.elements ?? []).map((element) => plain(element, new Map())),
    )
    const key = `${family} ${table}`
    const isAnonymous = ((set.flags ?? 0) & 1) !== 0
    const shown = plain(
      { ...set, name: isAnonymous ? 'anonymous' : name, userdata: withoutTypeof(userdata) },
      new Map(),
    )
    if (!isAnonymous) push(tables, key, { set: shown, elements })
    else {
      const known = anonymous.get(key) ?? new Map<string, unknown>()
      anonymous.set(key, known.set(name ?? '', { set: shown, elements }))
    }
  }
  for (const record of await dumpRecords(namespace, 'nftGetTable', 'nftNewTable', {}))
    push(tables, `${record.family} ${record.name}`, plain(record, new Map()))
  for (const record of await dumpRecords(namespace, 'nftGetChain', 'nftNewChain', {}))
    push(tables, `${record.family} ${record.table}`, plain(record, new Map()))
  for (const record of await dumpRecords(namespace, 'nftGetObject', 'nftNewObject', {}))
    push(tables, `${record.family} ${record.table}`, plain(record, new Map()))
  for (const record of await dumpRecords(namespace, 'nftGetRule', 'nftNewRule', {})) {
    const { family, table, chain, expressions, userdata } = record
    const shown = plain({ expressions, userdata }, anonymous.get(`${family} ${table}`) ?? new Map())
    push(chains, `${family} ${table} ${chain}`, shown)
    push(tables, `${family} ${table}`, { rule: shown, chain })
  }
  return { tables: new Map(Array.from(tables, ([key, values]) => [key, ordered(values)])), chains }
}
