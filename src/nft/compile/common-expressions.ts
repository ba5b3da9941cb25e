import { shared } from '../../native/shared.js'
import type { RuleExpression } from './kernel-expression.js'

/** More than headers and keys have: who loads any bits of packets does not fill the memory. */
const LIMIT = 1024

/**
 * Expressions that most rules have, loads above all, by what makes them different: made, and packed, once for all rules.
 * They never change.
 */
export class CommonExpressions {
  readonly #byKey = new Map<number, RuleExpression>()

  get(key: number): RuleExpression | undefined {
    return this.#byKey.get(key)
  }

  /** Remembers an expression, unless the key is negative or there are too many; returns it. */
  keep(key: number, expression: RuleExpression): RuleExpression {
    if (key < 0 || this.#byKey.size >= LIMIT) return expression
    this.#byKey.set(key, commonExpression(expression))
    return expression
  }
}

/** An expression that many rules share. */
export function commonExpression(expression: RuleExpression): RuleExpression {
  if ('data' in expression) Object.freeze(expression.data)
  return shared(expression)
}
