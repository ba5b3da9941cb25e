/**
 * Rules of a transaction that differ in constants only are prepared without being asked for: thousands of alike rules cost
 * what their constants cost. What is sent is the same to the byte.
 */
import { MessageFlag, Packer } from '../../native/pack.js'
import { setReference } from '../compile/constant.js'
import { type BatchContext, type Operation, Trail } from '../compile/index.js'
import { SlotProbe } from '../compile/slot.js'
import { InvalidValue } from '../datatype/index.js'
import type { Immediate, Rule, Statement } from '../model/index.js'
import { Prepared } from './prepared.js'
import { compileOne, encoded, template } from './template.js'

/** So many alike rules come one after the other before it is worth while. */
const FIRST = 3
/** A transaction whose rules cannot be prepared is compiled as it is from here on. */
const MOST_FAILURES = 8
/** Statements are counted in the bits of a number. */
const MOST_STATEMENTS = 30
const FIRST_ROWS = 64

type Value = string | number

/** Takes rules out of the stream of a transaction's operations; one for each commit. */
export class AlikeRules {
  readonly #batch: BatchContext
  readonly #flags: number
  /** What rules are compared with. */
  #model: Rule | undefined
  /** The statements, as bits, in whose constants the rules differed so far. */
  #differing = 0
  #alike = 0
  #failures = 0
  #prepared: Prepared | undefined
  /** The statements that the slots of `#prepared` stand in. */
  #columns: readonly number[] = []
  #words = new Uint32Array(0)
  #bytes = new Uint8Array(0)
  #rows = 0

  /** @param echo whether the kernel shall send back what was added, with its handles */
  constructor(batch: BatchContext, echo: boolean) {
    this.#batch = batch
    this.#flags = echo ? MessageFlag.echo : 0
  }

  /**
   * Takes an operation, which then makes one message, if it adds a rule like those before. If not, what was taken must be
   * {@link flush}ed before the operation is compiled.
   */
  take(operation: Operation): boolean {
    if (this.#failures > MOST_FAILURES) return false
    const rule = 'add' in operation && 'rule' in operation.add ? operation.add.rule : undefined
    const differing = rule === undefined || this.#model === undefined ? -1 : differences(this.#model, rule)
    if (rule === undefined || differing < 0) {
      this.#begin(rule)
      return false
    }
    if ((differing & ~this.#differing) !== 0) {
      this.#differing |= differing
      this.flush()
      this.#prepared = undefined
    }
    this.#alike++
    if (this.#prepared === undefined) {
      if (this.#alike < FIRST || this.#differing === 0) return false
      this.flush()
      if (!this.#prepare(rule)) {
        this.#failures++
        this.#begin(undefined)
        return false
      }
    }
    return this.#prepared !== undefined && this.#put(this.#prepared, rule)
  }

  /** Packs what was taken. */
  flush(): void {
    const prepared = this.#prepared
    if (prepared === undefined || this.#rows === 0) return
    const words = this.#words.subarray(0, (this.#rows * prepared.rowBytes) / 4)
    this.#batch.sink.stamp?.(this.#flags, prepared.ofBytes, words)
    this.#rows = 0
  }

  #begin(rule: Rule | undefined): void {
    this.flush()
    this.#model = rule !== undefined && isPlaced(rule) ? undefined : rule
    this.#differing = 0
    this.#alike = 0
    this.#prepared = undefined
  }

  /** @param rule for which the outcome is compared with what the compiler makes of it */
  #prepare(rule: Rule): boolean {
    const columns = [...rule.expr.keys()].filter((index) => (this.#differing & (1 << index)) !== 0)
    const probes = columns.map((index) => new SlotProbe(String(index)))
    const { scope } = this.#batch
    try {
      const made = template({ rule: withProbesAt(rule, columns, probes) }, probes, scope, new Trail())
      const prepared = new Prepared(made, probes)
      const plain = compileOne({ rule }, scope, new Trail())
      const words = new Uint32Array(prepared.rowBytes / 4)
      writeRow(prepared, columns, rule, new Uint8Array(words.buffer), 0)
      const packer = new Packer()
      packer.stamp(0, prepared.ofBytes, words)
      if (!isSame(encoded(packer), plain)) return false
      this.#prepared = prepared
      this.#columns = columns
      return true
    } catch (error) {
      if (error instanceof InvalidValue) return false
      throw error
    }
  }

  #put(prepared: Prepared, rule: Rule): boolean {
    const start = this.#rows * prepared.rowBytes
    if (start + prepared.rowBytes > this.#bytes.length) this.#grow(start + prepared.rowBytes)
    try {
      writeRow(prepared, this.#columns, rule, this.#bytes, start)
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error
      // A value that is none, or that the compiler makes something else of: it shall say so.
      this.#failures++
      return false
    }
    this.#rows++
    return true
  }

  #grow(least: number): void {
    const words = new Uint32Array(Math.max(least, FIRST_ROWS * 16, this.#bytes.length * 2) / 4)
    words.set(this.#words)
    this.#words = words
    this.#bytes = new Uint8Array(words.buffer)
  }
}

/** A rule with a place of its own is left to the compiler. */
function isPlaced({ handle, index, id, nextTo }: Rule): boolean {
  return handle !== undefined || index !== undefined || id !== undefined || nextTo !== undefined
}

function withProbesAt(rule: Rule, columns: readonly number[], probes: readonly SlotProbe[]): Rule {
  const expr = rule.expr.map((statement, index): Statement => {
    const probe = probes[columns.indexOf(index)]
    return probe === undefined || !('match' in statement)
      ? statement
      : { match: { ...statement.match, right: probe } }
  })
  return { ...rule, expr }
}

function writeRow(
  prepared: Prepared,
  columns: readonly number[],
  rule: Rule,
  target: Uint8Array,
  start: number,
): void {
  for (let column = 0; column < columns.length; column++) {
    const statement = rule.expr[columns[column] ?? 0]
    if (statement === undefined || !('match' in statement)) continue
    prepared.writeValue(column, statement.match.right, target, start)
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

/** In the constants of which statements two rules differ, as bits; -1 when they differ otherwise. */
function differences(model: Rule, rule: Rule): number {
  const { expr } = rule
  if (!Array.isArray(expr) || expr.length !== model.expr.length || expr.length > MOST_STATEMENTS) return -1
  if (rule.family !== model.family || rule.table !== model.table || rule.chain !== model.chain) return -1
  if (rule.comment !== model.comment || isPlaced(rule) || hasMore(rule, model)) return -1
  let bits = 0
  for (let index = 0; index < expr.length; index++) {
    const own = rule.expr[index]
    const others = model.expr[index]
    if (own === undefined || others === undefined) return -1
    const found = compareStatements(others, own)
    if (found < 0) return -1
    bits |= found << index
  }
  return bits
}

/** 0: they are equal; 1: they are matches with other constants; -1: they differ otherwise. */
function compareStatements(model: Statement, own: Statement): number {
  if (model === own) return 0
  if (!isObject(own) || !isObject(model)) return -1
  if (!('match' in own) || !('match' in model)) return isEqual(model, own) ? 0 : -1
  const one = model.match
  const other = own.match
  if (!isObject(other) || one.op !== other.op || !isEqual(one.left, other.left)) return -1
  if (hasMore(own, model) || hasMore(other, one)) return -1
  if (one.right === other.right) return 0
  if (isValue(one.right) && isValue(other.right) && typeof one.right === typeof other.right) return 1
  return isEqual(one.right, other.right) ? 0 : -1
}

/** Whether one has properties beside those of the other: the compiler would pass over them, and they are refused. */
function hasMore(own: object, model: object): boolean {
  let more = 0
  for (const _ in own) more++
  for (const _ in model) more--
  return more > 0
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Constants that are compiled alike, whatever their value; names of sets and questions for presence are not. */
function isValue(value: unknown): value is Value & Immediate {
  if (typeof value === 'number') return true
  return (
    typeof value === 'string' &&
    setReference(value) === undefined &&
    value !== 'exists' &&
    value !== 'missing'
  )
}

type Properties = { readonly [name: string]: unknown }

function isProperties(value: unknown): value is Properties {
  return isObject(value)
}

function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (!isProperties(one) || !isProperties(other) || Array.isArray(one) !== Array.isArray(other)) return false
  // What has no properties to compare (bytes have, one for each) is equal to itself only.
  let count = 0
  for (const name in one) {
    if (!isEqual(one[name], other[name])) return false
    count++
  }
  for (const _ in other) count--
  return count === 0
}
