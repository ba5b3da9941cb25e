import { InvalidValue, quote } from '../datatype/index.js'
import type { FlowStatement } from '../model/index.js'
import { setReference } from './constant.js'
import { checkName } from './names.js'
import type { RuleContext } from './rule-context.js'

/** `flow add @table`; the trail stands at its object. */
export function compileFlow(context: RuleContext, { op, flowtable }: FlowStatement['flow']): void {
  if (op !== 'add') throw new InvalidValue(`${quote(op)} is nothing that is done with flows: add is expected`)
  const name = setReference(flowtable)
  if (name === undefined) throw new InvalidValue(`a flowtable is expected, '@name', not ${quote(flowtable)}`)
  context.out.push({ name: 'flow_offload', data: { tableName: checkName(name, 'flowtable') } })
}
