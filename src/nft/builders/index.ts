export type {
  BaseChain,
  BaseChainProperties,
  BaseChains,
  DeviceChain,
  InternetChain,
  InternetHook,
  InternetPriority,
  PriorityOf,
} from './base-chain.js'
export {
  type Computed,
  dup,
  flow,
  fwd,
  mangle,
  queue,
  resetTcpOption,
  tproxy,
  type Writable,
} from './change.js'
export type { CtDirectionFields, CtFields, WrittenCt } from './ct.js'
export {
  type DynamicMapOptions,
  type DynamicOperand,
  type DynamicOptions,
  type Elements,
  type ElementsOperation,
  elements,
  meter,
} from './dynamic.js'
export type { AddressName, ExtensionBuilders, Extensions, Presence } from './extension.js'
export { AddressField, Concatenation, FibField, Field, FlagField, type Operand } from './field.js'
export type { FieldOf, Headers, SpecialFields } from './headers.js'
export {
  type Generators,
  jhash,
  numgen,
  type OsfFields,
  type RouteFields,
  type SocketFields,
  symhash,
} from './lookup.js'
export { concat, type FibFields, type Match, match } from './match.js'
export type { MetaFields, SpecialMeta, WritableMetaKey } from './meta.js'
export { network } from './network.js'
export {
  counter,
  ctCount,
  ctExpectation,
  ctHelper,
  ctTimeout,
  last,
  limit,
  quota,
  secmark,
  synproxy,
  tunnel,
} from './state.js'
export {
  log,
  map,
  masquerade,
  type NatOptions,
  type Nats,
  nat,
  notrack,
  redirect,
  reject,
  type VerdictCases,
  type VerdictPairs,
  type Verdicts,
  verdict,
  vmap,
} from './statements.js'
export {
  type CtTimeoutOptions,
  type DataMapOptions,
  type EndingStatement,
  type InTable,
  type Named,
  type PassingStatement,
  type RegularChain,
  type RulePlace,
  type RuleStatements,
  type TableBuilder,
  type TunnelOptions,
  table,
  type VerdictMapOptions,
} from './table.js'
export type * from './values.js'
