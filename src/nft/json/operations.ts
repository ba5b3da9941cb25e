import { checkIsObject } from '../../input.js'
import { readInput, withInput } from '../../read-input.js'
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
  const operation = 'ruleset.toOperations'
  const { nftables } = checkIsObject(readInput(ruleset, operation, 'ruleset'), operation, 'ruleset')
  return withInput(nftables, operation, 'ruleset.nftables', () =>
    inDependencyOrder(nftables.map(withoutHandle)).map((object) => ({ add: object })),
  )
}
