import { ruleset } from '../../nft/index.js'
import { DEFAULT_TABLE, USER_CHAINS } from '../rules/names.js'
import { type UserRule, type UserRuleSet, userRuleObjects } from './user-rules.js'

/** The users' rules as the state directory has them: libnftables' JSON. What JSON has no words for is left out. */
export function userRulesToJson(rules: UserRuleSet): object {
  return ruleset.toJson(userRuleObjects(DEFAULT_TABLE, rules), { keep: true, opaque: 'omit' })
}

/** @throws NfbridgeError NFB_INVALID_ARGUMENT with the path of the first wrong value */
export function userRulesFromJson(value: object): UserRuleSet {
  const { nftables } = ruleset.fromJson(value)
  const of = (chain: string): UserRule[] =>
    nftables.flatMap((object) => {
      if (!('rule' in object) || object.rule.chain !== chain) return []
      const { expr, comment } = object.rule
      return [comment === undefined ? { expr } : { expr, comment }]
    })
  const chains: ReadonlySet<string> = new Set(Object.values(USER_CHAINS))
  const own = nftables.filter((object) => !('rule' in object && chains.has(object.rule.chain)))
  return { forward: of(USER_CHAINS.forward), inbound: of(USER_CHAINS.inbound), own }
}
