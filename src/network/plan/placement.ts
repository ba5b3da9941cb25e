import type { IPAddress } from '../../address/index.js'
import { isHostAddress } from './address-pool.js'
import type { AskedAddress } from './asked-addresses.js'
import { type Claims, MOST_BRIDGE_PORTS, type Refuse } from './claims.js'
import { eachFamily } from './endpoints.js'
import { type Family, type NetworkRecord, type PoolRecord, poolOf } from './records.js'

/** An address for each family, where there is one. */
export type FamilyAddresses = Readonly<Partial<Record<Family, IPAddress | undefined>>>

/** Where a container comes to lie in a network. */
export interface Placement {
  readonly bridge: string
  /** That it sends from. */
  readonly addresses: FamilyAddresses
  /** Of those that were asked for, the others. */
  readonly further: readonly IPAddress[]
}

/**
 * The emptiest bridge of a network with room for one more container and an address of each family, and those addresses. A
 * broadcast is copied for every port of a bridge, so that several half full ones serve better than a full one.
 * @param families those that the container can have addresses of, of the network's
 * @param fixed addresses that were asked for: those or none
 * @param former what it had before: it comes back there if it can
 */
export function place(
  claims: Claims,
  network: NetworkRecord,
  families: readonly Family[],
  fixed: readonly AskedAddress[],
  former: FamilyAddresses,
  refuse: Refuse,
): Placement {
  const fixedBridge = checkFixed(claims, network, fixed, refuse)
  const bridges = fixedBridge === undefined ? network.bridges : [fixedBridge]
  const open = bridges
    .filter((bridge) => claims.portsOf(bridge) < MOST_BRIDGE_PORTS)
    .toSorted((one, other) => claims.portsOf(one) - claims.portsOf(other))
  if (open.length === 0) throw refuse('NFB_BRIDGE_FULL', fullText(network, bridges))
  const formerAddress = former[4] ?? former[6]
  const formerBridge = formerAddress && poolOf(network, formerAddress)?.bridge
  const first = open.filter((bridge) => bridge === formerBridge)
  for (const bridge of [...first, ...open]) {
    const addresses = addressesOn(claims, network, families, bridge, fixed, former)
    if (!addresses) continue
    const own = eachFamily.flatMap((family) => addresses[family] ?? [])
    const further = fixed.map(({ address }) => address).filter((each) => !own.includes(each))
    for (const address of [...own, ...further]) claims.address(address)
    claims.bridgePort(bridge)
    return { bridge, addresses, further }
  }
  const subnets = network.pools.filter(({ bridge }) => open.includes(bridge)).map(({ subnet }) => `${subnet}`)
  throw refuse('NFB_POOL_FULL', `no address is free in ${subnets.join(', ')} of ${network.name}`)
}

/** An address of each family of the network, on one bridge; undefined where one family has none left. */
function addressesOn(
  claims: Claims,
  network: NetworkRecord,
  families: readonly Family[],
  bridge: string,
  fixed: readonly AskedAddress[],
  former: FamilyAddresses,
): FamilyAddresses | undefined {
  const addresses: Partial<Record<Family, IPAddress>> = {}
  for (const family of families) {
    const pools = network.pools.filter((pool) => pool.bridge === bridge && pool.subnet.family === family)
    const asked = fixed.find((each) => each.address.family === family)?.address
    const address = asked ?? formerOn(claims, pools, former[family]) ?? firstFree(claims, pools)
    if (!address) return undefined
    addresses[family] = address
  }
  return addresses
}

function formerOn(
  claims: Claims,
  pools: readonly PoolRecord[],
  address: IPAddress | undefined,
): IPAddress | undefined {
  const pool = address && pools.find(({ subnet }) => subnet.contains(address))
  return pool && !claims.isTaken(pool, address) ? address : undefined
}

function firstFree(claims: Claims, pools: readonly PoolRecord[]): IPAddress | undefined {
  for (const pool of pools) {
    const address = claims.nextFree(pool)
    if (address) return address
  }
  return undefined
}

/** Refuses fixed addresses that can't be had. @returns the bridge that they are of; undefined: there are none */
function checkFixed(
  claims: Claims,
  network: NetworkRecord,
  fixed: readonly AskedAddress[],
  refuse: Refuse,
): string | undefined {
  let bridge: string | undefined
  for (const { address, property } of fixed) {
    const { family } = address
    const pool = poolOf(network, address)
    if (!pool || !isHostAddress(pool.subnet, address)) {
      throw refuse('NFB_ADDRESS_OUTSIDE_POOL', outsideText(network, family, address, pool), property)
    }
    if (claims.isTaken(pool, address)) {
      throw refuse('NFB_ADDRESS_TAKEN', takenText(network, pool, address), property)
    }
    if (bridge !== undefined && bridge !== pool.bridge) {
      const message = `${address} is on the bridge ${pool.bridge}, and ${fixed[0]?.address} on ${bridge}: a container has one place`
      throw refuse('NFB_SETTING_CONFLICT', message, property)
    }
    bridge = pool.bridge
  }
  return bridge
}

function outsideText(
  network: NetworkRecord,
  family: Family,
  address: IPAddress,
  pool: PoolRecord | undefined,
): string {
  if (pool) return `${address} is no address for an interface in ${pool.subnet}`
  const subnets = network.pools.map(({ subnet }) => subnet).filter((subnet) => subnet.family === family)
  if (subnets.length === 0) return `${network.name} has no IPv${family} addresses`
  return `${address} is no address for an interface in ${subnets.join(', ')}`
}

function takenText(network: NetworkRecord, pool: PoolRecord, address: IPAddress): string {
  if (pool.gateway?.equals(address)) return `${address} is the gateway of ${network.name}`
  const excluded = pool.exclude.find((subnet) => subnet.contains(address))
  if (excluded) return `${address} is excluded from ${network.name}, with ${excluded}`
  return `${address} is in use on ${network.name}`
}

function fullText(network: NetworkRecord, bridges: readonly string[]): string {
  const remedy = `create the network with more bridges (\`bridges: ${network.bridges.length + 1}\`)`
  const which = bridges.length === 1 ? `${bridges[0]} has` : `each of ${bridges.join(', ')} has`
  return `a bridge takes ${MOST_BRIDGE_PORTS} containers, and ${which} as many; ${remedy}, or detach some`
}
