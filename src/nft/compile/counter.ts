import { InvalidValue, quote } from '../datatype/index.js'
import type { CounterStatement } from '../model/index.js'
import { commonExpression } from './common-expressions.js'
import { compileReference, isReference } from './object-reference.js'
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

/** A number of packets or bytes. */
export function count(value: number): bigint {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new InvalidValue(`${quote(value)} is no count`)
  return BigInt(value)
}

const fresh = commonExpression({ name: 'counter', data: {} })

/** `counter`: one of the rule's own, or a named one. */
export function compileCounter(context: RuleContext, counter: CounterStatement['counter']): void {
  if (isReference(counter)) compileReference(context, 'counter', counter)
  else context.out.push(counter ? { name: 'counter', data: counterData(counter) } : fresh)
}
