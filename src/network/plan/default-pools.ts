import { randomBytes } from 'node:crypto'
import { Cidr, IPv6Address } from '../../address/index.js'
import type { Family } from './records.js'

/** A network that pools are cut from, and how long their prefixes are. */
export interface DefaultPool {
  readonly base: Cidr
  readonly size: number
}

/** Docker's: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on. */
const DOCKERS: readonly DefaultPool[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ base: Cidr.parse(`172.${17 + index}.0.0/16`), size: 16 })),
  { base: Cidr.parse('192.168.0.0/16'), size: 20 },
]

/** How many bytes of a unique local prefix are random, of `fd` and 40 bits (RFC 4193, 3.2). */
const GLOBAL_ID_BYTES = 5
const GLOBAL_ID_PREFIX = 48
/** What a link has (RFC 4291, 2.5.4). */
const LINK_PREFIX = 64

/** So many unique local prefixes are tried: that even two random ones overlap is next to impossible. */
const ATTEMPTS = 64

/** So many pools of one base are tried: a /8 in /24. */
const MOST_TRIED = 65_536n

/** What pools are chosen from, and how large they shall be. */
export interface PoolChoice {
  /** Those of the host, instead of Docker's in each family that they have. */
  readonly configured: readonly DefaultPool[]
  /** By how much each is split: IPv6 bridges have a whole /64 nevertheless. */
  readonly splitBits: number
  /** The prefix length that was asked for; undefined: that of each default pool. */
  readonly size: number | undefined
  /** Gives so many random bytes. */
  readonly random?: (size: number) => Uint8Array
}

/**
 * Pools to choose from where none is given. IPv6 without configured ones: a /64 for each bridge, of a random unique local /48 each
 * time, which collides with no other site's.
 */
export function* defaultPools(
  family: Family,
  { configured, splitBits, size, random = randomBytes }: PoolChoice,
): Generator<Cidr, undefined> {
  const own = configured.filter(({ base }) => base.family === family)
  if (own.length > 0 || family === 4) {
    for (const pool of own.length > 0 ? own : DOCKERS) yield* partsOf(pool.base, size ?? pool.size)
    return
  }
  const prefixLength = size ?? LINK_PREFIX - splitBits
  if (prefixLength < GLOBAL_ID_PREFIX) return
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const prefix = Uint8Array.of(0xfd, ...random(GLOBAL_ID_BYTES), ...Array<number>(10).fill(0))
    yield Cidr.of(IPv6Address.fromBytes(prefix), prefixLength)
  }
}

function* partsOf(base: Cidr, prefixLength: number): Generator<Cidr, undefined> {
  if (prefixLength < base.prefixLength) return
  const parts = 1n << BigInt(prefixLength - base.prefixLength)
  const step = base.size / parts
  for (let index = 0n; index < parts && index < MOST_TRIED; index += 1n)
    yield Cidr.of(base.addressAt(index * step), prefixLength)
}
