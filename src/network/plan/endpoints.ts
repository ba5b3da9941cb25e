import type { IPAddress } from '../../address/index.js'
import {
  byMetric,
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familyOf,
  standingEndpoints,
} from './records.js'
import type { NetworkView } from './view.js'

/** Both families, IPv4 first. */
export const eachFamily: readonly Family[] = [4, 6]

/** An endpoint seen in one address family. */
export interface EndpointFamily {
  readonly endpoint: EndpointRecord
  readonly family: Family
  readonly address: IPAddress
}

/** The families that an endpoint has an address of, each with the one that it sends from and is known by. */
export function familyEndpoints(endpoint: EndpointRecord): EndpointFamily[] {
  const { ipv4, ipv6 } = endpoint
  const families: EndpointFamily[] = []
  if (ipv4) families.push({ endpoint, family: 4, address: ipv4 })
  if (ipv6) families.push({ endpoint, family: 6, address: ipv6 })
  return families
}

/** Every address of a pool that an endpoint has; the first of each family first. */
export function poolEndpoints(endpoint: EndpointRecord): EndpointFamily[] {
  const further = (endpoint.further ?? []).map((address) => ({ endpoint, family: address.family, address }))
  return [...familyEndpoints(endpoint), ...further]
}

/**
 * From which addresses to which a link is: every one of the client to every one of the server, of a family. Those of pools alone: a
 * link-local address may be somebody else's on another network.
 */
export function linkedAddresses(
  from: EndpointRecord,
  to: EndpointRecord,
): { readonly family: Family; readonly source: IPAddress; readonly destination: IPAddress }[] {
  const targets = poolEndpoints(to)
  return poolEndpoints(from).flatMap(({ family, address: source }) =>
    targets
      .filter((target) => target.family === family)
      .map(({ address: destination }) => ({ family, source, destination })),
  )
}

/** Every link-local address that an endpoint has, that of its MAC included. */
export function linkLocalAddresses({ ipv6, mac, linkLocal = [] }: EndpointRecord): IPAddress[] {
  return ipv6 ? [mac.linkLocal, ...linkLocal] : [...linkLocal]
}

/** The addresses whose MAC the host and the bridge are told; for that of the MAC itself nobody asks the bridge. */
export function toldAddresses(endpoint: EndpointRecord): IPAddress[] {
  return [...poolEndpoints(endpoint).map(({ address }) => address), ...(endpoint.linkLocal ?? [])]
}

/**
 * Where published ports lead in one family: the endpoint by which the container also goes out, among those whose network
 * translates. Undefined where none does.
 */
export function publishingEndpoint(
  view: NetworkView,
  container: ContainerRecord,
  family: Family,
): EndpointFamily | undefined {
  return byMetric(standingEndpoints(container))
    .filter(({ network }) => translates(view, network, family))
    .flatMap(familyEndpoints)
    .find((each) => each.family === family)
}

/**
 * The endpoints of a container whose bridges do not track frames: what it answers to who is on such a bridge as well reaches them
 * past connection tracking, and with it past translation.
 */
export function untrackedEndpoints(view: NetworkView, container: ContainerRecord): EndpointRecord[] {
  return standingEndpoints(container).filter(({ network }) => !hasTracking(view, network))
}

/** Whether neighbours at published ports of a network's containers are seen under their own address. */
export function hasTracking(view: NetworkView, name: string): boolean {
  return view.network(name)?.tracking === true
}

/** Whether ports of the host lead to a network's containers in one family. */
export function translates(view: NetworkView, name: string, family: Family): boolean {
  const network = view.network(name)
  if (!network || network.internal) return false
  const { mode } = familyOf(network, family)
  return mode === 'nat' || mode === 'nat-unprotected'
}
