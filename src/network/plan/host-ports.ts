import type { PortRange, Protocol } from '../../address/index.js'
import type { PublishedPort } from './records.js'

/** The first and the last port that are handed out by themselves: the kernel's dynamic range (RFC 6335, section 6). */
export const AUTOMATIC_PORTS: PortRange = { first: 49_153, last: 65_535 }

/** As many consecutive ports share one bucket. */
const BUCKET = 64

/** Ports of one host address that somebody has. */
interface Claim {
  readonly ports: PortRange
  readonly holder: string
}

/**
 * Which ports of the host are published, by whom. A range is one claim, found through the buckets that it lies in: what a
 * question costs depends on its own range and not on how many ports are published.
 */
export class HostPorts {
  /** By `protocol/bucket`, then by host address; `*` is every address. */
  readonly #buckets = new Map<string, Map<string, Claim[]>>()
  #nextAutomatic = AUTOMATIC_PORTS.first

  /** Where the search for an automatic port goes on: behind the one that was taken last. */
  get nextAutomatic(): number {
    return this.#nextAutomatic
  }

  mark(direction: 'take' | 'release', holder: string, port: PublishedPort): void {
    const address = addressKey(port)
    const { first, last } = port.hostPorts
    if (direction === 'take' && first >= this.#nextAutomatic) {
      this.#nextAutomatic = last < AUTOMATIC_PORTS.last ? last + 1 : AUTOMATIC_PORTS.first
    }
    for (const key of bucketKeys(port.protocol, port.hostPorts)) {
      const addresses = this.#buckets.get(key) ?? new Map<string, Claim[]>()
      const others = (addresses.get(address) ?? []).filter(
        (claim) => claim.ports.first !== first || claim.ports.last !== last || claim.holder !== holder,
      )
      const claims = direction === 'take' ? [...others, { ports: port.hostPorts, holder }] : others
      if (claims.length > 0) addresses.set(address, claims)
      else addresses.delete(address)
      if (addresses.size > 0) this.#buckets.set(key, addresses)
      else this.#buckets.delete(key)
    }
  }

  /**
   * Who has a port that this publication would collide with: one of the same protocol, on the same address, or where one of
   * the two is on every address. Addresses of different families never collide.
   */
  holderOf(port: Pick<PublishedPort, 'hostAddress' | 'hostPorts' | 'protocol'>): string | undefined {
    const address = addressKey(port)
    for (const key of bucketKeys(port.protocol, port.hostPorts)) {
      const addresses = this.#buckets.get(key)
      if (!addresses) continue
      const rivals =
        address === EVERY ? addresses.values() : [addresses.get(EVERY) ?? [], addresses.get(address) ?? []]
      for (const claims of rivals) {
        const rival = claims.find(({ ports }) => overlap(ports, port.hostPorts))
        if (rival) return rival.holder
      }
    }
    return undefined
  }
}

const EVERY = '*'

function addressKey({ hostAddress }: Pick<PublishedPort, 'hostAddress'>): string {
  return hostAddress?.toString() ?? EVERY
}

function* bucketKeys(protocol: Protocol, { first, last }: PortRange): Generator<string> {
  for (let bucket = Math.floor(first / BUCKET); bucket <= Math.floor(last / BUCKET); bucket += 1) {
    yield `${protocol}/${bucket}`
  }
}

function overlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last
}
