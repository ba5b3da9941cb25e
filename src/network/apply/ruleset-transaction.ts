import type { Element, Nft, Ruleset, Transaction } from '../../nft/index.js'
import type { SetElement } from '../plan/elements.js'
import { OFFLOAD, type TableFamily, USER_CHAINS } from '../rules/names.js'
import {
  EVERY_RULE,
  rulesetChange,
  rulesetObjects,
  tableObjects,
  userChainObjects,
} from '../rules/ruleset.js'
import { elementObjects, helperObjects, setsOf } from '../rules/sets.js'
import type { RulesetConditions } from '../rules/standing.js'
import { nameOf } from './user-objects.js'
import { listTable, type UserRuleSet, userRuleObjects } from './user-rules.js'

/** `add` fails with NFB_EXISTS when a table of the name is there; `replace` takes its place. */
export type RulesetDirection = 'add' | 'replace' | 'remove'

/** What both tables shall hold beside our own rules. */
export interface RulesetContent {
  readonly elements: readonly SetElement[]
  /** What the rules shall remember of packets. */
  readonly asked: readonly { readonly element: Element }[]
  readonly users: UserRuleSet
  /** Somebody has emptied the whole table: the users' chains begin anew, too, as far as they are empty. */
  readonly emptied: boolean
}

/**
 * The transaction that adds both tables with their chains, sets, rules and the elements given, or removes them. Replaced, the
 * users' two chains stay as they are, with whatever anybody put into them; where they are not there, they begin with the rules
 * given. No packet meets half of the old or of the new. Offload is not in effect afterwards.
 */
export async function rulesetTransaction(
  nft: Nft,
  name: string,
  direction: RulesetDirection,
  { elements, asked, users, emptied }: RulesetContent,
): Promise<Transaction> {
  const transaction = nft.transaction()
  const objects = rulesetObjects(name, { sets: setsOf(elements) })
  const standing = {
    inet: direction === 'replace' ? await readStanding(nft, name, 'inet') : undefined,
    bridge: direction === 'replace' ? await readOurs(nft, name) : undefined,
  }
  if (direction !== 'add') {
    for (const table of tableObjects(name)) {
      if (standing[table.table.family]) continue
      // Added first, so that deleting one that is gone already is no error (DESTROYTABLE came with kernel 6.3).
      transaction.add(table).delete(table)
    }
  }
  if (direction === 'remove') return transaction
  for (const table of tableObjects(name)) {
    const stands = standing[table.table.family]
    if (stands) {
      // Without the flag `dormant`, which somebody may have given it.
      transaction.add(table)
      empty(transaction, name, stands, new Set(objects.map(nameOf)))
    } else transaction.create(table)
  }
  for (const object of userChainObjects(name)) transaction.add(object)
  for (const object of objects) transaction.add(object)
  if (!standing.inet) for (const object of userRuleObjects(name, users)) transaction.add(object)
  else if (emptied && (await isWithoutUserRules(nft, name)))
    for (const object of userRuleObjects(name, { ...users, own: [] })) transaction.add(object)
  for (const object of helperObjects(name, elements)) transaction.add(object)
  for (const object of [...elementObjects(name, elements), ...asked]) transaction.add(object)
  return transaction
}

/** One of our tables as it stands, if it is of this version of the rules; that of another version is made anew. */
async function readStanding(nft: Nft, name: string, family: TableFamily): Promise<Ruleset | undefined> {
  const ruleset = await listTable(nft, name, ['table', 'chain', 'set', 'object'], { family })
  return ruleset && isOfThisVersion(ruleset, name) ? ruleset : undefined
}

/** Our bridge table, if nobody put anything into it: users have theirs in the other. */
async function readOurs(nft: Nft, name: string): Promise<Ruleset | undefined> {
  const ruleset = await readStanding(nft, name, 'bridge')
  const ours = new Set(rulesetObjects(name, EVERY_RULE, ['bridge']).map(nameOf))
  return ruleset?.nftables.every((object) => 'table' in object || ours.has(nameOf(object)))
    ? ruleset
    : undefined
}

/** Whether our inet table is there and holds the rules of another version, so that the users' rules go with it. */
export async function isOfAnotherVersion(nft: Nft, name: string): Promise<boolean> {
  const ruleset = await listTable(nft, name, ['table'])
  return ruleset !== undefined && !isOfThisVersion(ruleset, name)
}

function isOfThisVersion({ nftables }: Ruleset, name: string): boolean {
  const [ours] = tableObjects(name)
  return nftables.some(
    (object) =>
      'table' in object && object.table.name === name && object.table.comment === ours?.table.comment,
  )
}

/**
 * Takes our rules and elements out of the table. Chains that are wanted and sets stay: rules of the users may refer to them. What the
 * rules themselves remember of packets stays, too: whoever was asked answers after a restart as before.
 */
function empty(
  transaction: Transaction,
  name: string,
  { nftables }: Ruleset,
  wanted: ReadonlySet<string>,
): void {
  const ours = new Set(rulesetObjects(name, EVERY_RULE).map(nameOf))
  for (const object of nftables) {
    if ('chain' in object && ours.has(nameOf(object))) transaction.flush(object)
  }
  for (const object of nftables) {
    if (!('set' in object || 'map' in object) || !ours.has(nameOf(object))) continue
    const { flags = [] } = 'set' in object ? object.set : object.map
    if (!flags.includes('dynamic')) transaction.flush(object)
  }
  for (const object of nftables) {
    const isGone = 'chain' in object && ours.has(nameOf(object)) && !wanted.has(nameOf(object))
    if (isGone || ('flowtable' in object && object.flowtable.name === OFFLOAD)) transaction.delete(object)
  }
}

/** Adds to a transaction what differs between two conditions; all the rest stands. */
export function changeRules(
  transaction: Transaction,
  name: string,
  before: RulesetConditions,
  after: RulesetConditions,
): void {
  const change = rulesetChange(name, before, after)
  for (const object of change.flush) transaction.flush(object)
  for (const object of change.delete) transaction.delete(object)
  for (const object of change.add) transaction.add(object)
}

async function isWithoutUserRules(nft: Nft, table: string): Promise<boolean> {
  const { rules } = await nft.count({ family: 'inet', table, sets: [] })
  return Object.values(USER_CHAINS).every((chain) => rules[chain] === undefined)
}
