import type { Family, MapType, NamedMap, NamedSet, SetFlag } from '../model/index.js'
import type { SetTypes } from './data-layout.js'

/** What the compiler needs to know of a named set or map. */
export interface SetDeclaration extends SetTypes {
  readonly map: MapType | undefined
  readonly flags: readonly SetFlag[]
  readonly stmt?: NamedSet['stmt']
}

/** The properties of a set that say how its keys and data are written; absent ones stay absent. */
function setTypes(set: SetTypes): SetTypes {
  const { type, keyLen, keyOrder, dataLen, dataOrder, ranges } = set
  return {
    type,
    ...(keyLen !== undefined && { keyLen }),
    ...(keyOrder !== undefined && { keyOrder }),
    ...(dataLen !== undefined && { dataLen }),
    ...(dataOrder !== undefined && { dataOrder }),
    ...(ranges !== undefined && { ranges }),
  }
}

const noFlags: readonly SetFlag[] = []

export function declarationOf(set: NamedSet | NamedMap): SetDeclaration {
  return {
    ...setTypes(set),
    map: 'map' in set ? set.map : undefined,
    flags: set.flags ?? noFlags,
    ...(set.stmt !== undefined && { stmt: set.stmt }),
  }
}

/**
 * What a transaction declares, for what refers to it: sets and maps, whose types need not be repeated, and chains that belong
 * to a rule, which have no name yet.
 */
export class SetScope {
  readonly #sets = new Map<string, SetDeclaration>()
  readonly #chains = new Map<string, number>()

  /** A chain without a name of its own gets a number. */
  bindChain(family: Family, table: string, name: string): number {
    const id = this.#chains.size + 1
    this.#chains.set(key(family, table, name), id)
    return id
  }

  /** The number of such a chain, by the name that it was listed with. */
  boundChain(family: Family, table: string, name: string): number | undefined {
    return this.#chains.size === 0 ? undefined : this.#chains.get(key(family, table, name))
  }

  declare(set: NamedSet | NamedMap): void {
    this.#sets.set(key(set.family, set.table, set.name), declarationOf(set))
  }

  find(family: Family, table: string, name: string): SetDeclaration | undefined {
    return this.#sets.size === 0 ? undefined : this.#sets.get(key(family, table, name))
  }
}

function key(family: Family, table: string, name: string): string {
  return `${family} ${table} ${name}`
}
