import { checkObject } from '../input.js'
import type { Connection } from './connection.js'
import type { Direction } from './operation.js'
import { type RoutingRule, type RoutingRuleSpec, readRule } from './routing-rule.js'
import { familyNumber } from './values.js'

/** Which rules to list. */
export interface RoutingRuleFilter {
  readonly family?: 4 | 6
}

/** The routing policy database of a namespace; see ip-rule(8). */
export class RoutingRules {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The rules in the order in which the kernel asks them, IPv4's first. */
  async list(filter: RoutingRuleFilter = {}): Promise<RoutingRule[]> {
    const caller = 'rtnl.rules.list'
    checkObject(filter, ['family'], caller, 'filter')
    const rules: RoutingRule[] = []
    for (const family of filter.family === undefined ? [4 as const, 6 as const] : [filter.family]) {
      const asked = { family: familyNumber(family) }
      for (const message of await this.#connection.dump('getRule', asked, caller))
        if (message.name === 'newRule') rules.push(readRule(message.record, family))
    }
    return rules
  }

  /** @throws NfbridgeError NFB_EXISTS */
  add(rule: RoutingRuleSpec): Promise<void> {
    return this.#apply('add', rule)
  }

  /** @throws NfbridgeError NFB_MISSING */
  delete(rule: RoutingRuleSpec): Promise<void> {
    return this.#apply('delete', rule)
  }

  #apply(action: Exclude<Direction, 'replace'>, rule: RoutingRuleSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'rule', action, rule }], `rtnl.rules.${action}`)
  }
}
