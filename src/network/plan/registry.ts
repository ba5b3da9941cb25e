import type { IPv4Address, MacAddress } from '../../address/index.js'
import { AddressPool, type PoolMemory } from './address-pool.js'
import { type ContainerRecord, type NetworkRecord, type PublishedPort, shortId } from './records.js'
import type { NetworkView, ViewChange } from './view.js'

/**
 * What stands: networks and containers, and the indexes that answer each question of planning without a search.
 * Nothing here speaks to the kernel.
 */
export class Registry implements NetworkView {
  readonly #networks = new Map<string, NetworkRecord>()
  readonly #containers = new Map<string, ContainerRecord>()
  readonly #pools = new Map<string, AddressPool>()
  readonly #idsByName = new Map<string, string>()
  readonly #idsByShortId = new Map<string, Set<string>>()
  readonly #idsByNetwork = new Map<string, Set<string>>()
  readonly #clientsByServer = new Map<string, Set<string>>()
  readonly #hostInterfaces = new Set<string>()
  readonly #indexes = new Set<number>()
  /** `network mac`. */
  readonly #macs = new Set<string>()
  /** By `protocol/port`: who has it, by host address, `*` for every address. */
  readonly #hostPorts = new Map<string, Map<string, string>>()

  network(name: string): NetworkRecord | undefined {
    return this.#networks.get(name)
  }

  container(id: string): ContainerRecord | undefined {
    return this.#containers.get(id)
  }

  get networks(): Iterable<NetworkRecord> {
    return this.#networks.values()
  }

  get containers(): Iterable<ContainerRecord> {
    return this.#containers.values()
  }

  containersOf(network: string): ContainerRecord[] {
    return [...(this.#idsByNetwork.get(network) ?? [])].flatMap((id) => this.#containers.get(id) ?? [])
  }

  /** The container that a name, a full id or an unambiguous short id stands for. Never a host name. */
  find(reference: string): ContainerRecord | undefined {
    const byName = this.#idsByName.get(reference)
    if (byName !== undefined) return this.#containers.get(byName)
    const byId = this.#containers.get(reference)
    if (byId) return byId
    const candidates = this.#idsByShortId.get(reference)
    if (candidates?.size !== 1) return undefined
    const [id] = candidates
    return id === undefined ? undefined : this.#containers.get(id)
  }

  hasName(name: string): boolean {
    return this.#idsByName.has(name)
  }

  hasShortId(short: string): boolean {
    return this.#idsByShortId.has(short)
  }

  /** Ids of the containers with a link to this one. */
  clientsOf(server: string): ReadonlySet<string> {
    return this.#clientsByServer.get(server) ?? new Set()
  }

  hasHostInterface(name: string): boolean {
    return this.#hostInterfaces.has(name)
  }

  hasIndex(index: number): boolean {
    return this.#indexes.has(index)
  }

  hasMac(network: string, mac: MacAddress): boolean {
    return this.#macs.has(`${network} ${mac}`)
  }

  /** Who holds a host port that this one would collide with: the same address, or one of the two is every address. */
  holderOf(port: PublishedPort): string | undefined {
    const holders = this.#hostPorts.get(hostPortKey(port))
    if (!holders) return undefined
    if (port.hostAddress === undefined) {
      const [any] = holders.values()
      return any
    }
    return holders.get('*') ?? holders.get(port.hostAddress.toString())
  }

  pool(network: NetworkRecord): AddressPool {
    let pool = this.#pools.get(network.name)
    if (!pool) {
      pool = new AddressPool(network.subnet)
      pool.mark('take', network.gateway)
      this.#pools.set(network.name, pool)
    }
    return pool
  }

  /** Takes up a pool's order of an earlier process; the network and its containers are there already. */
  restorePool(network: NetworkRecord, memory: PoolMemory | undefined): void {
    const inUse: IPv4Address[] = this.containersOf(network.name).map(({ address }) => address)
    this.#pools.set(network.name, AddressPool.restore(network.subnet, [network.gateway, ...inUse], memory))
  }

  /** Makes a change that was planned and applied. */
  apply(change: ViewChange): void {
    for (const [name, network] of change.networks ?? []) if (network) this.#networks.set(name, network)
    for (const [id, after] of change.containers ?? []) {
      const before = this.#containers.get(id)
      if (before) this.#index('remove', before)
      if (after) {
        this.#containers.set(id, after)
        this.#index('add', after)
      } else {
        this.#containers.delete(id)
      }
    }
    for (const [name, network] of change.networks ?? []) {
      if (network) continue
      this.#networks.delete(name)
      this.#pools.delete(name)
    }
  }

  #index(direction: 'add' | 'remove', container: ContainerRecord): void {
    const { id, name, network } = container
    const add = direction === 'add'
    if (add) this.#idsByName.set(name, id)
    else this.#idsByName.delete(name)
    if (add) this.#hostInterfaces.add(container.hostInterface)
    else this.#hostInterfaces.delete(container.hostInterface)
    if (add) this.#indexes.add(container.index)
    else this.#indexes.delete(container.index)
    if (add) this.#macs.add(`${network} ${container.mac}`)
    else this.#macs.delete(`${network} ${container.mac}`)
    enter(direction, this.#idsByShortId, shortId(id), id)
    enter(direction, this.#idsByNetwork, network, id)
    for (const { server } of container.links) enter(direction, this.#clientsByServer, server, id)
    for (const port of container.published) {
      const key = hostPortKey(port)
      const holders = this.#hostPorts.get(key) ?? new Map<string, string>()
      const address = port.hostAddress?.toString() ?? '*'
      if (add) holders.set(address, id)
      else holders.delete(address)
      if (holders.size > 0) this.#hostPorts.set(key, holders)
      else this.#hostPorts.delete(key)
    }
    const record = this.#networks.get(network)
    if (record) this.pool(record).mark(add ? 'take' : 'release', container.address)
  }
}

function hostPortKey(port: PublishedPort): string {
  return `${port.protocol}/${port.hostPort}`
}

function enter(
  direction: 'add' | 'remove',
  index: Map<string, Set<string>>,
  key: string,
  value: string,
): void {
  const values = index.get(key)
  if (direction === 'add') {
    if (values) values.add(value)
    else index.set(key, new Set([value]))
    return
  }
  values?.delete(value)
  if (values?.size === 0) index.delete(key)
}
