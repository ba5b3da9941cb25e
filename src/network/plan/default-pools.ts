import { randomBytes } from 'node:crypto'
import { Cidr, IPv6Address } from '../../address/index.js'
import type { Family } from './records.js'

/** How many bytes of a unique local prefix are random, of `fd` and 40 bits (RFC 4193, 3.2). */
const GLOBAL_ID_BYTES = 5

/** So many unique local prefixes are tried: that even two random ones overlap is next to impossible. */
const ATTEMPTS = 64

/**
 * Pools to choose from where none is given. IPv4: Docker's, 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on.
 * IPv6: a /64 for each bridge, of a random unique local /48 each time, which collides with no other site's.
 * @param splitBits by how much each is split: IPv6 bridges have a whole /64 nevertheless
 * @param random gives so many random bytes
 */
export function* defaultPools(
  family: Family,
  splitBits: number,
  random: (size: number) => Uint8Array = randomBytes,
): Generator<Cidr, undefined> {
  if (family === 6) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const prefix = Uint8Array.of(0xfd, ...random(GLOBAL_ID_BYTES), ...Array<number>(10).fill(0))
      yield Cidr.of(IPv6Address.fromBytes(prefix), 64 - splitBits)
    }
    return
  }
  for (let second = 17; second <= 31; second += 1) yield Cidr.parse(`172.${second}.0.0/16`)
  for (let third = 0; third < 256; third += 16) yield Cidr.parse(`192.168.${third}.0/20`)
}
