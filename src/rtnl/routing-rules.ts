import { Cidr } from '../address/index.js'
import { checkObject } from '../input.js'
import type { RoutingRuleRecord } from '../native/records.js'
import type { Connection } from './connection.js'
import { nameOf, ROUTE_TABLES } from './numbers.js'
import type { RouteTable } from './route.js'
import { compact, familyNumber, readAddress } from './values.js'

/** FR_ACT_* of linux/fib_rules.h: what a rule does with what it matches. */
const ACTIONS = { lookup: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const

/** FIB_RULE_INVERT of linux/fib_rules.h. */
const INVERT = 0x2

/** A rule of the routing policy database (RTM_NEWRULE): which table decides about which packets. */
export interface RoutingRule {
  readonly family: 4 | 6
  /** Lower is asked first. */
  readonly priority: number
  readonly action: keyof typeof ACTIONS | number
  /** The table that is asked, of the action `lookup`. */
  readonly table: RouteTable
  /** Whether it is for the packets that do not match. */
  readonly not: boolean
  readonly source?: Cidr
  readonly destination?: Cidr
  readonly inputDevice?: string
  readonly outputDevice?: string
  readonly mark?: number
  readonly mask?: number
  /** All that the kernel said. */
  readonly record: RoutingRuleRecord
}

/** Which rules to list. */
export interface RoutingRuleFilter {
  readonly family?: 4 | 6
}

/** The routing policy database of a namespace; see ip-rule(8). */
export class RoutingRules {
  readonly #connection: Connection

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
}

function readRule(record: RoutingRuleRecord, family: 4 | 6): RoutingRule {
  const network = (bytes: Uint8Array | undefined, length: number | undefined): Cidr | undefined => {
    const address = readAddress(bytes)
    return address === undefined ? undefined : Cidr.of(address, length ?? 0)
  }
  return compact<RoutingRule>({
    family,
    priority: record.priority ?? 0,
    action: nameOf(ACTIONS, record.action ?? 0),
    table: nameOf(ROUTE_TABLES, record.fraTable ?? record.table ?? 0),
    not: ((record.flags ?? 0) & INVERT) !== 0,
    source: network(record.src, record.srcLen),
    destination: network(record.dst, record.dstLen),
    inputDevice: record.iifname,
    outputDevice: record.oifname,
    mark: record.fwmark,
    mask: record.fwmask,
    record,
  })
}
