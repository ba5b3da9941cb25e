/** A firewall of examples/ in a namespace: what nft and we say of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { install } from '../../../examples/firewalls/run.js'
import type { Machine } from '../../../lab/machine.js'
import { Namespace } from '../../../src/netns/index.js'
import { type ListedObject, Nft, type RulesetObject, ruleset, toText } from '../../../src/nft/index.js'
import { kernelRecords } from '../../conformance/records.js'
import { testMachines } from '../../support/machines.js'
import { nft, nftFile } from '../../support/tools.js'
import { comparable } from '../nft-list-compare.js'
import { asListed } from './as-listed.js'

/** What nft prints is the golden file's; what we list is what was added; and what we list can be added again. */
export async function expectInstalled(name: string, objects: readonly RulesetObject[]): Promise<void> {
  using namespace = await Namespace.create()
  await install(namespace, objects)
  const printed = inOrder(await nft(namespace, 'list', 'ruleset'))
  const golden = new URL(`./${name}.golden`, import.meta.url)
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, printed)
  expect(printed).toBe(readFileSync(golden, 'utf8'))

  const listed = await list(namespace)
  expect(byKind(listed)).toEqual(byKind(asListed(objects)))

  expect(inOrder(toText(listed)).trim()).toBe(printed.trim())

  // nft reads our text of both, and makes the same of it.
  const { tables } = await kernelRecords(namespace)
  for (const text of [toText(objects), toText(listed)]) {
    using byNft = await Namespace.create()
    await nftFile(byNft, text)
    expect((await kernelRecords(byNft)).tables).toEqual(tables)
  }

  using again = await Namespace.create()
  const operations = ruleset.toOperations({ nftables: listed })
  await install(
    again,
    operations.flatMap((operation) => ('add' in operation ? [operation.add] : [])),
  )
  expect(inOrder(await nft(again, 'list', 'ruleset'))).toBe(printed)
}

/** A machine of the lab that is closed after the test. */
export async function machine(name: string): Promise<Machine> {
  const [created] = await testMachines([name])
  return created
}

/** Installs a firewall in a machine of the lab. */
export function protect(machine: Machine, objects: readonly RulesetObject[]): Promise<void> {
  return install(machine.namespace, objects)
}

async function list(namespace: Namespace): Promise<readonly ListedObject[]> {
  using connection = await Nft.open({ netns: namespace })
  return (await connection.list()).nftables
}

/** Objects of a kind, and rules of a chain, keep their order; nft and we list kinds and chains in an order of our own. */
function byKind(objects: readonly (RulesetObject | ListedObject)[]): unknown[] {
  const place = (object: RulesetObject | ListedObject): string =>
    'rule' in object ? `rule ${object.rule.chain}` : Object.keys(object).join()
  return objects.toSorted((one, other) => place(one).localeCompare(place(other))).map(comparable)
}

/** A hash set lists its elements in an order of its own, another one each time. */
function inOrder(ruleset: string): string {
  return ruleset.replace(/\{ ([^{}]*,[^{}]*) \}/g, (_, elements: string) => {
    const sorted = elements.split(/,\s*/).sort()
    return `{ ${sorted.join(elements.includes('\n') ? ',\n\t\t\t     ' : ', ')} }`
  })
}
