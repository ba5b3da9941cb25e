/**
 * What must be read before a transaction can be compiled: the kernel knows no index of a rule, no chain to rename by its name,
 * and not whether ranges overlap.
 */
import type { ReplyMessage } from '../native/unpack.js'
import { chainKey, type Listed, type Operation, RuleOrder } from './compile/index.js'
import { isTypeof, typeofParts } from './datatype/index.js'
import { familyNumbers } from './kernel/constants.js'
import { generationOf } from './list.js'
import type { Family, MapObject, SetObject } from './model/index.js'
import { type RangedSet, RangedSets, type SetName, setKey } from './ranges/index.js'
import { readDeclaration, readRanged } from './read-ranged.js'
import { type Asking, all, one } from './requests.js'
import type { ToldSets } from './told-sets.js'

interface ChainName {
  readonly family: Family
  readonly table: string
  readonly chain: string
}

/** A set or map whose elements change. */
interface SetNeed {
  readonly set: SetName
  /** What it holds matters: the transaction has not emptied it. */
  readonly filled: boolean
}

/** What is to be read. */
export interface Needs {
  /** Chains whose handles are needed, by {@link chainKey}. */
  readonly handles: ReadonlyMap<string, ChainName>
  /** Chains the order of whose rules is needed, by {@link chainKey}. */
  readonly orders: ReadonlyMap<string, ChainName>
  /** By {@link setKey}. */
  readonly sets: ReadonlyMap<string, SetNeed>
}

/** What was read. */
export interface Found {
  /** None of it is older: a batch for that generation is safe. Undefined where it does not matter. */
  readonly generation: number | undefined
  /** Undefined where no chain was asked for. */
  readonly listed?: Listed
  readonly ranged: RangedSets
}

/**
 * Undefined when nothing is to be read.
 * @param declared sets of which the caller has told how they are declared
 * @param told what the kernel has told
 * @param checked whether ranges are checked
 */
export function needsOf(
  operations: readonly Operation[],
  declared: readonly (SetObject | MapObject)[],
  told: ToldSets,
  checked: boolean,
): Needs | undefined {
  const handles = new Map<string, ChainName>()
  const orders = new Map<string, ChainName>()
  const sets = checked ? new SetNeeds(declared, told) : undefined
  for (const operation of operations) {
    // What has no shape is left to the compiler, which refuses it with its path.
    const [verb, object] = onlyEntry(operation)
    const [kind, value] = onlyEntry(object)
    if (!isObject(value)) {
      if (kind === 'ruleset') sets?.delete(undefined)
    } else if (verb === 'rename' && kind === 'chain' && value.handle === undefined) {
      need(handles, value, value.name)
    } else if (kind === 'rule') {
      if (placing.has(verb) && value.index !== undefined) need(orders, value, value.chain)
    } else sets?.see(verb, kind, value)
  }
  const ranged = sets?.needs ?? noSets
  return handles.size + orders.size + ranged.size === 0 ? undefined : { handles, orders, sets: ranged }
}

const noSets: ReadonlyMap<string, SetNeed> = new Map()
const placing: ReadonlySet<string> = new Set(['add', 'insert', 'create'])

type Properties = { readonly [name: string]: unknown }

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null
}

const noEntry: readonly [name: string, value: unknown] = ['', undefined]

/** The first entry. Every operation is asked for two: not by Object.entries, which would make lists of them. */
function onlyEntry(value: unknown): readonly [name: string, value: unknown] {
  if (isObject(value)) for (const name in value) return [name, value[name]]
  return noEntry
}

function need(chains: Map<string, ChainName>, { family, table }: Properties, chain: unknown): void {
  if (!isFamily(family) || typeof table !== 'string' || typeof chain !== 'string') return
  const name = { family, table, chain }
  chains.set(chainKey(name), name)
}

function isFamily(value: unknown): value is Family {
  return typeof value === 'string' && Object.hasOwn(familyNumbers, value)
}

/** Goes through a transaction, and finds the sets of which it must be known what they hold. */
class SetNeeds {
  readonly needs = new Map<string, SetNeed>()
  readonly #told: ToldSets
  readonly #declared = new Map<string, Declared>()
  /** Sets, or families and tables of sets, that are new in this transaction, as beginnings of their keys. */
  readonly #fresh = new Set<string>()
  readonly #flushed = new Set<string>()

  constructor(declared: readonly (SetObject | MapObject)[], told: ToldSets) {
    this.#told = told
    for (const object of declared) {
      const [kind, set] = onlyEntry(object)
      if ((kind === 'set' || kind === 'map') && isObject(set)) this.#declare(set)
    }
  }

  see(verb: string, kind: string, value: Properties): void {
    const adds = verb === 'add' || verb === 'create'
    if (kind === 'element') {
      this.#elements(value, adds)
    } else if (kind === 'set' || kind === 'map') {
      if (verb === 'flush') {
        const name = nameOf(value)
        if (name !== undefined) this.#flushed.add(setKey(name))
        return
      }
      if (verb !== 'add') this.#forget(value)
      if (!adds) return
      this.#declare(value)
      if (Array.isArray(value.elem) && isRanged(value, adds)) this.#need(value)
    } else if (kind === 'table' && verb !== 'add' && verb !== 'flush') {
      if (isFamily(value.family) && typeof value.name === 'string') this.delete(value.family, value.name)
    } else if (kind === 'ruleset') this.delete(isFamily(value.family) ? value.family : undefined)
  }

  /** What is there of it now is none of what was. */
  delete(family: Family | undefined, table?: string): void {
    this.#told.clear()
    this.#fresh.add(family === undefined ? '' : table === undefined ? `${family} ` : `${family} ${table} `)
  }

  #forget(value: Properties): void {
    const name = nameOf(value)
    if (name === undefined) return
    this.#told.clear()
    this.#fresh.add(setKey(name))
  }

  #declare(value: Properties): void {
    const name = nameOf(value)
    if (name !== undefined) this.#declared.set(setKey(name), value)
  }

  #elements(value: Properties, adds: boolean): void {
    const name = nameOf(value)
    if (name === undefined) return
    const key = setKey(name)
    const declared = this.#declared.get(key) ?? this.#told.find(name)
    if (declared === undefined ? !isIntervalSet(value) || isRanged(value, adds) : isRanged(declared, adds))
      this.#need(value)
  }

  #need(value: Properties): void {
    const set = nameOf(value)
    if (set === undefined) return
    const key = setKey(set)
    if (this.needs.has(key) || this.#isFresh(set, key)) return
    this.needs.set(key, { set, filled: !this.#flushed.has(key) })
  }

  #isFresh({ family, table }: SetName, key: string): boolean {
    const fresh = this.#fresh
    if (fresh.size === 0) return false
    return fresh.has(key) || fresh.has(`${family} ${table} `) || fresh.has(`${family} `) || fresh.has('')
  }
}

interface Declared {
  readonly type?: unknown
  readonly map?: unknown
  readonly flags?: unknown
}

function isIntervalSet({ flags }: Declared): boolean {
  return Array.isArray(flags) && flags.includes('interval')
}

/**
 * Whether it must be known what a set holds before it is changed. The kernel finds by itself what is wrong with elements
 * that are added to a set of several fields: what one of them holds is in the set, also where another covers it.
 */
function isRanged(set: Declared, adds: boolean): boolean {
  return isIntervalSet(set) && !(adds && hasFields(set.type) && set.map === undefined)
}

function hasFields(type: unknown): boolean {
  return Array.isArray(type) || (isTypeof(type) && typeofParts(type).length > 1)
}

function nameOf({ family, table, name }: Properties): SetName | undefined {
  if (!isFamily(family) || typeof table !== 'string' || typeof name !== 'string') return undefined
  return { family, table, name }
}

/** Reads it. The generation comes first, so that none of what is read is older. */
export function* readNeeds(needs: Needs, told: ToldSets, operation: string): Asking<Found> {
  const generation = yield* generationOf(operation)
  const chainHandles = new Map<string, number>()
  for (const [key, { family, table, chain }] of needs.handles) {
    const record = { family: familyNumbers[family], table, name: chain }
    const handle = yield* one('nftGetChain', record, handleOf, operation)
    if (handle !== undefined) chainHandles.set(key, handle)
  }
  const orders = new Map<string, readonly number[]>()
  for (const [key, { family, table, chain }] of needs.orders) {
    const record = { family: familyNumbers[family], table, chain }
    orders.set(key, yield* all('nftGetRule', record, handleOf, operation))
  }
  const ranged = new Map<string, RangedSet>()
  for (const [key, { set, filled }] of needs.sets) {
    const found = yield* readDeclaration(set, operation)
    // One that is not there yet is declared by the transaction, or refused by the kernel.
    if (found === undefined) continue
    if (found.declaration !== undefined) told.put(set, found.declaration)
    if (found.isInterval) ranged.set(key, yield* readRanged(set, found, filled, operation))
  }
  const chains = needs.handles.size + needs.orders.size > 0
  return {
    generation: chains || ranged.size > 0 ? generation : undefined,
    ...(chains && { listed: { chainHandles, order: new RuleOrder(orders) } }),
    ranged: new RangedSets(ranged),
  }
}

function handleOf(message: ReplyMessage): number | undefined {
  if (message.name !== 'nftNewRule' && message.name !== 'nftNewChain') return undefined
  const { handle } = message.record
  return handle === undefined ? undefined : Number(handle)
}
