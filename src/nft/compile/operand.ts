import { type ByteOrder, type Datatype, datatype, type Tunnel } from '../datatype/index.js'
import type { DatatypeName } from '../model/index.js'
import type { RuleExpression } from './kernel-expression.js'

/** What can be loaded into registers: fields of packets, meta data, tracked connections, answers of the routing table. */
export type Source =
  | PayloadSource
  | { readonly kind: 'meta'; readonly key: number }
  | { readonly kind: 'ct'; readonly key: number; readonly direction: number | undefined }
  | { readonly kind: 'fib'; readonly result: number; readonly flags: number }
  | LoadSource
  | CombinedSource

/**
 * Anything else: an expression that puts a value into a register.
 * @param out what else must be loaded before goes there, into registers from the slot `free` on
 */
export interface LoadSource {
  readonly kind: 'load'
  readonly load: (dreg: number, out: RuleExpression[], free: number) => RuleExpression
}

/** Two values, of the same length and order, by a bit operation (kernel 6.13). */
export interface CombinedSource {
  readonly kind: 'combined'
  readonly operator: '&' | '|' | '^'
  readonly left: ValueOperand
  readonly right: ValueOperand
}

export interface PayloadSource {
  readonly kind: 'payload'
  readonly base: number
  /** In bytes. */
  readonly offset: number
  /** Bytes that are loaded. */
  readonly length: number
  /** It says which protocol comes next (`ip protocol`, `ether type`), see merge.ts. */
  readonly protocolKey: boolean
  /** The tunnel whose packet it is of. */
  readonly tunnel?: Tunnel | undefined
}

/** What is done to a loaded value. */
export type Transform =
  | {
      readonly kind: 'bool'
      /** Both are numbers of the value's width, in the sense of its byte order. */
      readonly mask: bigint
      readonly xor: bigint
      readonly length: number
      readonly order: ByteOrder
    }
  /** Of numbers as the machine has them: what comes from a packet must be turned round before. */
  | {
      readonly kind: 'shift'
      readonly direction: 'left' | 'right'
      readonly by: number
      readonly length: number
    }
  | { readonly kind: 'swap'; readonly to: ByteOrder; readonly length: number }

/** A value that a rule can compare or look up. */
export interface ValueOperand {
  readonly kind: 'value'
  readonly source: Source
  readonly type: Datatype
  /** Of a value that was made a wider number: its type before, whose names constants may have. */
  readonly named?: Datatype | undefined
  /** Bits of the value. */
  readonly bits: number
  /** Bytes that it has in the register, after all transforms. */
  readonly length: number
  readonly order: ByteOrder
  readonly transforms: readonly Transform[]
  /** Of a field that is moved down to the lowest bit: the field where it stands, which shifted constants compare with. */
  readonly inPlace?: { readonly operand: ValueOperand; readonly shift: number } | undefined
}

/** Several values next to each other. */
export interface ConcatOperand {
  readonly kind: 'concat'
  readonly parts: readonly ValueOperand[]
  /** Bytes, with the padding. */
  readonly length: number
}

export type Operand = ValueOperand | ConcatOperand

export const noTransforms: readonly Transform[] = []

/** The operand of a whole value that an expression loads. */
export function loadedValue(
  {
    type,
    length,
    order,
  }: { readonly type: DatatypeName; readonly length: number; readonly order: ByteOrder },
  load: LoadSource['load'],
): ValueOperand {
  return {
    kind: 'value',
    source: { kind: 'load', load },
    type: datatype(type),
    bits: length * 8,
    length,
    order,
    transforms: noTransforms,
  }
}
