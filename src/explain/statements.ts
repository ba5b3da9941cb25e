/** The statements of a rule as an evaluation takes them: extensions of xtables by what they mean. */
import type { Rule, Statement } from '../nft/index.js'
import { xtMeaning } from '../nft/xt/index.js'

/** Made once of each rule, which a thousand packets may meet. */
const meanings = new WeakMap<Rule, readonly Statement[]>()

/** Extensions whose meaning nobody here knows stay among them. */
export function statementsOf(rule: Rule): readonly Statement[] {
  if (!rule.expr.some((statement) => 'xt' in statement)) return rule.expr
  const known = meanings.get(rule)
  if (known) return known
  const made = rule.expr.flatMap((statement) =>
    'xt' in statement ? (xtMeaning(statement, rule.family) ?? [statement]) : [statement],
  )
  meanings.set(rule, made)
  return made
}
