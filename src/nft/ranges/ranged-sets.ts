/** The interval sets that a transaction changes: what they hold while it goes on. */
import type { Family } from '../model/index.js'

import { BoxList } from './box-list.js'
import type { Range } from './range.js'
import { differenceOf, type RangeChange, RangeList } from './range-list.js'

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

/** What the operations so far have changed in a set of ranges and is not sent yet. */
interface Pending {
  readonly set: SetName
  readonly keyLength: number
  readonly before: RangeList
  /** Those that were there and are sent once more, by {@link rangeKey}. */
  readonly again: Map<string, Range>
  /** The set had no elements: what lies below its first range must be marked as outside. */
  isFirst: boolean
  /** The last operation that changed it. */
  operation: number
}

/** What is to be sent of a set of ranges: what goes, before what comes. */
export interface Settled {
  readonly set: SetName
  readonly list: RangeList
  readonly removed: readonly Range[]
  readonly added: readonly Range[]
  readonly isFirst: boolean
  readonly keyLength: number
  readonly operation: number
}

/** Names a set or map in one text. */
export function setKey({ family, table, name }: SetName): string {
  return `${tableKey(family, table)}${name}`
}

function tableKey(family: Family, table: string): string {
  return `${family} ${table} `
}

/**
 * Follows what a transaction does to the sets that were read for it, and to those that it makes. Of a set of ranges of one
 * field it is sent in the end, as one difference: the kernel does not find an element again (nft_rbtree_deactivate) that
 * the same transaction has deleted and added anew.
 */
export class RangedSets {
  readonly #sets: Map<string, RangedSet>
  readonly #pending = new Map<string, Pending>()
  #changed = false
  /** The index of the operation that goes on. */
  operation = 0

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

  /** What is sent at once changes a set. */
  put(set: SetName, content: RangedSet['content']): void {
    if (this.#replace(setKey(set), content)) this.#changed = true
  }

  /** What is sent later, by {@link settle}, changes a set. */
  change(
    set: SetName,
    before: RangeList,
    { list, again }: RangeChange,
    { isFirst, keyLength }: Pick<Pending, 'isFirst' | 'keyLength'>,
  ): void {
    const key = setKey(set)
    const { operation } = this
    const pending = this.#pending.get(key) ?? { set, before, again: new Map(), isFirst, keyLength, operation }
    for (const range of again) pending.again.set(rangeKey(range), range)
    pending.isFirst ||= isFirst
    pending.operation = operation
    this.#pending.set(key, pending)
    this.#replace(key, list)
  }

  /** What is to be sent of one set now. */
  settleOne(set: SetName): Settled | undefined {
    return this.#settle(setKey(set))
  }

  /**
   * What is to be sent now.
   * @param which `early`: only what other operations may depend on, elements that hold chains and objects, and those of
   * sets that stay as they are once a rule uses them
   */
  settle(which: 'early' | 'all'): Settled[] {
    if (this.#pending.size === 0) return []
    return [...this.#pending]
      .filter(
        ([
          ,
          {
            before: { settings },
          },
        ]) => which === 'all' || settings.isMap || settings.isConstant,
      )
      .flatMap(([key]) => this.#settle(key) ?? [])
  }

  #settle(key: string): Settled | undefined {
    const pending = this.#pending.get(key)
    const list = this.#sets.get(key)?.content
    this.#pending.delete(key)
    if (pending === undefined || !(list instanceof RangeList)) return undefined
    const { before, again, ...rest } = pending
    const { removed, added } = differenceOf(before, list)
    if (removed.length + added.length > 0) this.#changed = true
    const fresh = new Set(added)
    const kept = [...again.values()].filter((range) => {
      const found = list.find(range)
      return found !== undefined && !fresh.has(found)
    })
    return { ...rest, list, removed, added: [...added, ...kept] }
  }

  #replace(key: string, content: RangedSet['content']): boolean {
    const known = this.#sets.get(key)
    if (known === undefined || known.content === content) return false
    this.#sets.set(key, { ...known, content })
    return true
  }

  /** Its elements go. */
  flush(set: SetName): void {
    this.#pending.delete(setKey(set))
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
      ) {
        this.#sets.delete(key)
        this.#pending.delete(key)
      }
  }
}

function rangeKey({ low, high }: Range): string {
  return `${low}-${high}`
}

function emptied(content: RangedSet['content']): RangedSet['content'] {
  return content instanceof RangeList
    ? new RangeList([], content.settings)
    : new BoxList(new Map(), content.settings)
}
