import type { Chain, Rule, RulesetObject, TableObject } from '../../nft/index.js'
import type { ChainRules } from './expressions.js'
import { FORWARD_CHAINS } from './forward.js'
import { BRIDGED_LINK_CHAINS } from './links.js'
import { type TableFamily, USER_CHAINS } from './names.js'
import { SENDER_CHAINS } from './senders.js'
import { setObjects } from './sets.js'
import { TRANSLATION_CHAINS } from './translation.js'

/** Tells whoever lists the tables which version of the rules they hold. */
const RULESET_VERSION = 'nfbridge rules 5'

const USERS: readonly ChainRules[] = Object.values(USER_CHAINS).map((name) => ({
  chain: { name },
  rules: [],
}))

const CHAINS: Readonly<Record<TableFamily, readonly ChainRules[]>> = {
  inet: [...FORWARD_CHAINS, ...TRANSLATION_CHAINS],
  bridge: [...SENDER_CHAINS, ...BRIDGED_LINK_CHAINS],
}

const FAMILIES: readonly TableFamily[] = ['inet', 'bridge']

/** A host's two tables of a name; deleting them deletes all that is in them, the users' rules included. */
export function tableObjects(
  table: string,
): (TableObject & { readonly table: { readonly family: TableFamily } })[] {
  return FAMILIES.map((family) => ({ table: { family, name: table, comment: RULESET_VERSION } }))
}

/** The users' own two chains. */
export function userChainObjects(table: string): { chain: Chain }[] {
  return chainObjects('inet', table, USERS)
}

/** What is in the tables, elements and the users' chains aside, in an order in which it can be added: chains, sets, rules. */
export function rulesetObjects(table: string, families: readonly TableFamily[] = FAMILIES): RulesetObject[] {
  return families.flatMap((family) => [
    ...chainObjects(family, table, CHAINS[family]),
    ...setObjects(family, table),
    ...CHAINS[family].flatMap(({ chain, rules }) =>
      rules.map((expr): { rule: Rule } => ({ rule: { family, table, chain: chain.name, expr } })),
    ),
  ])
}

/** How many rules each chain of a table has; the users' chains aside, and those without any. */
export function ruleCounts(family: TableFamily): ReadonlyMap<string, number> {
  return new Map(
    CHAINS[family].flatMap(({ chain, rules }) => (rules.length > 0 ? [[chain.name, rules.length]] : [])),
  )
}

/** Chains with their hooks and policies, without their rules. */
function chainObjects(family: TableFamily, table: string, chains: readonly ChainRules[]): { chain: Chain }[] {
  return chains.map(({ chain }) => ({ chain: { family, table, ...chain } }))
}
