/** Statements with a state of their own, which rules and elements of sets can have. */
import { InvalidValue, quote } from '../datatype/index.js'
import type { StatefulStatement } from '../model/index.js'
import { isObject } from './constant.js'
import { counterData } from './counter.js'
import { connlimitData } from './ct-count.js'
import type { StatefulExpression } from './kernel-expression.js'
import { lastData } from './last.js'
import { limitData } from './limit.js'
import { isReference } from './object-reference.js'
import { ownQuota } from './quota.js'

/** The expression of such a statement; it has no name, for elements cannot share an object. */
export function statefulExpression(statement: StatefulStatement): StatefulExpression {
  if (isObject(statement)) {
    if ('counter' in statement && !isReference(statement.counter))
      return { name: 'counter', data: counterData(statement.counter ?? {}) }
    if ('limit' in statement && !isReference(statement.limit))
      return { name: 'limit', data: limitData(statement.limit) }
    if ('quota' in statement && !isReference(statement.quota))
      return { name: 'quota', data: ownQuota(statement.quota) }
    if ('ct count' in statement) return { name: 'connlimit', data: connlimitData(statement['ct count']) }
    if ('last' in statement) return { name: 'last', data: lastData(statement.last) }
  }
  throw new InvalidValue(
    `${quote(statement)} is nothing that elements have: counter, limit, quota, ct count or last is expected`,
  )
}
