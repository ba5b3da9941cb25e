/** The objects of a table: `const filter = table('inet', 'filter')`, then `filter.chain('input', …)`, `filter.rule('input', …)`. */
import type {
  Chain,
  ChainObject,
  Counter,
  CounterObject,
  CtExpectation,
  CtHelper,
  CtTimeout,
  ElementObject,
  Family,
  Flowtable,
  FlowtableObject,
  Limit,
  MapElement,
  MapObject,
  NamedMap,
  NamedSet,
  Quota,
  Rule,
  RuleObject,
  Secmark,
  SetElement,
  SetObject,
  StatefulObjects,
  Statement,
  Synproxy,
  Table,
  TableObject,
  Tunnel,
  Verdict,
} from '../model/index.js'
import type { BaseChain } from './base-chain.js'

/** What the table gives its objects. */
export type InTable = 'family' | 'table' | 'name' | 'handle'

/** A chain that others jump to: nothing but a comment. */
export type RegularChain = Pick<Chain, 'comment'> & { readonly hook?: never }

/** Statements after which a rule has nothing more to say: `continue` is the verdict that is not among them. */
export type EndingStatement = Extract<
  Statement,
  | { readonly accept: unknown }
  | { readonly drop: unknown }
  | { readonly return: unknown }
  | { readonly jump: unknown }
  | { readonly goto: unknown }
  | { readonly reject: unknown }
  | { readonly snat: unknown }
  | { readonly dnat: unknown }
  | { readonly masquerade: unknown }
  | { readonly redirect: unknown }
  | { readonly queue: unknown }
>

/** A statement that others may follow. */
export type PassingStatement = Exclude<Statement, EndingStatement>

/** The statements of a rule: only the last one may end it. As with `nft`, a statement after a verdict is a mistake. */
export type RuleStatements = readonly [...PassingStatement[], Statement]

/** Where a rule goes, and its comment; or only the name of its chain. */
export type RulePlace = Omit<Rule, 'family' | 'table' | 'expr'>

/** A map that gives verdicts, for {@link vmap}. */
export interface VerdictMapOptions extends Omit<NamedMap, InTable | 'map' | 'elem'> {
  readonly map: 'verdict'
  readonly elem?: readonly (readonly [SetElement, Verdict])[]
}

/** A map that gives values, for {@link map} and translations. */
export interface DataMapOptions extends Omit<NamedMap, InTable | 'map' | 'elem'> {
  readonly map: Exclude<NamedMap['map'], 'verdict'>
  readonly elem?: readonly (readonly [SetElement, Exclude<MapElement[1], Verdict>])[]
}

/** Makes the objects of one table. They are plain values: nothing happens before a transaction adds them. */
export interface TableBuilder<F extends Family> {
  /** The table itself; to be added before all else. */
  table(options?: Omit<Table, InTable>): TableObject
  /** A chain of its own (`chain('services')`), or a base chain: what the family has of types and hooks. */
  chain(name: string, options?: BaseChain<F> | RegularChain): ChainObject
  /** `rule('input', match.tcp.dport.in(80, 443), verdict.accept())`, `rule({ chain: 'input', comment: 'web' }, …)` */
  rule(place: string | RulePlace, ...expr: RuleStatements): RuleObject
  set(name: string, options: Omit<NamedSet, InTable>): SetObject
  map(name: string, options: VerdictMapOptions | DataMapOptions): MapObject
  /** Elements for a set that was added before. */
  elements(name: string, elem: readonly SetElement[]): ElementObject
  /** Elements for a map that was added before: keys and what they map to. */
  mapElements(name: string, elem: readonly MapElement[]): ElementObject
  counter(name: string, options?: Omit<Counter, InTable>): CounterObject
  quota(name: string, options: Omit<Quota, InTable>): Named<'quota'>
  limit(name: string, options: Omit<Limit, InTable>): Named<'limit'>
  ctHelper(name: string, options: Omit<CtHelper, InTable>): Named<'ct helper'>
  ctTimeout(name: string, options: CtTimeoutOptions): Named<'ct timeout'>
  ctExpectation(name: string, options: Omit<CtExpectation, InTable>): Named<'ct expectation'>
  secmark(name: string, options: Omit<Secmark, InTable>): Named<'secmark'>
  synproxy(name: string, options: Omit<Synproxy, InTable>): Named<'synproxy'>
  /** In tables of family netdev. */
  tunnel(name: string, options: TunnelOptions): Named<'tunnel'>
  /** Needs a kernel with flowtables. */
  flowtable(name: string, options: Omit<Flowtable, InTable>): FlowtableObject
}

/** An object that rules and maps name. */
export type Named<K extends keyof StatefulObjects> = { readonly [P in K]: StatefulObjects[K] }

/** {@link CtTimeout} without what the table gives; the states of the policy are those of the protocol. */
export type CtTimeoutOptions = CtTimeout extends infer T
  ? T extends CtTimeout
    ? Omit<T, InTable>
    : never
  : never

/** {@link Tunnel} without what the table gives; its options are those of its type. */
export type TunnelOptions = Tunnel extends infer T ? (T extends Tunnel ? Omit<T, InTable> : never) : never

/** The builder of a table's objects. */
export function table<F extends Family>(family: F, name: string): TableBuilder<F> {
  const inside = { family, table: name } as const
  return {
    table: (options = {}) => ({ table: { family, name, ...options } }),
    chain: (chain, options = {}) => ({ chain: { ...inside, name: chain, ...options } }),
    rule: (place, ...expr) => ({
      rule: { ...inside, ...(typeof place === 'string' ? { chain: place } : place), expr },
    }),
    set: (set, options) => ({ set: { ...inside, name: set, ...options } }),
    map: (map, options) => ({ map: { ...inside, name: map, ...options } }),
    elements: (set, elem) => ({ element: { ...inside, name: set, elem } }),
    mapElements: (map, elem) => ({ element: { ...inside, name: map, elem } }),
    counter: (counter, options = {}) => ({ counter: { ...inside, name: counter, ...options } }),
    quota: (quota, options) => ({ quota: { ...inside, name: quota, ...options } }),
    limit: (limit, options) => ({ limit: { ...inside, name: limit, ...options } }),
    ctHelper: (helper, options) => ({ 'ct helper': { ...inside, name: helper, ...options } }),
    ctTimeout: (timeout, options) => ({ 'ct timeout': { ...inside, name: timeout, ...options } }),
    ctExpectation: (expected, options) => ({ 'ct expectation': { ...inside, name: expected, ...options } }),
    secmark: (secmark, options) => ({ secmark: { ...inside, name: secmark, ...options } }),
    synproxy: (synproxy, options) => ({ synproxy: { ...inside, name: synproxy, ...options } }),
    tunnel: (tunnel, options) => ({ tunnel: { ...inside, name: tunnel, ...options } }),
    flowtable: (flowtable, options) => ({ flowtable: { ...inside, name: flowtable, ...options } }),
  }
}
