/** Rows: many containers attached in one call, and detached in one; the values are per container. */
import { BridgeHost } from 'nfbridge'
import { containerOptions, type Network, networkOptions } from '../container.js'
import { type Contest, type Contestant, time } from '../contest.js'
import { type Floor, recordFloor } from '../floor.js'
import type { Surroundings } from '../surroundings.js'

export async function attachAllContest(surroundings: Surroundings, count: number): Promise<Contest> {
  const floor = await prepareFloor(surroundings, count)
  const each = perContainer(count)
  const floorName = 'floor: C, the same bytes'
  const questions = 'C, what nfbridge asks as well'
  return {
    id: 'attach-all',
    title: `attach of ${count.toLocaleString('en')} containers in one call, per container`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: async () => each(await floor.replay(1)) },
      { name: questions, processes: 0, run: async () => each(await floor.replayWithQuestions(1)) },
      await ours(surroundings, count, 'attachAll'),
    ],
    notes: [`floor sends: ${floor.description}`, 'nfbridge returns when all interfaces carry packets'],
  }
}

export async function detachAllContest(surroundings: Surroundings, count: number): Promise<Contest> {
  const floor = await prepareFloor(surroundings, count)
  const each = perContainer(count)
  const floorName = 'floor: C, one DELLINK by group'
  const same = 'C, the same bytes'
  return {
    id: 'detach-all',
    title: `detach of ${count.toLocaleString('en')} containers in one call, per container`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: async () => each(await floor.removeByGroup(1)) },
      { name: same, processes: 0, run: async () => each(await floor.replayUndo(1)) },
      await ours(surroundings, count, 'detachAll'),
    ],
    notes: ['nfbridge also takes their elements out of the rules, and ends their connections'],
  }
}

async function prepareFloor(surroundings: Surroundings, count: number): Promise<Floor> {
  const { programs, folder } = surroundings
  const containers = await surroundings.namespaces(count)
  const host = await surroundings.namespace()
  const floor = await recordFloor(programs, folder, 'attach-all', count, host, containers)
  await floor.prepare()
  return floor
}

async function ours(
  surroundings: Surroundings,
  count: number,
  timed: 'attachAll' | 'detachAll',
): Promise<Contestant> {
  const host = await BridgeHost.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => host.destroy())
  const network: Network = await host.createNetwork(networkOptions)
  const containers = (await surroundings.namespaces(count)).map(containerOptions)
  return {
    name: `nfbridge: ${timed}`,
    processes: 0,
    run: async () => {
      const attaching = await time(() => network.attachAll(containers))
      const detaching = await time(() => network.detachAll())
      return perContainer(count)([timed === 'attachAll' ? attaching : detaching])
    },
  }
}

function perContainer(count: number): (nanoseconds: readonly number[]) => number[] {
  return (nanoseconds) => nanoseconds.map((each) => each / count)
}
