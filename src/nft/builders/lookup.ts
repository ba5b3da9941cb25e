/** What the kernel knows or computes for a packet: its route, its socket, its IPsec state, numbers and hashes. */
import type { JhashExpression, OsfExpression } from '../model/index.js'
import { AddressField, expressionOf, Field, type Operand } from './field.js'

/** The packet's route. */
export interface RouteFields {
  readonly classid: Field<string | number>
  readonly mtu: Field<number>
  readonly ipsec: Field<boolean>
  /** In tables of one family. */
  readonly nexthop: AddressField
  readonly ip: { readonly nexthop: AddressField }
  readonly ip6: { readonly nexthop: AddressField }
}

export const route: RouteFields = {
  classid: new Field({ rt: { key: 'classid' } }),
  mtu: new Field({ rt: { key: 'mtu' } }),
  ipsec: new Field({ rt: { key: 'ipsec' } }),
  nexthop: new AddressField({ rt: { key: 'nexthop' } }),
  ip: { nexthop: new AddressField({ rt: { key: 'nexthop', family: 'ip' } }) },
  ip6: { nexthop: new AddressField({ rt: { key: 'nexthop', family: 'ip6' } }) },
}

/** The local socket that the packet belongs to; without one no comparison matches. */
export interface SocketFields {
  /** 1 for a socket with IP_TRANSPARENT. */
  readonly transparent: Field<number>
  readonly mark: Field<number>
  /** 1 for a socket that listens on every address. */
  readonly wildcard: Field<number>
  /** Its control group at a depth, as the number of its inode. */
  cgroupv2(level: number): Field<number>
}

export const socket: SocketFields = {
  transparent: new Field({ socket: { key: 'transparent' } }),
  mark: new Field({ socket: { key: 'mark' } }),
  wildcard: new Field({ socket: { key: 'wildcard' } }),
  cgroupv2: (level) => new Field({ socket: { key: 'cgroupv2', level } }),
}

/** The sender's operating system, by its fingerprint; `ttl` says how exactly the packet's TTL must fit. */
export interface OsfFields {
  name(ttl?: 'loose' | 'skip'): Field<string>
  version(ttl?: 'loose' | 'skip'): Field<string>
}

function osfField(key: OsfExpression['osf']['key'], ttl: 'loose' | 'skip' | undefined): Field<string> {
  return new Field({ osf: ttl === undefined ? { key } : { key, ttl } })
}

export const osf: OsfFields = {
  name: (ttl) => osfField('name', ttl),
  version: (ttl) => osfField('version', ttl),
}

/** What IPsec did to the packet, or will do. */
export interface IpsecFields {
  readonly reqid: Field<number>
  readonly spi: Field<number>
  readonly ip: { readonly saddr: AddressField; readonly daddr: AddressField }
  readonly ip6: { readonly saddr: AddressField; readonly daddr: AddressField }
}

/** `match.ipsec('in').reqid`; `spnum` counts the policies that apply, from 0. */
export function ipsec(dir: 'in' | 'out', spnum?: number): IpsecFields {
  const which = spnum === undefined ? { dir } : { dir, spnum }
  const addresses = (family: 'ip' | 'ip6'): { saddr: AddressField; daddr: AddressField } => ({
    saddr: new AddressField({ ipsec: { key: 'saddr', family, ...which } }),
    daddr: new AddressField({ ipsec: { key: 'daddr', family, ...which } }),
  })
  return {
    reqid: new Field({ ipsec: { key: 'reqid', ...which } }),
    spi: new Field({ ipsec: { key: 'spi', ...which } }),
    ip: addresses('ip'),
    ip6: addresses('ip6'),
  }
}

/** Numbers below `mod`, from `offset` on (default 0): to spread connections over targets. */
export interface Generators {
  /** One after the other. */
  inc(mod: number, offset?: number): Field<number>
  random(mod: number, offset?: number): Field<number>
}

export const numgen: Generators = {
  inc: (mod, offset = 0) => new Field({ numgen: { mode: 'inc', mod, offset } }),
  random: (mod, offset = 0) => new Field({ numgen: { mode: 'random', mod, offset } }),
}

/** A hash of a field or a concatenation, below `mod`: `jhash(match.ip.saddr, { mod: 2 })`. */
export function jhash(value: Operand, options: Omit<JhashExpression['jhash'], 'expr'>): Field<number> {
  return new Field({ jhash: { ...options, expr: expressionOf(value) } })
}

/** A hash of the connection, the same in both directions, below `mod`. */
export function symhash(options: { readonly mod: number; readonly offset?: number }): Field<number> {
  return new Field({ symhash: options })
}
