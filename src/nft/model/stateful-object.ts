/**
 * Named objects of a table that rules and maps refer to: counters, quotas, limits and others, in the shape of
 * libnftables' JSON (`man libnftables-json`, RULESET ELEMENTS).
 */
import type { Family } from './family.js'
import type { LimitRate, SynproxyOptions } from './statement-state.js'
import type { WithUnknown } from './unknown.js'

export interface NamedObject extends WithUnknown {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number
  /** At most 128 bytes. */
  readonly comment?: string
}

/** A named counter. Numbers above 2^53 are rounded. */
export interface Counter extends NamedObject {
  readonly packets?: number
  readonly bytes?: number
}

/** A number of bytes: matches while at most so many were seen, or with `inv` once more were. */
export interface Quota extends NamedObject {
  readonly bytes: number
  /** Seen so far. */
  readonly used?: number
  readonly inv?: boolean
}

/** A rate that all rules share that name it. */
export interface Limit extends NamedObject, LimitRate {}

/** A program of the kernel that reads a protocol to expect its further connections. */
export interface CtHelper extends NamedObject {
  /** The helper's name in the kernel: `'ftp'`. */
  readonly type: string
  readonly protocol: 'tcp' | 'udp'
  /** Default: the family of the table. */
  readonly l3proto?: 'ip' | 'ip6' | 'inet'
}

export type TcpTimeoutState =
  | 'syn_sent'
  | 'syn_recv'
  | 'established'
  | 'fin_wait'
  | 'close_wait'
  | 'last_ack'
  | 'time_wait'
  | 'close'
  | 'syn_sent2'
  | 'retrans'
  | 'unack'
export type UdpTimeoutState = 'unreplied' | 'replied'

export interface CtTimeoutProperties extends NamedObject {
  /** Default: the family of the table. */
  readonly l3proto?: 'ip' | 'ip6' | 'inet'
}

/** How long connections are remembered, in seconds by their state; what is left out is as the kernel has it by default. */
export type CtTimeout =
  | (CtTimeoutProperties & {
      readonly protocol: 'tcp'
      readonly policy?: { readonly [S in TcpTimeoutState]?: number }
    })
  | (CtTimeoutProperties & {
      readonly protocol: 'udp'
      readonly policy?: { readonly [S in UdpTimeoutState]?: number }
    })

/** A connection that shall be expected beside the one that the rule sees. */
export interface CtExpectation extends NamedObject {
  readonly protocol: 'tcp' | 'udp' | 'dccp' | 'sctp' | 'udplite'
  readonly dport: number
  /** Milliseconds. */
  readonly timeout: number
  /** How many may be expected at a time, at most 255. */
  readonly size: number
  /** Default: the family of the table; the kernel takes no `inet`. */
  readonly l3proto?: 'ip' | 'ip6' | 'inet'
}

/** A security context of SELinux. */
export interface Secmark extends NamedObject {
  readonly context: string
}

/** What TCP's handshake offers in a server's place. */
export interface Synproxy extends NamedObject, SynproxyOptions {}

/** `zero-csum-tx`: UDP without a checksum. `seq-number`: packets are numbered, in GRE. */
export type TunnelFlag = 'zero-csum-tx' | 'dont-fragment' | 'seq-number'

/** An option of Geneve; `data` in hexadecimal, a multiple of four bytes: `'0x12345678'`. */
export interface GeneveOption {
  readonly class: number
  readonly 'opt-type': number
  readonly data: string
}

export interface TunnelProperties extends NamedObject {
  /** The tunnel's key: a VNI, for example. */
  readonly id: number
  /** The outer addresses: those of IPv4 or those of IPv6. The destination has to be said. */
  readonly 'src-ipv4'?: string
  readonly 'dst-ipv4'?: string
  readonly 'src-ipv6'?: string
  readonly 'dst-ipv6'?: string
  readonly sport?: number
  readonly dport?: number
  readonly tos?: number
  /** Default: 255. */
  readonly ttl?: number
  /** Ours: the outer flow label, of IPv6. */
  readonly flowlabel?: number
  /** Ours. */
  readonly flags?: TunnelFlag | readonly TunnelFlag[]
}

/**
 * The outer header that a packet gets when it leaves by an interface of tunnels that takes it from the packet (`external`).
 * In tables of family netdev. nft 1.0.6 does not know it; this is the shape of later versions.
 */
export type Tunnel =
  | TunnelProperties
  | (TunnelProperties & { readonly type: 'vxlan'; readonly tunnel: { readonly gbp: number } })
  | (TunnelProperties & {
      readonly type: 'erspan'
      readonly tunnel:
        | { readonly version: 1; readonly index: number }
        | { readonly version: 2; readonly direction: 'ingress' | 'egress'; readonly hwid: number }
    })
  | (TunnelProperties & { readonly type: 'geneve'; readonly tunnel: readonly GeneveOption[] })

/** The named objects by their kinds. */
export interface StatefulObjects {
  readonly counter: Counter
  readonly quota: Quota
  readonly limit: Limit
  readonly 'ct helper': CtHelper
  readonly 'ct timeout': CtTimeout
  readonly 'ct expectation': CtExpectation
  readonly secmark: Secmark
  readonly synproxy: Synproxy
  readonly tunnel: Tunnel
}

export type StatefulKind = keyof StatefulObjects

/** A named object under its kind: `{ quota: { family, table, name, bytes } }`. */
export type StatefulObject = {
  [K in StatefulKind]: { readonly [P in K]: StatefulObjects[K] }
}[StatefulKind]

export interface CounterObject {
  readonly counter: Counter
}

/** Connections that the kernel forwards past the rules. Not every kernel has flowtables: NFB_NOT_SUPPORTED. */
export interface Flowtable extends WithUnknown {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number
  readonly hook: 'ingress'
  readonly prio: number | 'filter' | `filter ${'+' | '-'} ${number}`
  /** The interfaces whose packets are looked up. */
  readonly dev?: string | readonly string[]
  /** Ours. */
  readonly flags?: readonly FlowtableFlag[]
}

/** `offload`: to the interface's hardware. `counter`: conntrack goes on counting. */
export type FlowtableFlag = 'offload' | 'counter'

export interface FlowtableObject {
  readonly flowtable: Flowtable
}
