import { type Rule, toText } from '../../nft/index.js'

/** A rule of a user: statements, and a comment. */
export interface UserRule {
  readonly expr: Rule['expr']
  readonly comment?: string | undefined
}

/** The rule as it stands in nft's listing of its chain: `ip saddr 192.0.2.1 drop comment "why"`. */
export function userRuleText({ expr, comment }: UserRule): string {
  return [toText(expr), ...(comment === undefined ? [] : [`comment "${comment}"`])].join(' ')
}
