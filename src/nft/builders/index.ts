export type { BaseChain } from './base-chain.js'
export { AddressField, Concatenation, FibField, Field, FlagField, type Operand } from './field.js'
export { jhash, numgen, symhash } from './lookup.js'
export { concat, type Match, match } from './match.js'
export { network } from './network.js'
export {
  counter,
  limit,
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
