import type { Chain, Rule, RulesetObject, TableObject } from '../../nft/index.js'
import type { ChainRules } from './expressions.js'
import { FORWARD_CHAINS } from './forward.js'
import { TABLE, type TableFamily, USER_CHAINS } from './names.js'
import { SENDER_CHAINS } from './senders.js'
import { setObjects } from './sets.js'
import { TRANSLATION_CHAINS } from './translation.js'

/** Tells whoever lists the tables which version of the rules they hold. */
const RULESET_VERSION = 'nfbridge rules 3'

const USERS: readonly ChainRules[] = Object.values(USER_CHAINS).map((name) => ({
  chain: { name },
  rules: [],
}))

const CHAINS: Readonly<Record<TableFamily, readonly ChainRules[]>> = {
  inet: [...FORWARD_CHAINS, ...TRANSLATION_CHAINS],
  bridge: SENDER_CHAINS,
}

const FAMILIES: readonly TableFamily[] = ['inet', 'bridge']

/** Our two tables; deleting them deletes all that is in them, the users' rules included. */
export function tableObjects(): TableObject[] {
  return FAMILIES.map((family) => ({ table: { family, name: TABLE, comment: RULESET_VERSION } }))
}

/** The users' own two chains. */
export function userChainObjects(): { chain: Chain }[] {
  return chainObjects('inet', USERS)
}

/** What is in the tables, elements and the users' chains aside, in an order in which it can be added: chains, sets, rules. */
export function rulesetObjects(): RulesetObject[] {
  return FAMILIES.flatMap((family) => [
    ...chainObjects(family, CHAINS[family]),
    ...setObjects(family),
    ...CHAINS[family].flatMap(({ chain, rules }) =>
      rules.map((expr): { rule: Rule } => ({ rule: { family, table: TABLE, chain: chain.name, expr } })),
    ),
  ])
}

/** Chains with their hooks and policies, without their rules. */
function chainObjects(family: TableFamily, chains: readonly ChainRules[]): { chain: Chain }[] {
  return chains.map(({ chain }) => ({ chain: { family, table: TABLE, ...chain } }))
}
