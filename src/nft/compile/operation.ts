/** One operation of a transaction to messages. */
import { atOnce } from '../../native/slices.js'
import { InvalidValue, quote } from '../datatype/index.js'
import type { Element, Rule, RulesetObject } from '../model/index.js'
import {
  addChain,
  type ChainReference,
  type ChainRenaming,
  deleteChain,
  flushChain,
  renameChain,
} from './chain.js'
import { changeElements } from './elements-of-set.js'
import { addFlowtable, deleteFlowtable } from './flowtable.js'
import type { PreparedMessages, Removal } from './message.js'
import {
  addObject,
  deleteObject,
  isStateful,
  kindOf,
  type ObjectName,
  type StatefulReference,
} from './object.js'
import { addOpaqueObject } from './opaque-object.js'
import { addRule, deleteRule, type RuleReference } from './rule.js'
import type { BatchContext } from './rule-context.js'
import { chainKey } from './rule-order.js'
import { addSet, deleteSet, flushSet, type SetReferenceObject } from './set.js'
import { addTable, deleteTable, flushRuleset, flushTable, type TableReference } from './table.js'

/** What can be deleted; only what names the object is needed. */
export type DeletableObject =
  | { readonly table: TableReference }
  | { readonly chain: ChainReference }
  | { readonly rule: RuleReference }
  | { readonly set: SetReferenceObject }
  | { readonly map: SetReferenceObject }
  | { readonly element: Element }
  | StatefulReference
  | { readonly flowtable: ObjectName }

/** What can be emptied: the rules of a table or chain, the elements of a set or map; `ruleset` deletes every table. */
export type FlushableObject =
  | { readonly ruleset: null | { readonly family?: TableReference['family'] } }
  | { readonly table: TableReference }
  | { readonly chain: ChainReference }
  | { readonly set: SetReferenceObject }
  | { readonly map: SetReferenceObject }

/** A command of libnftables' JSON: `{ add: { table: … } }`. */
export type Operation =
  | { readonly add: RulesetObject }
  | { readonly create: RulesetObject }
  | { readonly insert: { readonly rule: Rule } }
  | { readonly replace: { readonly rule: Rule } }
  | { readonly delete: DeletableObject }
  | { readonly destroy: DeletableObject }
  | { readonly rename: { readonly chain: ChainRenaming } }
  | { readonly flush: FlushableObject }
  | { readonly prepared: PreparedMessages }

const NLM_F_ECHO = 0x08
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400

/** Options of a whole batch. */
export interface CompileOptions {
  /** The kernel echoes what was added, with its handle. */
  readonly echo: boolean
}

/** Compiles an operation; the trail stands at it: `operations[3]`. */
export function compileOperation(batch: BatchContext, operation: Operation, options: CompileOptions): void {
  const { trail } = batch
  if ('add' in operation) add(batch, operation.add, options, 0)
  else if ('create' in operation) add(batch, operation.create, options, NLM_F_EXCL)
  else if ('insert' in operation) place(batch, operation.insert.rule, 'insert', options)
  else if ('replace' in operation) place(batch, operation.replace.rule, 'replace', options)
  else if ('delete' in operation) remove(batch, operation.delete, 'Del')
  else if ('destroy' in operation) remove(batch, operation.destroy, 'Destroy')
  else if ('rename' in operation) rename(batch, operation.rename.chain)
  else if ('flush' in operation) flush(batch, operation.flush)
  else if ('prepared' in operation) addPrepared(batch, operation.prepared, options)
  else throw new InvalidValue(`${quote(operation)} is no operation`)
  trail.leave()
}

/** The trail stands at the operation, and at its rows behind it. */
export function* addPreparedInSteps(
  batch: BatchContext,
  prepared: PreparedMessages,
  options: CompileOptions,
): Generator<undefined, void, undefined> {
  batch.trail.enter('rows')
  yield* prepared.pack(batch.sink, options.echo ? NLM_F_ECHO : 0, batch.trail)
}

function addPrepared(batch: BatchContext, prepared: PreparedMessages, options: CompileOptions): void {
  atOnce(addPreparedInSteps(batch, prepared, options))
}

function place(
  batch: BatchContext,
  rule: Rule,
  placement: 'insert' | 'replace',
  options: CompileOptions,
): void {
  batch.trail.enter('rule')
  addRule(batch, rule, placement, options.echo ? NLM_F_ECHO : 0)
}

function add(batch: BatchContext, object: RulesetObject, options: CompileOptions, exclusive: number): void {
  const { trail } = batch
  const echo = options.echo ? NLM_F_ECHO : 0
  const flags = NLM_F_CREATE | exclusive | echo
  if ('element' in object) {
    trail.enter('element')
    changeElements(batch, object.element, 'New', exclusive)
  } else if ('rule' in object) {
    trail.enter('rule')
    addRule(batch, object.rule, 'add', exclusive | echo)
  } else if ('set' in object) {
    trail.enter('set')
    addSet(batch, object.set, flags)
  } else if ('map' in object) {
    trail.enter('map')
    addSet(batch, object.map, flags)
  } else if ('chain' in object) {
    trail.enter('chain')
    addChain(batch, object.chain, flags)
  } else if ('table' in object) {
    trail.enter('table')
    addTable(batch, object.table, flags)
  } else if ('flowtable' in object) {
    trail.enter('flowtable')
    addFlowtable(batch, object.flowtable, flags)
  } else if ('opaque' in object) {
    trail.enter('opaque')
    addOpaqueObject(batch, object.opaque, flags)
  } else if (isStateful(object)) {
    trail.enter(kindOf(object))
    addObject(batch, object, flags)
  } else {
    throw new InvalidValue(`${quote(object)} is no object that can be added`)
  }
}

function rename(batch: BatchContext, chain: ChainRenaming): void {
  batch.trail.enter('chain')
  const key = chainKey({ family: chain.family, table: chain.table, chain: chain.name })
  const handle = chain.handle ?? batch.listed?.chainHandles.get(key)
  if (handle === undefined && batch.listed !== undefined)
    throw new InvalidValue(`there is no chain ${chain.name}`, 'NFB_MISSING')
  renameChain(batch, chain, handle)
}

function remove(batch: BatchContext, object: DeletableObject, removal: Removal): void {
  const { trail } = batch
  if ('element' in object) {
    trail.enter('element')
    changeElements(batch, object.element, removal, 0)
  } else if ('rule' in object) {
    trail.enter('rule')
    deleteRule(batch, object.rule, removal)
  } else if ('set' in object || 'map' in object) {
    trail.enter('set' in object ? 'set' : 'map')
    const set = 'set' in object ? object.set : object.map
    batch.ranged?.delete(set.family, set.table, set.name)
    deleteSet(batch, set, removal)
  } else if ('chain' in object) {
    trail.enter('chain')
    const { family, table, name } = object.chain
    batch.listed?.order.flush(family, table, name)
    deleteChain(batch, object.chain, removal)
  } else if ('table' in object) {
    trail.enter('table')
    batch.listed?.order.flush(object.table.family, object.table.name)
    batch.ranged?.delete(object.table.family, object.table.name)
    deleteTable(batch, object.table, removal)
  } else if ('flowtable' in object) {
    trail.enter('flowtable')
    deleteFlowtable(batch, object.flowtable, removal)
  } else if (isStateful(object)) {
    trail.enter(kindOf(object))
    deleteObject(batch, object, removal)
  } else {
    throw new InvalidValue(`${quote(object)} is no object that can be deleted`)
  }
}

function flush(batch: BatchContext, object: FlushableObject): void {
  const { trail } = batch
  if ('ruleset' in object) {
    trail.enter('ruleset')
    batch.listed?.order.flush(object.ruleset?.family)
    batch.ranged?.delete(object.ruleset?.family)
    flushRuleset(batch, object.ruleset?.family)
  } else if ('chain' in object) {
    trail.enter('chain')
    const { family, table, name } = object.chain
    batch.listed?.order.flush(family, table, name)
    flushChain(batch, object.chain)
  } else if ('set' in object || 'map' in object) {
    trail.enter('set' in object ? 'set' : 'map')
    const set = 'set' in object ? object.set : object.map
    batch.ranged?.flush(set)
    flushSet(batch, set)
  } else if ('table' in object) {
    trail.enter('table')
    batch.listed?.order.flush(object.table.family, object.table.name)
    flushTable(batch, object.table)
  } else {
    throw new InvalidValue(`${quote(object)} is nothing that can be flushed`)
  }
}
