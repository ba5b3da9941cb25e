import type { Chain, Rule, RulesetObject, TableObject } from '../../nft/index.js'
import { CONNECTION_CHAINS } from './connections.js'
import type { ChainRules } from './expressions.js'
import { FORWARD_CHAINS } from './forward.js'
import { BRIDGED_LINK_CHAINS } from './links.js'
import { OFFLOAD, type TableFamily, USER_CHAINS } from './names.js'
import { offloadFlowtable } from './offload.js'
import { SENDER_CHAINS } from './senders.js'
import { setObjects } from './sets.js'
import { type RulesetConditions, standingChains } from './standing.js'
import { TRANSLATION_CHAINS } from './translation.js'

/** Tells whoever lists the tables which version of the rules they hold. */
const RULESET_VERSION = 'nfbridge rules 12'

const USERS: readonly ChainRules[] = Object.values(USER_CHAINS).map((name) => ({
  chain: { name },
  rules: [],
}))

const CHAINS: Readonly<Record<TableFamily, readonly ChainRules[]>> = {
  inet: [...FORWARD_CHAINS, ...TRANSLATION_CHAINS, ...CONNECTION_CHAINS],
  bridge: [...SENDER_CHAINS, ...BRIDGED_LINK_CHAINS],
}

const FAMILIES: readonly TableFamily[] = ['inet', 'bridge']

/** All that may be in the tables. */
export const EVERY_RULE: RulesetConditions = { sets: { has: () => true }, offload: [] }

/** A host's two tables of a name; deleting them deletes all that is in them, the users' rules included. */
export function tableObjects(
  table: string,
): (TableObject & { readonly table: { readonly family: TableFamily } })[] {
  return FAMILIES.map((family) => ({ table: { family, name: table, comment: RULESET_VERSION } }))
}

/** The users' own two chains. */
export function userChainObjects(table: string): { chain: Chain }[] {
  return USERS.map((chain) => chainObject('inet', table, chain))
}

/**
 * What is in the tables, elements and the users' chains aside, in an order in which it can be added: chains, sets, the flowtable,
 * rules.
 */
export function rulesetObjects(
  table: string,
  conditions: RulesetConditions,
  families: readonly TableFamily[] = FAMILIES,
): RulesetObject[] {
  const { offload } = conditions
  return families.flatMap((family) => {
    const chains = standingChains(CHAINS[family], conditions)
    return [
      ...chains.map((chain) => chainObject(family, table, chain)),
      ...setObjects(family, table),
      ...(family === 'inet' && offload ? [offloadFlowtable(table, offload)] : []),
      ...chains.flatMap((chain) => ruleObjects(family, table, chain)),
    ]
  })
}

/** What differs between two conditions: the chains to empty, what to delete then, and what to add in the end. */
export interface RulesetChange {
  readonly flush: readonly { readonly chain: Chain }[]
  readonly delete: readonly ({ readonly chain: Chain } | ReturnType<typeof offloadFlowtable>)[]
  readonly add: readonly RulesetObject[]
}

/** The chains whose rules differ are filled anew: they are few, and short. */
export function rulesetChange(
  table: string,
  before: RulesetConditions,
  after: RulesetConditions,
): RulesetChange {
  const otherDevices = before.offload !== after.offload
  const flowtables = ({ offload }: RulesetConditions) =>
    otherDevices && offload ? [offloadFlowtable(table, offload)] : []
  const changes = FAMILIES.map((family) => {
    const [old, now] = [standingChains(CHAINS[family], before), standingChains(CHAINS[family], after)]
    const isSame = (one: ChainRules, other: ChainRules): boolean =>
      one.chain === other.chain &&
      !(otherDevices && one.chain.name === OFFLOAD) &&
      one.rules.length === other.rules.length &&
      one.rules.every((rule, index) => rule === other.rules[index])
    const gone = old.filter((one) => !now.some((other) => isSame(one, other)))
    const come = now.filter((one) => !old.some((other) => isSame(one, other)))
    const has = (chains: readonly ChainRules[], { chain }: ChainRules): boolean =>
      chains.some((other) => other.chain === chain)
    const object = (chain: ChainRules) => chainObject(family, table, chain)
    return {
      flush: gone.map(object),
      delete: gone.filter((each) => !has(now, each)).map(object),
      chains: come.filter((each) => !has(old, each)).map(object),
      rules: withMaps(
        family,
        table,
        come.flatMap((each) => ruleObjects(family, table, each)),
      ),
    }
  })
  return {
    flush: changes.flatMap(({ flush }) => flush),
    delete: [...changes.flatMap((each) => each.delete), ...flowtables(before)],
    add: [
      ...changes.flatMap(({ chains }) => chains),
      ...flowtables(after),
      ...changes.flatMap(({ rules }) => rules),
    ],
  }
}

/** Rules behind the maps that they look into, added again: what an element gives is compiled into a rule that translates. */
function withMaps(family: TableFamily, table: string, rules: readonly { rule: Rule }[]): RulesetObject[] {
  const text = JSON.stringify(rules)
  const maps = setObjects(family, table).filter(
    (object) => 'map' in object && text.includes(`"@${object.map.name}"`),
  )
  return [...maps, ...rules]
}

/** How many rules each chain of a table has; the users' chains aside, and those without any. */
export function ruleCounts(family: TableFamily, conditions: RulesetConditions): ReadonlyMap<string, number> {
  return new Map(
    standingChains(CHAINS[family], conditions).flatMap(({ chain, rules }) =>
      rules.length > 0 ? [[chain.name, rules.length]] : [],
    ),
  )
}

/** A chain with its hook and policy, without its rules. */
function chainObject(family: TableFamily, table: string, { chain }: ChainRules): { chain: Chain } {
  return { chain: { family, table, ...chain } }
}

function ruleObjects(family: TableFamily, table: string, { chain, rules }: ChainRules): { rule: Rule }[] {
  return rules.map((expr) => ({ rule: { family, table, chain: chain.name, expr } }))
}
