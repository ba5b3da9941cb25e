import { Cidr } from '../address/index.js'
import { NfbridgeError } from '../errors.js'
import { checkInteger, checkObject } from '../input.js'
import type { RoutingRuleRecord } from '../native/records.js'
import { checkInterfaceName } from './names.js'
import { nameOf, numberOf, ROUTE_PROTOCOLS, ROUTE_TABLES } from './numbers.js'
import type { RouteProtocol, RouteTable } from './route.js'
import { compact, familyNumber, readAddress, toNetwork } from './values.js'

/** FR_ACT_* of linux/fib_rules.h: what a rule does with what it matches. */
const ACTIONS = { lookup: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const

/** FIB_RULE_INVERT of linux/fib_rules.h. */
const INVERT = 0x2

/** What the kernel writes where a rule suppresses nothing: -1. */
const NOTHING = 0xffff_ffff

/** RT_TABLE_COMPAT of linux/rtnetlink.h stands in the header for tables that do not fit into its byte. */
const TABLE_COMPAT = 252
const FIRST_WIDE_TABLE = 256

/** A rule of the routing policy database (RTM_NEWRULE): which table decides about which packets. */
export interface RoutingRule {
  readonly family: 4 | 6
  /** Lower is asked first. */
  readonly priority: number
  readonly action: keyof typeof ACTIONS | number
  /** The table that is asked, of the action `lookup`. */
  readonly table: RouteTable
  /** The priority of the rule that is asked next, of the action `goto`. */
  readonly goto?: number
  /** Whether it is for the packets that do not match. */
  readonly not: boolean
  readonly source?: Cidr
  readonly destination?: Cidr
  readonly inputDevice?: string
  readonly outputDevice?: string
  readonly mark?: number
  readonly mask?: number
  /** Routes of the table with a prefix of at most as many bits are passed over: 0 passes over default routes. */
  readonly suppressPrefixLength?: number
  /** Routes by a link of this group are passed over. */
  readonly suppressInterfaceGroup?: number
  /** Who added it; absent: the kernel was not told. */
  readonly protocol?: RouteProtocol
  /** All that the kernel said. */
  readonly record: RoutingRuleRecord
}

/** A rule to add or to delete: what it does not say holds for every packet. */
export interface RoutingRuleSpec {
  /** Default: the family of `source` or `destination`, else 4. */
  readonly family?: 4 | 6
  /** 1 to 4294967295; lower is asked first. */
  readonly priority: number
  readonly source?: Cidr | string
  readonly destination?: Cidr | string
  readonly inputDevice?: string
  readonly mark?: number
  /** The bits of the mark that are compared. Default: all. */
  readonly mask?: number
  /** The table that is asked. Default: `main`. */
  readonly table?: RouteTable
  readonly suppressPrefixLength?: number
  /** Who adds it, by which one's own rules are told from those of others: only a rule of the protocol given is deleted. Default: none. */
  readonly protocol?: RouteProtocol
}

const NAMES = [
  'family',
  'priority',
  'source',
  'destination',
  'inputDevice',
  'mark',
  'mask',
  'table',
  'suppressPrefixLength',
  'protocol',
] as const satisfies readonly (keyof RoutingRuleSpec)[]

/** The properties by their attributes, for the paths of errors. */
export const RULE_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['src', 'source'],
  ['srcLen', 'source'],
  ['dst', 'destination'],
  ['dstLen', 'destination'],
  ['iifname', 'inputDevice'],
  ['fwmark', 'mark'],
  ['fwmask', 'mask'],
  ['fraTable', 'table'],
  ['suppressPrefixlen', 'suppressPrefixLength'],
])

/** The record that adds a rule, or deletes it. */
export function ruleRecord(spec: RoutingRuleSpec, operation: string, path: string): RoutingRuleRecord {
  checkObject(spec, NAMES, operation, path)
  const at = (property: string): string => `${path}.${property}`
  const source = spec.source === undefined ? undefined : toNetwork(spec.source, at('source'))
  const destination =
    spec.destination === undefined ? undefined : toNetwork(spec.destination, at('destination'))
  const family = spec.family ?? source?.family ?? destination?.family ?? 4
  for (const [network, property] of [
    [source, 'source'],
    [destination, 'destination'],
  ] as const) {
    if (network === undefined || network.family === family) continue
    const message = `a rule is of one family, and ${network} is IPv${network.family}`
    throw new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path: at(property) })
  }
  const table = numberOf(ROUTE_TABLES, spec.table ?? 'main', operation, at('table'))
  const whole = (value: number | undefined, property: string): number | undefined =>
    value === undefined ? undefined : checkInteger(value, [0, 0xffff_ffff], operation, at(property))
  return compact<RoutingRuleRecord>({
    family: familyNumber(family),
    srcLen: source?.prefixLength,
    dstLen: destination?.prefixLength,
    table: table < FIRST_WIDE_TABLE ? table : TABLE_COMPAT,
    action: ACTIONS.lookup,
    priority: checkInteger(spec.priority, [1, 0xffff_ffff], operation, at('priority')),
    src: source?.prefixLength ? source.network.bytes : undefined,
    dst: destination?.prefixLength ? destination.network.bytes : undefined,
    iifname:
      spec.inputDevice === undefined
        ? undefined
        : checkInterfaceName(spec.inputDevice, operation, at('inputDevice')),
    fwmark: whole(spec.mark, 'mark'),
    fwmask: whole(spec.mask, 'mask'),
    fraTable: table < FIRST_WIDE_TABLE ? undefined : table,
    suppressPrefixlen: whole(spec.suppressPrefixLength, 'suppressPrefixLength'),
    protocol:
      spec.protocol === undefined
        ? undefined
        : numberOf(ROUTE_PROTOCOLS, spec.protocol, operation, at('protocol')),
  })
}

/** A rule as the kernel tells of it. */
export function readRule(record: RoutingRuleRecord, family: 4 | 6): RoutingRule {
  const network = (bytes: Uint8Array | undefined, length: number | undefined): Cidr | undefined => {
    const address = readAddress(bytes)
    return address === undefined ? undefined : Cidr.of(address, length ?? 0)
  }
  const something = (value: number | undefined): number | undefined => (value === NOTHING ? undefined : value)
  return compact<RoutingRule>({
    family,
    priority: record.priority ?? 0,
    action: nameOf(ACTIONS, record.action ?? 0),
    table: nameOf(ROUTE_TABLES, record.fraTable ?? record.table ?? 0),
    goto: record.goto,
    not: ((record.flags ?? 0) & INVERT) !== 0,
    source: network(record.src, record.srcLen),
    destination: network(record.dst, record.dstLen),
    inputDevice: record.iifname,
    outputDevice: record.oifname,
    mark: record.fwmark,
    mask: record.fwmask,
    suppressPrefixLength: something(record.suppressPrefixlen),
    suppressInterfaceGroup: something(record.suppressIfgroup),
    protocol: record.protocol ? nameOf(ROUTE_PROTOCOLS, record.protocol) : undefined,
    record,
  })
}
