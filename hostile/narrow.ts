/** From many frames to the one that does it, and to the shortest that does the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import { judge } from './allowed.js'
import { Attack, type Shot } from './attack.js'
import { changeTexts, description } from './describe.js'
import type { Frame } from './frame.js'
import { isKnown } from './known.js'
import { shorter } from './shrink.js'
import { changes, readTables } from './tables.js'
import type { Station, World } from './world.js'

/** What shows a failure. */
export interface Evidence {
  readonly sender: Station
  readonly frame: Frame
  readonly bytes: Uint8Array
  /** Of what arrived. */
  readonly arrived: Uint8Array
}

/** How often a frame is sent again, shorter. */
const SHRINKING = 400
/** How many worlds are made to find which frame changed a table, and how many to make it shorter. */
const WORLDS = { finding: 30, shrinking: 20 }

/** A frame that arrives where the one that is given did, and is as short as is found. */
export async function shrinkArrival(attack: Attack, evidence: Evidence, what: string): Promise<Evidence> {
  const { sender } = evidence
  let shortest = evidence
  const arrives = async (frame: Frame): Promise<boolean> => {
    for (let turn = 0; turn < 3; turn += 1) {
      for (const { sent, event } of attack.fire(turn === 0 ? [{ sender, frame }] : [])) {
        const reason = sent.frame === frame ? judge(event) : undefined
        // What becomes another hole by being shorter, and a known one, is not this.
        if (reason === undefined || isKnown(event) || description(event, reason) !== what) continue
        shortest = { sender, frame, bytes: sent.bytes, arrived: event.bytes }
        return true
      }
      await sleep(turn)
    }
    return false
  }
  await shrink(evidence.frame, arrives, SHRINKING)
  return shortest
}

/** Follows what is shorter and still does it, so many tries long. */
async function shrink(frame: Frame, does: (frame: Frame) => Promise<boolean>, tries: number): Promise<Frame> {
  let [shortest, left] = [frame, tries]
  for (let improved = true; improved && left > 0; ) {
    improved = false
    for (const candidate of shorter(shortest)) {
      if (left <= 0) break
      left -= 1
      if (!(await does(candidate))) continue
      shortest = candidate
      improved = true
      break
    }
  }
  return shortest
}

/**
 * Those frames that change a table of the host, tried in worlds of their own: one, where one is enough.
 * @returns undefined where it does not come again
 */
export async function narrowChange(
  create: () => Promise<World>,
  shots: readonly Shot[],
): Promise<readonly Shot[] | undefined> {
  let worlds = WORLDS.finding
  const change = async (some: readonly Shot[]): Promise<boolean> => {
    worlds -= 1
    await using world = await create()
    return await changesTables(world, some)
  }
  if (!(await change(shots))) return undefined
  let few = shots
  while (few.length > 1 && worlds > 0) {
    const middle = few.length >> 1
    const [first, second] = [few.slice(0, middle), few.slice(middle)]
    if (await change(first)) few = first
    else if (await change(second)) few = second
    else break
  }
  const [only] = few
  if (few.length > 1 || only === undefined) return few
  const changesToo = (frame: Frame): Promise<boolean> => change([{ ...only, frame }])
  return [{ ...only, frame: await shrink(only.frame, changesToo, WORLDS.shrinking) }]
}

async function changesTables(world: World, shots: readonly Shot[]): Promise<boolean> {
  using attack = new Attack(world, 0)
  const before = await readTables(world)
  const here = (sender: Station): Station => world.stations.get(sender.name) ?? sender
  attack.fire(shots.map(({ sender, frame }) => ({ sender: here(sender), frame })))
  return changeTexts(changes(before, await readTables(world))).length > 0
}
