import type { DatatypeName, Immediate } from '../model/index.js'
import type { ByteOrder } from './byte-order.js'

/** Names for numbers. Where two names have one number, the first is the one that listings show. */
export type SymbolTable = readonly (readonly [name: string, value: number])[]

/** One of nft's data types: how its values are written in a key, a register or a packet. */
export interface Datatype {
  readonly name: DatatypeName
  /** nft's number for it (`enum datatypes`, include/datatype.h), which sets store as their key type. */
  readonly id: number
  /** How many bits a value has; 0 where that depends on what it is compared with. */
  readonly bits: number
  /** Undefined where that depends on what it is compared with (and where one byte makes it irrelevant). */
  readonly order: ByteOrder | undefined
  /** Whether its values are sets of flags. */
  readonly bitmask: boolean
  /** Text, compared and padded as such. */
  readonly text: boolean
  readonly symbols?: SymbolTable | undefined
  /**
   * Of values that go round: the values from one to another as ranges that end where they do not begin before, one or, where
   * they go over the end of a cycle, two.
   */
  unwind?(first: Immediate, last: Immediate): readonly (readonly [Immediate, Immediate])[]
  /** The value as a number, for types of at most 64 bits that are numbers. @throws InvalidValue */
  parse?(value: Immediate, bits: number): number | bigint
  /** Writes `length` bytes. @throws InvalidValue when the value is none of this type */
  write(value: Immediate, target: Uint8Array, offset: number, length: number, order: ByteOrder): void
  /** The value as libnftables' JSON shows it: a symbol where there is one, a number, or text. */
  read(bytes: Uint8Array, offset: number, length: number, order: ByteOrder): Immediate
}
