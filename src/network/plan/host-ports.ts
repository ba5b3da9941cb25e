import type { PortRange, Protocol } from '../../address/index.js'
import type { PublishedPort } from './records.js'

/** What decides which ports of the host are chosen, and which are not. */
export interface PortFacts {
  /** The host's dynamic ports (net.ipv4.ip_local_port_range). */
  readonly dynamic: PortRange
  /** Ports that are for known programs (net.ipv4.ip_local_reserved_ports): none is chosen of the dynamic range. */
  readonly reserved: readonly PortRange[]
  /** What somebody else on this machine has: `tcp/49153`. */
  readonly taken: ReadonlySet<string>
}

/** The dynamic ports of a host that has no setting for them, as Docker has it (RFC 6335, section 6). */
export const DYNAMIC_PORTS: PortRange = { first: 49_153, last: 65_535 }

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
  /** By `protocol/bucket`, then by host address; `*` is every address of both families. */
  readonly #buckets = new Map<string, Map<string, Claim[]>>()
  #nextDynamic: number | undefined

  /** Where the search for a dynamic port goes on: behind the one that was taken last. */
  get nextDynamic(): number | undefined {
    return this.#nextDynamic
  }

  mark(direction: 'take' | 'release', holder: string, port: PublishedPort): void {
    const address = addressKey(port)
    const { first, last } = port.hostPorts
    if (direction === 'take' && port.chosenOf === 'dynamic') this.#nextDynamic = last + 1
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
   * the two is on every address of a family that both are of. Addresses of different families never collide.
   */
  holderOf(port: Pick<PublishedPort, 'hostAddress' | 'hostPorts' | 'protocol'>): string | undefined {
    for (const key of bucketKeys(port.protocol, port.hostPorts)) {
      const addresses = this.#buckets.get(key)
      for (const address of addresses ? rivalsOf(addressKey(port), addresses) : []) {
        const rival = addresses?.get(address)?.find(({ ports }) => overlap(ports, port.hostPorts))
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

/** Of the addresses that somebody has, those that one who asks for an address would meet. */
function rivalsOf(asked: string, had: ReadonlyMap<string, unknown>): Iterable<string> {
  if (asked === EVERY) return had.keys()
  const every = everyOf(asked)
  if (asked !== every) return [EVERY, every, asked]
  return [...had.keys()].filter((each) => each === EVERY || everyOf(each) === every)
}

function everyOf(address: string): string {
  return address.includes(':') ? '::' : '0.0.0.0'
}

function* bucketKeys(protocol: Protocol, { first, last }: PortRange): Generator<string> {
  for (let bucket = Math.floor(first / BUCKET); bucket <= Math.floor(last / BUCKET); bucket += 1) {
    yield `${protocol}/${bucket}`
  }
}

function overlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last
}
