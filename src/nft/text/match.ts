/** Comparisons. */
import { expressionText, isBinary } from './expression.js'
import { child, isNode, type Node, words } from './node.js'
import { type Style, stylesOf } from './style.js'

/** `tcp dport 80`, `ct state established,related`, `tcp flags syn / syn,ack`. */
export function matchText({ op, left: said, right }: Node, family: string): string {
  const left = withFamily(said, family)
  const styles = stylesOf(left)
  const mask = maskOf(left)
  if (mask !== undefined && (op === '==' || op === '!=') && !isSet(right))
    return words(
      expressionText(mask.of, styles),
      op === '!=' && '!=',
      `${expressionText(right, styles)} / ${expressionText(mask.flags, styles)}`,
    )
  return words(
    expressionText(left, styles),
    operatorText(op, left, right, styles[0] ?? {}),
    expressionText(right, styles),
  )
}

/** What is compared under a list of flags. */
function maskOf(left: unknown): { readonly of: unknown; readonly flags: unknown } | undefined {
  const operands = child(left, '&')
  if (!Array.isArray(operands) || operands.length !== 2) return undefined
  const [of, flags] = operands
  return Array.isArray(flags) ? { of, flags } : undefined
}

/** The operator, where nft writes one. */
function operatorText(op: unknown, left: unknown, right: unknown, style: Style): string | undefined {
  if (op === 'in') return undefined
  if (op !== '==' && op !== undefined) return String(op)
  if (isBinary(left)) return '=='
  // Of flags, equality is the exception; what tests them without an operator asks for any of them.
  return style.bitmask && !isSet(right) ? '==' : undefined
}

/** What a value is looked up in. */
function isSet(right: unknown): boolean {
  return isNode(right) ? 'set' in right : typeof right === 'string' && right.startsWith('@')
}

/** The older keys of conntrack's addresses are those of the table's family; nft says which. */
function withFamily(left: unknown, family: string): unknown {
  const ct = child(left, 'ct')
  if (!isNode(ct) || ct.family !== undefined || (family !== 'ip' && family !== 'ip6')) return left
  return ct.key === 'saddr' || ct.key === 'daddr' ? { ct: { ...ct, family } } : left
}
