/** Row: a set of ten times as many elements as the other rows have rules, in one transaction. */
import { Nft } from 'nfbridge/nft'
import type { Contest, Contestant } from '../contest.js'
import { recordFloor } from '../floor.js'
import type { Surroundings } from '../surroundings.js'
import { committing, ruleLanguages } from '../ways.js'
import {
  adding,
  linkColumns,
  linkNumbers,
  linkObjects,
  linkRows,
  linkSet,
  linksForJson,
  linksForNft,
  table,
} from '../workloads.js'

const floorName = 'floor: C, the same bytes'

export async function elementsContest(surroundings: Surroundings, rules: number): Promise<Contest> {
  const count = 10 * rules
  const { programs, folder } = surroundings
  const floor = await recordFloor(programs, folder, 'elements', count, await surroundings.namespace())
  await floor.prepare()
  const notes = [`floor sends: ${floor.description}`]
  return {
    id: 'elements',
    title: `${count.toLocaleString('en')} elements of four fields in one transaction`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(1) },
      ...(await ours(surroundings, count)),
      ...(await ruleLanguages(surroundings, 'elements', count, notes, {
        text: () => linksForNft(count),
        json: () => linksForJson(count),
      })),
    ],
    notes,
  }
}

async function ours(surroundings: Surroundings, count: number): Promise<Contestant[]> {
  const nft = await Nft.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => nft.close())
  const objects = linkObjects(count)
  const prepared = nft.prepareElements(linkSet, linkColumns)
  const rows = linkRows(count)
  const numbers = linkNumbers(count)
  const empty = [{ table }, linkSet]
  return [
    committing(nft, 'nfbridge: from plain objects', () => adding(nft, objects)),
    committing(nft, 'nfbridge: prepared, rows of values', () =>
      adding(nft, empty).addPrepared(prepared, rows),
    ),
    committing(nft, 'nfbridge: prepared, one typed array', () =>
      adding(nft, empty).addPrepared(prepared, numbers),
    ),
  ]
}
