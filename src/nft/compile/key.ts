/** Keys that are looked up in named sets, or put into them: `ip saddr . 22`, fields of the packet and constants. */
import { InvalidValue, type KeyField, keyLayout } from '../datatype/index.js'
import type { Expression } from '../model/index.js'
import { constantBytes, isConcat, isConstant } from './constant.js'
import { loadedValue, type Operand, type ValueOperand } from './operand.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'

/**
 * The operand of a key. The trail stands at the expression.
 * @param set whose key it is: of constants its declaration says the types; undefined for a literal set
 */
export function keyOperand(context: RuleContext, key: Expression, set: string | undefined): Operand {
  const list = isConcat(key) ? key.concat : [key]
  if (set === undefined || !Array.isArray(list) || !list.some(isConstant)) return resolve(context, key)
  const declared = context.batch.scope.find(context.family, context.table, set)?.type
  if (declared === undefined)
    throw new InvalidValue(`the types of @${set} are not known here, which its constants have: declare it`)
  const { fields, length } = keyLayout(declared)
  if (fields.length !== list.length)
    throw new InvalidValue(`@${set} has keys of ${fields.length} fields, not of ${list.length}`)
  const [only] = fields
  if (!isConcat(key) && only !== undefined) return constantOperand(key, only)
  const parts: ValueOperand[] = []
  context.trail.enter('concat')
  for (const [index, field] of fields.entries()) {
    const part: Expression | undefined = list[index]
    if (part === undefined) continue
    context.trail.enter(index)
    const operand = isConstant(part) ? constantOperand(part, field) : resolve(context, part)
    if (operand.kind !== 'value') throw new InvalidValue('a concatenation has no other within it')
    parts.push(operand)
    context.trail.leave()
  }
  context.trail.leave()
  return { kind: 'concat', parts, length }
}

function constantOperand(constant: Expression, { type, length, order }: KeyField): ValueOperand {
  const value = constantBytes(constant, type, length, order)
  const operand = loadedValue({ type: 'integer', length, order }, (dreg) => ({
    name: 'immediate',
    data: { dreg, data: { value } },
  }))
  return { ...operand, type }
}
