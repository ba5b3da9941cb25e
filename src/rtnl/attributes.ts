/** A table from the properties of this layer to the attributes of a record, used in both directions. */
export type AttributeNames<P extends string, A extends string> = { readonly [K in P]: A }

/** Booleans, which the kernel holds as 0 and 1. */
export function writeSwitches<P extends string, A extends string>(
  names: AttributeNames<P, A>,
  options: { readonly [K in NoInfer<P>]?: boolean | undefined },
): { [K in A]?: number } {
  const record: { [K in A]?: number } = {}
  for (const property in names) {
    const value: unknown = options[property]
    // What is no boolean is left for the packer to refuse, with its path.
    if (value !== undefined) record[names[property]] = value === true ? 1 : value === false ? 0 : Number.NaN
  }
  return record
}

export function writeNumbers<P extends string, A extends string>(
  names: AttributeNames<P, A>,
  options: { readonly [K in NoInfer<P>]?: number | undefined },
): { [K in A]?: number } {
  const record: { [K in A]?: number } = {}
  for (const property in names) {
    const value = options[property]
    if (value !== undefined) record[names[property]] = value
  }
  return record
}

export function readSwitches<P extends string, A extends string>(
  names: AttributeNames<P, A>,
  record: { readonly [K in NoInfer<A>]?: number },
): { [K in P]?: boolean } {
  const options: { [K in P]?: boolean } = {}
  for (const property in names) {
    const value = record[names[property]]
    if (value !== undefined) options[property] = value !== 0
  }
  return options
}

export function readNumbers<P extends string, A extends string>(
  names: AttributeNames<P, A>,
  record: { readonly [K in NoInfer<A>]?: number },
): { [K in P]?: number } {
  const options: { [K in P]?: number } = {}
  for (const property in names) {
    const value = record[names[property]]
    if (value !== undefined) options[property] = value
  }
  return options
}

/** Attribute to property, for the paths of errors. */
export function inverse(names: { readonly [property: string]: string }): ReadonlyMap<string, string> {
  return new Map(Object.entries(names).map(([property, attribute]) => [attribute, property]))
}
