/** What this library does not know, kept as the kernel gave it, so that it can be written back unchanged. */

/**
 * A value of a record of the kernel's, which JSON can hold: bytes are `{ hex: '0a0b' }`, numbers of 64 bits
 * `{ integer: '12' }`.
 */
export type OpaqueValue = number | string | boolean | readonly OpaqueValue[] | OpaqueRecord

/** Attributes by their names; those that have no name are in `opaque`, with their numbers and bytes. */
export interface OpaqueRecord {
  readonly [property: string]: OpaqueValue
}

/** One expression of a rule as the kernel has it: its `name`, and its attributes in `data`. */
export type OpaqueExpression = OpaqueRecord

/** A set without a name that such expressions look up: it belongs to their rule and is made anew with it. */
export interface OpaqueSet {
  readonly record: OpaqueRecord
  readonly elements: readonly OpaqueRecord[]
}

/** Expressions, next to each other, that no statement of the model stands for. */
export interface OpaqueStatement {
  readonly opaque: {
    readonly expressions: readonly OpaqueExpression[]
    readonly sets?: readonly OpaqueSet[]
  }
}
