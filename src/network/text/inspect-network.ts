import { rangeText } from '../plan/address-range.js'
import {
  type ContainerRecord,
  endpointOn,
  type FamilyRecord,
  familiesOf,
  type NetworkRecord,
  type PoolRecord,
} from '../plan/records.js'
import type { StaticRoute } from '../plan/static-route.js'
import type {
  FamilyInspection,
  NetworkInspection,
  NetworkMemberInspection,
  PoolInspection,
  RouteInspection,
} from './inspection.js'

/** A network as data. @param containers those with an endpoint on it */
export function inspectNetwork(
  network: NetworkRecord,
  containers: readonly ContainerRecord[],
): NetworkInspection {
  const { name, bridges, pools, icc, internal, isolation, linkMode, tracking, allowDirectRouting, adopted } =
    network
  const families = familiesOf(network)
  return {
    name,
    bridges: [...bridges],
    pools: pools.map(inspectPool),
    icc,
    internal,
    isolation,
    linkMode,
    tracking,
    ipv4: families.includes(4) ? inspectFamily(network.ipv4) : null,
    ipv6: families.includes(6) ? inspectFamily(network.ipv6) : null,
    trustedInterfaces: [...network.trustedInterfaces],
    allowDirectRouting,
    hostBinding: network.hostBinding?.toString() ?? null,
    helpers: [...network.helpers],
    mtu: network.mtu ?? null,
    routes: (network.routes ?? []).map(inspectRoute),
    defaultRoute: network.defaultRoute !== false,
    metric: network.metric ?? null,
    advertise: network.advertise ? { ...network.advertise } : null,
    adopted,
    labels: { ...network.labels },
    containers: containers.map((container) => inspectMember(container, name)),
  }
}

function inspectPool({ subnet, bridge, gateway, router, range, exclude, names }: PoolRecord): PoolInspection {
  return {
    subnet: subnet.toString(),
    bridge,
    gateway: gateway?.toString() ?? null,
    defaultGateway: (router ?? gateway)?.toString() ?? null,
    range: rangeText(range),
    exclude: exclude.map(String),
    names: { ...names },
  }
}

/** A route of its containers as data. */
export function inspectRoute({ destination, gateway, metric, type }: StaticRoute): RouteInspection {
  return {
    destination: destination.toString(),
    gateway: gateway?.toString() ?? null,
    metric: metric ?? null,
    type,
  }
}

function inspectFamily({ mode, masquerade, snat, except }: FamilyRecord): FamilyInspection {
  return { mode, masquerade, snat: snat?.toString() ?? null, except: except.map(String) }
}

function inspectMember(container: ContainerRecord, network: string): NetworkMemberInspection {
  const { id, name, state } = container
  const endpoint = endpointOn(container, network)
  return {
    id,
    name,
    state,
    ipv4: endpoint?.ipv4?.toString() ?? null,
    ipv6: endpoint?.ipv6?.toString() ?? null,
  }
}
