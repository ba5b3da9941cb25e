/** Row: 10,000 rules committed in one transaction. */
import type { Namespace } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { type Contest, type Contestant, time } from '../contest.js'
import { recordFloor } from '../floor.js'
import { launch, type Restore } from '../peers.js'
import type { Surroundings } from '../surroundings.js'
import {
  adding,
  emptyForIptables,
  rule,
  rulesForIptables,
  rulesForNft,
  table,
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

/** From plain objects to the commit; and the part of it after the objects were compiled and packed. */
async function ours(surroundings: Surroundings, count: number): Promise<Contestant[]> {
  const nft = await Nft.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => nft.close())
  const objects = [...tableAndChain, ...Array.from({ length: count }, (_, n) => rule(n))]
  let sending = 0
  return [
    {
      name: 'nfbridge: from plain objects',
      processes: 0,
      run: async () => {
        const whole = await time(async () => {
          const commit = adding(nft, objects).commit()
          sending = await time(() => commit)
        })
        await nft.transaction().delete({ table }).commit()
        return [whole]
      },
    },
    { name: 'nfbridge: of this, encode and send', processes: 0, run: async () => [sending] },
  ]
}

async function peers(surroundings: Surroundings, count: number, notes: string[]): Promise<Contestant[]> {
  const found: Contestant[] = []
  if (surroundings.peers.nft) {
    found.push(...(await surroundings.attempt('nft -f', notes, () => nft(surroundings, count))))
  }
  for (const restore of surroundings.peers.restores) {
    const name = restore.name
    found.push(...(await surroundings.attempt(name, notes, () => iptables(surroundings, restore, count))))
  }
  return found
}

async function nft(surroundings: Surroundings, count: number): Promise<Contestant> {
  const namespace = await surroundings.namespace()
  const file = surroundings.file('rules.nft', rulesForNft(count))
  return peer(
    'nft -f',
    surroundings,
    namespace,
    ['nft', '-f', file],
    ['nft', 'delete', 'table', table.family, table.name],
  )
}

async function iptables(surroundings: Surroundings, restore: Restore, count: number): Promise<Contestant> {
  const namespace = await surroundings.namespace()
  const file = surroundings.file('rules.iptables', rulesForIptables(count))
  const empty = surroundings.file('empty.iptables', emptyForIptables)
  return peer(restore.name, surroundings, namespace, [restore.program, file], [restore.program, empty])
}

function peer(
  name: string,
  { programs }: Surroundings,
  namespace: Namespace,
  command: [string, ...string[]],
  undo: [string, ...string[]],
): Contestant {
  return {
    name,
    processes: 1,
    run: async () => {
      const taken = await launch(programs, [[namespace, command]])
      await launch(programs, [[namespace, undo]])
      return [taken]
    },
  }
}
