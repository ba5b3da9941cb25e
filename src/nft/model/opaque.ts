/** What this library does not know, kept as the kernel gave it, so that it can be written back unchanged. */
import type { NftExpressionRecord } from '../../native/records.js'

/** One expression of a rule as the kernel has it: its name and its attributes as a record of `native/`. */
export type OpaqueExpression = NftExpressionRecord

/** Expressions, next to each other, that no statement of the model stands for. */
export interface OpaqueStatement {
  readonly opaque: { readonly expressions: readonly OpaqueExpression[] }
}
