import { InvalidValue, quote } from '../datatype/index.js'
import { ObjectTypes } from '../kernel/constants.js'
import type { CounterStatement } from '../model/index.js'
import { checkName } from './names.js'
import type { RuleContext } from './rule-context.js'

/** Initial values of a counter; zeros are left out, as nft does. */
export function counterData(counter: { readonly packets?: number; readonly bytes?: number }): {
  packets?: bigint
  bytes?: bigint
} {
  const data: { packets?: bigint; bytes?: bigint } = {}
  if (counter.packets) data.packets = count(counter.packets)
  if (counter.bytes) data.bytes = count(counter.bytes)
  return data
}

function count(value: number): bigint {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new InvalidValue(`${quote(value)} is no count`)
  return BigInt(value)
}

/** `counter`: one of the rule's own, or the named one. */
export function compileCounter(context: RuleContext, counter: CounterStatement['counter']): void {
  context.out.push(
    typeof counter === 'string'
      ? { name: 'objref', data: { immType: ObjectTypes.counter, immName: checkName(counter, 'counter') } }
      : { name: 'counter', data: counterData(counter ?? {}) },
  )
}
