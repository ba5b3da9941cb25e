/**
 * The objects of a ruleset, in the shape of libnftables' JSON (`man libnftables-json`, RULESET ELEMENTS). A property
 * marked "ours" is one that nft 1.0.6 does not print or does not have.
 */
import type { DatatypeName } from './datatype.js'
import type { MapElement, SetElement } from './expression.js'
import type { ChainFlag, ChainType, Family, Hook, Policy, Priority, TableFlag } from './family.js'
import type { OpaqueRecord } from './opaque.js'
import type { SetType, TypeofSpecification } from './set-type.js'
import type { FlowtableObject, StatefulKind, StatefulObject } from './stateful-object.js'
import type { Statement } from './statement.js'
import type { StatefulStatement } from './statement-set.js'
import type { WithUnknown } from './unknown.js'

export interface Table extends WithUnknown {
  readonly family: Family
  readonly name: string
  readonly handle?: number
  /** Ours. */
  readonly flags?: readonly TableFlag[]
  /** Ours. At most 128 bytes. */
  readonly comment?: string
}

/** A chain; with `type`, `hook` and `prio` a base chain. */
export interface Chain extends WithUnknown {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number
  readonly type?: ChainType
  readonly hook?: Hook
  readonly prio?: Priority
  /** Default: `accept`. */
  readonly policy?: Policy
  /** The interfaces that an ingress or egress chain is bound to. */
  readonly dev?: string | readonly string[]
  /** Ours. */
  readonly flags?: readonly ChainFlag[]
  /** Ours: what came to the end of a base chain and met its policy. Only chains that were given counters have them. */
  readonly counters?: ChainCounters
  /** Ours. At most 128 bytes. */
  readonly comment?: string
}

export interface ChainCounters {
  readonly packets: number
  readonly bytes: number
}

export interface Rule extends WithUnknown {
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly expr: readonly Statement[]
  /** Deleting and replacing: the rule. Adding: the rule to add after; inserting: the rule to insert before. */
  readonly handle?: number
  /**
   * Instead of `handle`, when adding or inserting: the place in the chain, from 0, of the rule to add after or insert
   * before. Rules of the same transaction count.
   */
  readonly index?: number
  /** Ours: a number from 1 to 2^31 - 1 by which other operations of the same transaction name the rule. */
  readonly id?: number
  /** Ours, instead of `handle`: the `id` of the rule, of the same transaction, to add after or insert before. */
  readonly nextTo?: number
  /** At most 128 bytes. */
  readonly comment?: string
}

/** `interval`: ranges and prefixes. `timeout`: elements may expire. `dynamic`: rules may add elements. */
export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic'

export interface SetProperties extends WithUnknown {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number
  /** The key's type; an array for a concatenation; or the expressions that keys come from. */
  readonly type: SetType
  readonly policy?: 'performance' | 'memory'
  readonly flags?: readonly SetFlag[]
  /** Default lifetime of elements, in seconds. */
  readonly timeout?: number
  /** Seconds between removals of expired elements. */
  readonly 'gc-interval'?: number
  /** The most elements that it may have; declare it for large hash sets, which makes them faster. */
  readonly size?: number
  /** Merge adjacent and overlapping ranges instead of refusing them. Not of maps and of several fields, as in nft. */
  readonly 'auto-merge'?: boolean
  /** What each element has for itself: counters, limits, quotas. Rules that add elements need not repeat it. */
  readonly stmt?: readonly StatefulStatement[]
  /** Ours: the bytes of each field of the key, where its type (integer, string) has no length of its own. */
  readonly keyLen?: number | readonly number[]
  /** Ours: numbers of such a key are in the byte order of the host, as `meta` and `ct` load them; default: of packets. */
  readonly keyOrder?: 'host'
  /** Ours. At most 128 bytes. */
  readonly comment?: string
}

export interface NamedSet extends SetProperties {
  readonly elem?: readonly SetElement[]
}

/** What a map gives: a verdict, a named object of a kind, a value, or the fields of a concatenation. */
export type MapType = 'verdict' | StatefulKind | DatatypeName | readonly DatatypeName[] | TypeofSpecification

export interface NamedMap extends SetProperties {
  readonly map: MapType
  /** Ours: it gives ranges of values, to translate to (`interval` before the type in nft's syntax). */
  readonly ranges?: boolean
  /** Ours: as `keyLen`, of what the map gives. */
  readonly dataLen?: number | readonly number[]
  /** Ours: as `keyOrder`, of what the map gives. */
  readonly dataOrder?: 'host'
  readonly elem?: readonly MapElement[]
}

/**
 * Elements of a named set or map. The types are ours: they may be left out where the same transaction declares the set;
 * else they are looked up, once for each set and connection.
 */
export interface Element {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly elem: readonly (SetElement | MapElement)[]
  /** Ours: the set's declared key type. */
  readonly type?: SetType
  /** Ours: the map's declared data type. */
  readonly map?: MapType
  /** Ours: the set's declared flags; `interval` decides how elements are written. */
  readonly flags?: readonly SetFlag[]
  /** Ours: the set's declared `keyLen`, `keyOrder`, `dataLen`, `dataOrder`, `ranges`, where it has them. */
  readonly keyLen?: number | readonly number[]
  readonly keyOrder?: 'host'
  readonly dataLen?: number | readonly number[]
  readonly dataOrder?: 'host'
  readonly ranges?: boolean
}

export interface TableObject {
  readonly table: Table
}
export interface ChainObject {
  readonly chain: Chain
}
export interface RuleObject {
  readonly rule: Rule
}
export interface SetObject {
  readonly set: NamedSet
}
export interface MapObject {
  readonly map: NamedMap
}
export interface ElementObject {
  readonly element: Element
}
/** An object that this library does not model, as the kernel gave it; it can be added, and be nothing else. */
export interface OpaqueObject {
  readonly opaque: { readonly message: string; readonly record: OpaqueRecord }
}

/** What a listing gives. */
export type ListedObject =
  | TableObject
  | ChainObject
  | RuleObject
  | SetObject
  | MapObject
  | StatefulObject
  | FlowtableObject
  | OpaqueObject

/** What can be added. */
export type RulesetObject =
  | TableObject
  | ChainObject
  | RuleObject
  | SetObject
  | MapObject
  | ElementObject
  | StatefulObject
  | FlowtableObject
  | OpaqueObject

/** A consistent listing. `nftables` is what libnftables' JSON has under that name. */
export interface Ruleset {
  /** The kernel's generation number that all of it belongs to. */
  readonly generation: number
  readonly nftables: readonly ListedObject[]
}
