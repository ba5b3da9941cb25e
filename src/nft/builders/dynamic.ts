/** Rules that put elements into sets and maps: `elements.update('clients', match.ip.saddr, { timeout: 60 })`. */
import type {
  DynamicKey,
  Expression,
  Immediate,
  MapStatement,
  MeterStatement,
  SetOperation,
  SetStatement,
  StatefulStatement,
} from '../model/index.js'
import { expressionOf, type Operand, setReference } from './field.js'

/** What an element gets when it is added. */
export interface DynamicOptions {
  /** Seconds until it expires; default: what the set says. */
  readonly timeout?: number
  /** What each element counts or limits by itself; the rule goes on only if it matches. */
  readonly stmt?: readonly StatefulStatement[]
}

export interface DynamicMapOptions extends DynamicOptions {
  /** What the key maps to. */
  readonly data: Operand
}

/** One of the operations, on a set or, with `data`, on a map. The key comes from the packet. */
export interface ElementsOperation {
  (set: string, key: DynamicOperand, options?: DynamicOptions & { readonly data?: never }): SetStatement
  (map: string, key: DynamicOperand, options: DynamicMapOptions): MapStatement
}

/** A field, a concatenation, or an expression: no constant, which would be an element of the set once and for all. */
export type DynamicOperand = Exclude<Operand, Immediate>

export interface Elements {
  /** Adds an element that is not there yet. */
  readonly add: ElementsOperation
  /** As `add`; of an element that is there the timeout begins anew. */
  readonly update: ElementsOperation
  readonly delete: ElementsOperation
}

function dynamicKey(key: Operand, timeout: number | undefined): DynamicKey {
  const val: Expression = expressionOf(key)
  return timeout === undefined ? val : { elem: { val, timeout } }
}

function operation(op: SetOperation): ElementsOperation {
  function change(set: string, key: DynamicOperand, options?: DynamicOptions): SetStatement
  function change(map: string, key: DynamicOperand, options: DynamicMapOptions): MapStatement
  function change(
    name: string,
    key: DynamicOperand,
    { timeout, stmt, data }: DynamicOptions & { readonly data?: Operand } = {},
  ): SetStatement | MapStatement {
    const common = { op, elem: dynamicKey(key, timeout), ...(stmt === undefined ? {} : { stmt }) }
    return data === undefined
      ? { set: { ...common, set: setReference(name) } }
      : { map: { ...common, data: expressionOf(data), map: setReference(name) } }
  }
  return change
}

export const elements: Elements = {
  add: operation('add'),
  update: operation('update'),
  delete: operation('delete'),
}

/** A limit, counter or quota for each key, in a set of the rule's own: `meter('ssh', match.ip.saddr, limit({ rate: 3 }))`. */
export function meter(
  name: string,
  key: DynamicOperand,
  stmt: StatefulStatement,
  options: { readonly size?: number; readonly timeout?: number } = {},
): MeterStatement {
  const { size, timeout } = options
  return { meter: { name, key: dynamicKey(key, timeout), stmt, ...(size === undefined ? {} : { size }) } }
}
