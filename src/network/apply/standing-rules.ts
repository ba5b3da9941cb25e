import { NfbridgeError } from '../../errors.js'
import type { CountFilter, Nft, TableCounts } from '../../nft/index.js'
import type { ElementChange, SetElement } from '../plan/elements.js'
import { hookFaults } from '../rules/hooked.js'
import type { TableFamily } from '../rules/names.js'
import { ruleCounts } from '../rules/ruleset.js'
import { isInTable, isOfNetworks, setsOf } from '../rules/sets.js'
import type { RulesetConditions } from '../rules/standing.js'
import { listTable } from './user-rules.js'

/** `emptied`: no rule of ours is left where the users have theirs, as after `nft flush table`. */
export type Standing = 'whole' | 'damaged' | 'emptied'

/**
 * Whether our rules and elements stand as we made them. As long as nobody else commits, the ruleset's generation says so:
 * each commit of ours is the next. When it is another, our rules and elements are counted.
 */
export class StandingRules {
  readonly #nft: Nft
  readonly #table: string
  /** By the name of the set. */
  readonly #elements = new Map<string, number>()
  /** The sets for whose elements the rules stand: all that have any, and some that had. */
  #ruled: ReadonlySet<string> = new Set()
  #generation: number | undefined
  #offload: readonly string[] | undefined

  constructor(nft: Nft, table: string) {
    this.#nft = nft
    this.#table = table
  }

  /** The generation in which they stand; undefined when they must be counted. */
  get generation(): number | undefined {
    return this.#generation
  }

  /** The devices of the flowtable; undefined where offload is not in effect. */
  get offload(): readonly string[] | undefined {
    return this.#offload
  }

  /** The sets for whose elements the rules stand. */
  get ruled(): ReadonlySet<string> {
    return this.#ruled
  }

  /** What decides which of our rules stand. */
  get conditions(): RulesetConditions {
    return { sets: this.#ruled, offload: this.#offload }
  }

  /**
   * The same with a change that is not committed yet; undefined where the same rules stand then, as after nearly every change. Rules whose
   * sets become empty stay until a network changes: to the only container of a host, which comes and goes, they would cost more
   * than to its packets.
   * @param former of a change that is undone: what {@link ruled} was before it
   */
  conditionsWith(change: ElementChange, former?: ReadonlySet<string>): RulesetConditions | undefined {
    const sets = this.#ruledWith(change, former)
    return sets === this.#ruled ? undefined : { sets, offload: this.#offload }
  }

  #ruledWith(change: ElementChange, former?: ReadonlySet<string>): ReadonlySet<string> {
    const by = new Map<string, number>()
    for (const { set } of change.add) by.set(set, (by.get(set) ?? 0) + 1)
    for (const { set } of change.delete) by.set(set, (by.get(set) ?? 0) - 1)
    const has = (set: string): boolean => this.#count(set) + (by.get(set) ?? 0) > 0
    const stay = former ?? ([...by.keys()].some(isOfNetworks) ? new Set<string>() : this.#ruled)
    const sets = [...new Set([...this.#ruled, ...stay, ...by.keys()])].filter(
      (set) => stay.has(set) || has(set),
    )
    const isSame = sets.length === this.#ruled.size && sets.every((set) => this.#ruled.has(set))
    return isSame ? this.#ruled : new Set(sets)
  }

  /** Somebody has committed. */
  forget(): void {
    this.#generation = undefined
  }

  /** All of them were made, without offload, by a commit for a generation. */
  made(elements: readonly SetElement[], generation: number | undefined): void {
    this.#offload = undefined
    this.#elements.clear()
    this.#add(elements, 1)
    this.#ruled = setsOf(elements)
    this.#generation = next(generation)
  }

  /** A change of elements was committed, for a generation. */
  changed(
    change: ElementChange,
    generation: number | undefined,
    former: ReadonlySet<string> | undefined,
  ): void {
    this.#ruled = this.#ruledWith(change, former)
    this.#add(change.add, 1)
    this.#add(change.delete, -1)
    this.#generation = next(generation)
  }

  /** Offload took effect, or ended, by a commit for a generation. */
  offloaded(offload: readonly string[] | undefined, generation: number | undefined): void {
    this.#offload = offload
    this.#generation = next(generation)
  }

  /** Counts them, and learns the generation in which they are whole. */
  async look(): Promise<Standing> {
    const [inet, bridge] = [await this.#lookAt('inet'), await this.#lookAt('bridge')]
    // Others commit all the time: nobody can count.
    if (inet === undefined || bridge === undefined) return 'whole'
    const whole = inet.whole && bridge.whole && (await this.#isHooked())
    this.#generation = whole && inet.generation === bridge.generation ? inet.generation : undefined
    return whole ? 'whole' : inet.rules === 0 ? 'emptied' : 'damaged'
  }

  async #lookAt(family: TableFamily) {
    const expected = [...this.#elements].filter(([set, count]) => count > 0 && isInTable(set, family))
    const sets = expected.map(([set]) => set)
    const found = await this.#counted({ family, table: this.#table, sets })
    if (found === undefined) return undefined
    const rules = [...ruleCounts(family, this.conditions)]
    return {
      generation: found.generation,
      rules: rules.reduce((sum, [chain]) => sum + (found.rules[chain] ?? 0), 0),
      whole:
        rules.every(([chain, count]) => (found.rules[chain] ?? 0) >= count) &&
        expected.every(([set, count]) => (found.elements[set] ?? 0) >= count),
    }
  }

  /** Neither dormant nor with other policies. Chains of others in our tables are theirs to take away. */
  async #isHooked(): Promise<boolean> {
    const listed = await listTable(this.#nft, this.#table, ['table', 'chain'])
    const bridge = await listTable(this.#nft, this.#table, ['table', 'chain'], { family: 'bridge' })
    const nftables = [...(listed?.nftables ?? []), ...(bridge?.nftables ?? [])]
    return hookFaults(this.#table, { nftables }).every(({ kind }) => kind === 'foreign-chain')
  }

  async #counted(filter: CountFilter): Promise<TableCounts | undefined> {
    try {
      return await this.#nft.count(filter)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_DUMP_INCONSISTENT') return undefined
      throw error
    }
  }

  #count(set: string): number {
    return this.#elements.get(set) ?? 0
  }

  #add(elements: readonly SetElement[], by: number): void {
    for (const { set } of elements) this.#elements.set(set, this.#count(set) + by)
  }
}

function next(generation: number | undefined): number | undefined {
  if (generation === undefined) return undefined
  return generation === 0xffff_ffff ? 1 : generation + 1
}
