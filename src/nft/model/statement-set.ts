/** Statements that put elements into sets and maps, from packets. */
import type { DatatypeName } from './datatype.js'
import type { Expression, SetReference } from './expression.js'
import type {
  CounterStatement,
  CtCountStatement,
  LastStatement,
  LimitStatement,
  QuotaStatement,
} from './statement-state.js'

/** What each element of a set may have a state of. */
export type StatefulStatement =
  | CounterStatement
  | LimitStatement
  | QuotaStatement
  | CtCountStatement
  | LastStatement

export type SetOperation = 'add' | 'update' | 'delete'

/** A key made from the packet, with the lifetime of its element in seconds. */
export type DynamicKey =
  | Expression
  | { readonly elem: { readonly val: Expression; readonly timeout?: number } }

/** Adds an element to a set (`update`: and begins its timeout anew), or deletes it. */
export interface SetStatement {
  readonly set: {
    readonly op: SetOperation
    readonly elem: DynamicKey
    readonly set: SetReference
    /** What the new element counts or limits; the rule goes on only if it matches. */
    readonly stmt?: readonly StatefulStatement[]
  }
}

/** As {@link SetStatement}, with what the key maps to. nft has it in JSON from 1.0.8 on. */
export interface MapStatement {
  readonly map: {
    readonly op: SetOperation
    readonly elem: DynamicKey
    readonly data: Expression
    readonly map: SetReference
    /** Ours: the type that the map gives, for a constant and a map that the same transaction does not declare. */
    readonly type?: DatatypeName
    readonly stmt?: readonly StatefulStatement[]
  }
}

/** An older form of {@link SetStatement}, with a set that belongs to the rule. */
export interface MeterStatement {
  readonly meter: {
    readonly name: string
    readonly key: DynamicKey
    readonly stmt: StatefulStatement
    /** Elements at most; the kernel's default is 65535. */
    readonly size?: number
  }
}
