/**
 * For which protocol extensions of xtables are (NFTA_RULE_COMPAT). The kernel wants it with them (`tcp` is for TCP alone),
 * and never lists it; iptables makes it of the option `-p`, which is a comparison in front of them.
 */
import type { NftRuleRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { loadsProtocol } from '../iptables-tables.js'
import { CmpOps } from '../kernel/constants.js'
import type { Family } from '../model/index.js'
import type { RuleExpression } from './kernel-expression.js'

/** NFT_RULE_COMPAT_F_INV */
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
    const written = expression.data && 'dreg' in expression.data ? expression.data.dreg : undefined
    if (loadsProtocol(expression, family) && written !== undefined) registers.add(written)
    else if (selects(expression, 'name', 'cmp')) {
      const { sreg, op, data } = expression.data ?? {}
      const [proto, ...rest] = data && 'value' in data ? (data.value ?? []) : []
      const tests = sreg !== undefined && registers.has(sreg) && (op === CmpOps.eq || op === CmpOps.neq)
      if (tests && proto !== undefined && rest.length === 0)
        return { proto, flags: op === CmpOps.neq ? INVERTED : 0 }
    } else if (written !== undefined) registers.delete(written)
  }
  return undefined
}

function isExtension({ name }: RuleExpression): boolean {
  return name === 'match' || name === 'target'
}
