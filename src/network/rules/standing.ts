/**
 * Which of our rules stand. A lookup costs a packet as much in an empty set as in a full one, and finds nothing: a rule that needs an element
 * of a set is not there while the set has none. A rule that jumps to a chain without rules does nothing either.
 */
import type { Rule } from '../../nft/index.js'
import type { ChainRules } from './expressions.js'
import { OFFLOAD } from './names.js'
import { isFilledByUsAlone } from './sets.js'

/** What decides which rules stand. */
export interface RulesetConditions {
  /** The names of the sets that have elements of ours. */
  readonly sets: Pick<ReadonlySet<string>, 'has'>
  /** The devices of the flowtable, where offload is in effect; undefined: there is none. */
  readonly offload?: readonly string[] | undefined
}

/** What a rule needs to do anything. */
interface Needs {
  /** Sets and maps in which something must be found, and the flowtable. */
  readonly sets: readonly string[]
  /** Chains of which one at least must have a rule; empty where it does not depend on any. */
  readonly chains: readonly string[]
}

/** Rules are constants: each is looked through once. */
const needs = new WeakMap<Rule['expr'], Needs>()

/**
 * The chains of a table with those of their rules that stand. Base chains without any are not there, since a packet that meets one pays for
 * it, nor is that of offload. All others are: elements lead to them.
 */
export function standingChains(chains: readonly ChainRules[], conditions: RulesetConditions): ChainRules[] {
  const byName = new Map(chains.map((each) => [each.chain.name, each]))
  const filled = new Map<string, boolean>()
  const hasRule = (name: string): boolean => {
    const found = byName.get(name)
    // The users' chains are theirs to fill.
    if (found === undefined) return true
    const known = filled.get(name)
    if (known !== undefined) return known
    const stands = found.rules.some((rule) => isStanding(rule))
    filled.set(name, stands)
    return stands
  }
  const isStanding = (rule: Rule['expr']): boolean => {
    const { sets, chains: targets } = needsOf(rule)
    return sets.every((set) => isThere(set, conditions)) && (targets.length === 0 || targets.some(hasRule))
  }
  return chains.flatMap(({ chain, rules: all }) => {
    const rules = all.filter(isStanding)
    return rules.length > 0 || !goesWithItsRules(chain) ? [{ chain, rules }] : []
  })
}

function goesWithItsRules({ hook, name }: ChainRules['chain']): boolean {
  return hook !== undefined || name === OFFLOAD
}

function isThere(set: string, { sets, offload }: RulesetConditions): boolean {
  if (set === OFFLOAD) return offload !== undefined
  return !isFilledByUsAlone(set) || sets.has(set)
}

function needsOf(rule: Rule['expr']): Needs {
  const known = needs.get(rule)
  if (known) return known
  const found = { sets: rule.flatMap(setsNeeded), chains: rule.flatMap(jumpedTo) }
  needs.set(rule, found)
  return found
}

type RuleStatement = Rule['expr'][number]

/** A match that something is not in a set needs no element of it, and what is put into a set neither. */
function setsNeeded(statement: RuleStatement): string[] {
  if ('set' in statement || ('match' in statement && statement.match.op === '!=')) return []
  return [...JSON.stringify(statement).matchAll(/"@(\w+)"/g)].flatMap(([, name]) => name ?? [])
}

/** Only jumps: a chain without rules that is gone to ends what the packet meets. */
function jumpedTo(statement: RuleStatement): string[] {
  const text = JSON.stringify(statement)
  if (text.includes('"goto"')) return []
  return [...text.matchAll(/"jump":{"target":"(\w+)"}/g)].flatMap(([, name]) => name ?? [])
}
