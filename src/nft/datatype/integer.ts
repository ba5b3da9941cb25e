import type { ErrorCode } from '../../errors.js'
import type { DatatypeName, Immediate } from '../model/index.js'
import { type ByteOrder, checkFits, parseInteger, readNumber, writeNumber } from './byte-order.js'
import type { Datatype, SymbolTable } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'

/** What is particular to one type of number. */
export interface IntegerOptions {
  readonly order?: ByteOrder
  readonly bitmask?: boolean
  readonly symbols?: SymbolTable
  /** Further names that are read but never shown. */
  readonly aliases?: SymbolTable
  /** In words, for messages; default: the type's name. */
  readonly title?: string
  /** Of what is refused; default NFB_INVALID_ARGUMENT. */
  readonly code?: ErrorCode
}

/** A type whose values are unsigned numbers, with or without names. */
export function integerType(
  name: DatatypeName,
  id: number,
  bits: number,
  options: IntegerOptions = {},
): Datatype {
  const title = options.title ?? name
  const byName = new Map([...(options.aliases ?? []), ...(options.symbols ?? [])])
  const byNumber = new Map([...(options.symbols ?? [])].reverse().map(([key, value]) => [value, key]))

  const parse = (value: Immediate, width: number): number | bigint => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
      if (value >= 2 ** width) checkFits(value, width, title, options.code)
      return value
    }
    if (typeof value === 'string') {
      const known = byName.get(value)
      if (known !== undefined) return known
    }
    const parsed = typeof value === 'boolean' ? Number(value) : parseInteger(value)
    if (parsed === undefined)
      throw new InvalidValue(`${quote(value)} is no ${title}${hint(options.symbols)}`, options.code)
    checkFits(parsed, width, title, options.code)
    return parsed
  }

  return {
    name,
    id,
    bits,
    order: options.order,
    bitmask: options.bitmask ?? false,
    text: false,
    symbols: options.symbols,
    parse,
    write(value, target, offset, length, order) {
      writeNumber(parse(value, bits === 0 ? length * 8 : bits), target, offset, length, order)
    },
    read(bytes, offset, length, order) {
      const number = readNumber(bytes, offset, length, order)
      if (typeof number === 'bigint') return `0x${number.toString(16)}`
      return byNumber.get(number) ?? number
    },
  }
}

function hint(symbols: SymbolTable | undefined): string {
  if (symbols === undefined || symbols.length === 0) return ': a number is expected'
  const names = symbols.map(([name]) => name)
  return `: a number or one of ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''} is expected`
}
