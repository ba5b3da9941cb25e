import type { Immediate } from '../model/index.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'
import { datatype } from './registry.js'

/** The interfaces of one namespace: their indexes by name, for compiling, and their names by index, for listing. */
export interface Interfaces {
  /** `undefined` when there is none of the name. */
  index(name: string): number | undefined
  /** `undefined` when there is none of the index. */
  name(index: number): string | undefined
}

/** Digits are an index, as nft prints that of an interface which is gone; `lo` is known everywhere. */
const isIndex = /^(?:lo|\d+|0x[0-9a-fA-F]+)$/

/** The type iface_index with the interfaces of a namespace. */
export function interfaceIndexType(interfaces: Interfaces): Datatype {
  const numbers = datatype('iface_index')
  const indexOf = (value: Immediate): Immediate => {
    if (typeof value !== 'string' || isIndex.test(value)) return value
    const index = interfaces.index(value)
    if (index === undefined)
      throw new InvalidValue(`there is no interface ${quote(value)} in the namespace`, 'NFB_MISSING')
    return index
  }
  return {
    ...numbers,
    parse: (value, bits) => numbers.parse?.(indexOf(value), bits) ?? 0,
    write(value, target, offset, length, order) {
      numbers.write(indexOf(value), target, offset, length, order)
    },
    read(bytes, offset, length, order) {
      const value = numbers.read(bytes, offset, length, order)
      return typeof value === 'number' && value > 0 ? (interfaces.name(value) ?? value) : value
    },
  }
}
