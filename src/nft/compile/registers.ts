import { InvalidValue } from '../datatype/index.js'

/**
 * Registers are counted here in slots of four bytes, 0 to 15. The kernel has two names for them: four registers of sixteen
 * bytes (NFT_REG_1 = 1 …) and sixteen of four (NFT_REG32_00 = 8 …); nft uses the former where a slot begins one.
 */
export function register(slot: number): number {
  return slot % 4 === 0 ? 1 + slot / 4 : 8 + slot
}

/** Slots that a value of so many bytes takes. */
export function slots(length: number): number {
  return (length + 3) >> 2
}

/** Refuses what does not fit the registers. */
export function checkSlots(first: number, length: number): void {
  if (first + slots(length) > 16)
    throw new InvalidValue('the expression needs more than the 64 bytes of registers that the kernel has')
}
