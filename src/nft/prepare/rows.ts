/** Rows of values for the slots of a prepared rule or element, as the words that cross to C++. */
import { IPv4Address, IPv6Address, MacAddress } from '../../address/index.js'
import { isImmediate, writeConstant } from '../compile/constant.js'
import type { SlotKind } from '../compile/slot.js'
import type { Trail } from '../compile/trail.js'
import { InvalidValue, quote, writeNumber } from '../datatype/index.js'
import type { Immediate } from '../model/index.js'

/** A value of a row: as in a rule, or an address as an object; an IPv4 address also as its number; flags also as a list. */
export type SlotValue = Immediate | readonly Immediate[] | IPv4Address | IPv6Address | MacAddress

/**
 * The values of many rules or elements, in the order of {@link Prepared.slots}.
 *
 * - A list of rows, each a list of values.
 * - A `Uint32Array`: for each row a number for each slot, as people write it: 10.0.0.1 is 0x0a000001, port 80 is 80. For
 *   slots of at most four bytes that are numbers.
 * - A `Uint8Array`: for each row the value of each slot as the kernel has it, filled up to a multiple of four bytes:
 *   addresses and ports in network order, marks and interface indexes in the host's, names filled up with zeros
 *   ({@link PreparedSlot.bytes} says how long). Nothing in them is checked.
 *
 * Rows are read while the transaction is committed: they stay as they are until `commit` settles.
 */
export type Rows = readonly (readonly SlotValue[])[] | Uint32Array | Uint8Array

/** A slot, and how its values are kept. */
export interface RowSlot extends SlotKind {
  readonly name: string
  /** In a row of bytes, in bytes. */
  readonly offset: number
}

/** The words of rows: bytes, or numbers where the rows are numbers. In steps. The trail stands at the rows. */
export function* rowWords(
  slots: readonly RowSlot[],
  rowBytes: number,
  rows: Rows,
  trail: Trail,
): Generator<undefined, Uint32Array, undefined> {
  if (rows instanceof Uint32Array) return checkedNumbers(slots, rows, trail)
  if (rows instanceof Uint8Array) return bytesAsWords(rows, rowBytes)
  if (!Array.isArray(rows))
    throw new InvalidValue(
      `rows are a list of lists of values, a Uint32Array or a Uint8Array, not ${quote(rows)}`,
    )
  const list: readonly (readonly SlotValue[])[] = rows
  return yield* encodedRows(slots, rowBytes, list, trail)
}

/** How many rows are encoded before others have their turn. */
const ROWS_A_STEP = 1024

function* encodedRows(
  slots: readonly RowSlot[],
  rowBytes: number,
  rows: readonly (readonly SlotValue[])[],
  trail: Trail,
): Generator<undefined, Uint32Array, undefined> {
  const words = new Uint32Array((rows.length * rowBytes) / 4)
  const bytes = new Uint8Array(words.buffer)
  let start = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]
    if (!Array.isArray(row) || row.length !== slots.length) {
      trail.enter(index)
      throw new InvalidValue(
        `a row is a list of ${slots.map(({ name }) => name).join(', ')}, not ${quote(row)}`,
      )
    }
    for (let column = 0; column < slots.length; column++) {
      const slot = slots[column]
      if (slot === undefined) continue
      try {
        writeValue(slot, row[column], bytes, start + slot.offset)
      } catch (error) {
        trail.enter(index)
        trail.enter(slot.name)
        throw error
      }
    }
    start += rowBytes
    if (index % ROWS_A_STEP === ROWS_A_STEP - 1) yield
  }
  return words
}

/** @throws InvalidValue when the value is none of the slot's type */
export function writeValue(slot: RowSlot, value: unknown, target: Uint8Array, offset: number): void {
  const { type, length, order } = slot
  const plain =
    value instanceof IPv4Address || value instanceof IPv6Address || value instanceof MacAddress
      ? value.toString()
      : value
  if (typeof plain === 'string') {
    type.write(plain, target, offset, length, order)
  } else if (typeof plain === 'number' && type.name === 'ipv4_addr') {
    if (plain >>> 0 !== plain)
      throw new InvalidValue(
        `${quote(plain)} is no IPv4 address: a number has 32 bits`,
        'NFB_INVALID_ADDRESS',
      )
    writeNumber(plain, target, offset, length, order)
  } else if (typeof plain === 'number' || typeof plain === 'boolean') {
    type.write(plain, target, offset, length, order)
  } else if (isListOfFlags(plain)) {
    writeConstant(plain, type, target, offset, length, order)
  } else {
    throw new InvalidValue(`a value of ${type.name} is expected, not ${quote(plain)}`)
  }
}

function isListOfFlags(value: unknown): value is readonly Immediate[] {
  return Array.isArray(value) && value.every(isImmediate)
}

function checkedNumbers(slots: readonly RowSlot[], rows: Uint32Array, trail: Trail): Uint32Array {
  const columns = slots.length
  const wide = slots.find((slot) => !isNumeric(slot))
  if (wide !== undefined)
    throw new InvalidValue(
      `a Uint32Array has no place for ${wide.name}, which is ${wide.type.name} of ${wide.length} bytes: give lists, or a Uint8Array`,
    )
  if (rows.length % columns !== 0) throw new InvalidValue(`${rows.length} numbers are no rows of ${columns}`)
  for (let column = 0; column < columns; column++) {
    const slot = slots[column]
    if (slot === undefined) continue
    const bits = Math.min(slot.type.bits || 32, slot.length * 8)
    if (bits === 32) continue
    const limit = 2 ** bits
    for (let at = column; at < rows.length; at += columns) {
      const value = rows[at] ?? 0
      if (value < limit) continue
      trail.enter((at - column) / columns)
      trail.enter(slot.name)
      throw new InvalidValue(`${value} does not fit the ${bits} bits of ${slot.type.name}`)
    }
  }
  return rows
}

/** Whether a 32-bit number says all of a value. */
function isNumeric({ length, type }: SlotKind): boolean {
  return length <= 4 && !type.text
}

function bytesAsWords(rows: Uint8Array, rowBytes: number): Uint32Array {
  if (rows.length % rowBytes !== 0) throw new InvalidValue(`${rows.length} bytes are no rows of ${rowBytes}`)
  if (rows.byteOffset % 4 === 0) return new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
  return new Uint32Array(rows.slice().buffer)
}
