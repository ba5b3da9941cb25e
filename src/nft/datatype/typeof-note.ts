/** The bytes by which nft notes an expression in the user data of a set (libnftnl's udata: type, length, value). */
import type { Expression } from '../model/index.js'
import { type ByteOrder, writeNumber } from './byte-order.js'
import type { Datatype } from './datatype.js'

/** enum expr_types of nftables (include/expression.h) */
export const Expressions = {
  verdict: 1,
  payload: 7,
  exthdr: 8,
  meta: 9,
  socket: 10,
  osf: 11,
  ct: 12,
  concat: 13,
  numgen: 23,
  rt: 25,
  fib: 26,
  ipsec: 27,
} as const
/** NFTNL_UDATA_SET_TYPEOF_EXPR and NFTNL_UDATA_SET_TYPEOF_DATA (libnftnl's udata.h). */
const EXPRESSION = 0
const DATA = 1

/** Of a connection as it is, without a direction. */
export const NO_DIRECTION = 0xffff_ffff

/** An expression by its kind, and what is said of it. */
export interface Noted {
  readonly kind: number
  readonly data: readonly number[]
}

/** What an expression gives. */
export interface TypeofField {
  readonly type: Datatype
  /** In bytes. */
  readonly length: number
  readonly order: ByteOrder
  /** None where nft has no note of it, or ends when it lists one. */
  readonly noted?: Noted
}

export interface KnownExpression extends TypeofField {
  readonly expression: Expression
}

/** The note of one expression. */
export function noteBytes({ kind, data }: Noted): number[] {
  return [...word(EXPRESSION, kind), ...value(DATA, data)]
}

/** The note of a concatenation; of one expression, its own. Undefined where it would be too long for nft. */
export function concatNote(parts: readonly Noted[]): Uint8Array | undefined {
  const [only] = parts
  if (only === undefined) return undefined
  if (parts.length === 1) return Uint8Array.from(noteBytes(only))
  const data = parts.flatMap((each, index) => value(index, noteBytes(each)))
  return data.length > 0xff ? undefined : Uint8Array.from(noteBytes({ kind: Expressions.concat, data }))
}

/** The note of what a verdict map gives. */
export const verdictNote: Uint8Array = Uint8Array.from(noteBytes({ kind: Expressions.verdict, data: [] }))

/** The note of a concatenation that says nothing of its parts. */
export const emptyNote: readonly number[] = noteBytes({ kind: Expressions.concat, data: [] })

/** A number of 32 bits, in the order of the host. */
export function word(type: number, number: number): number[] {
  const bytes = new Uint8Array(4)
  writeNumber(number, bytes, 0, 4, 'host')
  return value(type, bytes)
}

function value(type: number, bytes: ArrayLike<number>): number[] {
  return [type, bytes.length, ...Array.from(bytes)]
}
