import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import type { Connection } from './connection.js'
import type { Direction } from './operation.js'
import { type RoutingRule, type RoutingRuleSpec, readRule } from './routing-rule.js'
import { familyNumber } from './values.js'

const LIST = 'rtnl.rules.list'

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

  /** The rules in the order in which the kernel asks them, IPv4's first. A kernel without IPv6 has none of it. */
  async list(given: RoutingRuleFilter = {}): Promise<RoutingRule[]> {
    const filter = checkObject(readInput(given, LIST, 'filter'), ['family'], LIST, 'filter')
    if (filter.family !== undefined) return this.#list(filter.family)
    const rules = await this.#list(4)
    try {
      return [...rules, ...(await this.#list(6))]
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_NOT_SUPPORTED') return rules
      throw error
    }
  }

  #list(family: 4 | 6): Promise<RoutingRule[]> {
    const read = (message: ReplyMessage): RoutingRule | undefined =>
      message.name === 'newRule' ? readRule(message.record, family) : undefined
    return this.#connection.list('getRule', { family: familyNumber(family) }, read, LIST)
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
