/**
 * Expressions that the model has no statement for. They are kept with whatever they read from registers, so that what
 * is written back does the same; what reads from them is kept with them.
 */
import type { NftExpressionRecord } from '../../native/records.js'
import { verdictRegister } from './registers.js'
import type { RuleState } from './rule-state.js'

/** Where an expression reads and writes; undefined when its attributes are not known. */
interface RegisterUse {
  readonly reads: readonly number[]
  readonly writes: number | undefined
}

/** The attributes that name registers all say so: `sreg`, `sregKey`, `regAddrMin`, and `dreg` for what is written. */
function registerUse({ data, opaque }: NftExpressionRecord): RegisterUse | undefined {
  if (opaque || !data || 'opaque' in data || 'expr' in data) return undefined
  const reads: number[] = []
  let writes: number | undefined
  for (const [name, value] of Object.entries(data)) {
    if (typeof value !== 'number') continue
    if (name === 'dreg') writes = value
    else if (/^s?reg/.test(name) || name === 'setSreg') reads.push(value)
  }
  return { reads, writes }
}

/** Remembers whether an expression was seen that may have written any register. */
export class OpaqueTracker {
  /** Which statement it is in. */
  #unknownAt: number | undefined

  /** Whether an expression reads what such an expression may have written. */
  isTainted({ registers }: RuleState, expression: NftExpressionRecord): boolean {
    if (this.#unknownAt === undefined) return false
    const use = registerUse(expression)
    return use?.reads.some((register) => registers.at(register) === undefined) ?? false
  }

  keep(state: RuleState, expression: NftExpressionRecord): void {
    const { registers, statements, index } = state
    const pending = [...statements.unclaimed(index), index]
    if (this.#unknownAt !== undefined && this.isTainted(state, expression)) {
      state.protocols.settle()
      statements.collapse(this.#unknownAt, pending)
      registers.clear()
      this.#unknownAt = statements.count - 1
      return
    }
    const use = registerUse(expression)
    if (!use) {
      state.protocols.settle()
      statements.addOpaque(pending)
      registers.clear()
      this.#unknownAt = statements.count - 1
      return
    }
    const sources = use.reads
      .flatMap((register) => registers.from(register))
      .flatMap((loaded) => loaded.sources)
    if (use.writes !== undefined && use.writes !== verdictRegister) {
      // How much it writes is not known; a word at least, and what is in the way of that is gone.
      registers.load(use.writes, { value: { kind: 'opaque' }, length: 4, sources: [...sources, index] })
      return
    }
    state.protocols.settle()
    statements.addOpaque([...sources, ...pending])
  }
}
