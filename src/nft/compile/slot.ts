/** Slots: constants that come later, when a prepared rule or element gets its rows (prepare/). */
import { type ByteOrder, type Datatype, InvalidValue } from '../datatype/index.js'
import type { Expression, SlotExpression } from '../model/index.js'

export function isSlot(expression: Expression): expression is SlotExpression {
  return typeof expression === 'object' && expression !== null && 'slot' in expression
}

/** How the values of a slot are written. */
export interface SlotKind {
  readonly type: Datatype
  readonly length: number
  readonly order: ByteOrder
}

/**
 * Stands for a slot while its rule is compiled: learns as what it is written, and writes bytes that are found again. There
 * are two patterns of them, which differ in every bit.
 */
export class SlotProbe implements SlotExpression {
  readonly slot: string
  /** Which of the patterns is written. */
  inverted = false
  #kind: SlotKind | undefined = undefined

  constructor(slot: string) {
    this.slot = slot
  }

  /** As what it was written; `undefined` before. */
  get kind(): SlotKind | undefined {
    return this.#kind
  }

  write(type: Datatype, target: Uint8Array, offset: number, length: number, order: ByteOrder): void {
    const known = this.#kind
    if (known === undefined) this.#kind = { type, length, order }
    else if (known.type !== type || known.length !== length || known.order !== order)
      throw new InvalidValue(
        `the slot ${this.slot} is ${known.type.name} in one place and ${type.name} in another: use two slots`,
      )
    target.set(slotPattern(length, this.inverted), offset)
  }
}

/** No two bytes of a pattern are alike, so that a value is not taken for one that is shifted. */
export function slotPattern(length: number, inverted: boolean): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (0x21 + index) ^ (inverted ? 0xff : 0))
}

/** Writes what stands for a slot. @throws InvalidValue where nothing is being prepared */
export function writeSlot(
  slot: SlotExpression,
  type: Datatype,
  target: Uint8Array,
  offset: number,
  length: number,
  order: ByteOrder,
): void {
  if (!(slot instanceof SlotProbe))
    throw new InvalidValue(`a slot is for what is prepared: prepare() it, and add it with its rows`)
  slot.write(type, target, offset, length, order)
}

/** Where a constant decides what is compiled, or is part of a byte. */
export function refuseSlot(slot: SlotExpression): never {
  throw new InvalidValue(
    `the slot ${slot.slot} cannot stand here, where the value decides how the rule is compiled, or is part of a byte`,
  )
}
