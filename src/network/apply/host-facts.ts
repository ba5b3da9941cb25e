import { Cidr } from '../../address/index.js'
import type { HostFacts } from '../plan/network.js'
import type { NetworkView } from '../plan/view.js'
import type { HostKernel } from './host-kernel.js'

/**
 * What planning a network must know of the host: where its packets go now, by routes and by its own addresses.
 * @param adopted a bridge that is to be used: what leads to it is no obstacle
 */
export async function readFacts(
  kernel: HostKernel,
  { networks, peers }: NetworkView,
  adopted: string | undefined,
): Promise<HostFacts> {
  const [links, routes, addresses] = await Promise.all([
    kernel.listLinks(),
    kernel.listRoutes(),
    kernel.listAddresses(),
  ])
  const ours = new Set([...networks].flatMap(({ bridges }) => bridges))
  if (adopted !== undefined) ours.add(adopted)
  const bridge = links.find(({ name }) => name === adopted)?.index
  const devices = new Set(links.flatMap(({ name, index }) => (ours.has(name) ? [index] : [])))
  const peerSubnets = new Set([...peers].map(({ subnet }) => subnet.toString()))
  const foreign = [
    ...routes
      .filter(({ device }) => device === undefined || !devices.has(device))
      .map(({ destination }) => destination),
    ...addresses
      .filter(({ device }) => !devices.has(device))
      .map(({ address }) => Cidr.of(address.network, address.prefixLength)),
  ]
  const outgoing = routes
    .filter(({ destination }) => destination.prefixLength === 0)
    .flatMap(({ device, nexthops }) => device ?? nexthops?.[0]?.device ?? [])[0]
  return {
    routes: foreign.filter((route) => route.prefixLength > 0 && !peerSubnets.has(route.toString())),
    bridgeAddresses: addresses.flatMap(({ device, scope, address }) =>
      device === bridge && scope === 'universe' ? [address] : [],
    ),
    outgoingMtu: links.find(({ index }) => index === outgoing)?.mtu,
  }
}
