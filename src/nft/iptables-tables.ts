/** Which tables and rules are those of iptables-nft. */
import type { NftExpressionRecord } from '../native/records.js'
import { selects } from '../native/select.js'
import type { Family, Rule } from './model/index.js'

/** NFT_META_L4PROTO; NFT_PAYLOAD_NETWORK_HEADER and NFT_PAYLOAD_TRANSPORT_HEADER; where IPv4 and IPv6 have the protocol. */
const L4PROTO = 16
const NETWORK_HEADER = 1
const TRANSPORT_HEADER = 2
const PROTOCOL_AT = { ip: 9, ip6: 6 } as const

/** Whether an expression loads the number of the transport protocol. */
export function loadsProtocol(expression: NftExpressionRecord, family: Family): boolean {
  if (selects(expression, 'name', 'meta'))
    return expression.data?.key === L4PROTO && expression.data.sreg === undefined
  if (!selects(expression, 'name', 'payload') || !isIptablesFamily(family)) return false
  const { base, offset, len } = expression.data ?? {}
  return base === NETWORK_HEADER && offset === PROTOCOL_AT[family] && len === 1
}

export function isIptablesFamily(family: Family): family is 'ip' | 'ip6' {
  return family === 'ip' || family === 'ip6'
}

const tables: ReadonlySet<string> = new Set(['filter', 'nat', 'mangle', 'raw', 'security'])

/** Whether a chain is one of iptables' own or of who uses it: those have names in capital letters, and are in its tables. */
export function isIptablesChain({ family, table, chain }: Pick<Rule, 'family' | 'table' | 'chain'>): boolean {
  return isIptablesFamily(family) && tables.has(table) && /^[A-Z][\dA-Z_-]*$/.test(chain)
}

/** Expressions that iptables 1.8.9 takes for its own whatever they say (nft_is_expr_compatible). */
const readable: ReadonlySet<string> = new Set(['bitwise', 'counter', 'immediate', 'match', 'range', 'target'])
/** What of NFT_META_* it reads: mark, iif, oif, iifname, oifname, l4proto. */
const readableKeys: ReadonlySet<number> = new Set([3, 4, 5, 6, 7, L4PROTO])
/** NFT_META_NFTRACE, which the target TRACE sets. */
const NFTRACE = 12
/** NFT_CMP_LT and NFT_CMP_GT, of which it knows neither. */
const unreadableOperators: ReadonlySet<number> = new Set([2, 4])
/** Fields of the network header by their offset, with the bytes that may be compared at once. */
const networkFields: { readonly [F in 'ip' | 'ip6']: ReadonlyMap<number, number> } = {
  ip: new Map([
    [6, 2],
    [8, 1],
    [PROTOCOL_AT.ip, 1],
    [12, 4],
    [16, 4],
  ]),
  ip6: new Map([
    [PROTOCOL_AT.ip6, 1],
    [8, 16],
    [24, 16],
  ]),
}

/**
 * The first expression for which iptables gives up its table, or that it passes over, so that it prints another rule (of a
 * set of ports none at all) and restores that; undefined: there is none.
 */
export function unreadable(expressions: readonly NftExpressionRecord[], family: Family): string | undefined {
  let knowsProtocol = false
  for (const expression of expressions) {
    if (!isReadable(expression, family, knowsProtocol)) return expression.name ?? ''
    knowsProtocol ||= loadsProtocol(expression, family)
  }
  return undefined
}

function isReadable(expression: NftExpressionRecord, family: Family, knowsProtocol: boolean): boolean {
  if (selects(expression, 'name', 'limit'))
    return (expression.data?.type ?? 0) === 0 && (expression.data?.flags ?? 0) === 0
  if (selects(expression, 'name', 'log')) return expression.data?.group !== undefined
  if (selects(expression, 'name', 'cmp')) return !unreadableOperators.has(expression.data?.op ?? 0)
  if (selects(expression, 'name', 'meta')) {
    const { key = -1, sreg } = expression.data ?? {}
    return sreg === undefined ? readableKeys.has(key) : key === NFTRACE
  }
  if (!selects(expression, 'name', 'payload')) return readable.has(expression.name ?? '')
  const { base, offset = 0, len = 0, sreg } = expression.data ?? {}
  if (sreg !== undefined || !isIptablesFamily(family)) return false
  if (base === NETWORK_HEADER) return len <= (networkFields[family].get(offset) ?? 0)
  // Ports, one or both, and the flags of TCP: of a protocol that is said.
  return (
    base === TRANSPORT_HEADER &&
    knowsProtocol &&
    (offset < 4 ? offset + len <= 4 : offset === 13 && len === 1)
  )
}
