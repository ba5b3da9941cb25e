/** The names of the bits that are set, in the order of the table; undefined when there are others. */
export function flagNames<Name extends string>(
  table: { readonly [N in Name]: number },
  flags: number,
  silent = 0,
): Name[] | undefined {
  const pairs = Object.entries(table) as [Name, number][]
  const known = pairs.reduce((all, [, bit]) => all | bit, silent)
  if ((flags & ~known) !== 0) return undefined
  return pairs.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name)
}

/** One flag stands alone, several are a list, as in libnftables' JSON. */
export function oneOrList<Flag>(flags: readonly Flag[]): { readonly flags?: Flag | readonly Flag[] } {
  const [first] = flags
  if (first === undefined) return {}
  return { flags: flags.length === 1 ? first : flags }
}
