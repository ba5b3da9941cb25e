/** The sets of a table while its rules are read: anonymous ones become part of the rules that use them. */
import type { NftElementRecord, NftExpressionRecord, NftSetRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { atOnce } from '../../native/slices.js'
import { type Datatype, datatype } from '../datatype/index.js'
import { SetFlags } from '../kernel/constants.js'
import type {
  DatatypeName,
  Expression,
  MapElement,
  SetElement,
  SetExpression,
  SetReference,
  ValueMapExpression,
  Verdict,
  VerdictMapExpression,
} from '../model/index.js'
import { readElements } from './elements.js'
import { dataEncoding, type FieldEncoding, givesRanges, keyEncoding } from './encodings.js'
import type { Part } from './operand.js'
import { isVerdict } from './verdict.js'

/** A set as the kernel lists it, with its elements. */
export interface KernelSet {
  readonly record: NftSetRecord
  readonly elements: readonly NftElementRecord[]
}

export function isAnonymous({ flags = 0 }: NftSetRecord): boolean {
  return (flags & SetFlags.anonymous) !== 0
}

/** The elements of a set that is not anonymous, in steps; undefined when they are not understood. */
export function* readElementsOf(set: KernelSet, interfaces?: Datatype): ReturnType<typeof readElements> {
  const fields = withNames(keyEncoding(set.record), interfaces)
  return fields && (yield* readElements(set.record, set.elements, fields))
}

/** Fields that are indexes of interfaces with the names that are known. */
export function withNames(
  fields: readonly FieldEncoding[] | undefined,
  interfaces: Datatype | undefined,
): readonly FieldEncoding[] | undefined {
  return fields?.map((field) =>
    interfaces && field.type.name === interfaces.name ? { ...field, type: interfaces } : field,
  )
}

export class SetCatalog {
  readonly #sets: Map<string, KernelSet>
  readonly #interfaces: Datatype | undefined

  /** @param interfaces the type iface_index with the names of the namespace, where they are known */
  constructor(sets: Iterable<KernelSet>, interfaces?: Datatype) {
    this.#interfaces = interfaces
    this.#sets = new Map(Array.from(sets, (set) => [set.record.name ?? '', set]))
  }

  /** How values of a type are read. */
  type(name: DatatypeName): Datatype {
    return name === 'iface_index' && this.#interfaces ? this.#interfaces : datatype(name)
  }

  /** A set came, or is another by now. */
  put(set: KernelSet): void {
    this.#sets.set(set.record.name ?? '', set)
  }

  /** A set went. */
  delete(name: string): void {
    this.#sets.delete(name)
  }

  find(name: string): NftSetRecord | undefined {
    return this.#sets.get(name)?.record
  }

  /** What a map gives, field by field; undefined for verdict maps and where it is not known. */
  dataFields(name: string): readonly FieldEncoding[] | undefined {
    const set = this.#sets.get(name)
    return set && dataEncoding(set.record)
  }

  /** Whether a map gives ranges of values. */
  givesRanges(name: string): boolean {
    const set = this.#sets.get(name)
    return set !== undefined && givesRanges(set.record)
  }

  /** `@name`, or the elements of a set without a name; undefined when they are not understood. */
  reference(name: string, parts: readonly Part[]): SetReference | SetExpression | undefined {
    const set = this.#sets.get(name)
    if (!set) return undefined
    if (!isAnonymous(set.record)) return `@${name}`
    const fields = keyEncoding(set.record, parts)
    const elements = fields && atOnce(readElements(set.record, set.elements, fields))
    return elements && { set: elements }
  }

  /** As {@link reference}, of a map that gives verdicts. */
  verdicts(name: string, parts: readonly Part[]): SetReference | VerdictMapExpression | undefined {
    const reference = this.reference(name, parts)
    if (reference === undefined || typeof reference === 'string') return reference
    const set = reference.set.filter(givesVerdict)
    return set.length === reference.set.length ? { set } : undefined
  }

  /** As {@link reference}, of a map that gives values. */
  values(name: string, parts: readonly Part[]): SetReference | ValueMapExpression | undefined {
    const reference = this.reference(name, parts)
    if (reference === undefined || typeof reference === 'string') return reference
    const set = reference.set.filter(givesValue)
    return set.length === reference.set.length ? { set } : undefined
  }

  /** The sets without a name that expressions look up. */
  anonymousIn(expressions: readonly NftExpressionRecord[]): KernelSet[] {
    const found = new Map<string, KernelSet>()
    for (const expression of expressions) {
      const name = setNameOf(expression)
      const set = name === undefined ? undefined : this.#sets.get(name)
      if (name !== undefined && set && isAnonymous(set.record)) found.set(name, set)
    }
    return [...found.values()]
  }

  /** The numbers that an anonymous set of single bytes holds. */
  bytesOf(name: string): number[] {
    const keys = this.#sets.get(name)?.elements.map((element) => element.key?.value) ?? []
    return keys.flatMap((key) => (key?.length === 1 ? Array.from(key) : []))
  }
}

function isPair(element: SetElement | MapElement): element is MapElement {
  return Array.isArray(element) && element.length === 2
}

function givesVerdict(element: SetElement | MapElement): element is readonly [SetElement, Verdict] {
  return isPair(element) && isVerdict(element[1])
}

function givesValue(element: SetElement | MapElement): element is readonly [SetElement, Expression] {
  return isPair(element) && !isVerdict(element[1])
}

function setNameOf(expression: NftExpressionRecord): string | undefined {
  if (selects(expression, 'name', 'lookup')) return expression.data?.set
  if (selects(expression, 'name', 'dynset')) return expression.data?.setName
  return selects(expression, 'name', 'objref') ? expression.data?.setName : undefined
}
