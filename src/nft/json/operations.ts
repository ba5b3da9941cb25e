import { NfbridgeError } from '../../errors.js'
import type { Operation } from '../compile/index.js'
import type { ListedObject, RulesetObject } from '../model/index.js'
import { withoutHandle } from './from-json.js'
import { inDependencyOrder } from './order.js'

/**
 * The operations that make a listed ruleset anew, in an order in which each object finds what it refers to; handles are
 * left out.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT for an object that the model does not have (an opaque one), with its path
 */
export function toOperations(ruleset: {
  readonly nftables: readonly (ListedObject | RulesetObject)[]
}): Operation[] {
  const objects = ruleset.nftables.map((object, index): RulesetObject => {
    if (!('opaque' in object)) return withoutHandle(object)
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation: 'ruleset.toOperations',
      message: 'an opaque object can be listed, but not added',
      path: `nftables[${index}].opaque`,
    })
  })
  return inDependencyOrder(objects).map((object) => ({ add: object }))
}
