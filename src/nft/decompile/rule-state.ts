/** What the readers of the single expressions share while one rule is read. */
import type { NftExpressionRecord } from '../../native/records.js'
import type { Tunnel } from '../datatype/index.js'
import type { Family, Statement } from '../model/index.js'
import { type Fact, Protocols } from './protocols.js'
import { Registers } from './registers.js'
import type { SetCatalog } from './set-catalog.js'
import { type Entry, isMatch, Statements } from './statements.js'
import type { Loaded } from './value.js'

export class RuleState {
  readonly family: Family
  readonly sets: SetCatalog
  readonly registers: Registers
  readonly protocols: Protocols
  readonly statements: Statements
  /** The index of the expression that is being read. */
  index = 0
  /** A comparison that a second one may turn into a range: which load it was on. */
  lowerBound: { readonly loaded: Loaded; readonly bytes: Uint8Array; readonly entry: Entry } | undefined

  constructor(family: Family, expressions: readonly NftExpressionRecord[], sets: SetCatalog) {
    this.family = family
    this.sets = sets
    this.registers = new Registers()
    this.protocols = new Protocols(family)
    this.statements = new Statements(expressions, sets)
  }

  /** Appends a statement that the current expression completes. */
  say(statement: Statement, from: readonly Loaded[] = []): Entry {
    if (!isMatch(statement)) this.protocols.settle()
    return this.statements.add(statement, [...from.flatMap((loaded) => loaded.sources), this.index])
  }

  /** Appends a match, and notes what it establishes of the packet, or of what a tunnel carries. */
  match(statement: Statement, from: readonly Loaded[], fact?: Fact, tunnel?: Tunnel): Entry {
    const entry = this.say(statement, from)
    if (fact) this.protocols.inside(tunnel).establish(fact, entry)
    return entry
  }
}
