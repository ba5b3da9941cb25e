/** What an extension is told, as a structure of the kernel's: fields with their places, read and written by one table. */
import { encodeText, readNumber, writeNumber } from '../datatype/index.js'

/** One field of a structure. */
export interface Field<Value> {
  read(bytes: Uint8Array): Value
  write(bytes: Uint8Array, value: Value): void
}

/** A number in the order of the host, or of packets. */
function number(at: number, length: number, order: 'host' | 'big'): Field<number> {
  return {
    read: (bytes) => Number(readNumber(bytes, at, length, order)),
    write: (bytes, value) => writeNumber(value, bytes, at, length, order),
  }
}

export const u8 = (at: number): Field<number> => number(at, 1, 'host')
export const u16 = (at: number): Field<number> => number(at, 2, 'host')
export const u32 = (at: number): Field<number> => number(at, 4, 'host')
export const be16 = (at: number): Field<number> => number(at, 2, 'big')

/** Bytes as they are. */
export function raw(at: number, length: number): Field<Uint8Array> {
  return {
    read: (bytes) => bytes.slice(at, at + length),
    write: (bytes, value) => bytes.set(value.subarray(0, length), at),
  }
}

/** Text that ends with a zero byte, or with the field. */
export function text(at: number, length: number): Field<string> {
  return {
    read: (bytes) => {
      const field = bytes.subarray(at, at + length)
      const end = field.indexOf(0)
      return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
    },
    write: (bytes, value) => bytes.set(encodeText(value).subarray(0, length), at),
  }
}

/** Numbers that follow each other. */
export function numbers(
  field: (at: number) => Field<number>,
  at: number,
  count: number,
  size: number,
): Field<number[]> {
  const fields = Array.from({ length: count }, (_, index) => field(at + index * size))
  return {
    read: (bytes) => fields.map((each) => each.read(bytes)),
    write: (bytes, values) => {
      for (const [index, each] of fields.entries()) each.write(bytes, values[index] ?? 0)
    },
  }
}

/** A structure of a size; what no field covers is zero. */
export interface Structure<Values> {
  readonly size: number
  read(bytes: Uint8Array): Values
  write(values: Values): Uint8Array
}

/** xtables gives every structure a multiple of eight bytes (XT_ALIGN). */
export function structure<Values extends object>(
  size: number,
  fields: { readonly [N in keyof Values]: Field<Values[N]> },
): Structure<Values> {
  const aligned = (size + 7) & ~7
  const names = Object.keys(fields) as (keyof Values)[]
  return {
    size: aligned,
    read: (bytes) => {
      const values: Partial<Values> = {}
      for (const name of names) values[name] = fields[name].read(bytes)
      // Each field has put in its value.
      return values as Values
    },
    write: (values) => {
      const bytes = new Uint8Array(aligned)
      for (const name of names) fields[name].write(bytes, values[name])
      return bytes
    },
  }
}
