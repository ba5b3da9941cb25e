import type { SetDeclaration } from './compile/index.js'
import { type SetName, setKey } from './ranges/index.js'

/** So many are remembered; then all are asked for anew. */
const MOST_SETS = 4096

/**
 * How sets are declared: asked once, for what a set is declared to be does not change as long as it is there. One that
 * somebody else deletes and makes again with other types is told wrong until the connection is opened anew.
 */
export class ToldSets {
  readonly #sets = new Map<string, SetDeclaration>()

  find(set: SetName): SetDeclaration | undefined {
    return this.#sets.size === 0 ? undefined : this.#sets.get(setKey(set))
  }

  put(set: SetName, declaration: SetDeclaration): void {
    if (this.#sets.size >= MOST_SETS) this.#sets.clear()
    this.#sets.set(setKey(set), declaration)
  }

  /** Sets went. */
  clear(): void {
    this.#sets.clear()
  }
}
