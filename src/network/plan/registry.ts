import type { IPAddress, MacAddress } from '../../address/index.js'
import { DEFAULT_TABLE } from '../rules/names.js'
import { AddressPool, type PoolMemory } from './address-pool.js'
import { toldAddresses } from './endpoints.js'
import { HostPorts } from './host-ports.js'
import {
  type ContainerRecord,
  type EndpointRecord,
  type HostPolicyRecord,
  type NetworkRecord,
  type PeerRecord,
  type PoolRecord,
  type PublishedPort,
  shortId,
  standingEndpoints,
} from './records.js'
import { FIRST_HOST_INDEX } from './taken-links.js'
import type { NetworkView, ViewChange } from './view.js'

/** The orders in which a network's pools go on, by subnet: JSON. */
export type PoolMemories = Readonly<Record<string, PoolMemory>>

/** As many as a pool remembers freed addresses; neighbours forget within minutes. */
const MOST_FORMER_MACS = 65_536

/**
 * What stands: networks, containers and peers, and the indexes that answer each question of planning without a search.
 * Nothing here speaks to the kernel.
 */
export class Registry implements NetworkView {
  readonly host: string
  readonly #networks = new Map<string, NetworkRecord>()
  readonly #containers = new Map<string, ContainerRecord>()
  readonly #peers = new Map<string, PeerRecord>()
  #policy: HostPolicyRecord = { drop: [], acceptDirect: false, userRules: false }
  /** By subnet: no two pools overlap. */
  readonly #pools = new Map<string, AddressPool>()
  readonly #idsByName = new Map<string, string>()
  readonly #idsByHostName = new Map<string, Set<string>>()
  readonly #idsByShortId = new Map<string, Set<string>>()
  readonly #idsByNetwork = new Map<string, Set<string>>()
  readonly #clientsByServer = new Map<string, Set<string>>()
  /** Of stopped containers too: they keep the names and indexes of their interfaces. */
  readonly #hostInterfaces = new Set<string>()
  readonly #hostIndexes = new Set<number>()
  #lowestHostIndex = FIRST_HOST_INDEX
  /** What only a standing endpoint has: `network mac`, and how many ports a bridge has. */
  readonly #macs = new Set<string>()
  readonly #linkLocal = new Set<string>()
  readonly #portsByBridge = new Map<string, number>()
  readonly #hostPorts = new HostPorts()
  /** By address that was given back: the MAC that it had last; empty where an earlier process knew. Oldest first. */
  readonly #formerMacs = new Map<string, string>()

  /** @param host the name that the host was opened with */
  constructor(host: string = DEFAULT_TABLE) {
    this.host = host
  }

  network(name: string): NetworkRecord | undefined {
    return this.#networks.get(name)
  }

  container(id: string): ContainerRecord | undefined {
    return this.#containers.get(id)
  }

  peer(subnet: string): PeerRecord | undefined {
    return this.#peers.get(subnet)
  }

  get networks(): Iterable<NetworkRecord> {
    return this.#networks.values()
  }

  get containers(): Iterable<ContainerRecord> {
    return this.#containers.values()
  }

  get peers(): Iterable<PeerRecord> {
    return this.#peers.values()
  }

  get policy(): HostPolicyRecord {
    return this.#policy
  }

  /** The containers with an endpoint on a network, stopped ones included. */
  containersOf(network: string): ContainerRecord[] {
    return [...(this.#idsByNetwork.get(network) ?? [])].flatMap((id) => this.#containers.get(id) ?? [])
  }

  /** The container that a name, a full id or an unambiguous short id stands for. Never a host name. */
  find(reference: string): ContainerRecord | undefined {
    const exact = this.named(reference) ?? this.#containers.get(reference)
    if (exact) return exact
    const [candidate, ...others] = this.withShortId(reference)
    return others.length === 0 ? candidate : undefined
  }

  /** The container of a name. */
  named(name: string): ContainerRecord | undefined {
    const id = this.#idsByName.get(name)
    return id === undefined ? undefined : this.#containers.get(id)
  }

  /** The containers with a short id: that of ids that begin alike is the same. */
  withShortId(short: string): ContainerRecord[] {
    return [...(this.#idsByShortId.get(short) ?? [])].flatMap((id) => this.#containers.get(id) ?? [])
  }

  /** The containers that call themselves so; no key, only for an error's sake. */
  withHostName(hostname: string): ContainerRecord[] {
    return [...(this.#idsByHostName.get(hostname) ?? [])].flatMap((id) => this.#containers.get(id) ?? [])
  }

  hasName(name: string): boolean {
    return this.#idsByName.has(name)
  }

  /** Ids of the containers with a link to this one. */
  clientsOf(server: string): ReadonlySet<string> {
    return this.#clientsByServer.get(server) ?? new Set()
  }

  hasHostInterface(name: string): boolean {
    return this.#hostInterfaces.has(name)
  }

  hasHostIndex(index: number): boolean {
    return this.#hostIndexes.has(index)
  }

  /** Where the search for an index on the host begins: below, all are in use. */
  get lowestHostIndex(): number {
    while (this.#hostIndexes.has(this.#lowestHostIndex)) this.#lowestHostIndex += 2
    return this.#lowestHostIndex
  }

  /** Whether a container of a network has a link-local address, be it by its MAC. */
  hasLinkLocal(network: string, address: IPAddress): boolean {
    return this.#linkLocal.has(`${network} ${address}`)
  }

  hasMac(network: string, mac: MacAddress): boolean {
    return this.#macs.has(`${network} ${mac}`)
  }

  /** The addresses of an endpoint that neighbours may remember with another MAC, from their last owner. */
  remembered(endpoint: EndpointRecord): IPAddress[] {
    return toldAddresses(endpoint).filter((address) => {
      const mac = this.#formerMacs.get(address.toString())
      return mac !== undefined && mac !== endpoint.mac.toString()
    })
  }

  /** How many containers stand on a bridge: it takes {@link MOST_BRIDGE_PORTS}. */
  portsOf(bridge: string): number {
    return this.#portsByBridge.get(bridge) ?? 0
  }

  /** Who holds a host port that this one would collide with; see {@link HostPorts.holderOf}. */
  holderOf(port: Pick<PublishedPort, 'hostAddress' | 'hostPorts' | 'protocol'>): string | undefined {
    return this.#hostPorts.holderOf(port)
  }

  /** Where the search for a dynamic host port goes on; undefined: none was chosen yet. */
  get nextDynamicPort(): number | undefined {
    return this.#hostPorts.nextDynamic
  }

  pool(record: PoolRecord): AddressPool {
    const key = record.subnet.toString()
    let pool = this.#pools.get(key)
    if (!pool) {
      pool = new AddressPool(record)
      this.#pools.set(key, pool)
    }
    return pool
  }

  /** The orders in which a network's pools go on. */
  poolMemories(network: NetworkRecord): PoolMemories {
    return Object.fromEntries(
      network.pools.map((pool) => [pool.subnet.toString(), this.pool(pool).memory] as const),
    )
  }

  /** Takes up the orders of an earlier process; the network and its containers are there already. */
  restorePools(network: NetworkRecord, memories: PoolMemories | undefined): void {
    const inUse = this.containersOf(network.name).flatMap(standingEndpoints).flatMap(toldAddresses)
    for (const pool of network.pools) {
      const subnet = pool.subnet.toString()
      const own = inUse.filter((address) => pool.subnet.contains(address))
      this.#pools.set(subnet, AddressPool.restore(pool, own, memories?.[subnet]))
      for (const address of memories?.[subnet]?.freed ?? []) this.#rememberMac(address, '')
    }
  }

  /** Makes a change that was planned and applied. */
  apply(change: ViewChange): void {
    for (const [name, network] of change.networks ?? []) if (network) this.#networks.set(name, network)
    this.#applyContainers(change.containers ?? new Map())
    for (const [name, network] of change.networks ?? []) {
      if (network) continue
      for (const { subnet } of this.#networks.get(name)?.pools ?? []) this.#pools.delete(subnet.toString())
      this.#networks.delete(name)
    }
    for (const [subnet, peer] of change.peers ?? []) {
      if (peer) this.#peers.set(subnet, peer)
      else this.#peers.delete(subnet)
    }
    if (change.policy) this.#policy = change.policy
  }

  /** Everything is given back before anything is taken: containers may swap what they have. */
  #applyContainers(change: ReadonlyMap<string, ContainerRecord | undefined>): void {
    const before = new Map([...change.keys()].map((id) => [id, this.#containers.get(id)]))
    for (const [id, old] of before) if (old) this.#index('remove', old, change.get(id))
    for (const [id, record] of change) {
      if (record) {
        this.#containers.set(id, record)
        this.#index('add', record, before.get(id))
      } else {
        this.#containers.delete(id)
      }
    }
  }

  /** @param other the same container after or before the change: what is equal in both is not touched */
  #index(direction: 'add' | 'remove', container: ContainerRecord, other: ContainerRecord | undefined): void {
    const { id, name, hostname, endpoints, state } = container
    if (other?.name !== name) {
      if (direction === 'add') this.#idsByName.set(name, id)
      else this.#idsByName.delete(name)
    }
    if (!other) {
      enter(direction, this.#idsByShortId, shortId(id), id)
      enter(direction, this.#idsByHostName, hostname, id)
    }
    if (other?.links !== container.links) {
      for (const { server } of container.links) enter(direction, this.#clientsByServer, server, id)
    }
    if (other?.endpoints !== endpoints || other.state !== state) {
      for (const endpoint of endpoints) this.#indexEndpoint(direction, id, endpoint)
      for (const endpoint of standingEndpoints(container)) this.#indexStanding(direction, endpoint)
    }
    if (other?.published !== container.published || other.state !== state) {
      // A stopped container gives its ports back, as the addresses.
      if (state !== 'running') return
      const mark = direction === 'add' ? 'take' : 'release'
      const kept = new Set(other?.state === state ? other.published : [])
      for (const port of container.published) if (!kept.has(port)) this.#hostPorts.mark(mark, id, port)
    }
  }

  #indexEndpoint(direction: 'add' | 'remove', id: string, endpoint: EndpointRecord): void {
    enter(direction, this.#idsByNetwork, endpoint.network, id)
    if (direction === 'add') {
      this.#hostInterfaces.add(endpoint.hostInterface)
      this.#hostIndexes.add(endpoint.hostIndex)
    } else {
      this.#hostInterfaces.delete(endpoint.hostInterface)
      this.#hostIndexes.delete(endpoint.hostIndex)
      if (endpoint.hostIndex < this.#lowestHostIndex && endpoint.hostIndex >= FIRST_HOST_INDEX)
        this.#lowestHostIndex = endpoint.hostIndex
    }
  }

  #indexStanding(direction: 'add' | 'remove', endpoint: EndpointRecord): void {
    const { network, bridge, mac } = endpoint
    if (direction === 'add') this.#macs.add(`${network} ${mac}`)
    else this.#macs.delete(`${network} ${mac}`)
    for (const address of [mac.linkLocal, ...(endpoint.linkLocal ?? [])]) {
      if (direction === 'add') this.#linkLocal.add(`${network} ${address}`)
      else this.#linkLocal.delete(`${network} ${address}`)
    }
    const ports = this.portsOf(bridge) + (direction === 'add' ? 1 : -1)
    if (ports > 0) this.#portsByBridge.set(bridge, ports)
    else this.#portsByBridge.delete(bridge)
    const mark = direction === 'add' ? 'take' : 'release'
    for (const address of toldAddresses(endpoint)) {
      this.#poolOf(endpoint, address)?.mark(mark, address)
      if (mark === 'release') this.#rememberMac(address.toString(), mac.toString())
    }
  }

  #rememberMac(address: string, mac: string): void {
    this.#formerMacs.delete(address)
    this.#formerMacs.set(address, mac)
    const [oldest] = this.#formerMacs.keys()
    if (this.#formerMacs.size > MOST_FORMER_MACS && oldest !== undefined) this.#formerMacs.delete(oldest)
  }

  #poolOf({ network, bridge }: EndpointRecord, address: IPAddress): AddressPool | undefined {
    const record = this.#networks
      .get(network)
      ?.pools.find((pool) => pool.bridge === bridge && pool.subnet.contains(address))
    return record && this.pool(record)
  }
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
