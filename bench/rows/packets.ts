/** The rows about packets, each with its tables, and its namespaces for as long as they are measured. */
import type { Contest } from '../contest.js'
import type { Surroundings } from '../surroundings.js'
import { bytesContest, establishedContest, newContest } from './packets-translated.js'
import {
  answersContest,
  bytesWithinContest,
  entriesContest,
  featuresContest,
  newWithinContest,
  userRulesContest,
  withinContest,
} from './packets-within.js'

/** TCP connections at once, a table for each. */
const CONNECTIONS = [1, 8]

export const packetRows: Readonly<
  Record<string, (surroundings: Surroundings) => Promise<Contest | Contest[]>>
> = {
  'packets-within': withinContest,
  'packets-answers': answersContest,
  'packets-user-rules': userRulesContest,
  'packets-features': featuresContest,
  'packets-out': (surroundings) => establishedContest(surroundings, 'out'),
  'packets-in': (surroundings) => establishedContest(surroundings, 'in'),
  'packets-new-within': newWithinContest,
  'packets-new-out': (surroundings) => newContest(surroundings, 'out'),
  'packets-new-in': (surroundings) => newContest(surroundings, 'in'),
  'packets-tcp-within': (surroundings) => forEach((count) => bytesWithinContest(surroundings, count)),
  'packets-tcp-out': (surroundings) => forEach((count) => bytesContest(surroundings, 'out', count)),
  'packets-tcp-in': (surroundings) => forEach((count) => bytesContest(surroundings, 'in', count)),
  'packets-entries': entriesContest,
}

async function forEach(create: (connections: number) => Promise<Contest>): Promise<Contest[]> {
  const contests: Contest[] = []
  for (const connections of CONNECTIONS) contests.push(await create(connections))
  return contests
}
