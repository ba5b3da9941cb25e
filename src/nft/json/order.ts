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

function rankOf(object: RulesetObject): number {
  const [kind = ''] = Object.keys(object)
  return ranks[kind] ?? objectRank
}

/** Objects so that each finds what it refers to; rules stay in their order. */
export function inDependencyOrder<T extends RulesetObject>(objects: readonly T[]): T[] {
  return objects
    .map((object, index) => ({ object, index, rank: rankOf(object) }))
    .sort((one, other) => one.rank - other.rank || one.index - other.index)
    .map(({ object }) => object)
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
