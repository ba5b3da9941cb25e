/** The statements of a rule while it is read, each with the kernel's expressions that it stands for. */
import type { NftExpressionRecord } from '../../native/records.js'
import { plainRecord } from '../kernel/plain-record.js'
import type { Statement } from '../model/index.js'
import type { SetCatalog } from './set-catalog.js'

/** One statement, and where it comes from. */
export interface Entry {
  readonly statement: Statement
  /** The rule's expressions, by index, that it stands for. */
  readonly sources: readonly number[]
  /** A later statement implies it: it is not part of the rule's text. */
  implied: boolean
  /** There are no words for it: it is kept as it is, unless it is implied. */
  unsayable?: boolean
}

/** Collects statements; every expression of the rule ends up in one. */
export class Statements {
  readonly #expressions: readonly NftExpressionRecord[]
  readonly #sets: SetCatalog
  readonly #entries: Entry[] = []
  /** Which expressions statements stand for. */
  readonly #claimed = new Set<number>()

  constructor(expressions: readonly NftExpressionRecord[], sets: SetCatalog) {
    this.#expressions = expressions
    this.#sets = sets
  }

  add(statement: Statement, sources: readonly number[]): Entry {
    const entry = { statement, sources, implied: false }
    for (const index of sources) this.#claimed.add(index)
    this.#entries.push(entry)
    return entry
  }

  /** Puts `statement` in the place of the last one, which it extends. */
  extend(statement: Statement, sources: readonly number[]): Entry {
    const last = this.#entries.pop()
    return this.add(statement, [...(last?.sources ?? []), ...sources])
  }

  get last(): Entry | undefined {
    return this.#entries.at(-1)
  }

  get count(): number {
    return this.#entries.length
  }

  /** Expressions that no statement of the model stands for, kept as they are. */
  addOpaque(sources: readonly number[]): void {
    const last = this.#entries.at(-1)
    if (last && 'opaque' in last.statement) {
      this.#entries.pop()
      this.addOpaque(last.sources.concat(sources))
      return
    }
    const sorted = ascending(sources)
    this.add(this.#opaque(sorted), sorted)
  }

  #opaque(indexes: readonly number[]): Statement {
    const expressions = indexes.flatMap((index) => {
      const expression = this.#expressions[index]
      return expression === undefined ? [] : [expression]
    })
    const sets = this.#sets.anonymousIn(expressions).map(({ record, elements }) => ({
      record: plainRecord(record),
      elements: elements.map(plainRecord),
    }))
    return { opaque: { expressions: expressions.map(plainRecord), ...(sets.length > 0 && { sets }) } }
  }

  /** Turns the statements from the given place on, and the given expressions, into one opaque statement. */
  collapse(from: number, sources: readonly number[]): void {
    const removed = this.#entries.splice(from)
    this.addOpaque([...removed.flatMap((entry) => entry.sources), ...sources])
  }

  /** The expressions that no statement stands for yet, before the one with the given index. */
  unclaimed(before: number): number[] {
    const found: number[] = []
    for (let index = 0; index < before; index++) if (!this.#claimed.has(index)) found.push(index)
    return found
  }

  finish(): Statement[] {
    if (this.#claimed.size < this.#expressions.length)
      this.addOpaque(this.unclaimed(this.#expressions.length))
    return this.#entries.flatMap(({ statement, sources, implied, unsayable }) => {
      if (implied) return []
      return [unsayable === true ? this.#opaque(ascending(sources)) : statement]
    })
  }
}

function ascending(sources: readonly number[]): number[] {
  return [...new Set(sources)].sort((one, other) => one - other)
}

/** Whether a statement only tests the packet, so that its place among others that do so does not matter. */
export function isMatch(statement: Statement): boolean {
  return 'match' in statement
}
