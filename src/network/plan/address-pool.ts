import { type Cidr, IPv4Address } from '../../address/index.js'

/**
 * The addresses of one network. Deterministic, in constant time whatever the size: first each address in its order, then
 * the one that has been free the longest, so that an address just freed is not used again while others are free.
 */
export class AddressPool {
  readonly #last: number
  readonly #used = new Set<number>()
  /** Freed addresses, oldest first (a Set keeps the order of insertion). */
  readonly #freed = new Set<number>()
  /** The next address that was never handed out. */
  #fresh: number

  /** A pool of the subnet's addresses without network and broadcast address (a /31 has neither, RFC 3021). */
  constructor(subnet: Cidr) {
    const [first, last] = hostRange(subnet)
    this.#fresh = first
    this.#last = last
  }

  /** The free addresses in the order in which they are handed out, read lazily; none is taken: see {@link mark}. */
  *free(): Generator<IPv4Address, undefined> {
    for (let value = this.#fresh; value <= this.#last; value += 1) {
      if (!this.#used.has(value)) yield IPv4Address.fromNumber(value)
    }
    for (const value of this.#freed) yield IPv4Address.fromNumber(value)
    return undefined
  }

  /** Takes or gives back an address; taking one that is taken returns false and changes nothing. */
  mark(direction: 'take' | 'release', address: IPv4Address): boolean {
    const value = address.value
    if (direction === 'take') {
      if (this.#used.has(value)) return false
      this.#used.add(value)
      this.#freed.delete(value)
      if (value === this.#fresh) this.#skipUsed()
      return true
    }
    if (!this.#used.delete(value)) return false
    if (value < this.#fresh) this.#freed.add(value)
    return true
  }

  #skipUsed(): void {
    while (this.#used.has(this.#fresh)) this.#fresh += 1
  }

  has(address: IPv4Address): boolean {
    return this.#used.has(address.value)
  }

  /** What must be kept to go on in the same order after a restart, beside the addresses in use. */
  get memory(): PoolMemory {
    return { fresh: this.#fresh, freed: [...this.#freed] }
  }

  /**
   * A pool as it was, with its addresses in use. Without a memory (the process was killed) every address below the highest
   * one in use counts as used before, so that what was freed last is still not the first to come again.
   */
  static restore(subnet: Cidr, inUse: Iterable<IPv4Address>, memory: PoolMemory | undefined): AddressPool {
    const pool = new AddressPool(subnet)
    const first = pool.#fresh
    for (const address of inUse) pool.#used.add(address.value)
    if (memory === undefined) {
      for (const value of pool.#used) pool.#fresh = Math.max(pool.#fresh, value + 1)
      for (let value = first; value < pool.#fresh; value += 1)
        if (!pool.#used.has(value)) pool.#freed.add(value)
      return pool
    }
    pool.#fresh = Math.max(first, Math.min(memory.fresh, pool.#last + 1))
    pool.#skipUsed()
    for (const value of memory.freed) {
      if (value >= first && value < pool.#fresh && !pool.#used.has(value)) pool.#freed.add(value)
    }
    return pool
  }
}

/** The order in which a pool goes on. */
export interface PoolMemory {
  readonly fresh: number
  readonly freed: readonly number[]
}

/** First and last address that an interface may have. */
export function hostRange(subnet: Cidr): readonly [number, number] {
  const size = 2 ** (32 - subnet.prefixLength)
  const network = toNumber(subnet.address.bytes)
  return size <= 2 ? [network, network + size - 1] : [network + 1, network + size - 2]
}

function toNumber(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}
