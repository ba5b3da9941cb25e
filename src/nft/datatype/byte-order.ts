import { endianness } from 'node:os'
import type { ErrorCode } from '../../errors.js'
import { InvalidValue, quote } from './invalid-value.js'

/** `big`: network order, what packets have. `host`: the machine's, what meta and ct registers have. */
export type ByteOrder = 'big' | 'host'

const hostIsLittle = endianness() === 'LE'

/** Writes the lowest `length` bytes of an unsigned number. */
export function writeNumber(
  value: number | bigint,
  target: Uint8Array,
  offset: number,
  length: number,
  order: ByteOrder,
): void {
  const little = order === 'host' && hostIsLittle
  if (typeof value === 'bigint' || value > 0xffffffff) {
    let rest = BigInt(value)
    for (let index = 0; index < length; index++) {
      target[little ? offset + index : offset + length - 1 - index] = Number(rest & 0xffn)
      rest >>= 8n
    }
    return
  }
  let rest = value
  for (let index = 0; index < length; index++) {
    target[little ? offset + index : offset + length - 1 - index] = rest & 0xff
    rest >>>= 8
  }
}

/** Reads an unsigned number; a bigint only where it is above 2^53. */
export function readNumber(
  bytes: Uint8Array,
  offset: number,
  length: number,
  order: ByteOrder,
): number | bigint {
  const little = order === 'host' && hostIsLittle
  let value = 0
  let wide: bigint | undefined
  for (let index = 0; index < length; index++) {
    const byte = bytes[little ? offset + length - 1 - index : offset + index] ?? 0
    if (wide !== undefined) wide = (wide << 8n) | BigInt(byte)
    else if (value > 0x1fffffffffff) wide = (BigInt(value) << 8n) | BigInt(byte)
    else value = value * 256 + byte
  }
  return wide ?? value
}

/** Parses what nft takes for an integer: a number, or decimal or hexadecimal digits. `undefined` when it is none. */
export function parseInteger(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string' || !/^(?:0x[0-9a-fA-F]+|[0-9]+)$/.test(value)) return undefined
  const parsed = Number(value)
  return Number.isSafeInteger(parsed) ? parsed : BigInt(value)
}

/** Refuses a number that needs more than `bits`. */
export function checkFits(value: number | bigint, bits: number, what: string, code?: ErrorCode): void {
  const fits =
    typeof value === 'number' ? bits >= 53 || value < 2 ** bits : bits >= 64 && value < 1n << BigInt(bits)
  if (!fits) throw new InvalidValue(`${quote(value)} does not fit the ${bits} bits of ${what}`, code)
}
