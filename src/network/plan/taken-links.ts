/** Interfaces of others, whose names and indexes ours can't have. */

/** What is in one namespace. */
export interface LinksInside {
  readonly names: ReadonlySet<string>
  readonly indexes: ReadonlySet<number>
  /** Of default routes. */
  readonly metrics: ReadonlySet<number>
}

export interface TakenLinks {
  /** Indexes on the host. */
  readonly host: ReadonlySet<number>
  /** Names on the host. */
  readonly hostNames: ReadonlySet<string>
  /** Of each container of a call, in its order; containers in one namespace have one object. Undefined: nobody looked. */
  readonly inside: readonly (LinksInside | undefined)[]
}

/** Nobody looked: a namespace that is new has `lo` and nothing else. */
export const NOBODY_LOOKED: TakenLinks = { host: new Set(), hostNames: new Set(), inside: [] }

const NOTHING: LinksInside = { names: new Set(), indexes: new Set(), metrics: new Set() }

/** What a call's containers take in one namespace, beside what is there. */
export class InsideClaims {
  readonly #names: Set<string>
  readonly #indexes: Set<number>
  readonly #metrics: Set<number>

  constructor({ names, indexes, metrics }: LinksInside = NOTHING) {
    this.#names = new Set(names)
    this.#indexes = new Set(indexes)
    this.#metrics = new Set(metrics)
  }

  /** Metrics that no further default route can have. */
  get metrics(): ReadonlySet<number> {
    return this.#metrics
  }

  metric(metric: number): void {
    this.#metrics.add(metric)
  }

  hasName(name: string): boolean {
    return this.#names.has(name)
  }

  /** The name that was asked for, or the first `ethN` that is free. @param own names that the container has from us */
  name(given: string | undefined, own: ReadonlySet<string>): string {
    let name = given
    for (let number = 0; name === undefined; number += 1) {
      const next = `eth${number}`
      if (!own.has(next) && !this.#names.has(next)) name = next
    }
    this.#names.add(name)
    return name
  }

  /** The lowest that is free behind that of `lo`, as the kernel would count; or one from before, if it is free. */
  index(own: ReadonlySet<number>, former?: number): number {
    let index = former !== undefined && former < FIRST_HOST_INDEX ? former : FIRST_INDEX
    if (own.has(index) || this.#indexes.has(index)) {
      index = FIRST_INDEX
      while (own.has(index) || this.#indexes.has(index)) index += 1
    }
    this.#indexes.add(index)
    return index
  }
}

/** `lo` is 1. */
const FIRST_INDEX = 2

/**
 * The host's ends are numbered from here, two for each: the interface itself, and the one that limits what comes from it. Below, the kernel
 * counts what others make, and each of theirs would be in the place of one that was chosen here.
 */
export const FIRST_HOST_INDEX = 65_536
