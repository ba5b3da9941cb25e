import { familyNumbers, SetFlags, UserdataTypes } from '../kernel/constants.js'
import type { MeterStatement } from '../model/index.js'
import { dynamicKey, dynsetData } from './dynset.js'
import { loadOperand } from './load.js'
import { operandLayout } from './lookup.js'
import { checkName } from './names.js'
import { checkInteger } from './number.js'
import type { RuleContext } from './rule-context.js'
import { byteOrderNumber } from './set.js'
import { statefulExpression } from './stateful.js'
import { Userdata } from './userdata.js'

const NLM_F_CREATE = 0x400

/** `meter m { ip saddr limit rate 5/second }`: a set of the rule's own, by a name. The trail stands at its object. */
export function compileMeter(context: RuleContext, meter: MeterStatement['meter']): void {
  const { trail, batch, out } = context
  trail.enter('name')
  const name = checkName(meter.name, 'meter')
  trail.leave()
  trail.enter('key')
  const { operand, timeout } = dynamicKey(context, meter.key)
  trail.leave()
  const key = operandLayout(operand, false)
  const id = ++batch.nextSetId
  const userdata = new Userdata().number(UserdataTypes.setKeyByteOrder, byteOrderNumber(key.order)).bytes()
  batch.sink.add('nftNewSet', NLM_F_CREATE, {
    family: familyNumbers[context.family],
    table: context.table,
    name,
    id,
    flags: SetFlags.anonymous | SetFlags.dynamic | (timeout === undefined ? 0 : SetFlags.timeout),
    keyType: key.typeId,
    keyLen: key.length,
    ...(meter.size === undefined ? {} : { desc: { size: checkInteger(meter.size, 'size', 0xffffffff, 1) } }),
    ...(userdata === undefined ? {} : { userdata }),
  })
  loadOperand(out, 0, operand, false)
  trail.enter('stmt')
  const expr = statefulExpression(meter.stmt)
  trail.leave()
  const data = dynsetData(context, timeout === undefined ? 'add' : 'update', name, timeout)
  out.push({ name: 'dynset', data: { ...data, setId: id, expr } })
}
