import { datatype, InvalidValue, quote } from '../datatype/index.js'
import { QueueFlags } from '../kernel/constants.js'
import type { Expression, QueueStatement } from '../model/index.js'
import { isMap, loadSingle } from './argument.js'
import { constantNumber, isConstant } from './constant.js'
import { isRange } from './interval.js'
import { loadOperand } from './load.js'
import { flagBits } from './number.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'

const HIGHEST = 0xffff

/** `queue num 5-9 bypass`, `queue to numgen …`; the trail stands at its object. */
export function compileQueue(context: RuleContext, queue: QueueStatement['queue']): void {
  const { trail, out } = context
  trail.enter('flags')
  const bits = flagBits(queue?.flags, QueueFlags, 'queue')
  trail.leave()
  const flags = bits === 0 ? {} : { flags: bits }
  const num = queue?.num ?? 0
  trail.enter('num')
  if (isRange(num) || isConstant(num)) {
    const [first, last] = isRange(num) ? num.range : [num, num]
    const low = Number(constantNumber(first, datatype('integer'), 16))
    const high = Number(constantNumber(last, datatype('integer'), 16))
    if (high < low || high > HIGHEST) throw new InvalidValue('queues have numbers from 0 to 65535, ascending')
    out.push({ name: 'queue', data: { num: low, total: high - low + 1, ...flags } })
  } else {
    loadNumber(context, num)
    out.push({ name: 'queue', data: { sregQnum: register(0), ...flags } })
  }
  trail.leave()
}

/** What the packet or a calculation gives; the kernel looks at two bytes of it, in its own order. */
function loadNumber(context: RuleContext, num: Expression): void {
  if (isMap(num)) {
    loadSingle(context, 0, num, { type: datatype('integer'), length: 2, order: 'host' })
    return
  }
  const operand = resolve(context, num)
  if (operand.kind !== 'value' || operand.order !== 'host' || (operand.length !== 2 && operand.length !== 4))
    throw new InvalidValue(`${quote(num)} gives no number of a queue: numgen, jhash or a map do`)
  loadOperand(context.out, 0, operand, false)
}
