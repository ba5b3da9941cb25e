import type {
  Expression,
  Immediate,
  MatchOperator,
  MatchStatement,
  PrefixExpression,
  RangeExpression,
  SetReference,
  SlotExpression,
} from '../model/index.js'
import { network } from './network.js'

/** `name` as the model refers to a set; `'@name'` is taken as well. */
export function setReference(name: string): SetReference {
  return name.startsWith('@') ? `@${name.slice(1)}` : `@${name}`
}

function statement(op: MatchOperator, left: Expression, right: Expression): MatchStatement {
  return { match: { op, left, right } }
}

/** Something that a packet has, and the matches on it. `expression` is what the model calls it. */
export class Field<V extends Immediate, E extends Expression = Expression> {
  readonly expression: E

  constructor(expression: E) {
    this.expression = expression
  }

  /** `field == value` */
  eq(value: V | RangeExpression | PrefixExpression | SlotExpression): MatchStatement {
    return statement('==', this.expression, this.constant(value))
  }

  /** `field != value` */
  ne(value: V | RangeExpression | PrefixExpression | SlotExpression): MatchStatement {
    return statement('!=', this.expression, this.constant(value))
  }

  lt(value: V | SlotExpression): MatchStatement {
    return statement('<', this.expression, value)
  }

  le(value: V | SlotExpression): MatchStatement {
    return statement('<=', this.expression, value)
  }

  gt(value: V | SlotExpression): MatchStatement {
    return statement('>', this.expression, value)
  }

  ge(value: V | SlotExpression): MatchStatement {
    return statement('>=', this.expression, value)
  }

  /** From `low` to `high`, both included. */
  between(low: V, high: V): MatchStatement {
    return statement('==', this.expression, { range: [low, high] })
  }

  notBetween(low: V, high: V): MatchStatement {
    return statement('!=', this.expression, { range: [low, high] })
  }

  /** One of several values: `field { a, b }`. */
  in(...values: readonly (V | RangeExpression | PrefixExpression)[]): MatchStatement {
    return statement('==', this.expression, { set: values.map((value) => this.constant(value)) })
  }

  notIn(...values: readonly (V | RangeExpression | PrefixExpression)[]): MatchStatement {
    return statement('!=', this.expression, { set: values.map((value) => this.constant(value)) })
  }

  /** `field @name` */
  inSet(name: string): MatchStatement {
    return statement('==', this.expression, setReference(name))
  }

  /** `field != @name` */
  notInSet(name: string): MatchStatement {
    return statement('!=', this.expression, setReference(name))
  }

  /** The field with some of its bits only: `field.and(0xff).eq(5)`. With another field: kernel 6.13. */
  and(mask: Operand): Field<V> {
    return new Field({ '&': [this.expression, expressionOf(mask)] })
  }

  /** The field with some bits set: `mangle(match.meta.mark, match.meta.mark.or(0x4000))`. */
  or(bits: Operand): Field<V> {
    return new Field({ '|': [this.expression, expressionOf(bits)] })
  }

  xor(bits: Operand): Field<V> {
    return new Field({ '^': [this.expression, expressionOf(bits)] })
  }

  shiftLeft(bits: number): Field<V> {
    return new Field({ '<<': [this.expression, bits] })
  }

  shiftRight(bits: number): Field<V> {
    return new Field({ '>>': [this.expression, bits] })
  }

  /** What a constant is in the model; fields of addresses read prefixes. */
  protected constant(value: V | RangeExpression | PrefixExpression | SlotExpression): Expression {
    return value
  }
}

/** A field of IP addresses: takes networks and ranges too, `'10.0.0.0/8'`, `'10.0.0.1-10.0.0.9'`. */
export class AddressField<E extends Expression = Expression> extends Field<string, E> {
  protected override constant(
    value: string | RangeExpression | PrefixExpression | SlotExpression,
  ): Expression {
    return typeof value === 'string' ? network(value) : value
  }
}

/** A field of flags, of which several may be set. */
export class FlagField<V extends Immediate, E extends Expression = Expression> {
  readonly expression: E

  constructor(expression: E) {
    this.expression = expression
  }

  /** Any of the flags: `ct state established,related`. */
  in(...flags: readonly [V, ...V[]]): MatchStatement {
    const [only] = flags
    return statement('in', this.expression, flags.length === 1 ? only : flags)
  }

  /** None of the flags. */
  none(...flags: readonly [V, ...V[]]): MatchStatement {
    const [only] = flags
    return statement('!', this.expression, flags.length === 1 ? only : flags)
  }

  /** These flags and no others. */
  eq(...flags: readonly [V, ...V[]]): MatchStatement {
    const [only] = flags
    return statement('==', this.expression, flags.length === 1 ? only : { '|': flags })
  }

  /** Not exactly these flags. */
  ne(...flags: readonly [V, ...V[]]): MatchStatement {
    const [only] = flags
    return statement('!=', this.expression, flags.length === 1 ? only : { '|': flags })
  }

  inSet(name: string): MatchStatement {
    return statement('==', this.expression, setReference(name))
  }

  /** Some of the flags only: `match.tcp.flags.and('syn', 'ack').eq('syn')`. */
  and(...flags: readonly [V, ...V[]]): FlagField<V> {
    const [only] = flags
    return new FlagField({ '&': [this.expression, flags.length === 1 ? only : { '|': flags }] })
  }
}

/** Whether there is an answer at all, beside its value. */
export class FibField<V extends Immediate> extends Field<V> {
  exists(): MatchStatement {
    return statement('==', this.expression, true)
  }

  missing(): MatchStatement {
    return statement('==', this.expression, false)
  }
}

/** A concatenation: several fields compared as one, with sets only. */
export class Concatenation {
  readonly expression: Expression

  constructor(expression: Expression) {
    this.expression = expression
  }

  /** `a . b @name` */
  inSet(name: string): MatchStatement {
    return statement('==', this.expression, setReference(name))
  }

  /** `a . b != @name` */
  notInSet(name: string): MatchStatement {
    return statement('!=', this.expression, setReference(name))
  }

  /** `a . b { x . y, … }`: each key has a value for each field. */
  in(...keys: readonly (readonly Expression[])[]): MatchStatement {
    return statement('==', this.expression, { set: keys.map((key) => ({ concat: key })) })
  }

  notIn(...keys: readonly (readonly Expression[])[]): MatchStatement {
    return statement('!=', this.expression, { set: keys.map((key) => ({ concat: key })) })
  }
}

/** A field or concatenation of the builders, or an expression of the model. */
export type Operand = { readonly expression: Expression } | Expression

/** The expression of an operand. */
export function expressionOf(operand: Operand): Expression {
  return typeof operand === 'object' && 'expression' in operand ? operand.expression : operand
}
