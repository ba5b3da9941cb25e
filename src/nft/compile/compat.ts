/**
 * For which protocol extensions of xtables are (NFTA_RULE_COMPAT). The kernel wants it with them (`tcp` is for TCP alone),
 * and never lists it; iptables makes it of the option `-p`, which is a comparison in front of them.
 */
import type { NftRuleRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { CmpOps } from '../kernel/constants.js'
import type { Family } from '../model/index.js'
import type { RuleExpression } from './kernel-expression.js'

/** NFT_META_L4PROTO; where IPv4 and IPv6 have the protocol; NFT_RULE_COMPAT_F_INV. */
const L4PROTO = 16
const PROTOCOL_AT: { readonly [F in Family]?: number } = { ip: 9, ip6: 6 }
const NETWORK_HEADER = 1
const INVERTED = 2

/** Undefined for a rule without such extensions, or without a protocol. */
export function compatOf(
  expressions: readonly RuleExpression[],
  family: Family,
): NftRuleRecord['compat'] | undefined {
  if (!expressions.some(isExtension)) return undefined
  /** The registers that hold the protocol. */
  const registers = new Set<number>()
  for (const expression of expressions) {
    if (isExtension(expression)) return undefined
    if (loadsProtocol(expression, family)) registers.add(expression.data?.dreg ?? 0)
    else if (selects(expression, 'name', 'cmp')) {
      const { sreg, op, data } = expression.data ?? {}
      const [proto, ...rest] = data && 'value' in data ? (data.value ?? []) : []
      const tests = sreg !== undefined && registers.has(sreg) && (op === CmpOps.eq || op === CmpOps.neq)
      if (tests && proto !== undefined && rest.length === 0)
        return { proto, flags: op === CmpOps.neq ? INVERTED : 0 }
    } else if (expression.data && 'dreg' in expression.data && expression.data.dreg !== undefined)
      registers.delete(expression.data.dreg)
  }
  return undefined
}

function isExtension({ name }: RuleExpression): boolean {
  return name === 'match' || name === 'target'
}

function loadsProtocol(
  expression: RuleExpression,
  family: Family,
): expression is RuleExpression & { readonly data?: { readonly dreg?: number } } {
  if (selects(expression, 'name', 'meta'))
    return expression.data?.key === L4PROTO && expression.data.sreg === undefined
  if (!selects(expression, 'name', 'payload')) return false
  const { base, offset, len } = expression.data ?? {}
  return base === NETWORK_HEADER && offset === PROTOCOL_AT[family] && len === 1
}
