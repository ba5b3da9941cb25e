/** The interval sets that a transaction changes: what they hold while it goes on. */
import type { Family } from '../model/index.js'

import { BoxList } from './box-list.js'
import { RangeList } from './range-list.js'

/** What an interval set holds: ranges of one field, or of several. */
export interface RangedSet {
  readonly content: RangeList | BoxList
  /** Whether it stays the same while nobody commits anything: nothing in it expires or counts. */
  readonly lasting: boolean
}

export interface SetName {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/** Names a set or map in one text. */
export function setKey({ family, table, name }: SetName): string {
  return `${tableKey(family, table)}${name}`
}

function tableKey(family: Family, table: string): string {
  return `${family} ${table} `
}

/** Follows what a transaction does to the sets that were read for it, and to those that it makes. */
export class RangedSets {
  readonly #sets: Map<string, RangedSet>
  #changed = false

  /** @param read by {@link setKey} */
  constructor(read: ReadonlyMap<string, RangedSet> = new Map()) {
    this.#sets = new Map(read)
  }

  /** What the sets hold now. */
  get sets(): ReadonlyMap<string, RangedSet> {
    return this.#sets
  }

  /** Whether ranges came or went: then the commit has another generation. */
  get changed(): boolean {
    return this.#changed
  }

  find(set: SetName): RangedSet | undefined {
    return this.#sets.get(setKey(set))
  }

  /** A set is declared; one that is there stays what it is. */
  declare(set: SetName, made: () => RangedSet): void {
    const key = setKey(set)
    if (!this.#sets.has(key)) this.#sets.set(key, made())
  }

  put(set: SetName, content: RangedSet['content']): void {
    const key = setKey(set)
    const known = this.#sets.get(key)
    if (known === undefined || known.content === content) return
    this.#sets.set(key, { ...known, content })
    this.#changed = true
  }

  /** Its elements go. */
  flush(set: SetName): void {
    const known = this.find(set)
    if (known !== undefined) this.put(set, emptied(known.content))
  }

  /** A set, those of a table, of a family or (without any) all are deleted. */
  delete(family?: Family, table?: string, name?: string): void {
    for (const key of this.#sets.keys())
      if (
        family !== undefined && table !== undefined && name !== undefined
          ? key === setKey({ family, table, name })
          : family !== undefined && table !== undefined
            ? key.startsWith(tableKey(family, table))
            : family === undefined || key.startsWith(`${family} `)
      )
        this.#sets.delete(key)
  }
}

function emptied(content: RangedSet['content']): RangedSet['content'] {
  return content instanceof RangeList
    ? new RangeList([], content.settings)
    : new BoxList(new Map(), content.settings)
}
