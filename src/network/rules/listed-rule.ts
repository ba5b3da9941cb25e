/** Rules of ours beside what a listing says. */
import { type Rule, toText } from '../../nft/index.js'
import { DEFAULT_TABLE } from './names.js'
import { EVERY_RULE, rulesetObjects } from './ruleset.js'

/** Equal for a rule as we make it and as it is listed, which leaves out the protocol where the fields that follow imply it. */
export function comparableRule(expr: Rule['expr'], family: Rule['family']): string {
  return comparableText(toText(expr, { family }))
}

function comparableText(text: string): string {
  return text.replace(/^ether type (ip6?|arp) /, '')
}

/** Whether a rule, by its text, stands in a chain of ours and is none that we made. Chains that users made are theirs. */
export function isStrangeRule(family: Rule['family'], chain: string, text: string): boolean {
  const rules = rulesetObjects(DEFAULT_TABLE, EVERY_RULE).flatMap((object) =>
    'rule' in object && object.rule.family === family && object.rule.chain === chain ? [object.rule] : [],
  )
  return rules.length > 0 && rules.every(({ expr }) => comparableRule(expr, family) !== comparableText(text))
}
