/** What the file of each extension gives. */
import type { Expression, MatchOperator, Statement } from '../model/index.js'

/** The family of the rule: the same name has other structures in IPv4 and IPv6. */
export type XtFamily = 'ip' | 'ip6'

/** A value of an option, or its opposite. */
export interface XtTest<Value> {
  readonly value: Value
  readonly inv?: true
}

/** One revision of an extension in one family or both. */
export interface XtCodec<Options> {
  readonly rev: number
  /** Default: both. */
  readonly family?: XtFamily
  /** Bytes that the kernel or iptables expects, a multiple of eight. */
  readonly size: number
  /** Undefined for what the options cannot say. Whatever is not written back the same is not taken as read. */
  read(info: Uint8Array, family: XtFamily): Options | undefined
  /** @throws InvalidValue */
  write(options: Options, family: XtFamily): Uint8Array
}

/** An extension: what it is told, in each revision, and what that means. */
export interface XtExtension<Options> {
  readonly codecs: readonly XtCodec<Options>[]
  /** Its options as iptables prints them. */
  text(options: Options, family: XtFamily): string
  /** Statements of nft that decide the same of each packet; undefined where nft has none. */
  meaning(options: Options, family: XtFamily): readonly Statement[] | undefined
}

/** `left op right` */
export function match(left: Expression, op: MatchOperator, right: Expression): Statement {
  return { match: { left, op, right } }
}

/** `==` or, of an inverted option, `!=`. */
export function equals(left: Expression, right: Expression, inv: boolean | undefined): Statement {
  return match(left, inv ? '!=' : '==', right)
}

/** `! --option value`, without what is undefined. */
export function option(name: string, value: string | undefined, inv?: boolean): string {
  return value === undefined ? '' : `${inv ? '! ' : ''}--${name} ${value}`.trimEnd()
}

/** Options in one line. */
export function options(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}

/** `0xff` */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
