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

/** The families that an endpoint has an address of. */
export function familyEndpoints(endpoint: EndpointRecord): EndpointFamily[] {
  const { ipv4, ipv6 } = endpoint
  const families: EndpointFamily[] = []
  if (ipv4) families.push({ endpoint, family: 4, address: ipv4 })
  if (ipv6) families.push({ endpoint, family: 6, address: ipv6 })
  return families
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

/** Whether ports of the host lead to a network's containers in one family. */
export function translates(view: NetworkView, name: string, family: Family): boolean {
  const network = view.network(name)
  if (!network || network.internal) return false
  const { mode } = familyOf(network, family)
  return mode === 'nat' || mode === 'nat-unprotected'
}
