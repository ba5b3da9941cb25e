/** Statements with a state of their own: of rules, and of what rules put into sets. */
import type { ExprConnlimitRecord, ExprLastRecord, NftExpressionRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { CONNLIMIT_INVERTED } from '../kernel/constants.js'
import type { CtCountStatement, LastStatement, StatefulStatement } from '../model/index.js'
import { readCounter } from './elements.js'
import { readRate } from './limit.js'
import { readQuota } from './quota.js'

/** `ct count`; undefined for what the model cannot say. */
export function readCtCount({ count = 0, flags = 0 }: ExprConnlimitRecord): CtCountStatement | undefined {
  if ((flags & ~CONNLIMIT_INVERTED) !== 0) return undefined
  return { 'ct count': { val: count, ...((flags & CONNLIMIT_INVERTED) !== 0 && { inv: true }) } }
}

/** `last`: with the time that has passed, once a packet came. */
export function readLast({ set = 0, msecs = 0n }: ExprLastRecord): LastStatement {
  return { last: set === 0 ? null : { used: Number(msecs) } }
}

/** The statement that an expression inside another is; undefined for what elements cannot have. */
export function readStateful(expression: NftExpressionRecord): StatefulStatement | undefined {
  if (selects(expression, 'name', 'counter')) {
    const { packets, bytes } = readCounter(expression.data ?? {})
    return { counter: packets === 0 && bytes === 0 ? null : { packets, bytes } }
  }
  if (selects(expression, 'name', 'limit')) {
    const limit = readRate(expression.data ?? {})
    return limit && { limit }
  }
  if (selects(expression, 'name', 'quota')) {
    const quota = readQuota(expression.data ?? {})
    return quota && { quota }
  }
  if (selects(expression, 'name', 'connlimit')) return readCtCount(expression.data ?? {})
  return selects(expression, 'name', 'last') ? readLast(expression.data ?? {}) : undefined
}
