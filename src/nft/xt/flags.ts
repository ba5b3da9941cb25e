/** Bits of a number by their names. */
import { InvalidValue, quote } from '../datatype/index.js'

/** The names of the bits that are set; undefined when there are others. */
export function namesOf<Name extends string>(
  table: { readonly [N in Name]: number },
  bits: number,
): Name[] | undefined {
  const pairs = Object.entries(table) as [Name, number][]
  const names = pairs.filter(([, bit]) => (bits & bit) !== 0)
  return names.reduce((rest, [, bit]) => rest & ~bit, bits) === 0 ? names.map(([name]) => name) : undefined
}

/** @throws InvalidValue for a name that the table does not have */
export function bitsOf<Name extends string>(
  table: { readonly [N in Name]: number },
  names: readonly Name[],
): number {
  return names.reduce((bits, name) => {
    if (!Object.hasOwn(table, name))
      throw new InvalidValue(`${quote(name)} is none of ${Object.keys(table).join(', ')}`)
    return bits | table[name]
  }, 0)
}
