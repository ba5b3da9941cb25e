import type { Family, MapType, NamedMap, NamedSet, SetFlag } from '../model/index.js'
import type { SetTypes } from './data-layout.js'

/** What the compiler needs to know of a named set or map. */
export interface SetDeclaration extends SetTypes {
  readonly map: MapType | undefined
  readonly flags: readonly SetFlag[]
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
  }
}

/** The sets and maps that a transaction declares, so that what refers to them need not repeat their types. */
export class SetScope {
  readonly #sets = new Map<string, SetDeclaration>()

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
