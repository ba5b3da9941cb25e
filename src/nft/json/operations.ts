import type { Operation } from '../compile/index.js'
import type { ListedObject, RulesetObject } from '../model/index.js'
import { withoutHandle } from './from-json.js'
import { inDependencyOrder } from './order.js'

/**
 * The operations that make a listed ruleset anew, in an order in which each object finds what it refers to; handles are
 * left out.
 */
export function toOperations(ruleset: {
  readonly nftables: readonly (ListedObject | RulesetObject)[]
}): Operation[] {
  const objects = ruleset.nftables.map(withoutHandle)
  return inDependencyOrder(objects).map((object) => ({ add: object }))
}
