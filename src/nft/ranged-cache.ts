/** What interval sets hold, remembered from one commit to the next: who adds ranges one by one reads the set once. */
import type { RangedSet, RangedSets } from './ranges/index.js'

/** How many elements are remembered in all, some 100 bytes each. */
const MOST_ELEMENTS = 32_768

/**
 * Holds for one generation of the ruleset. A batch that is planned with it is sent for that generation only, and the kernel
 * refuses it where anybody has committed since.
 */
export class RangedCache {
  #generation: number | undefined
  #sets: ReadonlyMap<string, RangedSet> = new Map()
  #idle: Promise<unknown> | undefined

  /** Settles when the outcome of the last batch is known that {@link follow} was told of. Never fails. */
  get idle(): Promise<unknown> | undefined {
    return this.#idle
  }

  /** What is remembered, if that is all of these sets. */
  find(
    keys: Iterable<string>,
  ): { readonly generation: number; readonly sets: ReadonlyMap<string, RangedSet> } | undefined {
    if (this.#generation === undefined || this.#idle !== undefined) return undefined
    for (const key of keys) if (!this.#sets.has(key)) return undefined
    return { generation: this.#generation, sets: this.#sets }
  }

  forget(): void {
    this.#generation = undefined
    this.#sets = new Map()
  }

  /** A batch was sent: what its sets hold is known once it succeeds. */
  follow(generation: number, ranged: RangedSets, succeeded: Promise<boolean>): void {
    this.forget()
    const idle: Promise<void> = succeeded
      .catch(() => false)
      .then((success) => {
        if (this.#idle !== idle) return
        this.#idle = undefined
        if (success) this.keep(generation, ranged)
      })
    this.#idle = idle
  }

  /** A batch for a generation has succeeded. */
  keep(generation: number, { sets, changed }: RangedSets): void {
    this.forget()
    // A commit that changes nothing has no generation of its own.
    if (!changed) return
    const lasting = new Map([...sets].filter(([, { lasting }]) => lasting))
    let elements = 0
    for (const { content } of lasting.values()) elements += content.size
    if (elements > MOST_ELEMENTS) return
    this.#generation = generation === 0xffff_ffff ? 1 : generation + 1
    this.#sets = lasting
  }
}
