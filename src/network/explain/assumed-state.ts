/** The inside of a container whose namespace can't be opened: as it was configured when it was attached. */
import { Cidr, type IPAddress } from '../../address/index.js'
import { Catalog, Evaluator, environmentOf, longestMatch, type NamespaceState } from '../../explain/index.js'
import type { Address, Link, Neighbour, Route, RouteDecision, RouteLookup } from '../../rtnl/index.js'
import { linkLocalPrefixLength } from '../plan/asked-addresses.js'
import { bridgeMac } from '../plan/bridge.js'
import { endpointRoutes } from '../plan/endpoint-routes.js'
import { familyEndpoints, linkLocalAddresses, poolEndpoints } from '../plan/endpoints.js'
import { type ContainerRecord, type EndpointRecord, poolOf } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'

/** The kernel's default: that of a container's own is not known. */
const LOCAL_PORTS = '32768 60999'
const LOOPBACK_INDEX = 1

/** @param hostLinks those of the host, whose ends of the container's interfaces tell whether these are up */
export function assumedState(
  view: NetworkView,
  container: ContainerRecord,
  hostLinks: readonly Link[],
): NamespaceState {
  const links = [loopback(), ...container.endpoints.map((endpoint) => linkOf(endpoint, hostLinks))]
  const addresses = container.endpoints.flatMap((endpoint) => addressesOf(view, endpoint))
  const routes = [
    localRoute(Cidr.parse('127.0.0.0/8'), LOOPBACK_INDEX),
    localRoute(Cidr.parse('::1/128'), LOOPBACK_INDEX),
    ...container.endpoints.flatMap((endpoint) => routesOf(view, endpoint)),
  ]
  const listed = { links, addresses, routes, rules: [] }
  return {
    name: container.name,
    generation: 0,
    ...listed,
    neighbours: container.endpoints.flatMap((endpoint) => gatewaysOf(view, endpoint)),
    rules: [],
    fdb: [],
    evaluator: new Evaluator(new Catalog({ nftables: [], generation: 0 }), environmentOf(listed)),
    lookup: async (question) => decide(listed, question),
    sysctl: async (name) => (name === 'net/ipv4/ip_local_port_range' ? LOCAL_PORTS : undefined),
  }
}

function loopback(): Link {
  const lo = {
    index: LOOPBACK_INDEX,
    name: 'lo',
    mtu: 65536,
    up: true,
    lowerUp: true,
    state: 'unknown',
  } as const
  return { ...lo, flags: 0, group: 0, record: {} }
}

function linkOf(endpoint: EndpointRecord, hostLinks: readonly Link[]): Link {
  const { index, interfaceName, mac } = endpoint
  const other = hostLinks.find((link) => link.index === endpoint.hostIndex)
  return {
    index,
    name: interfaceName,
    kind: 'veth',
    mac,
    mtu: other?.mtu ?? 1500,
    // The carrier of one end is that the other is up.
    up: other?.lowerUp ?? true,
    lowerUp: other?.up ?? false,
    state: 'up',
    flags: 0,
    group: 0,
    peer: endpoint.hostIndex,
    // Any number: what the container calls the host's namespace.
    peerNamespaceId: 0,
    record: {},
  }
}

function addressesOf(view: NetworkView, endpoint: EndpointRecord): Address[] {
  const own = poolEndpoints(endpoint).map(({ address }) =>
    addressOn(endpoint, address, prefixLengthOf(view, endpoint, address), 'universe'),
  )
  const linkLocal = linkLocalAddresses(endpoint).map((address) =>
    addressOn(
      endpoint,
      address,
      linkLocalPrefixLength(address.family),
      address.family === 4 ? 'universe' : 'link',
    ),
  )
  return [...own, ...linkLocal]
}

function addressOn(
  { index }: EndpointRecord,
  address: IPAddress,
  prefixLength: number,
  scope: Address['scope'],
): Address {
  return {
    family: address.family,
    device: index,
    address: Cidr.of(address, prefixLength),
    scope,
    tentative: false,
    duplicate: false,
    permanent: true,
    flags: 0,
    record: {},
  }
}

function prefixLengthOf(view: NetworkView, endpoint: EndpointRecord, address: IPAddress): number {
  const network = view.network(endpoint.network)
  return (network && poolOf(network, address)?.subnet.prefixLength) ?? (address.family === 4 ? 32 : 128)
}

function routesOf(view: NetworkView, endpoint: EndpointRecord): Route[] {
  const network = view.network(endpoint.network)
  if (!network) return []
  const { index: device } = endpoint
  const onLink = (address: IPAddress, subnet: Cidr): Route[] => [
    localRoute(Cidr.of(address, address.family === 4 ? 32 : 128), device),
    route(subnet, { device, source: address }),
  ]
  return [
    ...linkLocalAddresses(endpoint).flatMap((address) => {
      const subnet = Cidr.of(address, linkLocalPrefixLength(address.family))
      return onLink(address, Cidr.of(subnet.network, subnet.prefixLength))
    }),
    ...poolEndpoints(endpoint).flatMap(({ address }): Route[] => {
      const pool = poolOf(network, address)
      return pool ? onLink(address, pool.subnet) : []
    }),
    ...endpointRoutes(network, endpoint).map(({ destination, gateway, metric, type }) => ({
      ...route(destination, { device, metric, ...(gateway && { gateway }) }),
      type,
    })),
  ]
}

function route(destination: Cidr, more: Pick<Route, 'device' | 'gateway' | 'metric' | 'source'>): Route {
  return {
    family: destination.family,
    destination,
    table: 'main',
    scope: 'universe',
    type: 'unicast',
    protocol: 'static',
    onlink: false,
    record: {},
    ...more,
  }
}

function localRoute(destination: Cidr, device: number): Route {
  return {
    ...route(destination, { device }),
    table: 'local',
    scope: 'host',
    type: 'local',
    protocol: 'kernel',
  }
}

/** Where the gateway is, the container was told. */
function gatewaysOf(view: NetworkView, endpoint: EndpointRecord): Neighbour[] {
  const network = view.network(endpoint.network)
  if (!network || network.adopted) return []
  return familyEndpoints(endpoint).flatMap(({ address, family }) => {
    const pool = poolOf(network, address)
    if (!pool?.gateway) return []
    return [
      {
        family,
        device: endpoint.index,
        address: pool.gateway,
        mac: bridgeMac(network, pool.bridge),
        state: 'permanent',
        proxy: false,
        router: false,
        record: {},
      } as const,
    ]
  })
}

/** As the kernel decides it by tables `local` and `main`. */
function decide(
  { addresses, routes }: Pick<NamespaceState, 'addresses' | 'routes'>,
  { destination, source, inputDevice }: RouteLookup,
): RouteDecision {
  const text = destination.toString()
  const local = longestMatch(
    routes.filter(({ table }) => table === 'local'),
    text,
  )
  const found =
    local ??
    longestMatch(
      routes.filter(({ table }) => table !== 'local'),
      text,
    )
  // A container forwards nothing.
  if (!found || (inputDevice !== undefined && !local))
    return { reachable: false, reason: 'no-route', errno: 'ENETUNREACH' }
  const { device, gateway, table, type } = found
  const chosen =
    found.source ??
    (local
      ? local.destination.address
      : addresses.find(
          (each) => each.device === device && each.family === found.family && each.scope === 'universe',
        )?.address.address)
  const sender = source === undefined ? chosen : undefined
  return {
    reachable: true,
    type,
    ...(device !== undefined && { device }),
    ...(gateway && { gateway }),
    ...(sender && { source: sender }),
    table,
    route: found,
  }
}
