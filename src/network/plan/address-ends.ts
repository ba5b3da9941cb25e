import { Cidr, type IPAddress } from '../../address/index.js'
import { isLinkLocal } from './asked-addresses.js'
import { linkLocalAddresses, poolEndpoints } from './endpoints.js'
import { type ContainerRecord, type NetworkRecord, standingEndpoints } from './records.js'
import type { NetworkView } from './view.js'

/** Link-local addresses of the MAC addresses that are chosen, which begin with 02:42 (RFC 4291, appendix A). */
export const CHOSEN_LINK_LOCAL: Cidr = Cidr.parse('fe80::42:0:0:0/80')

/** So many of those that were asked for are remembered; one that is forgotten is looked for once more. */
const MOST_ASKED = 65_536

/** An address that a container has on a network. */
export interface PlacedAddress {
  readonly network: string
  readonly address: IPAddress
}

/**
 * Of which addresses no tracked connection is left of who had them before: what was looked through, and was not had since but by who
 * gave it back wholly. Of any other it is not known, whoever had it: a process that was killed, another program, a call that failed.
 */
export class AddressEnds {
  /** Their pools were looked through. */
  readonly #networks = new Set<string>()
  /** As were the link-local addresses that are chosen. */
  #linkLocal = false
  /** Texts of link-local addresses that were asked for, by themselves or by a MAC address, and were given back wholly; oldest first. */
  readonly #asked = new Set<string>()
  /** Texts of those that somebody had since then, and has or did not give back wholly. */
  readonly #open = new Set<string>()

  /** Of a bridge that is not ours others have addresses too, and nobody tells of their end. */
  isClean(network: Pick<NetworkRecord, 'name' | 'adopted'>, address: IPAddress): boolean {
    const text = address.toString()
    if (network.adopted || this.#open.has(text)) return false
    if (!isLinkLocal(address)) return this.#networks.has(network.name)
    return this.#asked.has(text) || (this.#linkLocal && CHOSEN_LINK_LOCAL.contains(address))
  }

  #remember(asked: string): void {
    this.#asked.delete(asked)
    this.#asked.add(asked)
    const [oldest] = this.#asked
    if (this.#asked.size > MOST_ASKED && oldest !== undefined) this.#asked.delete(oldest)
  }

  /** Whether a container of ours had it, and did not give it back wholly. */
  isOpen(address: IPAddress): boolean {
    return this.#open.has(address.toString())
  }

  begin(addresses: readonly IPAddress[]): void {
    for (const address of addresses) this.#open.add(address.toString())
  }

  /** Their elements are gone, and every connection. */
  end(addresses: readonly IPAddress[]): void {
    for (const address of addresses) {
      this.#open.delete(address.toString())
      if (isLinkLocal(address) && !CHOSEN_LINK_LOCAL.contains(address)) this.#remember(address.toString())
    }
  }

  /** Connections of former owners of their pools, and of the chosen link-local addresses, were forgotten. */
  lookedThrough(networks: readonly Pick<NetworkRecord, 'name'>[]): void {
    for (const { name } of networks) this.#networks.add(name)
    this.#linkLocal = true
  }

  /** The network is gone. */
  forgetNetwork(name: string): void {
    this.#networks.delete(name)
  }
}

/** Every address that a container has in the kernel. */
export function placedAddresses(container: ContainerRecord | undefined): PlacedAddress[] {
  if (!container) return []
  return standingEndpoints(container).flatMap((endpoint) =>
    [...poolEndpoints(endpoint).map(({ address }) => address), ...linkLocalAddresses(endpoint)].map(
      (address) => ({ network: endpoint.network, address }),
    ),
  )
}

/** The addresses that some of the containers have after a change and had not before: with both views swapped, those that they have lost. */
export function arrivingAddresses(
  before: NetworkView,
  after: NetworkView,
  containers: readonly string[] = [],
): PlacedAddress[] {
  return containers.flatMap((id) => {
    const had = new Set(placedAddresses(before.container(id)).map(({ address }) => address.toString()))
    return placedAddresses(after.container(id)).filter(({ address }) => !had.has(address.toString()))
  })
}
