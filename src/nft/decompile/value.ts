/** What registers hold while a rule is read: symbolic values, not yet named in terms of protocols. */
import type { ByteOrder, Datatype, ExtensionKind, Tunnel } from '../datatype/index.js'
import type { HeaderBase } from '../kernel/constants.js'
import type { Expression, PayloadProtocol } from '../model/index.js'
import type { Operand, Part } from './operand.js'

/** Bytes of the packet; which field they are depends on the protocols that the rule has tested before. */
export interface PayloadValue {
  readonly kind: 'payload'
  readonly base: HeaderBase
  /** The tunnel whose packet, or header, it is of. */
  readonly tunnel?: Tunnel | undefined
  /** In bytes. */
  readonly offset: number
}

/** Bytes of an extension header, option or chunk, wherever in the packet it is. */
export interface ExtensionValue {
  readonly kind: 'extension'
  readonly extension: ExtensionKind
  readonly type: number
  /** In bytes. */
  readonly offset: number
}

/** What `meta`, `ct`, `fib` and their like load. */
export interface KeyValue {
  readonly kind: 'key'
  readonly expression: Expression
  readonly type: Datatype
  readonly order: ByteOrder
  /** The tunnel of whose packet it is. */
  readonly tunnel?: Tunnel | undefined
  /** The header without which there is no such value. */
  readonly header?: PayloadProtocol | undefined
  /** What it was computed from. */
  readonly parts?: readonly Part[] | undefined
}

export interface ConstantValue {
  readonly kind: 'constant'
  readonly bytes: Uint8Array
}

/** `(of & mask) ^ xor` */
export interface BitsValue {
  readonly kind: 'bits'
  readonly of: Value
  readonly mask: Uint8Array
  readonly xor: Uint8Array
}

export interface ShiftedValue {
  readonly kind: 'shifted'
  readonly of: Value
  readonly direction: '<<' | '>>'
  readonly bits: number
}

/** The other byte order than `of` has, in all of it or word by word. */
export interface SwappedValue {
  readonly kind: 'swapped'
  readonly of: Value
  /** Bytes of a word. */
  readonly size: number
}

/** A number in more bytes than it has: the register ends in zeros. */
export interface WidenedValue {
  readonly kind: 'widened'
  readonly of: Value
  /** Bytes that it had before. */
  readonly length: number
}

/** Two values by a bit operation. */
export interface CombinedValue {
  readonly kind: 'combined'
  readonly operator: '&' | '|' | '^'
  readonly left: Value
  readonly right: Value
  /** Bytes of the second, before they were made as many as the first has. */
  readonly rightLength: number
}

/** What a map gives for a key. */
export interface MappedValue {
  readonly kind: 'mapped'
  readonly key: Operand
  readonly expression: Expression
  readonly set: string
}

/** Something that this library does not understand. */
export interface OpaqueValue {
  readonly kind: 'opaque'
}

export type Value =
  | PayloadValue
  | ExtensionValue
  | KeyValue
  | ConstantValue
  | BitsValue
  | ShiftedValue
  | SwappedValue
  | WidenedValue
  | CombinedValue
  | MappedValue
  | OpaqueValue

/** A value in a register. */
export interface Loaded {
  readonly value: Value
  /** In bytes. */
  readonly length: number
  /** The rule's expressions, by index, that put it there. */
  readonly sources: readonly number[]
}
