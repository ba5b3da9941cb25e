import { type Cidr, type IPAddress, IPv4Address, IPv6Address, parseAddress } from '../../address/index.js'
import { type AddressRange, rangeOf } from './address-range.js'
import type { Family, PoolRecord } from './records.js'

/**
 * The addresses of one pool. Deterministic, and of the same cost for a /31 and for the 2⁶⁴ addresses of an IPv6 /64, because
 * what was never used is kept as spans: first each address in its order, then the one that has been free the longest, so that
 * an address just freed is not used again while others are free.
 */
export class AddressPool {
  readonly #family: Family
  readonly #gateway: bigint | undefined
  /** What addresses are handed out from. */
  readonly #range: Span
  /** Parts of it that are not, in ascending order. */
  readonly #excluded: readonly Span[]
  readonly #used = new Set<bigint>()
  /** Freed addresses, oldest first (a Set keeps the order of insertion). */
  readonly #freed = new Set<bigint>()
  /** What was never handed out, in the order in which it is; what was asked for by name has holes in it. */
  #fresh: readonly Span[]

  /** The addresses of the pool's range but the excluded ones and the gateway's, which is in use from the start. */
  constructor(pool: Pick<PoolRecord, 'subnet' | 'gateway' | 'range' | 'exclude'>) {
    this.#family = pool.subnet.family
    this.#gateway = pool.gateway && BigInt(pool.gateway.value)
    this.#range = intersection(spanOf(pool.range), hostSpan(pool.subnet))
    this.#excluded = pool.exclude
      .map((each) => spanOf(rangeOf(each)))
      .sort((one, other) => (one.first < other.first ? -1 : 1))
    this.#fresh = [this.#range]
    if (this.#gateway !== undefined) this.#used.add(this.#gateway)
  }

  /** The free addresses in the order in which they are handed out, read lazily; none is taken: see {@link mark}. */
  *free(): Generator<IPAddress, undefined> {
    // Of a large pool there is always something fresh; what waits to be used again must not grow without bound.
    const early = Math.max(0, this.#freed.size - MOST_FREED)
    let place = 0
    for (const value of this.#freed) {
      if (place === early) break
      place += 1
      yield this.#address(value)
    }
    for (const span of this.#fresh) {
      for (
        let value = this.#next(span);
        value <= span.last;
        value = this.#next({ ...span, first: value + 1n })
      ) {
        yield this.#address(value)
      }
    }
    place = 0
    for (const value of this.#freed) {
      if (place >= early) yield this.#address(value)
      place += 1
    }
    return undefined
  }

  /**
   * Takes or gives back an address; taking one that is taken, or giving back one that is not, returns false and changes
   * nothing. Taken is also what lies outside of the range, for who asked for it by name; it is not handed out later.
   */
  mark(direction: 'take' | 'release', address: IPAddress): boolean {
    const value = BigInt(address.value)
    if (address.family !== this.#family || value === this.#gateway) return false
    if (direction === 'take') {
      if (this.#used.has(value)) return false
      this.#used.add(value)
      this.#freed.delete(value)
      this.#fresh = this.#advance(this.#fresh)
      return true
    }
    if (!this.#used.delete(value)) return false
    if (this.#handsOut(value)) this.#freed.add(value)
    return true
  }

  /** Whether an address can't be had: it is in use, the gateway's, or excluded. */
  has(address: IPAddress): boolean {
    const value = BigInt(address.value)
    return address.family === this.#family && (this.#used.has(value) || this.#excluding(value) !== undefined)
  }

  /** What must be kept to go on in the same order after a restart. */
  get memory(): PoolMemory {
    const text = (value: bigint): string => this.#address(value).toString()
    return {
      fresh: this.#fresh.map(({ first, last }) => [text(first), text(last)]),
      used: [...this.#used].filter((value) => value !== this.#gateway).map(text),
      freed: [...this.#freed].map(text),
    }
  }

  /**
   * A pool as it was, with its addresses in use. What was in use when the memory was written and is not any more counts as
   * freed last. Without a memory (the process was killed) what lies above the highest address in use comes first, so that
   * what was freed last is still not the first to come again.
   */
  static restore(pool: PoolRecord, inUse: Iterable<IPAddress>, memory?: PoolMemory): AddressPool {
    const restored = new AddressPool(pool)
    for (const address of inUse) {
      if (address.family === restored.#family) restored.#used.add(BigInt(address.value))
    }
    if (memory === undefined) restored.#guess()
    else restored.#remember(memory)
    return restored
  }

  #guess(): void {
    const { first, last } = this.#range
    let highest = first - 1n
    for (const value of this.#used) if (value > highest && value <= last) highest = value
    this.#fresh = this.#advance([
      { first: highest + 1n, last },
      { first, last: highest },
    ])
  }

  #remember({ fresh, used, freed }: PoolMemory): void {
    const value = (text: string): bigint => BigInt(parseAddress(text).value)
    for (const each of [...freed, ...used].map(value)) {
      if (!this.#used.has(each) && this.#handsOut(each)) this.#freed.add(each)
    }
    const spans = fresh.map(([first, last]) => ({ first: value(first), last: value(last) }))
    this.#fresh = this.#advance(spans.map((span) => intersection(span, this.#range)))
  }

  /** Spans from their first fresh address on, without empty ones. */
  #advance(spans: readonly Span[]): readonly Span[] {
    const [span, ...others] = spans
    if (span === undefined) return []
    const first = this.#next(span)
    if (first > span.last) return this.#advance(others)
    return first === span.first ? spans : [{ ...span, first }, ...others]
  }

  /** The first address of a span that is fresh; beyond its end when there is none. */
  #next({ first, last }: Span): bigint {
    let value = first
    while (value <= last) {
      const excluded = this.#excluding(value)
      if (excluded) value = excluded.last + 1n
      else if (this.#used.has(value) || this.#freed.has(value)) value += 1n
      else break
    }
    return value
  }

  #handsOut(value: bigint): boolean {
    return within(value, this.#range) && this.#excluding(value) === undefined
  }

  #excluding(value: bigint): Span | undefined {
    return this.#excluded.find((span) => within(value, span))
  }

  #address(value: bigint): IPAddress {
    return this.#family === 4 ? IPv4Address.fromNumber(Number(value)) : IPv6Address.fromBigInt(value)
  }
}

/** The order in which a pool goes on, as JSON: addresses are texts. */
export interface PoolMemory {
  /** Spans that were never handed out. */
  readonly fresh: readonly (readonly [first: string, last: string])[]
  readonly used: readonly string[]
  /** Oldest first. */
  readonly freed: readonly string[]
}

/** As many addresses wait to be used again at most: no fewer than an IPv4 /16 has. */
const MOST_FREED = 65_536

/** Consecutive addresses; empty where the last is before the first. */
interface Span {
  readonly first: bigint
  readonly last: bigint
}

/**
 * Whether an interface can have an address: not that of the network, nor broadcast (a /31 and a /127 have neither: RFC 3021,
 * RFC 6164), nor in IPv6 the subnet-router anycast address (RFC 4291, 2.6.1).
 */
export function isHostAddress(subnet: Cidr, address: IPAddress): boolean {
  return address.family === subnet.family && within(BigInt(address.value), hostSpan(subnet))
}

function hostSpan(subnet: Cidr): Span {
  return { first: BigInt(subnet.firstHost.value), last: BigInt(subnet.lastHost.value) }
}

function spanOf({ first, last }: AddressRange): Span {
  return { first: BigInt(first.value), last: BigInt(last.value) }
}

function within(value: bigint, { first, last }: Span): boolean {
  return value >= first && value <= last
}

function intersection(one: Span, other: Span): Span {
  return {
    first: one.first > other.first ? one.first : other.first,
    last: one.last < other.last ? one.last : other.last,
  }
}
