import { hasTracking, publishingEndpoint, untrackedEndpoints } from '../plan/endpoints.js'
import {
  type ContainerRecord,
  type Family,
  familyOf,
  isForHostAlone,
  type NetworkRecord,
  oneHostAddress,
  type PublishedPort,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { destinationPorts, is, isClosed, isNot, networksOf, publishedIn } from './iptables-selection.js'
import type { IptablesMatch, IptablesRule, IptablesTable } from './iptables-table.js'

const LOOPBACK = { 4: '127.0.0.0/8', 6: '::1' } as const

/** Docker's nat table for what stands, as it is without its proxy process. */
export function natTable(view: NetworkView, family: Family): IptablesTable {
  const networks = networksOf(view, family)
  const containers = [...view.containers]
  const local: IptablesRule = { target: 'DOCKER', matches: [{ kind: 'local', side: 'destination' }] }
  return {
    family,
    name: 'nat',
    chains: [
      { name: 'PREROUTING', policy: 'ACCEPT', rules: [local] },
      { name: 'INPUT', policy: 'ACCEPT', rules: [] },
      // From ::1 IPv6 leads nowhere (it has no route_localnet).
      {
        name: 'OUTPUT',
        policy: 'ACCEPT',
        rules: [family === 4 ? local : { ...local, destination: isNot(LOOPBACK[6]) }],
      },
      {
        name: 'POSTROUTING',
        policy: 'ACCEPT',
        rules: [
          ...(family === 4 ? networks.flatMap(loopbackRules) : []),
          ...containers.flatMap((container) => neighbourRules(view, container, family)),
          ...betweenRules(networks),
          ...networks.flatMap((network) => masqueradeRules(view, network, family)),
        ],
      },
      { name: 'DOCKER', rules: containers.flatMap((container) => translationRules(view, container, family)) },
    ],
  }
}

/** The host itself by its loopback address: a container could not answer it. */
function loopbackRules(network: NetworkRecord): IptablesRule[] {
  if (isClosed(network, 4)) return []
  return network.bridges.map((bridge) => ({
    target: 'MASQUERADE',
    output: is(bridge),
    source: is(LOOPBACK[4]),
  }))
}

/**
 * Who comes by a published port from a bridge that the container is on; where that bridge's frames are tracked, the container itself alone.
 * POSTROUTING knows no input: it is the subnets that tell the bridge.
 */
function neighbourRules(view: NetworkView, container: ContainerRecord, family: Family): IptablesRule[] {
  const target = publishingEndpoint(view, container, family)
  if (!target) return []
  const pools = untrackedEndpoints(view, container).flatMap(({ network, bridge }) =>
    (view.network(network)?.pools ?? []).filter(
      ({ subnet, bridge: of }) => of === bridge && subnet.family === family,
    ),
  )
  // On another bridge than the port leads to, the host itself is seen as it is.
  const others = pools.filter(({ bridge }) => bridge !== target.endpoint.bridge)
  const gateways = others.flatMap(({ gateway }) => gateway ?? [])
  const itself = hasTracking(view, target.endpoint.network) ? [target.address] : []
  return publishedIn(container.published, family)
    .filter((published) => !isForHostAlone(published))
    .flatMap(({ protocol, containerPorts }) => {
      const ports = destinationPorts(containerPorts)
      const rule = { target: 'MASQUERADE', protocol, destination: is(target.address) }
      const translated: IptablesMatch = { kind: 'state', states: ['DNAT'] }
      return [
        ...gateways.map((gateway) => ({
          ...rule,
          target: 'ACCEPT',
          source: is(gateway),
          matches: [ports, translated],
        })),
        ...pools.map(({ subnet }) => ({ ...rule, source: is(subnet), matches: [ports, translated] })),
        ...itself.map((address) => ({ ...rule, source: is(address), matches: [ports] })),
      ]
    })
}

/** From one bridge of ours to another nothing is translated. */
function betweenRules(networks: readonly NetworkRecord[]): IptablesRule[] {
  const bridges = networks.flatMap((network) => network.bridges)
  return bridges.length < 2 ? [] : bridges.map((bridge) => ({ target: 'ACCEPT', output: is(bridge) }))
}

/** Containers' own addresses on the way out; those that are not translated come first. */
function masqueradeRules(view: NetworkView, network: NetworkRecord, family: Family): IptablesRule[] {
  const { mode, masquerade, snat, except } = familyOf(network, family)
  if (isClosed(network, family) || mode === 'routed' || !masquerade) return []
  const peers = [...view.peers].map(({ subnet }) => subnet).filter((subnet) => subnet.family === family)
  const translation = snat ? { target: 'SNAT', to: snat.toString() } : { target: 'MASQUERADE' }
  return network.pools
    .filter(({ subnet }) => subnet.family === family)
    .flatMap(({ subnet, bridge }): IptablesRule[] => {
      const from = { source: is(subnet), output: isNot(bridge) }
      return [
        ...[...peers, ...except].map((to) => ({ ...from, target: 'ACCEPT', destination: is(to) })),
        { ...from, ...translation },
      ]
    })
}

/** Ports of the host that lead to ports of a container. */
function translationRules(view: NetworkView, container: ContainerRecord, family: Family): IptablesRule[] {
  const target = publishingEndpoint(view, container, family)
  if (!target) return []
  const address = family === 4 ? `${target.address}` : `[${target.address}]`
  return publishedIn(container.published, family).map((published) => {
    const hostAddress = oneHostAddress(published)
    return {
      target: 'DNAT',
      protocol: published.protocol,
      ...(hostAddress && { destination: is(hostAddress) }),
      matches: [destinationPorts(published.hostPorts)],
      to: `${address}:${targetPorts(published)}`,
    }
  })
}

/** `80`, or `80-89/8000`: port 8000 of the host is 80, and so on. */
function targetPorts({ hostPorts, containerPorts }: PublishedPort): string {
  const { first, last } = containerPorts
  return first === last ? `${first}` : `${first}-${last}/${hostPorts.first}`
}

/** Loopback addresses belong to `lo` alone, so that what is published on one is not found from outside. */
export function rawTable(family: Family): IptablesTable {
  return {
    family,
    name: 'raw',
    chains: [
      {
        name: 'PREROUTING',
        policy: 'ACCEPT',
        rules: [{ target: 'DROP', input: isNot('lo'), destination: is(LOOPBACK[family]) }],
      },
      { name: 'OUTPUT', policy: 'ACCEPT', rules: [] },
    ],
  }
}
