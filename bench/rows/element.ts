/** Row: one more element in a set of 10,000; for iptables, one more rule in a chain of 10,000. */
import { Nft, type Transaction } from 'nfbridge/nft'
import { type Contest, type Contestant, time, timeSync } from '../contest.js'
import { recordFloor } from '../floor.js'
import { launch, type Restore } from '../peers.js'
import type { Surroundings } from '../surroundings.js'
import {
  adding,
  addressSet,
  addressSetForNft,
  elements,
  extraAddress,
  rulesForIptables,
  setName,
  table,
} from '../workloads.js'

const floorName = 'floor: C, the same bytes'

/** Commits in one round; the round's value is their median. */
const timesARound = 50

export async function elementContest(surroundings: Surroundings, count: number): Promise<Contest> {
  const floor = await recordFloor(
    surroundings.programs,
    surroundings.folder,
    'element',
    count,
    await surroundings.namespace(),
  )
  await floor.prepare()
  const notes = [
    `floor sends: ${floor.description}`,
    `iptables has no elements: its row is one rule appended to a chain of ${count.toLocaleString('en')}`,
  ]
  return {
    id: 'element',
    title: `one element in a set of ${count.toLocaleString('en')}`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(timesARound) },
      ...(await ours(surroundings, count)),
      ...(await peers(surroundings, count, notes)),
    ],
    notes,
  }
}

async function ours(surroundings: Surroundings, count: number): Promise<Contestant[]> {
  const nft = await Nft.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => nft.close())
  await adding(nft, addressSet(count)).commit()
  const one = (): Transaction => nft.transaction().add(elements([extraAddress]))
  const undo = (): unknown =>
    nft
      .transaction()
      .delete(elements([extraAddress]))
      .commitSync()
  const repeated = async (once: () => Promise<number>): Promise<readonly number[]> => {
    const times: number[] = []
    for (let n = 0; n < timesARound; n++) {
      times.push(await once())
      undo()
    }
    return times
  }
  return [
    {
      name: 'nfbridge: commitSync',
      processes: 0,
      run: () => repeated(async () => timeSync(() => one().commitSync())),
    },
    { name: 'nfbridge: commit', processes: 0, run: () => repeated(() => time(() => one().commit())) },
  ]
}

async function peers(surroundings: Surroundings, count: number, notes: string[]): Promise<Contestant[]> {
  const found: Contestant[] = []
  if (surroundings.peers.nft) {
    found.push(...(await surroundings.attempt('nft add element', notes, () => nft(surroundings, count))))
  }
  for (const restore of surroundings.peers.restores) {
    const name = `${restore.name} -n`
    found.push(...(await surroundings.attempt(name, notes, () => iptables(surroundings, restore, count))))
  }
  return found
}

async function nft(surroundings: Surroundings, count: number): Promise<Contestant> {
  const { programs } = surroundings
  const namespace = await surroundings.namespace()
  const file = surroundings.file('set.nft', addressSetForNft(count))
  await launch(programs, [[namespace, ['nft', '-f', file]]])
  const words = [table.family, table.name, setName, '{', extraAddress, '}']
  return {
    name: 'nft add element',
    processes: 1,
    run: async () => {
      const taken = await launch(programs, [[namespace, ['nft', 'add', 'element', ...words]]])
      await launch(programs, [[namespace, ['nft', 'delete', 'element', ...words]]])
      return [taken]
    },
  }
}

async function iptables(surroundings: Surroundings, restore: Restore, count: number): Promise<Contestant> {
  const { programs } = surroundings
  const namespace = await surroundings.namespace()
  const rule = `FORWARD -s ${extraAddress}/32 -j ACCEPT`
  const append = surroundings.file('append.iptables', `*filter\n-A ${rule}\nCOMMIT\n`)
  const remove = surroundings.file('remove.iptables', `*filter\n-D ${rule}\nCOMMIT\n`)
  const chain = surroundings.file('chain.iptables', rulesForIptables(count))
  await launch(programs, [[namespace, [restore.program, chain]]])
  return {
    name: `${restore.name} -n`,
    processes: 1,
    run: async () => {
      const taken = await launch(programs, [[namespace, [restore.program, '-n', append]]])
      await launch(programs, [[namespace, [restore.program, '-n', remove]]])
      return [taken]
    },
  }
}
