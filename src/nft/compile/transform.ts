/** `&`, `|`, `^`, `<<`, `>>` of a field and a constant. */
import { datatype } from '../datatype/index.js'
import type { Expression } from '../model/index.js'
import { constantNumber } from './constant.js'
import type { Transform, ValueOperand } from './operand.js'

/** The transforms of an operand with one more; masks next to each other become one, as in nft. */
export function combine(operand: ValueOperand, operator: string, constant: Expression): Transform[] {
  const width = BigInt(operand.length * 8)
  const full = (1n << width) - 1n
  if (operator === '<<' || operator === '>>') {
    const by = Number(constantNumber(constant, datatype('integer'), 32))
    return [...operand.transforms, { kind: 'shift', direction: operator === '<<' ? 'left' : 'right', by }]
  }
  const value = constantNumber(constant, operand.type, operand.length * 8)
  const step = operator === '&' ? [value, 0n] : operator === '|' ? [~value & full, value] : [full, value]
  const [mask = full, xor = 0n] = step
  const last = operand.transforms.at(-1)
  if (last?.kind !== 'bool') return [...operand.transforms, { kind: 'bool', mask, xor }]
  // (v & m1 ^ x1) & m2 ^ x2 = v & (m1 & m2) ^ (x1 & m2 ^ x2)
  const merged: Transform = { kind: 'bool', mask: last.mask & mask, xor: (last.xor & mask) ^ xor }
  return [...operand.transforms.slice(0, -1), merged]
}
