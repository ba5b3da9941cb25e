/** Elements of sets and maps, looked up by the fields of a packet. */
import type { Expression, MapElement, SetElement, Verdict } from '../nft/index.js'
import { type FieldType, fits, isList, type Pattern, pattern, type Scalar, type Value } from './constant.js'
import type { Environment } from './environment.js'

/** An element as listed, and what a map has for its key. */
export interface FoundElement {
  readonly element: SetElement | MapElement
  readonly data?: Expression | Verdict
}

/** What a lookup gave. `perhaps`: fields that are not known decide which of these it is, or whether it is any. */
export type LookupResult =
  | { readonly kind: 'found'; readonly found: FoundElement }
  | { readonly kind: 'none' }
  | { readonly kind: 'perhaps'; readonly candidates: readonly FoundElement[] }

interface Row extends FoundElement {
  readonly patterns: readonly (Pattern | undefined)[]
}

/** The elements of one set: single keys by a hash, as the kernel has them; ranges and the like one after the other. */
export class ElementIndex {
  readonly #exact = new Map<string, Row>()
  readonly #loose: Row[] = []
  /** Of a field, the exact ones by what they have in it; made when a key is asked for of which that is all that is known. */
  readonly #byField = new Map<number, Map<Scalar, Row[]>>()
  #rest: Row | undefined

  constructor(
    elements: readonly (SetElement | MapElement)[],
    types: readonly FieldType[],
    environment: Environment,
  ) {
    for (const element of elements) {
      const { key, data } = partsOf(element)
      // What is found only beyond a limit: as with a limit in a rule, nobody knows what came before.
      if (isBeyondLimit(element)) continue
      // What stands for all that has no element of its own.
      if (key === '*') {
        this.#rest = { element, patterns: [], ...(data !== undefined && { data }) }
        continue
      }
      const fields = typeof key === 'object' && !isList(key) && 'concat' in key ? key.concat : [key]
      const patterns = types.map((type, index) => {
        const field = fields[index]
        return field === undefined ? undefined : pattern(field, type, environment)
      })
      this.#add({ element, patterns, ...(data !== undefined && { data }) })
    }
  }

  find(values: readonly Value[]): LookupResult {
    const key = keyOf(values)
    const exact = key === undefined ? undefined : this.#exact.get(key)
    if (exact) return { kind: 'found', found: exact }
    const candidates: Row[] = []
    // The exact ones can be meant only by a value that is not known.
    for (const row of key === undefined ? [...this.#exactLike(values), ...this.#loose] : this.#loose) {
      const answers = row.patterns.map((each, index) => fits(each, values[index]))
      if (answers.every((answer) => answer === true)) return { kind: 'found', found: row }
      if (!answers.includes(false)) candidates.push(row)
    }
    if (candidates.length > 0)
      return { kind: 'perhaps', candidates: this.#rest ? [...candidates, this.#rest] : candidates }
    return this.#rest ? { kind: 'found', found: this.#rest } : { kind: 'none' }
  }

  /** The exact ones that have the first known field of a key. */
  #exactLike(values: readonly Value[]): Iterable<Row> {
    const field = values.findIndex((value) => isScalar(value))
    const value = values[field]
    if (!isScalar(value)) return this.#exact.values()
    const rows = this.#byField.get(field) ?? new Map<Scalar, Row[]>()
    if (!this.#byField.has(field)) {
      this.#byField.set(field, rows)
      for (const row of this.#exact.values()) {
        const own = exactly(row.patterns[field])
        if (own === undefined) continue
        const alike = rows.get(own) ?? []
        alike.push(row)
        rows.set(own, alike)
      }
    }
    return rows.get(value) ?? []
  }

  #add(row: Row): void {
    const key = keyOf(row.patterns.map(exactly))
    if (key === undefined) this.#loose.push(row)
    else this.#exact.set(key, row)
  }
}

function exactly(each: Pattern | undefined): Scalar | undefined {
  if (each?.kind === 'text') return each.text
  return each?.kind === 'range' && each.low === each.high ? each.low : undefined
}

function keyOf(values: readonly Value[]): string | undefined {
  return values.every(isScalar) ? values.join(' ') : undefined
}

function isScalar(value: Value): value is Scalar {
  return value !== undefined && typeof value !== 'object'
}

/** The key of an element without its attributes, and what it maps to. */
function partsOf(element: SetElement | MapElement): { key: Expression; data?: Expression | Verdict } {
  const pair = isPair(element)
  const key = pair ? element[0] : element
  const value = typeof key === 'object' && !isListed(key) && 'elem' in key ? key.elem.val : key
  return pair ? { key: value, data: element[1] } : { key: value }
}

/** Whether an element counts connections or packets of its own, and is found only where there are more. */
function isBeyondLimit(element: SetElement | MapElement): boolean {
  const key = isPair(element) ? element[0] : element
  if (typeof key !== 'object' || isListed(key) || !('elem' in key)) return false
  const { limit, 'ct count': count } = key.elem
  return (limit !== undefined && 'inv' in limit && limit.inv === true) || count?.inv === true
}

/** Whether an element is one of a map. */
export function isPair(element: SetElement | MapElement): element is MapElement {
  return Array.isArray(element) && element.length === 2
}

function isListed(value: SetElement): value is readonly Expression[] {
  return Array.isArray(value)
}
