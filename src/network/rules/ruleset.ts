import type { Chain, Rule, RulesetObject, TableObject } from '../../nft/index.js'
import type { ChainRules } from './expressions.js'
import { forwardChain, forwardChains } from './forward.js'
import { BRIDGED_LINK_CHAINS } from './links.js'
import { FORWARD_CHAIN, OFFLOAD, type TableFamily, USER_CHAINS } from './names.js'
import { OFFLOAD_CHAIN, offloadFlowtable } from './offload.js'
import { SENDER_CHAINS } from './senders.js'
import { setObjects } from './sets.js'
import { TRANSLATION_CHAINS } from './translation.js'

/** Tells whoever lists the tables which version of the rules they hold. */
const RULESET_VERSION = 'nfbridge rules 5'

const USERS: readonly ChainRules[] = Object.values(USER_CHAINS).map((name) => ({
  chain: { name },
  rules: [],
}))

const BRIDGE_CHAINS: readonly ChainRules[] = [...SENDER_CHAINS, ...BRIDGED_LINK_CHAINS]

/** Of each table, without offload and with it. */
const CHAINS: Readonly<Record<'plain' | 'offload', Readonly<Record<TableFamily, readonly ChainRules[]>>>> = {
  plain: { inet: [...forwardChains(false), ...TRANSLATION_CHAINS], bridge: BRIDGE_CHAINS },
  offload: { inet: [...forwardChains(true), ...TRANSLATION_CHAINS], bridge: BRIDGE_CHAINS },
}

const chainsOf = (family: TableFamily, offload: boolean): readonly ChainRules[] =>
  CHAINS[offload ? 'offload' : 'plain'][family]

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

/** Which of our objects are meant. */
export interface RulesetVariant {
  /** Of which tables; default: both. */
  readonly families?: readonly TableFamily[]
  /** The devices of the flowtable, where offload is in effect; undefined: there is none, and no rule that refers to it. */
  readonly offload?: readonly string[] | undefined
}

/** All that may be in the tables, be offload in effect or not. */
export const EVERY_VARIANT: RulesetVariant = { offload: [] }

/**
 * What is in the tables, elements and the users' chains aside, in an order in which it can be added: chains, sets, the flowtable,
 * rules.
 */
export function rulesetObjects(
  table: string,
  { families = FAMILIES, offload }: RulesetVariant = {},
): RulesetObject[] {
  return families.flatMap((family) => {
    const chains = chainsOf(family, offload !== undefined)
    return [
      ...chainObjects(family, table, chains),
      ...setObjects(family, table),
      ...(family === 'inet' && offload ? [offloadFlowtable(table, offload)] : []),
      ...ruleObjects(family, table, chains),
    ]
  })
}

/** What differs where offload is in effect: the chain with all of its rules that leads there, and what it leads to. */
export function offloadObjects(
  table: string,
  offload: readonly string[] | undefined,
): { readonly forward: { chain: Chain }; readonly objects: RulesetObject[] } {
  const chains = [...(offload ? [OFFLOAD_CHAIN] : []), forwardChain(offload !== undefined)]
  return {
    forward: { chain: { family: 'inet', table, name: FORWARD_CHAIN } },
    objects: [
      ...(offload ? [...chainObjects('inet', table, [OFFLOAD_CHAIN]), offloadFlowtable(table, offload)] : []),
      ...ruleObjects('inet', table, chains),
    ],
  }
}

/** The chain and the flowtable of offload, in an order in which they can be deleted after their rules. */
export function standingOffload(table: string): [{ chain: Chain }, ReturnType<typeof offloadFlowtable>] {
  return [{ chain: { family: 'inet', table, name: OFFLOAD } }, offloadFlowtable(table, [])]
}

/** How many rules each chain of a table has; the users' chains aside, and those without any. */
export function ruleCounts(family: TableFamily, offload: boolean): ReadonlyMap<string, number> {
  return new Map(
    chainsOf(family, offload).flatMap(({ chain, rules }) =>
      rules.length > 0 ? [[chain.name, rules.length]] : [],
    ),
  )
}

/** Chains with their hooks and policies, without their rules. */
function chainObjects(family: TableFamily, table: string, chains: readonly ChainRules[]): { chain: Chain }[] {
  return chains.map(({ chain }) => ({ chain: { family, table, ...chain } }))
}

function ruleObjects(family: TableFamily, table: string, chains: readonly ChainRules[]): { rule: Rule }[] {
  return chains.flatMap(({ chain, rules }) =>
    rules.map((expr) => ({ rule: { family, table, chain: chain.name, expr } })),
  )
}
