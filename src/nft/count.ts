/** How much of a table there is: counted from what the kernel dumps, without making rules and elements of it. */

import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkObject, checkString } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import type { ReplyMessage } from '../native/unpack.js'
import { isAnonymous } from './decompile/index.js'
import { familyOf } from './family.js'
import { ElementFlags } from './kernel/constants.js'
import { generationOf } from './list.js'
import type { Family } from './model/index.js'
import { type Asking, all, ask, setOf } from './requests.js'

/** Which table, and of which of its sets and maps the elements are counted; default: of all. */
export interface CountFilter {
  readonly family: Family
  readonly table: string
  readonly sets?: readonly string[]
}

/** Numbers by names: an object that is JSON, and has nothing else, whatever the names are. */
export interface Counts {
  readonly [name: string]: number | undefined
}

/** What was counted, at one moment. What is not there is not among it. */
export interface TableCounts {
  readonly generation: number
  /** By the chain's name; chains without rules are left out. */
  readonly rules: Counts
  /** By the name of the set or map; those without elements are left out. A range is one element. */
  readonly elements: Counts
}

const operation = 'nft.count'
const attempts = 8

/** @throws NfbridgeError NFB_DUMP_INCONSISTENT when the ruleset changed during each of several attempts */
export async function countTable(socket: SocketHandle, filter: CountFilter): Promise<TableCounts> {
  const { sets } = checkObject(filter, ['family', 'table', 'sets'], operation, 'filter')
  if (sets !== undefined)
    for (const [index, set] of checkArray(sets, operation, 'filter.sets').entries())
      checkString(set, operation, joinPath('filter.sets', index))
  for (let attempt = 0; attempt < attempts; attempt++) {
    const counts = await ask(socket, count(filter))
    if (counts !== undefined) return counts
  }
  throw new NfbridgeError({
    code: 'NFB_DUMP_INCONSISTENT',
    operation,
    message: `the ruleset changed during each of ${attempts} counts: try again`,
  })
}

/** Undefined when the ruleset changed meanwhile. */
function* count({ family, table, sets }: CountFilter): Asking<TableCounts | undefined> {
  const place = { family: familyOf(family, operation, 'filter.family'), table }
  const generation = yield* generationOf(operation)
  const rules = new Map<string, number>()
  for (const chain of yield* all('nftGetRule', place, chainNameOf, operation))
    rules.set(chain, (rules.get(chain) ?? 0) + 1)
  const elements = new Map<string, number>()
  for (const set of sets ?? (yield* all('nftGetSet', place, setNameOf, operation))) {
    const parts = yield* all('nftGetElement', { ...place, set }, elementCountOf, operation)
    const sum = parts.reduce((one, other) => one + other, 0)
    if (sum > 0) elements.set(set, sum)
  }
  const after = yield* generationOf(operation)
  return after === generation ? { generation, rules: plain(rules), elements: plain(elements) } : undefined
}

function plain(counts: ReadonlyMap<string, number>): Counts {
  return Object.setPrototypeOf(Object.fromEntries(counts), null)
}

function chainNameOf(message: ReplyMessage): string | undefined {
  return message.name === 'nftNewRule' ? message.record.chain : undefined
}

function setNameOf(message: ReplyMessage): string | undefined {
  const set = setOf(message)
  return set === undefined || isAnonymous(set) ? undefined : set.name
}

/** Where a range ends is told by an element of its own. */
function elementCountOf(message: ReplyMessage): number | undefined {
  if (message.name !== 'nftNewElement') return undefined
  const { elements = [] } = message.record
  return elements.filter(({ flags = 0 }) => (flags & ElementFlags.intervalEnd) === 0).length
}
