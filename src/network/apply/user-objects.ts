/** What users have in our table beside their two chains, and what their rules refer to: chains, sets, counters … */
import type { ListedObject, NamedMap, NamedSet, Nft, Ruleset, RulesetObject } from '../../nft/index.js'
import { HELPER_OBJECTS } from '../plan/helpers.js'
import { DEFAULT_TABLE, USER_CHAINS } from '../rules/names.js'
import { EVERY_RULE, rulesetObjects } from '../rules/ruleset.js'

/** Names of what is ours, and of the two chains, whose rules are remembered one by one. */
const KNOWN: ReadonlySet<string> = new Set([
  ...rulesetObjects(DEFAULT_TABLE, EVERY_RULE).map(nameOf),
  ...Object.values(USER_CHAINS).map((name) => `chain ${name}`),
  // Of earlier versions of the rules.
  'chain errors',
  'chain loopback',
  'set routed_bridges',
])

/**
 * The users' own objects of a listing of our table, in an order in which they can be added again. Elements that packets add
 * and that end by themselves are not remembered: their sets are.
 * @param listing everything but elements, which are asked for here
 */
export async function ownObjects(nft: Nft, table: string, { nftables }: Ruleset): Promise<RulesetObject[]> {
  const objects: RulesetObject[] = []
  const chains: RulesetObject[] = []
  const sets: RulesetObject[] = []
  const rules: RulesetObject[] = []
  for (const object of nftables) {
    if ('opaque' in object || 'table' in object) continue
    if ('rule' in object) {
      const { chain, expr, comment } = object.rule
      if (KNOWN.has(`chain ${chain}`)) continue
      const rule = { family: 'inet', table, chain, expr } as const
      rules.push({ rule: comment === undefined ? rule : { ...rule, comment } })
    } else if ('chain' in object) {
      if (!KNOWN.has(nameOf(object))) chains.push(object)
    } else if ('set' in object || 'map' in object) {
      if (!KNOWN.has(nameOf(object))) sets.push(await withElements(nft, table, object))
    } else if (!('flowtable' in object) && !isHelper(object)) {
      objects.push(object)
    }
  }
  return [...objects, ...chains, ...sets, ...rules]
}

/** Ours, made with the first element that refers to it. */
function isHelper(object: RulesetObject): boolean {
  return 'ct helper' in object && HELPER_OBJECTS.has(object['ct helper'].name)
}

async function withElements<T extends { readonly set: NamedSet } | { readonly map: NamedMap }>(
  nft: Nft,
  table: string,
  object: T,
): Promise<T | { readonly set: NamedSet } | { readonly map: NamedMap }> {
  const { name, flags = [], timeout } = 'set' in object ? object.set : object.map
  if (flags.includes('dynamic') || timeout !== undefined) return object
  const { nftables } = await nft.list({ family: 'inet', table, set: name, kinds: ['set'] })
  return nftables.find((each) => 'set' in each || 'map' in each) ?? object
}

/** A chain, set or map by its kind and name; nothing for other objects. */
export function nameOf(object: ListedObject | RulesetObject): string {
  if ('chain' in object) return `chain ${object.chain.name}`
  if ('set' in object) return `set ${object.set.name}`
  return 'map' in object ? `set ${object.map.name}` : ''
}
