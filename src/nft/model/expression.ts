/**
 * Expressions: the values that statements compare, look up and write. The shapes are those of libnftables' JSON
 * (`man libnftables-json`, EXPRESSIONS), so that its documentation is ours.
 */
import type { DatatypeName } from './datatype.js'
import type { ExtensionExpression } from './extension.js'
import type { LookupExpression } from './lookup-expression.js'
import type { PayloadReference, RawPayloadReference } from './payload.js'
import type {
  CtCountStatement,
  LastStatement,
  LimitRate,
  ObjectReference,
  QuotaStatement,
} from './statement-state.js'
import type { WithUnknown } from './unknown.js'
import type { Verdict } from './verdict.js'

/** A constant: an address, a port, a name (`'established'`), a number; `'@name'` is a named set or map. */
export type Immediate = string | number | boolean

/** The name of a set or map of the same table. */
export type SetReference = `@${string}`

export type MetaKey =
  | 'length'
  | 'protocol'
  | 'priority'
  | 'random'
  | 'mark'
  | 'iif'
  | 'iifname'
  | 'iiftype'
  | 'oif'
  | 'oifname'
  | 'oiftype'
  | 'skuid'
  | 'skgid'
  | 'nftrace'
  | 'rtclassid'
  | 'ibrname'
  | 'obrname'
  | 'ibridgename'
  | 'obridgename'
  | 'ibriport'
  | 'obriport'
  | 'ibrpvid'
  | 'ibrvproto'
  | 'pkttype'
  | 'cpu'
  | 'iifgroup'
  | 'oifgroup'
  | 'cgroup'
  | 'nfproto'
  | 'l4proto'
  | 'iifkind'
  | 'oifkind'
  | 'ipsec'
  /** The older name of `ipsec`. */
  | 'secpath'
  | 'secmark'
  | 'time'
  | 'day'
  | 'hour'
  | 'sdif'
  | 'sdifname'
  /** Written only, in bridge tables: the frame is routed instead of bridged. */
  | 'broute'
  | 'ibrhwaddr'

/** Keys of connection tracking that have no direction. */
export type CtKey =
  | 'state'
  | 'direction'
  | 'status'
  | 'mark'
  | 'expiration'
  | 'helper'
  | 'label'
  | 'l3proto'
  | 'protocol'
  | 'zone'
  | 'id'
  | 'secmark'
  | 'packets'
  | 'bytes'
  | 'avgpkt'

/** Keys that need a direction. `saddr` and `daddr` need `family` too, or the split `ip saddr`, `ip6 daddr`. */
export type CtDirectionKey =
  | 'saddr'
  | 'daddr'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr'
  | 'proto-src'
  | 'proto-dst'

/** Keys that take a direction or none. */
export type CtEitherKey = 'l3proto' | 'protocol' | 'zone' | 'packets' | 'bytes' | 'avgpkt'

export type CtDirection = 'original' | 'reply'

export type CtReference =
  | { readonly key: CtKey; readonly dir?: never; readonly family?: never }
  | { readonly key: CtEitherKey; readonly dir: CtDirection; readonly family?: never }
  | { readonly key: CtDirectionKey; readonly dir: CtDirection; readonly family?: 'ip' | 'ip6' }

/** `check`: whether there is a route, as `true` or `false`. */
export type FibResult = 'oif' | 'oifname' | 'type' | 'check'
export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'

export interface PayloadExpression {
  readonly payload: PayloadReference | RawPayloadReference
}

export interface MetaExpression {
  readonly meta: { readonly key: MetaKey }
}

export interface CtExpression {
  readonly ct: CtReference
}

/** A question to the routing table: `{ result: 'type', flags: ['daddr'] }`. */
export interface FibExpression {
  readonly fib: { readonly result: FibResult; readonly flags: FibFlag | readonly FibFlag[] }
}

/** `a . b . c`: several fields looked up or mapped as one. */
export interface ConcatExpression {
  readonly concat: readonly Expression[]
}

/** An anonymous set: values, ranges, prefixes; in a map or vmap pairs of a key and what it maps to. */
export interface SetExpression {
  readonly set: readonly (SetElement | MapElement)[]
}

/** A literal verdict map: keys, and the verdict of each. */
export interface VerdictMapExpression {
  readonly set: readonly (readonly [SetElement, Verdict])[]
}

/** A literal map: keys, and the value of each. */
export interface ValueMapExpression {
  readonly set: readonly (readonly [SetElement, Expression])[]
}

/** What `key` maps to, in a named map or in a literal one. */
export interface MapExpression {
  readonly map: {
    readonly key: Expression
    readonly data: SetReference | ValueMapExpression
    /**
     * Ours: the type that a named map gives, for a map that the same transaction does not declare. Needed where it
     * decides on the meaning: an address, or an address and a port, in `dnat`.
     */
    readonly type?: DatatypeName | readonly DatatypeName[]
  }
}

/** A network: `{ prefix: { addr: '10.0.0.0', len: 8 } }`; of marks and other numbers those that begin alike. */
export interface PrefixExpression {
  readonly prefix: { readonly addr: string | number; readonly len: number }
}

/** Both ends included. */
export interface RangeExpression {
  readonly range: readonly [Expression, Expression]
}

export type BinaryOperator = '&' | '|' | '^' | '<<' | '>>'

/** A bit operation; exactly one operator. `|` (and the others) may have more than two operands, from left to right. */
export type BinaryExpression =
  | { readonly '&': readonly Expression[] }
  | { readonly '|': readonly Expression[] }
  | { readonly '^': readonly Expression[] }
  | { readonly '<<': readonly Expression[] }
  | { readonly '>>': readonly Expression[] }

/** A set element with its attributes. `timeout` and `expires` in seconds (fractions down to a millisecond). */
export interface ElemExpression {
  readonly elem: WithUnknown & {
    readonly val: Expression
    readonly timeout?: number
    /** Listed, and accepted when adding: what is left of the timeout. */
    readonly expires?: number
    readonly comment?: string
    readonly counter?: { readonly packets: number; readonly bytes: number } | null
    readonly limit?: LimitRate
    readonly quota?: Exclude<QuotaStatement['quota'], ObjectReference>
    readonly 'ct count'?: CtCountStatement['ct count']
    readonly last?: LastStatement['last']
  }
}

/** A key of a set or map. */
export type SetElement = Expression | ElemExpression

/** A key and what it maps to. */
export type MapElement = readonly [SetElement, Expression | Verdict]

/** Ours: a value that comes later, in a rule or an element that is prepared (`prepare`). Nowhere else. */
export interface SlotExpression {
  readonly slot: string
}

/** A list stands for alternatives of flags: `ct state established,related`. */
export type ListExpression = readonly Expression[]

export type Expression =
  | Immediate
  | ListExpression
  | PayloadExpression
  | MetaExpression
  | CtExpression
  | FibExpression
  | ExtensionExpression
  | LookupExpression
  | ConcatExpression
  | SetExpression
  | MapExpression
  | PrefixExpression
  | RangeExpression
  | BinaryExpression
  | SlotExpression
