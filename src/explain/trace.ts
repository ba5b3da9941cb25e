/** What an evaluation tells of its way through the rules. */
import type { Expression, Family, MapElement, SetElement, Verdict } from '../nft/index.js'

/** A rule that took effect, in nft's words; with the element that it found, where a set or map decided. */
export interface RuleStep {
  readonly kind: 'rule'
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly handle?: number
  /** The rule as `nft` prints it. */
  readonly text: string
  readonly element?: {
    /** The set or map, `@name`; undefined for a literal one. */
    readonly set?: string
    readonly text: string
    readonly value: SetElement | MapElement
    readonly data?: Expression | Verdict
  }
  /** What it did: `accept`, `drop`, `jump links`, `dnat 172.17.0.2:80`, `mark 0x1` … */
  readonly effect: string
}

/** A rule, by its place and in nft's words. */
export type RulePlace = Pick<RuleStep, 'family' | 'table' | 'chain' | 'handle' | 'text'>

/** The end of a base chain, whose policy decided. */
export interface PolicyStep {
  readonly kind: 'policy'
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly effect: 'accept' | 'drop'
}

export type Step = RuleStep | PolicyStep
