/** Statements that change the packet, send it elsewhere, or hand it to somebody. */
import type { CtDirection, Expression, MetaKey, PayloadExpression } from './expression.js'
import type { TcpOptionExpression, TcpOptionFields } from './extension.js'

/** The keys of `meta` that the kernel lets rules write. */
export type MetaTargetKey = Extract<
  MetaKey,
  'mark' | 'priority' | 'nftrace' | 'pkttype' | 'secmark' | 'broute'
>

/** What of a connection rules can write. */
export type CtTarget =
  | { readonly key: 'mark' | 'label' | 'event' | 'secmark'; readonly dir?: never }
  | { readonly key: 'zone'; readonly dir?: CtDirection }

/** Something that can be written: a field of a header or TCP option, meta data, a property of the connection. */
export type MangleTarget =
  | PayloadExpression
  /** Fields of two or four bytes, of options that the packet has. */
  | TcpOptionExpression
  | { readonly meta: { readonly key: MetaTargetKey } }
  | { readonly ct: CtTarget }

/** Writes a constant, another field, or what a map gives: `meta mark set ip saddr map @marks`. */
export interface MangleStatement {
  readonly mangle: { readonly key: MangleTarget; readonly value: Expression }
}

/** Sends a copy: to an address (families ip and ip6), by an interface if said; in netdev `addr` is the interface. */
export interface DupStatement {
  readonly dup: { readonly addr: Expression; readonly dev?: Expression }
}

/** Sends the packet out of an interface, to a neighbour if said (`family` and `addr`); in netdev only. */
export interface FwdStatement {
  readonly fwd:
    | { readonly dev: Expression; readonly family?: never; readonly addr?: never }
    | { readonly dev: Expression; readonly family: 'ip' | 'ip6'; readonly addr: Expression }
}

export type QueueFlag = 'bypass' | 'fanout'

/** Hands the packet to a program: queue 0, a number, a range to spread over, or what an expression gives. */
export interface QueueStatement {
  readonly queue: null | { readonly num?: Expression; readonly flags?: QueueFlag | readonly QueueFlag[] }
}

/** Gives the packet to a local socket, without changing its addresses. */
export interface TproxyStatement {
  readonly tproxy: {
    /** In tables of family inet with an address: its family. */
    readonly family?: 'ip' | 'ip6'
    readonly addr?: Expression
    readonly port?: Expression
  }
}

/** Hands the flow of the packet's connection to a flowtable. */
export interface FlowStatement {
  readonly flow: { readonly op: 'add'; readonly flowtable: `@${string}` }
}

/** Takes an option out of TCP's header: `nop` stands in its place. */
export interface ResetStatement {
  readonly reset: {
    readonly 'tcp option':
      | { readonly name: keyof TcpOptionFields }
      /** Of an option without a name, by its kind; `len` and `offset` are 0. */
      | { readonly base: number; readonly offset: number; readonly len: number }
  }
}
