/** What can be done to a value in a register: `&`, `|`, `^`, `<<`, `>>` with a constant. */
import { datatype, InvalidValue } from '../datatype/index.js'
import type { Expression } from '../model/index.js'
import { constantNumber } from './constant.js'
import { noTransforms, type Transform, type ValueOperand } from './operand.js'

/** The operand with one transform more; masks next to each other become one, as in nft. */
export function combine(operand: ValueOperand, operator: string, constant: Expression): ValueOperand {
  const { transforms, length, order } = operand
  if (operator === '<<' || operator === '>>') {
    const by = Number(constantNumber(constant, datatype('integer'), 32))
    const shift = shiftSteps(operand, operator === '<<' ? 'left' : 'right', by)
    return { ...operand, transforms: [...transforms, ...shift], inPlace: undefined }
  }
  const full = (1n << BigInt(length * 8)) - 1n
  const isName = typeof constant === 'string' && Number.isNaN(Number(constant))
  const value = constantNumber(constant, (isName && operand.named) || operand.type, length * 8)
  const step = operator === '&' ? [value, 0n] : operator === '|' ? [~value & full, value] : [full, value]
  const [mask = full, xor = 0n] = step
  const last = transforms.at(-1)
  const changed =
    last?.kind !== 'bool'
      ? [...transforms, { kind: 'bool', mask, xor, length, order } as const]
      : // (v & m1 ^ x1) & m2 ^ x2 = v & (m1 & m2) ^ (x1 & m2 ^ x2)
        [...transforms.slice(0, -1), { ...last, mask: last.mask & mask, xor: (last.xor & mask) ^ xor }]
  return { ...operand, transforms: changed, inPlace: undefined }
}

/** Two values combined; of different orders, the second takes that of the first. */
export function combineFields(left: ValueOperand, operator: string, right: ValueOperand): ValueOperand {
  if (operator !== '&' && operator !== '|' && operator !== '^')
    throw new InvalidValue(`the kernel shifts by constants only`)
  const length = Math.max(left.length, right.length)
  const first = widened(left, length)
  const second = widened(right, length)
  const turned = first.order === second.order || length === 1 ? second : inOrder(second, first.order)
  return {
    kind: 'value',
    source: { kind: 'combined', operator, left: first, right: turned },
    type: first.type,
    named: first.named,
    bits: length * 8,
    length,
    order: first.order,
    transforms: noTransforms,
  }
}

function inOrder(operand: ValueOperand, order: 'host' | 'big'): ValueOperand {
  const { length, transforms } = operand
  if (!isShiftable(length))
    throw new InvalidValue(`the kernel cannot turn round ${length} bytes: 2 or a multiple of 4`)
  return {
    ...operand,
    order,
    transforms: [...transforms, { kind: 'swap', to: order, length }],
    inPlace: undefined,
  }
}

const WORD = 4

/**
 * A number of fewer bytes as one of a whole word of the machine: what is loaded into a register ends in zeros, so that it is
 * in its order already, or is turned round.
 */
export function widened(operand: ValueOperand, length: number): ValueOperand {
  if (operand.length >= length || operand.type.text) return operand
  if (length !== WORD)
    throw new InvalidValue(`${operand.type.name} has ${operand.length} bytes where ${length} are expected`)
  return {
    ...operand,
    transforms: [...operand.transforms, ...hostSteps(operand)],
    type: datatype('integer'),
    named: operand.type,
    bits: WORD * 8,
    length: WORD,
    order: 'host',
    inPlace: undefined,
  }
}

function hostSteps({ order, length }: ValueOperand): readonly Transform[] {
  if (order === 'host' || length === 1) return []
  if (length === 2) return [{ kind: 'swap', to: 'host', length }]
  return [
    { kind: 'swap', to: 'host', length: WORD },
    { kind: 'shift', direction: 'right', by: (WORD - length) * 8, length: WORD },
  ]
}

/** A shift of a whole value, which has the same byte order afterwards. */
function shiftSteps(
  { length, order }: ValueOperand,
  direction: 'left' | 'right',
  by: number,
): readonly Transform[] {
  if (by >= 32 || by >= length * 8)
    throw new InvalidValue(
      `the kernel shifts by less than ${Math.min(32, length * 8)} bits here, not by ${by}`,
    )
  const shift: Transform = { kind: 'shift', direction, by, length }
  if (order === 'host' || length === 1) return [shift]
  if (!isShiftable(length))
    throw new InvalidValue(`the kernel cannot shift ${length} bytes of a packet: 1, 2 or a multiple of 4`)
  return [{ kind: 'swap', to: 'host', length }, shift, { kind: 'swap', to: 'big', length }]
}

/** Whether the kernel can turn round values of so many bytes, word by word. */
export function isShiftable(length: number): boolean {
  return length === 2 || length % 4 === 0
}
