/** Statements that count, limit and remember, and those that apply a named object to the packet. */
import type { MapExpression } from './expression.js'

/** A named object of the same table, or the one that a map of objects gives: `{ map: { key, data: '@names' } }`. */
export type ObjectReference = string | MapExpression

/** Counts in the rule (`null` or initial values), or in a named counter. Numbers above 2^53 are rounded. */
export interface CounterStatement {
  readonly counter: null | { readonly packets?: number; readonly bytes?: number } | ObjectReference
}

export type QuotaUnit = 'bytes' | 'kbytes' | 'mbytes'

/** Matches up to a number of bytes (`inv`: beyond it), of the rule's own or of a named quota. Default unit: bytes. */
export interface QuotaStatement {
  readonly quota:
    | {
        readonly val: number
        readonly val_unit?: QuotaUnit
        readonly used?: number
        readonly used_unit?: QuotaUnit
        readonly inv?: boolean
      }
    | ObjectReference
}

export type LimitUnit = 'packets' | 'bytes' | 'kbytes' | 'mbytes'
export type LimitPeriod = 'second' | 'minute' | 'hour' | 'day' | 'week'

/** A rate. Defaults: packets, per second, a burst of 5 packets or 0 bytes. */
export interface LimitRate {
  readonly rate: number
  readonly rate_unit?: LimitUnit
  readonly per?: LimitPeriod
  readonly burst?: number
  readonly burst_unit?: Exclude<LimitUnit, 'packets'>
  /** Matches over the rate instead of up to it. */
  readonly inv?: boolean
}

/** Matches up to a rate, of the rule's own or of a named limit. */
export interface LimitStatement {
  readonly limit: LimitRate | ObjectReference
}

/** Matches while there are at most `val` tracked connections (`inv`: more). */
export interface CtCountStatement {
  readonly 'ct count': { readonly val: number; readonly inv?: boolean }
}

/** Remembers when a packet came last; `used`: so many milliseconds ago. nft 1.0.6 does not know it, the kernel does. */
export interface LastStatement {
  readonly last: null | { readonly used?: number }
}

/** Assigns a named conntrack helper to the connection; before it is confirmed. */
export interface CtHelperStatement {
  readonly 'ct helper': ObjectReference
}

/** Assigns a named timeout policy to the connection. */
export interface CtTimeoutStatement {
  readonly 'ct timeout': ObjectReference
}

/** Expects a further connection, as the named object describes it. */
export interface CtExpectationStatement {
  readonly 'ct expectation': ObjectReference
}

/** Gives the packet a named security mark: `meta secmark set "name"`. */
export interface SecmarkStatement {
  readonly secmark: ObjectReference
}

export type SynproxyFlag = 'timestamp' | 'sack-perm'

export interface SynproxyOptions {
  readonly mss?: number
  readonly wscale?: number
  readonly flags?: SynproxyFlag | readonly SynproxyFlag[]
}

/** Answers TCP's handshake in the place of the server; with options of its own or those of a named object. */
export interface SynproxyStatement {
  readonly synproxy: null | SynproxyOptions | ObjectReference
}

/** Gives the packet the outer header that the named object describes, in tables of family netdev. */
export interface TunnelStatement {
  readonly tunnel: ObjectReference
}
