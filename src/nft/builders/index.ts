export type { BaseChain } from './base-chain.js'
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
export {
  type DynamicMapOptions,
  type DynamicOperand,
  type DynamicOptions,
  type Elements,
  type ElementsOperation,
  elements,
  meter,
} from './dynamic.js'
export { AddressField, Concatenation, FibField, Field, FlagField, type Operand } from './field.js'
export { jhash, numgen, symhash } from './lookup.js'
export { concat, type Match, match } from './match.js'
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
  type PassingStatement,
  type RegularChain,
  type RuleStatements,
  type TableBuilder,
  table,
} from './table.js'
export type * from './values.js'
