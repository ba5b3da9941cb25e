import { InvalidValue, quote } from '../datatype/index.js'

/** Refuses what is no integer from `lowest` to `highest`; `name` says in the message what it is. */
export function checkInteger(value: number, name: string, highest: number, lowest = 0): number {
  if (!Number.isInteger(value) || value < lowest || value > highest)
    throw new InvalidValue(
      `${quote(value)} is no ${name}: an integer from ${lowest} to ${highest} is expected`,
    )
  return value
}

/** The bits of one flag or several, by a table of their names. */
export function flagBits<Flag extends string>(
  flags: Flag | readonly Flag[] | undefined,
  table: { readonly [F in Flag]: number },
  what: string,
): number {
  let bits = 0
  const known: ReadonlyMap<string, number> = new Map(Object.entries<number>(table))
  for (const flag of flags === undefined ? [] : [flags].flat()) {
    const bit = known.get(String(flag))
    if (bit === undefined)
      throw new InvalidValue(`${quote(flag)} is no flag of ${what}: ${Object.keys(table).join(', ')}`)
    bits |= bit
  }
  return bits
}
