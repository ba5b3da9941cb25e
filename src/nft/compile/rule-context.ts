import type { Datatype, Tunnel } from '../datatype/index.js'
import type { Family } from '../model/index.js'
import type { RangedSets, SetName } from '../ranges/index.js'
import type { RuleExpression } from './kernel-expression.js'
import type { MergeCandidate } from './merge.js'
import type { MessageSink } from './message.js'
import { ProtocolContext } from './protocols.js'
import type { RuleOrder } from './rule-order.js'
import type { SetDeclaration, SetScope } from './scope.js'
import type { Trail } from './trail.js'

/** What had to be listed before a transaction can be compiled. */
export interface Listed {
  /** Of chains that get a new name, by `chainKey`. */
  readonly chainHandles: ReadonlyMap<string, number>
  /** Of chains in which a rule's place is said by its index. */
  readonly order: RuleOrder
}

/** What all rules of a transaction share. */
export interface BatchContext {
  readonly sink: MessageSink
  readonly scope: SetScope
  readonly trail: Trail
  /** Numbers sets within the batch, so that rules can refer to those that have no name yet. */
  nextSetId: number
  /** What was listed for operations that name something by what the kernel does not know. */
  readonly listed?: Listed | undefined
  /** How sets are declared of which the caller does not say it, as far as the kernel was asked. */
  readonly told?: { find(set: SetName): SetDeclaration | undefined } | undefined
  /** Interval sets whose content is known; what is not known is left to the kernel. */
  readonly ranged?: RangedSets | undefined
  /** Rules that iptables can't read in its own tables: default `refuse`. */
  readonly iptables?: 'refuse' | 'ignore' | undefined
  /** The type iface_index with the names of the namespace; without it only indexes are taken, and `lo`. */
  readonly interfaces?: Datatype | undefined
}

/** What is known while one rule is compiled. */
export class RuleContext {
  readonly batch: BatchContext
  readonly trail: Trail
  readonly family: Family
  readonly table: string
  readonly protocols: ProtocolContext
  readonly out: RuleExpression[] = []
  /** Payload comparisons since the last statement that is none, which may be merged: see merge.ts. */
  readonly candidates: MergeCandidate[] = []

  readonly #inside = new Map<string, RuleContext>()

  constructor(
    batch: BatchContext,
    family: Family,
    table: string,
    protocols: ProtocolContext = new ProtocolContext(family),
  ) {
    this.batch = batch
    this.trail = batch.trail
    this.family = family
    this.table = table
    this.protocols = protocols
  }

  /** What is known of the packet that a tunnel carries; tests of it are put into `out` of its own. */
  inside(tunnel: Tunnel): RuleContext {
    const known = this.#inside.get(tunnel.name)
    if (known !== undefined) return known
    const made = new RuleContext(this.batch, this.family, this.table, new ProtocolContext('netdev', tunnel))
    this.#inside.set(tunnel.name, made)
    return made
  }
}
