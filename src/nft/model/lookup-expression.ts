/** What the kernel knows or computes for a packet: its route, its socket, its IPsec state, hashes, numbers. */
import type { Expression } from './expression.js'

/** A key of the packet's route. `nexthop` is of the family of the packets; in tables of several, say which. */
export interface RtExpression {
  readonly rt:
    | { readonly key: 'classid' | 'mtu' | 'ipsec'; readonly family?: never }
    | { readonly key: 'nexthop'; readonly family?: 'ip' | 'ip6' }
}

/** A key of the socket that the packet belongs to; `cgroupv2` at the given depth, as the number of its inode. */
export interface SocketExpression {
  readonly socket:
    | { readonly key: 'transparent' | 'mark' | 'wildcard'; readonly level?: never }
    | { readonly key: 'cgroupv2'; readonly level: number }
}

/**
 * The sender's operating system by its fingerprint. `ttl` says how the packet's TTL must fit: exactly (default), at most
 * (`loose`), or not at all (`skip`).
 */
export interface OsfExpression {
  readonly osf: { readonly key: 'name' | 'version'; readonly ttl?: 'loose' | 'skip' }
}

/** A number from `offset` on, below `offset + mod`: one after the other, or at random. */
export interface NumgenExpression {
  readonly numgen: { readonly mode: 'inc' | 'random'; readonly mod: number; readonly offset?: number }
}

/** A hash of a value or of a concatenation, from `offset` on, below `offset + mod`. */
export interface JhashExpression {
  readonly jhash: {
    readonly mod: number
    readonly expr: Expression
    readonly seed?: number
    readonly offset?: number
  }
}

/** A hash of the connection that is the same in both directions. */
export interface SymhashExpression {
  readonly symhash: { readonly mod: number; readonly offset?: number }
}

/** What was or will be done to the packet by IPsec; `spnum` counts the policies that apply, from 0. */
export interface IpsecExpression {
  readonly ipsec:
    | {
        readonly key: 'reqid' | 'spi'
        readonly dir: 'in' | 'out'
        readonly spnum?: number
        readonly family?: never
      }
    | {
        readonly key: 'saddr' | 'daddr'
        readonly dir: 'in' | 'out'
        readonly family: 'ip' | 'ip6'
        readonly spnum?: number
      }
}

/** The metadata of a tunnel's packet. nft 1.0.6 has no JSON for it; this is the shape of later versions. */
export interface TunnelExpression {
  readonly tunnel: { readonly key: 'path' | 'id' }
}

export type LookupExpression =
  | RtExpression
  | SocketExpression
  | OsfExpression
  | NumgenExpression
  | JhashExpression
  | SymhashExpression
  | IpsecExpression
  | TunnelExpression
