/** Emits the expressions that put an operand into registers. */
import { type ByteOrder, writeNumber } from '../datatype/index.js'
import { BitwiseOps } from '../kernel/constants.js'
import { loadInner, loadMeta, loadPayload, mask, swapOrder, toNetworkOrder } from './emit.js'
import type { RuleExpression } from './kernel-expression.js'
import type { CombinedSource, Operand, Transform, ValueOperand } from './operand.js'
import { checkSlots, register, slots } from './registers.js'

/** nft gives a single value a register of sixteen bytes. */
const WIDE_SLOTS = 4

/**
 * Loads a value, and applies what is done to it.
 * @param prefix fewer bytes than the operand has, for prefixes of whole bytes
 * @param free the first slot that nothing else is in
 */
export function loadValue(
  out: RuleExpression[],
  slot: number,
  operand: ValueOperand,
  prefix?: number,
  free: number = slot + WIDE_SLOTS,
): void {
  const { source } = operand
  switch (source.kind) {
    case 'payload':
      if (source.tunnel === undefined)
        loadPayload(out, slot, source.base, source.offset, prefix ?? source.length)
      else loadInner(out, slot, { ...source, length: prefix ?? source.length }, source.tunnel)
      break
    case 'meta':
      loadMeta(out, slot, source.key)
      break
    case 'ct':
      out.push({
        name: 'ct',
        data: {
          dreg: register(slot),
          key: source.key,
          ...(source.direction === undefined ? {} : { direction: source.direction }),
        },
      })
      break
    case 'fib':
      out.push({ name: 'fib', data: { dreg: register(slot), result: source.result, flags: source.flags } })
      break
    case 'combined':
      loadCombined(out, slot, source, free)
      break
    case 'load':
      out.push(source.load(register(slot), out, free))
      break
  }
  for (const transform of operand.transforms) applyTransform(out, slot, transform)
}

const combiningOps = { '&': BitwiseOps.and, '|': BitwiseOps.or, '^': BitwiseOps.xor } as const

function loadCombined(
  out: RuleExpression[],
  slot: number,
  { operator, left, right }: CombinedSource,
  free: number,
): void {
  checkSlots(free, right.length)
  loadValue(out, slot, left, undefined, free)
  loadValue(out, free, right, undefined, free + WIDE_SLOTS)
  const place = register(slot)
  const op = combiningOps[operator]
  out.push({
    name: 'bitwise',
    data: { sreg: place, dreg: place, sreg2: register(free), op, len: left.length },
  })
}

function applyTransform(out: RuleExpression[], slot: number, transform: Transform): void {
  const { length } = transform
  if (transform.kind === 'bool') {
    const { order } = transform
    mask(out, slot, numberBytes(transform.mask, length, order), numberBytes(transform.xor, length, order))
    return
  }
  if (transform.kind === 'swap') {
    swapOrder(out, slot, length, transform.to)
    return
  }
  const place = register(slot)
  out.push({
    name: 'bitwise',
    data: {
      sreg: place,
      dreg: place,
      op: transform.direction === 'left' ? BitwiseOps.lshift : BitwiseOps.rshift,
      len: length,
      data: { value: numberBytes(BigInt(transform.by), 4, 'host') },
    },
  })
}

/** Loads a value, or the values of a concatenation next to each other. */
export function loadOperand(
  out: RuleExpression[],
  slot: number,
  operand: Operand,
  networkOrder: boolean,
): void {
  checkSlots(slot, operand.length)
  if (operand.kind === 'value') {
    loadOrdered(out, slot, operand, networkOrder, slot + WIDE_SLOTS)
    return
  }
  let next = slot
  const free = slot + slots(operand.length)
  for (const part of operand.parts) {
    loadOrdered(out, next, part, networkOrder, free)
    next += slots(part.length)
  }
}

function loadOrdered(
  out: RuleExpression[],
  slot: number,
  operand: ValueOperand,
  networkOrder: boolean,
  free: number,
): void {
  loadValue(out, slot, operand, undefined, free)
  if (networkOrder && isSwapped(operand)) toNetworkOrder(out, slot, operand.length)
}

/** Whether a value must be turned round before its bytes compare as a number does. */
export function isSwapped(operand: ValueOperand): boolean {
  return operand.order === 'host' && operand.length > 1 && !operand.type.text
}

export function numberBytes(value: bigint, length: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(length)
  writeNumber(value, bytes, 0, length, order)
  return bytes
}
