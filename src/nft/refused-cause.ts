/** What a refusal of the kernel is explained by. */
import type { Operation } from './compile/index.js'
import type { RulesetObject } from './model/index.js'

/** Why, and where in the operation, if that is closer than the kernel says. */
export interface Cause {
  readonly message: string
  readonly place?: string
}

/** What an operation adds. */
export function addedBy(operation: Operation): RulesetObject | undefined {
  return 'add' in operation ? operation.add : 'create' in operation ? operation.create : undefined
}
