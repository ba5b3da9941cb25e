/** The order in which objects can be added: what others refer to comes first. */
import type { Operation } from '../compile/index.js'
import type { RulesetObject } from '../model/index.js'

/** Chains come before sets, because verdicts in maps name chains; named objects before the maps that give them. */
const ranks: { readonly [kind: string]: number } = {
  table: 0,
  chain: 1,
  flowtable: 3,
  set: 3,
  map: 3,
  element: 4,
  rule: 5,
}
/** Counters, quotas and the like. */
const objectRank = 2

/** Of opaque objects, by their message. */
const opaqueRanks: { readonly [message: string]: number } = {
  nftNewTable: 0,
  nftNewChain: 1,
  nftNewFlowtable: 3,
  nftNewSet: 3,
  nftNewElement: 4,
  nftNewRule: 5,
}

function rankOf(object: RulesetObject): number {
  if ('opaque' in object) return opaqueRanks[object.opaque.message] ?? objectRank
  const [kind = ''] = Object.keys(object)
  return ranks[kind] ?? objectRank
}

/** Objects so that each finds what it refers to; rules of a chain stay in their order. */
export function inDependencyOrder<T extends RulesetObject>(objects: readonly T[]): T[] {
  const depths = depthsOfBoundChains(objects)
  return objects
    .map((object, index) => ({ object, index, rank: rankOf(object) - depthOf(object, depths) }))
    .sort((one, other) => one.rank - other.rank || one.index - other.index)
    .map(({ object }) => object)
}

/** Chains of a table by their names. */
function chainKey(
  { family, table }: { readonly family: string; readonly table: string },
  name: string,
): string {
  return `${family} ${table} ${name}`
}

/** How deep the chains lie that belong to a rule. They take no more rules once that is added: theirs come before it. */
function depthsOfBoundChains(objects: readonly RulesetObject[]): ReadonlyMap<string, number> {
  const holders = new Map<string, string | undefined>()
  for (const object of objects)
    if ('chain' in object && object.chain.flags?.includes('binding'))
      holders.set(chainKey(object.chain, object.chain.name), undefined)
  if (holders.size === 0) return new Map()
  for (const object of objects) {
    if (!('rule' in object)) continue
    for (const statement of object.rule.expr) {
      const verdict = 'jump' in statement ? statement.jump : 'goto' in statement ? statement.goto : undefined
      const target = verdict && chainKey(object.rule, verdict.target)
      if (target !== undefined && holders.has(target))
        holders.set(target, chainKey(object.rule, object.rule.chain))
    }
  }
  const depth = (chain: string, below: number): number => {
    const holder = holders.get(chain)
    return holder === undefined || below > holders.size ? below : depth(holder, below + 1)
  }
  return new Map([...holders.keys()].map((chain) => [chain, depth(chain, 1)]))
}

/** Less than a rank. */
function depthOf(object: RulesetObject, depths: ReadonlyMap<string, number>): number {
  if (depths.size === 0 || !('rule' in object)) return 0
  return (depths.get(chainKey(object.rule, object.rule.chain)) ?? 0) / (depths.size + 1)
}

/** Operations with neighbouring additions in the order of their dependencies; the others stay where they are. */
export function inWorkingOrder(operations: readonly Operation[]): Operation[] {
  const ordered: Operation[] = []
  let additions: RulesetObject[] = []
  const flush = (): void => {
    ordered.push(...inDependencyOrder(additions).map((object) => ({ add: object })))
    additions = []
  }
  for (const operation of operations) {
    if ('add' in operation) additions.push(operation.add)
    else {
      flush()
      ordered.push(operation)
    }
  }
  flush()
  return ordered
}
