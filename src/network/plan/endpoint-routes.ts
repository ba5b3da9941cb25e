import { Cidr, type IPAddress, IPv4Address, IPv6Address } from '../../address/index.js'
import { familyEndpoints, poolEndpoints } from './endpoints.js'
import {
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  type NetworkRecord,
  type PoolRecord,
  poolOf,
  standingEndpoints,
} from './records.js'
import type { StaticRoute } from './static-route.js'
import type { NetworkView } from './view.js'

/** A route in a container, by the interface of one of its endpoints. */
export interface EndpointRoute {
  readonly destination: Cidr
  /** Undefined: everybody there is on the bridge. */
  readonly gateway: IPAddress | undefined
  readonly metric: number
  readonly type: StaticRoute['type']
}

/**
 * The way out, where there is one, and those to the other pools of the network: on the same bridge directly, to another bridge
 * by the host. They are needed without a way out, and where the default route may go by another network.
 */
export function endpointRoutes(network: NetworkRecord, endpoint: EndpointRecord): EndpointRoute[] {
  const { metric } = endpoint
  const type = 'unicast'
  return familyEndpoints(endpoint).flatMap(({ address, family }): EndpointRoute[] => {
    const pool = poolOf(network, address)
    if (!pool) return []
    const others = network.pools.filter((other) => other !== pool && other.subnet.family === family)
    const siblings = others.flatMap((other): EndpointRoute[] => {
      if (other.bridge === pool.bridge)
        return [{ destination: other.subnet, gateway: undefined, metric, type }]
      return pool.gateway ? [{ destination: other.subnet, gateway: pool.gateway, metric, type }] : []
    })
    const gateway = wayOut(network, pool)
    const further = [...(network.routes ?? []), ...(endpoint.routes ?? [])]
      .filter(({ destination }) => destination.family === family)
      .map((route): EndpointRoute => {
        const via = route.type === 'unicast' ? (route.gateway ?? gateway) : undefined
        return { ...route, gateway: via, metric: route.metric ?? metric }
      })
    const hasDefault = gateway !== undefined && endpoint.defaultRoute !== false
    return [
      ...siblings,
      ...further,
      ...(hasDefault ? [{ destination: everywhere(family), gateway, metric, type } as const] : []),
    ]
  })
}

/** By whom containers of a pool reach what is beyond their network; undefined: by nobody. */
function wayOut(network: NetworkRecord, pool: PoolRecord): IPAddress | undefined {
  return network.internal ? undefined : (pool.router ?? pool.gateway)
}

function everywhere(family: Family): Cidr {
  return Cidr.of(family === 4 ? IPv4Address.fromNumber(0) : IPv6Address.fromBigInt(0n), 0)
}

/** What a container sends from one of its addresses, by the network of that address: a table of its own, and a rule. */
export interface ReturnRoute {
  readonly source: IPAddress
  readonly gateway: IPAddress
  readonly endpoint: EndpointRecord
  readonly table: number
}

/**
 * How a container on several networks answers by the one that it was asked by. Its default route goes by one of them; a strict
 * reverse path filter in the container (`rp_filter` 1) lets in by the others nothing from outside, and what is answered would go by
 * a network that did not ask. None where one network alone has a way out.
 */
export function returnRoutes(view: NetworkView, container: ContainerRecord): ReturnRoute[] {
  const routes = standingEndpoints(container).flatMap((endpoint) => {
    const network = view.network(endpoint.network)
    if (!network || endpoint.defaultRoute === false) return []
    return poolEndpoints(endpoint).flatMap(({ address }): ReturnRoute[] => {
      const pool = poolOf(network, address)
      const gateway = pool && wayOut(network, pool)
      return gateway ? [{ source: address, gateway, endpoint, table: tableOf(address) }] : []
    })
  })
  return ([4, 6] as const).flatMap((family) => {
    const own = routes.filter(({ source }) => source.family === family)
    return new Set(own.map(({ endpoint }) => endpoint)).size > 1 ? own : []
  })
}

/** Routes of a container that refuse: they belong to no interface, so that none takes them with it. */
export function refusingRoutes(view: NetworkView, container: ContainerRecord): EndpointRoute[] {
  return standingEndpoints(container).flatMap((endpoint) => {
    const network = view.network(endpoint.network)
    return network ? endpointRoutes(network, endpoint).filter(({ type }) => type !== 'unicast') : []
  })
}

/**
 * The same table for an address each time, so that what was added is known without being remembered.
 * IPv4: the address as a number; IPv6: FNV-1a of its bytes, in the upper half.
 */
function tableOf(address: IPAddress): number {
  if (address.family === 4) return Number(address.value)
  let hash = 0x811c9dc5
  for (const byte of address.bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash | 0x80000000) >>> 0
}
