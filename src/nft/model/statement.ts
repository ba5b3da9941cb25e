/** Statements: what a rule tests and does, in order (`man libnftables-json`, STATEMENTS). */
import type { Expression, SetReference, VerdictMapExpression } from './expression.js'
import type { OpaqueStatement } from './opaque.js'
import type {
  DupStatement,
  FlowStatement,
  FwdStatement,
  MangleStatement,
  QueueStatement,
  ResetStatement,
  TproxyStatement,
} from './statement-change.js'
import type { MapStatement, MeterStatement, SetStatement } from './statement-set.js'
import type {
  CounterStatement,
  CtCountStatement,
  CtExpectationStatement,
  CtHelperStatement,
  CtTimeoutStatement,
  LastStatement,
  LimitStatement,
  QuotaStatement,
  SecmarkStatement,
  SynproxyStatement,
  TunnelStatement,
} from './statement-state.js'
import type { Verdict } from './verdict.js'
import type { XtStatement } from './xt.js'

/** `in` tests bits: with a list on the right, any of them (`ct state established,related`); `!` that none is set. */
export type MatchOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!'

export interface MatchStatement {
  readonly match: { readonly op: MatchOperator; readonly left: Expression; readonly right: Expression }
}

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit'
export type LogFlag = 'tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether' | 'all'

/** Logs to the kernel log (`level`, default `warn`), or to an nfnetlink_log `group`. */
export interface LogStatement {
  readonly log: null | {
    readonly prefix?: string
    readonly level?: LogLevel
    readonly flags?: LogFlag | readonly LogFlag[]
    readonly group?: number
    readonly snaplen?: number
    readonly 'queue-threshold'?: number
  }
}

export type IcmpCode =
  | 'net-unreachable'
  | 'host-unreachable'
  | 'prot-unreachable'
  | 'port-unreachable'
  | 'net-prohibited'
  | 'host-prohibited'
  | 'admin-prohibited'
  | 'frag-needed'
export type Icmpv6Code =
  | 'no-route'
  | 'admin-prohibited'
  | 'addr-unreachable'
  | 'port-unreachable'
  | 'policy-fail'
  | 'reject-route'
export type IcmpxCode = 'port-unreachable' | 'admin-prohibited' | 'no-route' | 'host-unreachable'

/** Drops and answers. `null`: port unreachable, in the family's way. Codes also as numbers. */
export interface RejectStatement {
  readonly reject:
    | null
    | { readonly type: 'tcp reset'; readonly expr?: never }
    | { readonly type: 'icmp'; readonly expr?: IcmpCode | number }
    | { readonly type: 'icmpv6'; readonly expr?: Icmpv6Code | number }
    | { readonly type: 'icmpx'; readonly expr?: IcmpxCode | number }
}

export type NatFlag = 'random' | 'fully-random' | 'persistent' | 'netmap'

/** Where to: an address, a range, or a map; a map may give an address and a port together. */
export interface NatTarget {
  /** Family of the address; needed in tables of family inet. */
  readonly family?: 'ip' | 'ip6'
  readonly addr?: Expression
  readonly port?: Expression
  /** `netmap`: the part of the address behind the prefix stays as it is. */
  readonly flags?: NatFlag | readonly NatFlag[]
  /** What nft prints beside `netmap`; it follows from the flags and the address. */
  readonly type_flags?: 'prefix' | 'interval' | 'concat' | readonly ('prefix' | 'interval' | 'concat')[]
}

export interface SnatStatement {
  readonly snat: NatTarget
}
export interface DnatStatement {
  readonly dnat: NatTarget
}

/** A port, or a range of ports, and how to choose among them. */
export interface PortTarget {
  readonly port?: Expression
  readonly flags?: Exclude<NatFlag, 'netmap'> | readonly Exclude<NatFlag, 'netmap'>[]
}

/** Source translation to the address of the interface that the packet leaves by. */
export interface MasqueradeStatement {
  readonly masquerade: null | PortTarget
}

/** Destination translation to this host. */
export interface RedirectStatement {
  readonly redirect: null | PortTarget
}

/** The verdict that `key` has in a named or literal verdict map; goes on with the next rule if it has none. */
export interface VmapStatement {
  readonly vmap: { readonly key: Expression; readonly data: SetReference | VerdictMapExpression }
}

/** No connection tracking for the packet; before conntrack only (priority raw). */
export interface NotrackStatement {
  readonly notrack: null
}

export type Statement =
  | MatchStatement
  | Verdict
  | CounterStatement
  | LimitStatement
  | LogStatement
  | RejectStatement
  | SnatStatement
  | DnatStatement
  | MasqueradeStatement
  | RedirectStatement
  | VmapStatement
  | NotrackStatement
  | QuotaStatement
  | CtCountStatement
  | LastStatement
  | CtHelperStatement
  | CtTimeoutStatement
  | CtExpectationStatement
  | SecmarkStatement
  | SynproxyStatement
  | TunnelStatement
  | MangleStatement
  | ResetStatement
  | DupStatement
  | FwdStatement
  | QueueStatement
  | TproxyStatement
  | FlowStatement
  | SetStatement
  | MapStatement
  | MeterStatement
  | XtStatement
  | OpaqueStatement
