import type { ExprQueueRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { QueueFlags } from '../kernel/constants.js'
import type { QueueFlag } from '../model/index.js'
import { readSingle } from './argument.js'
import { flagNames, oneOrList } from './flag-names.js'
import { use } from './operand.js'
import type { RuleState } from './rule-state.js'

/** False when it is not understood. */
export function readQueue(state: RuleState, record: ExprQueueRecord): boolean {
  const { num, total = 1, flags = 0, sregQnum } = record
  const names = flagNames<QueueFlag>(QueueFlags, flags)
  if (!names) return false
  if (sregQnum === undefined) {
    if (num === undefined || total < 1) return false
    const which = total === 1 ? num : { range: [num, num + total - 1] as const }
    state.say({ queue: { num: which, ...oneOrList(names) } })
    return true
  }
  // Numbers of the kernel's own have four bytes, of which it looks at two; what a map gives has just those.
  const argument = [2, 4]
    .map((length) =>
      readSingle(state, sregQnum, { type: datatype('integer'), order: 'host', length, shift: 0 }),
    )
    .find((each) => each !== undefined)
  if (!argument) return false
  use(argument.parts, state.protocols)
  state.say({ queue: { num: argument.expression, ...oneOrList(names) } }, argument.from)
  return true
}
