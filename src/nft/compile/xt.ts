/** Matches and targets of xtables. */
import type { XtStatement } from '../model/index.js'
import { writeXt } from '../xt/index.js'
import type { RuleContext } from './rule-context.js'

export function compileXt({ out, family }: RuleContext, statement: XtStatement): void {
  const data = writeXt(statement, family)
  out.push(statement.xt.type === 'match' ? { name: 'match', data } : { name: 'target', data })
}
