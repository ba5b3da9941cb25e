/** The order of a chain's rules while a transaction goes on: what `index` counts, as nft counts it. */
import { InvalidValue, quote } from '../datatype/index.js'
import type { Family, Rule } from '../model/index.js'

/** A rule that the kernel has, or one of the same transaction by its number there. */
type Place =
  | { readonly handle: number; readonly id?: never }
  | { readonly id: number; readonly handle?: never }

/** Numbers that we give begin here; the caller's end before. */
export const firstOwnRuleId = 0x8000_0000

/** Names a chain in one text. */
export function chainKey(chain: {
  readonly family: Family
  readonly table: string
  readonly chain: string
}): string {
  return `${tableKey(chain.family, chain.table)}${chain.chain}`
}

function tableKey(family: Family, table: string): string {
  return `${family} ${table} `
}

/** Knows the rules of the chains that were listed for it, and follows what the transaction does to them. */
export class RuleOrder {
  readonly #chains: Map<string, Place[]>
  #nextId = firstOwnRuleId

  /** @param listed the handles of each chain's rules, in their order, by {@link chainKey} */
  constructor(listed: ReadonlyMap<string, readonly number[]>) {
    this.#chains = new Map(
      Array.from(listed, ([key, handles]) => [key, handles.map((handle): Place => ({ handle }))]),
    )
  }

  /**
   * Takes a rule in. Gives the rule that it goes next to, if it says one, and the number that it is known by from now on
   * where its chain is followed.
   */
  add(
    rule: Rule,
    placement: 'add' | 'insert' | 'replace',
  ): { readonly next?: Place | undefined; readonly id?: number } {
    const rules = this.#chains.get(chainKey(rule))
    if (rules === undefined) return {}
    const id = rule.id ?? this.#nextId++
    const at = this.#find(rules, rule)
    const next = at < 0 ? undefined : rules[at]
    if (placement === 'replace' && at >= 0) rules[at] = { id }
    else if (placement === 'add') rules.splice(at < 0 ? rules.length : at + 1, 0, { id })
    else if (placement === 'insert') rules.splice(Math.max(at, 0), 0, { id })
    return { next, id }
  }

  #find(rules: readonly Place[], rule: Rule): number {
    const { index } = rule
    if (index === undefined) return rules.findIndex((place) => isPlace(place, rule.handle, rule.nextTo))
    if (!Number.isInteger(index) || index < 0)
      throw new InvalidValue(`${quote(index)} is no place: an integer from 0 is expected`)
    if (index < rules.length) return index
    throw new InvalidValue(
      `the chain ${rule.chain} has ${rules.length} rules there, none of index ${index}`,
      'NFB_MISSING',
    )
  }

  /** A rule goes. */
  delete(rule: Pick<Rule, 'family' | 'table' | 'chain' | 'handle' | 'id'>): void {
    const rules = this.#chains.get(chainKey(rule))
    const at = rules?.findIndex((place) => isPlace(place, rule.handle, rule.id)) ?? -1
    if (at >= 0) rules?.splice(at, 1)
  }

  /** The rules of a chain, a table, a family or (without any) of all go. */
  flush(family?: Family, table?: string, chain?: string): void {
    for (const [key, rules] of this.#chains)
      if (
        chain !== undefined && family !== undefined && table !== undefined
          ? key === chainKey({ family, table, chain })
          : table !== undefined && family !== undefined
            ? key.startsWith(tableKey(family, table))
            : family === undefined || key.startsWith(`${family} `)
      )
        rules.length = 0
  }
}

function isPlace(place: Place, handle: number | undefined, id: number | undefined): boolean {
  return place.id === undefined ? place.handle === handle : place.id === id
}
