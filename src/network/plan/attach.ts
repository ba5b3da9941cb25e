import { type IPv4Address, MacAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { hostRange } from './address-pool.js'
import type { ContainerSettings } from './container-settings.js'
import { hostInterfaceName, randomId } from './identity.js'
import { planLinks } from './link.js'
import type { Plan } from './plan.js'
import { checkPublications } from './publish.js'
import { type ContainerRecord, INDEX_SPAN, type NetworkRecord, shortId } from './records.js'
import type { Registry } from './registry.js'

const OPERATION = 'Network.attach'

/** A planned attachment: the records in the order of the input. */
export interface AttachPlan extends Plan {
  readonly containers: readonly ContainerRecord[]
}

/**
 * Chooses what was left open (id, address, names) and checks what was given, against what stands and against the other
 * containers of the same call. Links may name containers of the same call, in any order.
 */
export function planAttach(
  registry: Registry,
  network: NetworkRecord,
  settings: readonly ContainerSettings[],
  firewall: boolean,
): AttachPlan {
  const claims = new Claims(registry, network)
  const unlinked = settings.map((container) => claims.identify(container))
  checkPublications(
    registry,
    settings.map(({ published }, index) => ({ container: unlinked[index], published })),
    firewall,
    OPERATION,
  )
  const present = new Map(
    unlinked.flatMap((each) => [each.name, each.id, shortId(each.id)].map((key) => [key, each])),
  )
  const find = (reference: string): ContainerRecord | undefined =>
    registry.find(reference) ?? present.get(reference)
  const containers = unlinked.map((container, index) => ({
    ...container,
    links: planLinks(container, settings[index]?.links ?? [], find, registry, unlinked, OPERATION),
  }))
  return {
    containers,
    change: { containers: new Map(containers.map((container) => [container.id, container])) },
    touched: {
      containers: containers.map(({ id }) => id),
      pairs: containers.flatMap(({ id, links }) => links.map(({ server }) => [id, server] as const)),
    },
  }
}

/** What the containers of one call take, so that no two take the same. */
class Claims {
  readonly #registry: Registry
  readonly #network: NetworkRecord
  readonly #free: Generator<IPv4Address, undefined>
  readonly #names = new Set<string>()
  readonly #shortIds = new Set<string>()
  readonly #addresses = new Set<number>()
  readonly #hostInterfaces = new Set<string>()
  readonly #indexes = new Set<number>()
  readonly #macs = new Set<string>()

  constructor(registry: Registry, network: NetworkRecord) {
    this.#registry = registry
    this.#network = network
    this.#free = registry.pool(network).free()
  }

  identify(settings: ContainerSettings): ContainerRecord {
    const at = (property: string): string => joinPath(settings.path, property)
    const id = this.#claimId(settings.id, at('id'))
    const address =
      settings.address === undefined
        ? this.#nextAddress(settings.path)
        : this.#claimAddress(settings.address, at('address'))
    return {
      id,
      name: this.#claimName(settings.name ?? shortId(id), at('name')),
      hostname: settings.hostname ?? shortId(id),
      network: this.#network.name,
      address,
      mac: this.#claimMac(settings.mac ?? MacAddress.fromIPv4(address), at('mac')),
      hostInterface: this.#claimHostInterface(id),
      interfaceName: settings.interfaceName,
      index: this.#claimIndex(address),
      exposed: settings.exposed,
      published: settings.published.map(({ port }) => port),
      links: [],
    }
  }

  #claimId(given: string | undefined, path: string): string {
    const id = given ?? randomId()
    const short = shortId(id)
    // Two containers with one short id could not be told apart in a link.
    if (this.#registry.hasShortId(short) || this.#shortIds.has(short)) {
      throw refuse('NFB_NAME_TAKEN', `another container has the id ${short}`, path)
    }
    this.#shortIds.add(short)
    return id
  }

  #claimName(name: string, path: string): string {
    if (this.#registry.hasName(name) || this.#names.has(name)) {
      throw refuse('NFB_NAME_TAKEN', `another container has the name "${name}"; detach it first`, path)
    }
    this.#names.add(name)
    return name
  }

  #claimAddress(address: IPv4Address, path: string): IPv4Address {
    const { subnet } = this.#network
    const [first, last] = hostRange(subnet)
    if (address.value < first || address.value > last) {
      throw refuse('NFB_ADDRESS_OUTSIDE_POOL', `${address} is no address for an interface in ${subnet}`, path)
    }
    if (this.#registry.pool(this.#network).has(address) || this.#addresses.has(address.value)) {
      throw refuse('NFB_ADDRESS_TAKEN', `${address} is in use on ${this.#network.name}`, path)
    }
    this.#addresses.add(address.value)
    return address
  }

  #nextAddress(path: string): IPv4Address {
    for (let next = this.#free.next(); !next.done; next = this.#free.next()) {
      if (this.#addresses.has(next.value.value)) continue
      this.#addresses.add(next.value.value)
      return next.value
    }
    const { name, subnet } = this.#network
    throw refuse('NFB_POOL_FULL', `no address is free in ${subnet} of ${name}`, path)
  }

  /** Two stations of one address would take each other's frames. */
  #claimMac(mac: MacAddress, path: string): MacAddress {
    const { name, gateway } = this.#network
    const text = mac.toString()
    if (
      this.#registry.hasMac(name, mac) ||
      this.#macs.has(text) ||
      mac.equals(MacAddress.fromIPv4(gateway))
    ) {
      throw refuse('NFB_ADDRESS_TAKEN', `${mac} is in use on ${name}`, path)
    }
    this.#macs.add(text)
    return mac
  }

  /** From the address, which is unique but for its first four bits, and far above what the kernel counts itself. */
  #claimIndex(address: IPv4Address): number {
    let index = INDEX_SPAN + (address.value % INDEX_SPAN)
    while (this.#registry.hasIndex(index) || this.#indexes.has(index)) {
      index = INDEX_SPAN + ((index + 1) % INDEX_SPAN)
    }
    this.#indexes.add(index)
    return index
  }

  #claimHostInterface(id: string): string {
    for (let attempt = 0; ; attempt += 1) {
      const name = hostInterfaceName(id, attempt)
      if (this.#registry.hasHostInterface(name) || this.#hostInterfaces.has(name)) continue
      this.#hostInterfaces.add(name)
      return name
    }
  }
}

function refuse(
  code: 'NFB_NAME_TAKEN' | 'NFB_ADDRESS_OUTSIDE_POOL' | 'NFB_ADDRESS_TAKEN' | 'NFB_POOL_FULL',
  message: string,
  path: string,
): NfbridgeError {
  return new NfbridgeError({ code, operation: OPERATION, message, path: path || undefined })
}
