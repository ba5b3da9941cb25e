/** `fib`: what the routing table says. */
import { datatype, InvalidValue, quote } from '../datatype/index.js'
import { FIB_PRESENT, fibFlags, fibResults } from '../kernel/constants.js'
import type { FibExpression } from '../model/index.js'
import { noTransforms, type ValueOperand } from './operand.js'

const fibFlagBits = new Map<string, number>(Object.entries(fibFlags))

/** @param present ask only whether there is a route */
export function fibOperand(reference: FibExpression['fib'], present: boolean): ValueOperand {
  const result: number | undefined = Object.hasOwn(fibResults, reference.result)
    ? fibResults[reference.result]
    : undefined
  if (result === undefined)
    throw new InvalidValue(`${quote(reference.result)} is no result of fib: oif, oifname or type is expected`)
  let flags = present ? FIB_PRESENT : 0
  for (const flag of [reference.flags].flat()) {
    const bit = fibFlagBits.get(flag)
    if (bit === undefined) throw new InvalidValue(`${quote(flag)} is no flag of fib`)
    flags |= bit
  }
  const isName = reference.result === 'oifname' && !present
  const name = present
    ? 'boolean'
    : isName
      ? 'string'
      : reference.result === 'oif'
        ? 'iface_index'
        : 'fib_addrtype'
  const length = isName ? 16 : 4
  return {
    kind: 'value',
    source: { kind: 'fib', result, flags },
    type: datatype(name),
    bits: length * 8,
    length,
    order: 'host',
    transforms: noTransforms,
  }
}
