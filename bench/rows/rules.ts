/** Row: 10,000 rules committed in one transaction. */
import { Nft, type Transaction } from 'nfbridge/nft'
import type { Contest, Contestant } from '../contest.js'
import { recordFloor } from '../floor.js'
import type { Restore } from '../peers.js'
import type { Surroundings } from '../surroundings.js'
import { committing, peer, ruleLanguages } from '../ways.js'
import {
  adding,
  emptyForIptables,
  rule,
  ruleNumbers,
  ruleRows,
  rulesForIptables,
  rulesForJson,
  rulesForNft,
  ruleWithSlots,
  tableAndChain,
} from '../workloads.js'

const floorName = 'floor: C, the same bytes'

export async function rulesContest(surroundings: Surroundings, count: number): Promise<Contest> {
  const floor = await recordFloor(
    surroundings.programs,
    surroundings.folder,
    'rules',
    count,
    await surroundings.namespace(),
  )
  await floor.prepare()
  const notes = [`floor sends: ${floor.description}`]
  return {
    id: 'rules',
    title: `${count.toLocaleString('en')} rules in one transaction`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(1) },
      ...(await ours(surroundings, count)),
      ...(await peers(surroundings, count, notes)),
    ],
    notes,
  }
}

async function ours(surroundings: Surroundings, count: number): Promise<Contestant[]> {
  const nft = await Nft.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => nft.close())
  const objects = [...tableAndChain, ...Array.from({ length: count }, (_, n) => rule(n))]
  const prepared = nft.prepare(ruleWithSlots)
  const rows = ruleRows(count)
  const numbers = ruleNumbers(count)
  const way = (name: string, transaction: () => Transaction): Contestant => committing(nft, name, transaction)
  return [
    way('nfbridge: from plain objects', () => adding(nft, objects)),
    way('nfbridge: prepared, rows of values', () => adding(nft, tableAndChain).addPrepared(prepared, rows)),
    way('nfbridge: prepared, one typed array', () =>
      adding(nft, tableAndChain).addPrepared(prepared, numbers),
    ),
  ]
}

async function peers(surroundings: Surroundings, count: number, notes: string[]): Promise<Contestant[]> {
  const found = await ruleLanguages(surroundings, 'rules', count, notes, {
    text: () => rulesForNft(count),
    json: () => rulesForJson(count),
  })
  for (const restore of surroundings.peers.restores) {
    const name = restore.name
    found.push(...(await surroundings.attempt(name, notes, () => iptables(surroundings, restore, count))))
  }
  return found
}

async function iptables(surroundings: Surroundings, restore: Restore, count: number): Promise<Contestant> {
  const namespace = await surroundings.namespace()
  const file = surroundings.file('rules.iptables', rulesForIptables(count))
  const empty = surroundings.file('empty.iptables', emptyForIptables)
  return peer(restore.name, surroundings, namespace, [restore.program, file], [restore.program, empty])
}
