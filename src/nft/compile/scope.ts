import type { Family, MapType, NamedMap, NamedSet, SetFlag, TypeSpecification } from '../model/index.js'

/** What the compiler needs to know of a named set or map. */
export interface SetDeclaration {
  readonly type: TypeSpecification
  readonly map: MapType | undefined
  readonly flags: readonly SetFlag[]
}

const noFlags: readonly SetFlag[] = []

/** The sets and maps that a transaction declares, so that what refers to them need not repeat their types. */
export class SetScope {
  readonly #sets = new Map<string, SetDeclaration>()

  declare(set: NamedSet | NamedMap): void {
    this.#sets.set(key(set.family, set.table, set.name), {
      type: set.type,
      map: 'map' in set ? set.map : undefined,
      flags: set.flags ?? noFlags,
    })
  }

  find(family: Family, table: string, name: string): SetDeclaration | undefined {
    return this.#sets.size === 0 ? undefined : this.#sets.get(key(family, table, name))
  }
}

function key(family: Family, table: string, name: string): string {
  return `${family} ${table} ${name}`
}
