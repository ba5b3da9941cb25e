/** What this library does not know, kept as the kernel gave it, so that it can be written back unchanged. */
import type { NftElementRecord, NftExpressionRecord, NftSetRecord } from '../../native/records.js'

/** One expression of a rule as the kernel has it: its name and its attributes as a record of `native/`. */
export type OpaqueExpression = NftExpressionRecord

/** A set without a name that such expressions look up: it belongs to their rule and is made anew with it. */
export interface OpaqueSet {
  readonly record: NftSetRecord
  readonly elements: readonly NftElementRecord[]
}

/** Expressions, next to each other, that no statement of the model stands for. */
export interface OpaqueStatement {
  readonly opaque: {
    readonly expressions: readonly OpaqueExpression[]
    readonly sets?: readonly OpaqueSet[]
  }
}
