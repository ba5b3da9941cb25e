/** `fib`: what the routing table says. */
import { datatype, InvalidValue, quote } from '../datatype/index.js'
import { FIB_PRESENT, fibFlags, fibResults } from '../kernel/constants.js'
import type { FibExpression } from '../model/index.js'
import { noTransforms, type ValueOperand } from './operand.js'

const fibFlagBits = new Map<string, number>(Object.entries(fibFlags))

function numberOf(result: string): number {
  const found = Object.entries(fibResults).find(([name]) => name === result)
  if (found !== undefined) return found[1]
  throw new InvalidValue(`${quote(result)} is no result of fib: oif, oifname, type or check is expected`)
}

/** @param asked ask only whether there is a route */
export function fibOperand(reference: FibExpression['fib'], asked: boolean): ValueOperand {
  const isCheck = reference.result === 'check'
  const present = asked || isCheck
  const result = isCheck ? fibResults.oif : numberOf(reference.result)
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
  // nft 1.0.6, which knows no `check`, compares all of the word.
  const length = isCheck ? 1 : isName ? 16 : 4
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
