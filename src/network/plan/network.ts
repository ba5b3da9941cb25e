import { Cidr, type IPAddress } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import { AddressPool, isHostAddress } from './address-pool.js'
import { rangeOf, rangeText } from './address-range.js'
import { bridgeNames } from './bridge-names.js'
import { defaultPools } from './default-pools.js'
import { type HostRouting, obstacleOf } from './host-routing.js'
import { labelsOf } from './labels.js'
import { defaultMtu, type WaysOut } from './mtu.js'
import { splitBits } from './network-conflicts.js'
import { refuseNetwork } from './network-refusal.js'
import type { NetworkSettings } from './network-settings.js'
import { holderOf } from './peer.js'
import { isSizeAlone, NOTHING_CHOSEN, type PoolSettings } from './pool-settings.js'
import type { Family, NetworkRecord, PoolRecord } from './records.js'
import { checkRoutes } from './static-route.js'
import type { NetworkView } from './view.js'

/** What planning a network must know of the host. */
export interface HostFacts {
  /** Its routing, without what leads to interfaces of ours, or to a bridge that is to be adopted. */
  readonly routing: HostRouting
  readonly out: WaysOut
  /** Addresses of the bridge that is to be adopted, with their prefix lengths; none otherwise. */
  readonly bridgeAddresses: readonly Cidr[]
  /** Its MTU: that of its LAN. */
  readonly bridgeMtu?: number | undefined
}

/**
 * Chooses what was left open (pools, gateways, bridges, MTU, group) and refuses what collides with another network, a peer,
 * or a route of the host: packets would lose their way there.
 * @throws NfbridgeError NFB_NAME_TAKEN, NFB_POOL_OVERLAP, NFB_POOL_FULL, NFB_SETTING_CONFLICT
 */
export function planNetwork(view: NetworkView, settings: NetworkSettings, facts: HostFacts): NetworkRecord {
  const networks = [...view.networks]
  const { name, ipv4, ipv6, icc, internal, isolation, trustedInterfaces, allowDirectRouting, linkMode } =
    settings
  const owner = networks.find((each) => each.name === name || each.bridges.includes(name))
  if (owner) {
    const what =
      owner.name === name ? `a network "${name}"` : `a bridge "${name}", of the network "${owner.name}",`
    throw refuseNetwork('NFB_NAME_TAKEN', `there is ${what} already`, 'name')
  }
  const bridges = bridgeNames(name, settings.bridges, new Set(networks.flatMap((each) => each.bridges)))
  const obstacle = (subnet: Cidr): string | undefined => {
    const holder = holderOf(subnet, view)
    return holder === undefined ? obstacleOf(facts.routing, subnet) : `overlaps ${holder}`
  }
  const { routes, defaultRoute, metric } = settings
  const planned = choosePools(settings, facts.bridgeAddresses, obstacle)
  checkRoutes(routes, { name, pools: planned }, refuseNetwork)
  return {
    name,
    bridges,
    pools: planned.flatMap((pool) => {
      const isolated = (pool.subnet.family === 4 ? ipv4 : ipv6).mode === 'isolated'
      return split(withBridgeAddresses(pool, facts.bridgeAddresses, isolated), bridges, isolated)
    }),
    ipv4,
    ipv6,
    icc,
    internal,
    isolation,
    trustedInterfaces,
    allowDirectRouting,
    hostBinding: settings.hostBinding,
    helpers: settings.helpers,
    linkMode,
    tracking: settings.tracking ?? settings.adopt,
    mtu: settings.mtu ?? facts.bridgeMtu ?? defaultMtu(planned, facts.routing, facts.out),
    ...(routes.length > 0 && { routes }),
    ...(!defaultRoute && { defaultRoute: false as const }),
    ...(metric !== undefined && { metric }),
    ...(settings.advertise && { advertise: settings.advertise }),
    adopted: settings.adopt,
    group: freeGroup(networks, settings.firstGroup),
    ...labelsOf(settings),
  }
}

/** The pools that were given, and for each family without one that of the adopted bridge, or a default one. */
function choosePools(
  settings: NetworkSettings,
  bridgeAddresses: readonly Cidr[],
  obstacle: (subnet: Cidr) => string | undefined,
): PoolSettings[] {
  const { pools, families } = settings
  const located = pools.filter(({ subnet }) => !isSizeAlone(subnet))
  for (const { subnet, path } of located) {
    const reason = obstacle(subnet)
    if (reason) throw refuseNetwork('NFB_POOL_OVERLAP', `${subnet} ${reason}`, joinPath(path, 'subnet'))
  }
  const taken = located.map(({ subnet }) => subnet)
  const chosen = pools.map((pool): PoolSettings => {
    if (!isSizeAlone(pool.subnet)) return pool
    const { family, prefixLength } = pool.subnet
    const subnet = freeSubnet(settings, family, prefixLength, joinPath(pool.path, 'subnet'), (each) => {
      const other = taken.find((one) => one.overlaps(each))
      return other ? `overlaps ${other}, of the same network` : obstacle(each)
    })
    taken.push(subnet)
    return { ...pool, subnet }
  })
  const missing = families.filter((family) => !pools.some(({ subnet }) => subnet.family === family))
  return [
    ...chosen,
    ...missing.map((family): PoolSettings => {
      const address = bridgeAddresses.find((each) => each.family === family)
      const path = pools.length > 0 ? 'pools' : 'subnet'
      const subnet = address
        ? Cidr.of(address.network, address.prefixLength)
        : freeSubnet(settings, family, undefined, path, obstacle)
      return { subnet, ...NOTHING_CHOSEN, path: '' }
    }),
  ]
}

/** An adopted bridge keeps its addresses: the first of a pool is its gateway, unless another was given, and none is handed out. */
function withBridgeAddresses(
  pool: PoolSettings,
  bridgeAddresses: readonly Cidr[],
  isolated: boolean,
): PoolSettings {
  const own = bridgeAddresses.map(({ address }) => address).filter((address) => pool.subnet.contains(address))
  const gateway = pool.gateway ?? (isolated ? undefined : own[0])
  const others = own.filter((address) => !gateway?.equals(address))
  const longest = pool.subnet.family === 4 ? 32 : 128
  return { ...pool, gateway, exclude: [...pool.exclude, ...others.map((each) => Cidr.of(each, longest))] }
}

/** The first default pool that nothing is in the way of. @param size the prefix length that was asked for */
function freeSubnet(
  { defaultPools: configured, bridges }: NetworkSettings,
  family: Family,
  size: number | undefined,
  path: string,
  obstacle: (subnet: Cidr) => string | undefined,
): Cidr {
  let last: string | undefined
  for (const subnet of defaultPools(family, { configured, splitBits: splitBits(bridges), size })) {
    const reason = obstacle(subnet)
    if (!reason) return subnet
    last = `${subnet} ${reason}`
  }
  const message =
    last === undefined
      ? `no default pool of IPv${family} has room for a /${size}; give a subnet`
      : `every default pool of IPv${family} is in use (at last: ${last}); give a subnet`
  throw refuseNetwork('NFB_POOL_FULL', message, path)
}

/** The parts of a pool, one for each bridge: as large as each other, with a gateway each unless they are isolated. */
function split(pool: PoolSettings, bridges: readonly string[], isolated: boolean): PoolRecord[] {
  const parts = bridges.map((bridge, index) => {
    const subnet = partOf(pool.subnet, splitBits(bridges.length), index)
    const own = pool.router ? [Cidr.of(pool.router, pool.router.family === 4 ? 32 : 128)] : []
    const exclude = [...pool.exclude, ...own].filter((each) => each.overlaps(subnet))
    const range = pool.range ?? rangeOf(subnet)
    const part = {
      bridge,
      subnet,
      range,
      exclude,
      names: pool.names,
      gateway: undefined,
      ...(pool.router && { router: pool.router }),
    }
    return isolated ? part : { ...part, gateway: gatewayOf(pool, part) }
  })
  const given = pool.gateway
  if (given && !parts.some(({ gateway }) => gateway?.equals(given))) {
    const message = `${given} is no address for an interface in any of ${parts.map(({ subnet }) => subnet).join(', ')}`
    throw refuseNetwork('NFB_ADDRESS_OUTSIDE_POOL', message, joinPath(pool.path, 'gateway'))
  }
  const useless = parts.find((part) => new AddressPool(part).free().next().done)
  if (useless) {
    const message = `nothing of ${rangeText(useless.range)} is left for containers; exclude less, or give a larger range`
    const path = joinPath(pool.path, pool.exclude.length > 0 ? 'exclude' : 'range')
    throw refuseNetwork('NFB_SETTING_CONFLICT', message, path)
  }
  return parts
}

function partOf(subnet: Cidr, bits: number, index: number): Cidr {
  if (bits === 0) return subnet
  const prefixLength = subnet.prefixLength + bits
  const size = subnet.size >> BigInt(bits)
  return Cidr.of(subnet.addressAt(size * BigInt(index)), prefixLength)
}

/** The one that was given, if it is of this part; or the first that is not excluded, in the range or not. */
function gatewayOf({ gateway, path }: PoolSettings, part: PoolRecord): IPAddress {
  if (gateway && isHostAddress(part.subnet, gateway)) return gateway
  const { value } = new AddressPool({ ...part, range: rangeOf(part.subnet) }).free().next()
  if (value) return value
  const message = `nothing of ${part.subnet} is left for the gateway; exclude less, or give a gateway`
  throw refuseNetwork('NFB_SETTING_CONFLICT', message, joinPath(path, 'exclude'))
}

function freeGroup(networks: readonly NetworkRecord[], first: number): number {
  const groups = new Set(networks.map(({ group }) => group))
  let group = first
  while (groups.has(group)) group += 1
  return group
}
