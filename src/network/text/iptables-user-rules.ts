import type { Expression, MatchStatement, Statement } from '../../nft/index.js'
import type { Family } from '../plan/records.js'
import { is, isNot } from './iptables-selection.js'
import type { IptablesMatch, IptablesRule } from './iptables-table.js'
import { type UserRule, userRuleText } from './user-rule-text.js'

/** The users' own rules, as iptables would print them. */
export interface IptablesUserRules {
  readonly user: readonly IptablesRule[]
  readonly inbound: readonly IptablesRule[]
}

/**
 * A rule of a user in iptables' columns, as far as these have a place for it, and whole, in nft's words, as its comment.
 * Undefined for a rule that only concerns the other address family.
 */
export function userRule({ expr, comment }: UserRule, family: Family): IptablesRule | undefined {
  const columns = expr.map(columnsOf)
  if (columns.some((each) => each.family !== undefined && each.family !== family)) return undefined
  const text = userRuleText({ expr, comment })
  const matches = columns.flatMap((each) => each.matches ?? [])
  const rule: IptablesRule = { matches: [...matches, { kind: 'comment', text }] }
  return columns.reduce((whole, each) => Object.assign(whole, each.columns), rule)
}

/** What one statement fills in. */
interface Columns {
  readonly columns?: Omit<IptablesRule, 'matches'>
  readonly matches?: readonly IptablesMatch[]
  readonly family?: Family
}

function columnsOf(statement: Statement): Columns {
  if ('match' in statement) return matchColumns(statement)
  if ('accept' in statement) return { columns: { target: 'ACCEPT' } }
  if ('drop' in statement) return { columns: { target: 'DROP' } }
  if ('return' in statement) return { columns: { target: 'RETURN' } }
  if ('reject' in statement) return { columns: { target: 'REJECT' } }
  if ('queue' in statement) return { columns: { target: 'NFQUEUE' } }
  if ('jump' in statement) return { columns: { target: statement.jump.target } }
  if ('goto' in statement) return { columns: { target: statement.goto.target } }
  return {}
}

function matchColumns({ match: { op, left, right } }: MatchStatement): Columns {
  const field = fieldOf(left)
  const family = familyOfField(field)
  const equal = op === '==' || op === 'in'
  if (field === 'ct state' && equal) return { matches: stateMatches(right) }
  if (/ [sd]port$/.test(field) && equal) return portColumns(field, right)
  const value = valueText(right)
  if (value === undefined || !(equal || op === '!=')) return { ...(family && { family }) }
  const selector = op === '!=' ? isNot(value) : is(value)
  switch (field) {
    case 'ip saddr':
    case 'ip6 saddr':
      return { columns: { source: selector }, ...(family && { family }) }
    case 'ip daddr':
    case 'ip6 daddr':
      return { columns: { destination: selector }, ...(family && { family }) }
    case 'meta iifname':
      return { columns: { input: selector } }
    case 'meta oifname':
      return { columns: { output: selector } }
    case 'meta nfproto':
      return equal ? { family: value === 'ipv6' ? 6 : 4 } : {}
    case 'meta l4proto':
      return equal ? protocolColumns(value) : {}
    default:
      return {}
  }
}

/** `tcp dport 80`: the protocol and the match. */
function portColumns(field: string, right: Expression): Columns {
  const [protocol = '', side] = field.split(' ')
  const { columns } = protocolColumns(protocol)
  const ports = portsOf(right)
  if (columns === undefined) return {}
  if (!ports) return { columns }
  return {
    columns,
    matches: [{ kind: 'ports', side: side === 'dport' ? 'destination' : 'source', ...ports }],
  }
}

function protocolColumns(name: string): Columns {
  switch (name) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return { columns: { protocol: name } }
    case 'icmp':
      return { columns: { protocol: name }, family: 4 }
    case 'icmpv6':
    case 'ipv6-icmp':
      return { columns: { protocol: 'icmpv6' }, family: 6 }
    default:
      return {}
  }
}

/** In iptables' order. */
const STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED']

function stateMatches(right: Expression): IptablesMatch[] {
  const states = Array.isArray(right) ? right : [right]
  const names = states.filter((state) => typeof state === 'string')
  if (names.length !== states.length) return []
  return [{ kind: 'state', states: STATES.filter((state) => names.includes(state.toLowerCase())) }]
}

function fieldOf(left: Expression): string {
  if (typeof left !== 'object') return ''
  if ('payload' in left && 'field' in left.payload) return `${left.payload.protocol} ${left.payload.field}`
  if ('meta' in left) return `meta ${left.meta.key}`
  if ('ct' in left && left.ct.dir === undefined) return `ct ${left.ct.key}`
  return ''
}

function familyOfField(field: string): Family | undefined {
  const [header] = field.split(' ')
  if (header === 'ip' || header === 'icmp') return 4
  return header === 'ip6' || header === 'icmpv6' ? 6 : undefined
}

/** A single value, as iptables writes it; undefined for sets, ranges and whatever else. */
function valueText(right: Expression): string | undefined {
  if (typeof right === 'string') return right.startsWith('@') ? undefined : right
  if (typeof right !== 'object' || !('prefix' in right)) return undefined
  return `${right.prefix.addr}/${right.prefix.len}`
}

function portsOf(right: Expression): { readonly first: number; readonly last: number } | undefined {
  if (typeof right === 'number') return { first: right, last: right }
  if (typeof right !== 'object' || !('range' in right)) return undefined
  const [first, last] = right.range
  return typeof first === 'number' && typeof last === 'number' ? { first, last } : undefined
}
