import { createHash } from 'node:crypto'
import { type IPAddress, MacAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { bridgeMac } from './bridge.js'
import { seedOfHost } from './host-name.js'
import { HostPorts } from './host-ports.js'
import { hostInterfaceName, randomId } from './identity.js'
import { automaticName } from './names.js'
import type { NetworkRecord, PoolRecord } from './records.js'
import type { Registry } from './registry.js'
import { InsideClaims, type LinksInside, NOBODY_LOOKED, type TakenLinks } from './taken-links.js'

/** A bridge has 1,024 ports, numbered from 1 (BR_MAX_PORTS in net/bridge/br_private.h). */
export const MOST_BRIDGE_PORTS = 1023

/** What is wrong with what was asked for. */
export type Refuse = (
  code:
    | 'NFB_INVALID_ARGUMENT'
    | 'NFB_NAME_TAKEN'
    | 'NFB_EXISTS'
    | 'NFB_ADDRESS_OUTSIDE_POOL'
    | 'NFB_ADDRESS_TAKEN'
    | 'NFB_POOL_FULL'
    | 'NFB_BRIDGE_FULL'
    | 'NFB_SETTING_CONFLICT',
  message: string,
  property?: string,
) => NfbridgeError

/** Errors of one object of the caller's input. @param path where it stands there; undefined: nowhere */
export function refusal(operation: string, path: string | undefined): Refuse {
  return (code, message, property = '') => {
    const where = path === undefined ? '' : joinPath(path, property)
    return new NfbridgeError({ code, operation, message, path: where || undefined })
  }
}

/** What the containers of one call take, so that no two take the same; the registry knows what was taken before. */
export class Claims {
  readonly registry: Registry
  /** Host ports, by the ids of who claims them. */
  readonly hostPorts: HostPorts = new HostPorts()
  /** Host ports that others of the call ask for: they are not chosen. */
  readonly reservedPorts: HostPorts = new HostPorts()
  /** By what ports of the host are chosen of: how many candidates the next one need not look at. */
  readonly passedOver: Map<string, number> = new Map()
  readonly #reserved: ReadonlySet<string>
  readonly #names = new Set<string>()
  readonly #ids = new Set<string>()
  readonly #addresses = new Set<string>()
  readonly #hostInterfaces = new Set<string>()
  readonly #inside = new Map<LinksInside, InsideClaims>()
  readonly #taken: TakenLinks
  #nextHostIndex = 0
  readonly #macs = new Set<string>()
  /** `network address`. */
  readonly #linkLocal = new Set<string>()
  readonly #portsByBridge = new Map<string, number>()
  readonly #cursors = new Map<PoolRecord, Generator<IPAddress, undefined>>()
  readonly #nextFree = new Map<PoolRecord, IPAddress | undefined>()

  /**
   * @param reserved names that others of the call ask for: they are not chosen
   * @param taken what others have in containers and on the host
   */
  constructor(registry: Registry, reserved: Iterable<string> = [], taken: TakenLinks = NOBODY_LOOKED) {
    this.registry = registry
    this.#taken = taken
    this.#reserved = new Set(reserved)
  }

  id(given: string | undefined, refuse: Refuse): string {
    const id = given ?? randomId()
    if (this.registry.container(id) || this.#ids.has(id)) {
      throw refuse('NFB_NAME_TAKEN', `another container has the id "${id}"`, 'id')
    }
    // It would be found by that name, and never by its id.
    if (this.registry.hasName(id) || this.#names.has(id)) {
      throw refuse('NFB_NAME_TAKEN', `another container has the name "${id}"`, 'id')
    }
    this.#ids.add(id)
    return id
  }

  /** @param own the id of the container that is to have it: the name may be the same */
  name(given: string | undefined, refuse: Refuse, own?: string): string {
    const isId = (name: string): boolean =>
      name !== own && (this.registry.container(name) !== undefined || this.#ids.has(name))
    const isTaken = (name: string): boolean =>
      this.registry.hasName(name) || this.#names.has(name) || isId(name)
    const name = given ?? automaticName((each) => this.#reserved.has(each) || isTaken(each))
    if (isTaken(name)) {
      const what = isId(name) ? 'id' : 'name'
      throw refuse('NFB_NAME_TAKEN', `another container has the ${what} "${name}"; detach it first`, 'name')
    }
    this.#names.add(name)
    return name
  }

  /** How many containers are on a bridge, those of this call included. */
  portsOf(bridge: string): number {
    return this.registry.portsOf(bridge) + (this.#portsByBridge.get(bridge) ?? 0)
  }

  bridgePort(bridge: string): void {
    this.#portsByBridge.set(bridge, (this.#portsByBridge.get(bridge) ?? 0) + 1)
  }

  isTaken(pool: PoolRecord, address: IPAddress): boolean {
    return this.registry.pool(pool).has(address) || this.#addresses.has(address.toString())
  }

  address(address: IPAddress): void {
    this.#addresses.add(address.toString())
  }

  /** The next address that is free, read on from where the last search ended; nothing is claimed. */
  nextFree(pool: PoolRecord): IPAddress | undefined {
    let next = this.#nextFree.get(pool)
    if (next && !this.#addresses.has(next.toString())) return next
    let cursor = this.#cursors.get(pool)
    if (!cursor) {
      cursor = this.registry.pool(pool).free()
      this.#cursors.set(pool, cursor)
    }
    do next = cursor.next().value
    while (next && this.#addresses.has(next.toString()))
    this.#nextFree.set(pool, next)
    return next
  }

  /**
   * A MAC that nobody of the network has. Two stations of one would take each other's frames.
   * @param given one that was asked for; without it, that of the address or, if somebody has it, another one
   */
  mac(network: NetworkRecord, address: IPAddress, given: MacAddress | undefined, refuse: Refuse): MacAddress {
    const isTaken = (mac: MacAddress): boolean =>
      this.registry.hasMac(network.name, mac) ||
      this.#macs.has(`${network.name} ${mac}`) ||
      this.#isLinkLocalTaken(network, mac.linkLocal) ||
      network.bridges.some((bridge) => bridgeMac(network, bridge).equals(mac))
    let mac = given ?? defaultMac(address)
    if (given && isTaken(given)) {
      throw refuse('NFB_ADDRESS_TAKEN', `${mac} is in use on ${network.name}`, 'mac')
    }
    for (let attempt = 1; isTaken(mac); attempt += 1) {
      const digest = createHash('sha256').update(`${network.name} ${address} ${attempt}`).digest()
      mac = locallyAdministered(digest.subarray(0, 4))
    }
    this.#macs.add(`${network.name} ${mac}`)
    this.#linkLocal.add(`${network.name} ${mac.linkLocal}`)
    return mac
  }

  /** A link-local address that nobody of the network has, be it by its MAC; others may have it on theirs. */
  linkLocal(network: NetworkRecord, address: IPAddress, property: string, refuse: Refuse): void {
    const isBridges =
      !network.adopted &&
      network.bridges.some((bridge) => bridgeMac(network, bridge).linkLocal.equals(address))
    if (isBridges || this.#isLinkLocalTaken(network, address))
      throw refuse('NFB_ADDRESS_TAKEN', `${address} is in use on ${network.name}`, property)
    this.#linkLocal.add(`${network.name} ${address}`)
  }

  #isLinkLocalTaken({ name }: NetworkRecord, address: IPAddress): boolean {
    return this.registry.hasLinkLocal(name, address) || this.#linkLocal.has(`${name} ${address}`)
  }

  /** What the container at a place of the call takes in its namespace. */
  inside(place: number): InsideClaims {
    const links = this.#taken.inside[place]
    if (!links) return new InsideClaims()
    const claims = this.#inside.get(links) ?? new InsideClaims(links)
    this.#inside.set(links, claims)
    return claims
  }

  /** An index for an interface on the host, with the next one. @param former one from before, if it is free */
  hostIndex(former?: number): number {
    const isFree = (index: number): boolean =>
      [index, index + 1].every((each) => !this.registry.hasHostIndex(each) && !this.#taken.host.has(each))
    if (former !== undefined && [former, former + 1].every((each) => !this.#taken.host.has(each)))
      return former
    let index = Math.max(this.#nextHostIndex, this.registry.lowestHostIndex)
    while (!isFree(index)) index += 2
    this.#nextHostIndex = index + 2
    return index
  }

  /**
   * The name of an interface on the host.
   * @param seed what is alone in having it: a container on a network
   * @param given one that was asked for
   */
  hostInterface(seed: string, given: string | undefined, refuse: Refuse): string {
    const isOurs = (name: string): boolean =>
      this.registry.hasHostInterface(name) || this.#hostInterfaces.has(name)
    const holder =
      given === undefined
        ? undefined
        : [...this.registry.networks].find(({ bridges }) => bridges.includes(given))
    if (holder) {
      const message = `"${given}" is a bridge of the network ${holder.name}`
      throw refuse('NFB_NAME_TAKEN', message, 'hostInterfaceName')
    }
    if (given !== undefined && (isOurs(given) || this.#taken.hostNames.has(given))) {
      const [code, who] = isOurs(given)
        ? (['NFB_NAME_TAKEN', 'another container'] as const)
        : (['NFB_EXISTS', 'the host'] as const)
      throw refuse(code, `${who} has an interface "${given}" on the host`, 'hostInterfaceName')
    }
    const seeded = seedOfHost(this.registry.host, seed)
    let name = given ?? hostInterfaceName(seeded)
    for (
      let attempt = 1;
      given === undefined && (isOurs(name) || this.#taken.hostNames.has(name));
      attempt += 1
    ) {
      name = hostInterfaceName(seeded, attempt)
    }
    this.#hostInterfaces.add(name)
    return name
  }
}

/** The MAC that goes with an address: 02:42 and its last four bytes, Docker's in IPv4. */
function defaultMac(address: IPAddress): MacAddress {
  return locallyAdministered(address.bytes.subarray(-4))
}

function locallyAdministered(lastFour: Uint8Array): MacAddress {
  return MacAddress.fromBytes(Uint8Array.from([0x02, 0x42, ...lastFour]))
}
