/** Statements that count and limit, and those that apply a named object of the table to the packet. */
import type {
  CounterStatement,
  CtCountStatement,
  CtExpectationStatement,
  CtHelperStatement,
  CtTimeoutStatement,
  LastStatement,
  LimitStatement,
  ObjectReference,
  QuotaStatement,
  SecmarkStatement,
  SynproxyStatement,
  TunnelStatement,
} from '../model/index.js'

/** Counts in the rule, or by the counter of a name, or the one that a map of counters gives. */
export function counter(object?: ObjectReference): CounterStatement {
  return { counter: object ?? null }
}

/** Matches up to a rate, or over it with `inv`; or by the limit of a name: `limit({ rate: 10, per: 'second' })`. */
export function limit(options: LimitStatement['limit']): LimitStatement {
  return { limit: options }
}

/** Matches up to a number of bytes, or beyond it with `inv`; or by the quota of a name. */
export function quota(options: QuotaStatement['quota']): QuotaStatement {
  return { quota: options }
}

/** Matches while there are at most `val` connections, or with `inv` more; mostly for each element of a set. */
export function ctCount(options: CtCountStatement['ct count']): CtCountStatement {
  return { 'ct count': options }
}

/** Remembers when a packet came last. */
export function last(): LastStatement {
  return { last: null }
}

export function ctHelper(object: ObjectReference): CtHelperStatement {
  return { 'ct helper': object }
}

export function ctTimeout(object: ObjectReference): CtTimeoutStatement {
  return { 'ct timeout': object }
}

export function ctExpectation(object: ObjectReference): CtExpectationStatement {
  return { 'ct expectation': object }
}

/** Gives the packet a named security mark. */
export function secmark(object: ObjectReference): SecmarkStatement {
  return { secmark: object }
}

/** Answers TCP's handshake in the server's place: `synproxy({ mss: 1460, wscale: 7, flags: 'timestamp' })`. */
export function synproxy(options: SynproxyStatement['synproxy'] = null): SynproxyStatement {
  return { synproxy: options }
}

/** Gives the packet the outer header that the named object describes. */
export function tunnel(object: ObjectReference): TunnelStatement {
  return { tunnel: object }
}
