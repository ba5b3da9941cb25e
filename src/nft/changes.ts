/** What the kernel says that a transaction changed, in the shape of libnftables' JSON. */
import { MessageFlag } from '../native/pack.js'
import type { MessageRecords, NftElementRecord } from '../native/records.js'
import type { ReplyMessage } from '../native/unpack.js'
import type { DeletableObject } from './compile/index.js'
import {
  decompileRule,
  isAnonymous,
  readElementsOf,
  readFamily,
  readSet,
  SetCatalog,
} from './decompile/index.js'
import { ObjectTypes } from './kernel/constants.js'
import { plainRecord } from './kernel/plain-record.js'
import { assemble, type KernelRuleset } from './list-assemble.js'
import type {
  Element,
  ElementObject,
  Family,
  ListedObject,
  OpaqueObject,
  RuleObject,
  StatefulKind,
} from './model/index.js'

/** What is gone: a rule as it was, elements by what they were, anything else by its name. */
export type DeletedObject =
  | Exclude<DeletableObject, { readonly rule: object } | { readonly element: object }>
  | RuleObject
  | ElementObject
  | OpaqueObject

/** One change, in the shape of libnftables' JSON commands. */
export type Change =
  /** It is there now, new or changed; elements of one set that came together are one change. */
  | {
      readonly add: ListedObject | ElementObject
      /**
       * Of a rule: where it went. `after`: the handle of the rule in front of it once the transaction was over, which may
       * be one that is told later.
       */
      readonly place?: 'first' | 'last' | { readonly after: number }
    }
  | { readonly delete: DeletedObject }

type Steps<T> = Generator<undefined, T, undefined>

interface InTable {
  readonly family?: number
  readonly table?: string
}

/** The sets that rules and elements are read with, as they were told last. */
export class KnownSets {
  readonly #tables = new Map<string, SetCatalog>()
  /** The elements of anonymous sets, which are parts of rules. */
  readonly #elements = new Map<string, NftElementRecord[]>()

  constructor({ sets, elements }: Pick<KernelRuleset, 'sets' | 'elements'>) {
    for (const record of sets) this.put(record)
    for (const list of elements) this.fill(list)
  }

  in(place: InTable): SetCatalog {
    const key = `${place.family} ${place.table}`
    const known = this.#tables.get(key)
    if (known) return known
    const added = new SetCatalog([])
    this.#tables.set(key, added)
    return added
  }

  put(record: MessageRecords['nftNewSet']): void {
    const elements: NftElementRecord[] = []
    if (isAnonymous(record)) this.#elements.set(keyOf(record, record.name), elements)
    this.in(record).put({ record, elements })
  }

  /** Elements came; those of sets with a name are of no interest. */
  fill(list: MessageRecords['nftNewElement']): void {
    const known = this.#elements.get(keyOf(list, list.set))
    if (known) for (const element of list.elements ?? []) known.push(element)
  }

  delete(record: MessageRecords['nftDelSet']): void {
    this.in(record).delete(record.name ?? '')
    this.#elements.delete(keyOf(record, record.name))
  }
}

function keyOf({ family, table }: InTable, name: string | undefined): string {
  return `${family} ${table} ${name}`
}

/**
 * The changes of one transaction, in their order and in steps; `sets` follows them. Sets without a name are parts of
 * rules, and none of their own.
 */
export function* readChanges(messages: readonly ReplyMessage[], sets: KnownSets): Steps<Change[]> {
  const changes: Change[] = []
  // Rules that go are told before the sets that were a part of them, and may be read after: sets go last.
  const gone: MessageRecords['nftDelSet'][] = []
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]
    if (message === undefined) continue
    yield
    switch (message.name) {
      case 'nftNewElement':
      case 'nftDelElement': {
        const elements: NftElementRecord[] = []
        const { record, name } = message
        for (let next: ReplyMessage | undefined = message; next !== undefined; next = messages[++index]) {
          if (next.name !== name || !isSameSet(next.record, record)) break
          for (const element of next.record.elements ?? []) elements.push(element)
        }
        index--
        const all = { ...record, elements }
        if (name === 'nftNewElement') sets.fill(all)
        const change = yield* readElementChange(name, all, sets)
        if (change) changes.push(change)
        break
      }
      case 'nftNewSet':
        sets.put(message.record)
        if (!isAnonymous(message.record)) changes.push(...added({ sets: [message.record], listsSets: true }))
        break
      case 'nftDelSet': {
        const known = sets.in(message.record).find(message.record.name ?? '')
        gone.push(message.record)
        if (known && isAnonymous(known)) break
        const object = named(message.record)
        const isMap = known?.dataType !== undefined || known?.objType !== undefined
        changes.push({ delete: object ? (isMap ? { map: object } : { set: object }) : opaque(message) })
        break
      }
      case 'nftNewRule':
      case 'nftDelRule':
        changes.push(readRule(message, sets))
        break
      default:
        changes.push(...readOther(message))
    }
  }
  for (const record of gone) sets.delete(record)
  return changes
}

function isSameSet(one: MessageRecords['nftNewElement'], other: MessageRecords['nftNewElement']): boolean {
  return one.set === other.set && one.table === other.table && one.family === other.family
}

function* readElementChange(
  name: 'nftNewElement' | 'nftDelElement',
  record: MessageRecords['nftNewElement'],
  sets: KnownSets,
): Steps<Change | undefined> {
  const set = sets.in(record).find(record.set ?? '')
  if (set && isAnonymous(set)) return undefined
  const family = readFamily(record.family)
  const known = set && (yield* readSet({ record: set, elements: [] }))
  const elem = set && (yield* readElementsOf({ record: set, elements: record.elements ?? [] }))
  const direction = name === 'nftNewElement' ? 'add' : 'delete'
  if (!family || !known || !elem || record.table === undefined || record.set === undefined) {
    const object: OpaqueObject = { opaque: { message: name, record: plainRecord(record) } }
    return direction === 'add' ? { add: object } : { delete: object }
  }
  // What a set of ranges is told to be outside of is no element.
  if (elem.length === 0) return undefined
  const { type, flags } = 'set' in known ? known.set : known.map
  const element: Element = {
    family,
    table: record.table,
    name: record.set,
    type,
    ...('map' in known && { map: known.map.map }),
    ...(flags && { flags }),
    elem,
  }
  return direction === 'add' ? { add: { element } } : { delete: { element } }
}

function readRule(
  message: Extract<ReplyMessage, { name: 'nftNewRule' | 'nftDelRule' }>,
  sets: KnownSets,
): Change {
  const { record, name } = message
  const family = readFamily(record.family)
  const rule = family && decompileRule(record, family, sets.in(record))
  const object = rule ? { rule } : opaque(message)
  if (name === 'nftDelRule') return { delete: object }
  // The kernel says the rule in front of those that are neither first nor last.
  const end = (message.flags & MessageFlag.append) === 0 ? 'first' : 'last'
  return {
    add: object,
    place: record.position === undefined ? end : { after: Number(record.position) },
  }
}

const nothing: KernelRuleset = {
  tables: [],
  chains: [],
  sets: [],
  listsSets: false,
  elements: [],
  objects: [],
  flowtables: [],
  rules: [],
}

/** As a listing has it. */
function added(kernel: Partial<KernelRuleset>): Change[] {
  const steps = assemble({ ...nothing, ...kernel }, {})
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value.map((add) => ({ add }))
  }
}

function readOther(message: ReplyMessage): Change[] {
  switch (message.name) {
    case 'nftNewTable':
      return added({ tables: [message.record] })
    case 'nftNewChain':
      return added({ chains: [message.record] })
    case 'nftNewObject':
      return added({ objects: [message.record] })
    case 'nftNewFlowtable':
      return added({ flowtables: [message.record] })
    case 'nftDelTable': {
      const family = readFamily(message.record.family)
      const { name } = message.record
      return [{ delete: family && name !== undefined ? { table: { family, name } } : opaque(message) }]
    }
    case 'nftDelChain': {
      const chain = named(message.record)
      return [{ delete: chain ? { chain } : opaque(message) }]
    }
    case 'nftDelObject': {
      const object = named(message.record)
      return [{ delete: (object && ofKind(message.record.type, object)) ?? opaque(message) }]
    }
    case 'nftDelFlowtable': {
      const flowtable = named(message.record)
      return [{ delete: flowtable ? { flowtable } : opaque(message) }]
    }
    default:
      return [{ add: opaque(message) }]
  }
}

function opaque(message: ReplyMessage): OpaqueObject {
  if (message.name !== 'opaque')
    return { opaque: { message: message.name, record: plainRecord(message.record) } }
  return { opaque: { message: `${message.type}`, record: plainRecord({ bytes: message.bytes }) } }
}

interface Named {
  readonly family: Family
  readonly table: string
  readonly name: string
}

function named(record: InTable & { readonly name?: string }): Named | undefined {
  const family = readFamily(record.family)
  const { table, name } = record
  return family && table !== undefined && name !== undefined ? { family, table, name } : undefined
}

function ofKind(type: number | undefined, name: Named): DeletedObject | undefined {
  const kinds = Object.keys(ObjectTypes).filter(isKind)
  switch (kinds.find((known) => ObjectTypes[known] === type)) {
    case 'counter':
      return { counter: name }
    case 'quota':
      return { quota: name }
    case 'limit':
      return { limit: name }
    case 'ct helper':
      return { 'ct helper': name }
    case 'ct timeout':
      return { 'ct timeout': name }
    case 'ct expectation':
      return { 'ct expectation': name }
    case 'secmark':
      return { secmark: name }
    case 'synproxy':
      return { synproxy: name }
    case 'tunnel':
      return { tunnel: name }
    default:
      return undefined
  }
}

function isKind(name: string): name is StatefulKind {
  return Object.hasOwn(ObjectTypes, name)
}
