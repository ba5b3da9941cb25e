import type { IPAddress } from '../../address/index.js'
import { bridgePools } from '../plan/bridge.js'
import { linkedAddresses, linkLocalAddresses, poolEndpoints, publishingEndpoint } from '../plan/endpoints.js'
import {
  type ContainerRecord,
  type Family,
  familyOf,
  isForHostAlone,
  linkablePorts,
  type NetworkRecord,
  standingEndpoints,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { isolationChains, passesBetween } from './iptables-isolation.js'
import { destinationPorts, is, isClosed, isNot, networksOf, publishedIn } from './iptables-selection.js'
import type { IptablesMatch, IptablesRule, IptablesTable, Selector } from './iptables-table.js'
import type { IptablesUserRules } from './iptables-user-rules.js'

/**
 * Docker's filter table for what stands: its chains in its order. Where our rules say more than Docker's, a line says so in
 * iptables' words: a published port is reached by what was translated (`ctstate DNAT`), not by the container's own address.
 */
export function filterTable(view: NetworkView, family: Family, users: IptablesUserRules): IptablesTable {
  const networks = networksOf(view, family)
  const containers = [...view.containers]
  const ofBridges = (rules: (network: NetworkRecord, bridge: string) => IptablesRule[]): IptablesRule[] =>
    networks.flatMap((network) => network.bridges.flatMap((bridge) => rules(network, bridge)))
  return {
    family,
    name: 'filter',
    chains: [
      {
        name: 'INPUT',
        policy: 'ACCEPT',
        rules: ofBridges((network, bridge) => inputRules(network, bridge, family)),
      },
      {
        name: 'FORWARD',
        policy: view.policy.drop.includes(family) ? 'DROP' : 'ACCEPT',
        rules: [
          { target: 'DOCKER-USER' },
          { target: 'DOCKER-ISOLATION-STAGE-1' },
          ...networks.flatMap((network) => forwardRules(view, network, family)),
        ],
      },
      { name: 'OUTPUT', policy: 'ACCEPT', rules: [] },
      {
        name: 'DOCKER',
        rules: [
          ...users.inbound,
          ...containers.flatMap((client) => linkRules(view, client, family)),
          ...containers.flatMap((container) => publishedRules(view, container, family)),
          ...ofBridges((network, bridge) => inboundRules(view, network, bridge, family)),
        ],
      },
      ...isolationChains(view, family),
      { name: 'DOCKER-USER', rules: [...users.user, { target: 'RETURN' }] },
    ],
  }
}

/** A network without a way out reaches the host by the addresses of its own bridge alone. */
function inputRules(network: NetworkRecord, bridge: string, family: Family): IptablesRule[] {
  if (!isClosed(network, family)) return []
  const input = is(bridge)
  const gateways = bridgePools(network, bridge).flatMap(({ gateway }) =>
    gateway?.family === family ? [gateway] : [],
  )
  const own = [...gateways, ...(family === 6 && gateways.length > 0 ? [LINK_LOCAL] : [])]
  return [
    ...own.map((address): IptablesRule => ({ target: 'RETURN', input, destination: is(address) })),
    {
      target: 'DROP',
      input,
      matches: [
        { kind: 'local', side: 'destination' },
        { kind: 'state', states: ['NEW'] },
      ],
    },
  ]
}

/** The bridge has one of these as well, as every interface has. */
const LINK_LOCAL = 'fe80::/10'

/** What goes to a network's bridges, and what comes from them: Docker's four rules. */
function forwardRules(view: NetworkView, network: NetworkRecord, family: Family): IptablesRule[] {
  const { bridges } = network
  const within = network.icc ? 'ACCEPT' : 'DROP'
  const established: IptablesRule['matches'] = [{ kind: 'state', states: ['RELATED', 'ESTABLISHED'] }]
  return [
    ...bridges.flatMap((bridge): IptablesRule[] => [
      { target: 'ACCEPT', output: is(bridge), matches: established },
      { target: 'DOCKER', output: is(bridge) },
      ...othersOf(network, bridge).map((other) => ({ target: within, input: is(other), output: is(bridge) })),
    ]),
    ...bridges.flatMap((bridge): IptablesRule[] => [
      ...(isClosed(network, family) ? [] : [{ target: 'ACCEPT', input: is(bridge), output: isNot(bridge) }]),
      ...lanRules(view, network, bridge, family),
      { target: within, input: is(bridge), output: is(bridge) },
    ]),
  ]
}

/** On an adopted bridge without icc: only what comes from a container or goes to one is judged. */
function lanRules(
  view: NetworkView,
  { name, adopted, icc }: NetworkRecord,
  bridge: string,
  family: Family,
): IptablesRule[] {
  if (!adopted || icc) return []
  const within = { input: is(bridge), output: is(bridge) }
  const addresses = [...view.containers].flatMap((container) => {
    const endpoints = standingEndpoints(container)
    const own = endpoints.flatMap(poolEndpoints).map(({ address }) => address)
    return endpoints
      .filter(({ network }) => network === name)
      .flatMap((endpoint) => [...own, ...linkLocalAddresses(endpoint)])
      .filter((address) => address.family === family)
  })
  return [
    ...addresses.flatMap((address): IptablesRule[] => [
      { target: 'DROP', ...within, source: is(address) },
      { target: 'DROP', ...within, destination: is(address) },
    ]),
    { target: 'ACCEPT', ...within, matches: [{ kind: 'bridged' }] },
  ]
}

/** Docker's pair for each port of each link: to the server's port, and its mirror, by which stateful links let only answers pass. */
function linkRules(view: NetworkView, client: ContainerRecord, family: Family): IptablesRule[] {
  return client.links.flatMap(({ server: id }) => {
    const server = view.container(id)
    if (!server) return []
    return standingEndpoints(client).flatMap((from) => {
      const to = standingEndpoints(server).find(({ network }) => network === from.network)
      const network = view.network(from.network)
      if (!to || network?.icc !== false) return []
      const answers: IptablesMatch[] =
        network.linkMode === 'stateful' ? [{ kind: 'state', states: ['ESTABLISHED'] }] : []
      return linkedAddresses(from, to)
        .filter((each) => each.family === family)
        .flatMap(({ source, destination }) => {
          const request = between(from.bridge, source, to.bridge, destination)
          const reply = between(to.bridge, destination, from.bridge, source)
          return linkablePorts(server).flatMap(({ protocol, port }): IptablesRule[] => [
            {
              ...request,
              protocol,
              matches: [{ kind: 'ports', side: 'destination', first: port, last: port }],
            },
            {
              ...reply,
              protocol,
              matches: [{ kind: 'ports', side: 'source', first: port, last: port }, ...answers],
            },
          ])
        })
    })
  })
}

function between(input: string, source: IPAddress, output: string, destination: IPAddress): IptablesRule {
  return {
    target: 'ACCEPT',
    input: is(input),
    output: is(output),
    source: is(source),
    destination: is(destination),
  }
}

/** A line for each published port: by the host's, and where the network allows it, by the container's own address. */
function publishedRules(view: NetworkView, container: ContainerRecord, family: Family): IptablesRule[] {
  const translated = publishingEndpoint(view, container, family)
  const targets = standingEndpoints(container).flatMap(poolEndpoints)
  return publishedIn(container.published, family).flatMap((published) =>
    targets.flatMap(({ endpoint, address, family: own }) => {
      const network = view.network(endpoint.network)
      if (own !== family || !network) return []
      const { protocol, containerPorts } = published
      const rule: IptablesRule = {
        target: 'ACCEPT',
        protocol,
        output: is(endpoint.bridge),
        destination: is(address),
      }
      const ports = destinationPorts(containerPorts)
      const byHost = address === translated?.address
      const inputs = isForHostAlone(published)
        ? []
        : ownAddressInputs(view, network, endpoint.bridge, family, byHost)
      return [
        ...(byHost ? [{ ...rule, matches: [ports, { kind: 'state', states: ['DNAT'] } as const] }] : []),
        ...inputs.map((input) => ({ ...rule, input, matches: [ports] })),
      ]
    }),
  )
}

/** The interfaces from which published ports are reached by the container's own address. */
function ownAddressInputs(
  view: NetworkView,
  network: NetworkRecord,
  bridge: string,
  family: Family,
  byHost: boolean,
): Selector[] {
  if (isClosed(network, family) || acceptsDirect(view, network, family)) return []
  if (familyOf(network, family).mode === 'routed') return [isNot(bridge)]
  if (!byHost) return []
  return network.allowDirectRouting ? [isNot(bridge)] : network.trustedInterfaces.map(is)
}

/** What else may come to a bridge from elsewhere; the last rule drops the rest. */
function inboundRules(
  view: NetworkView,
  network: NetworkRecord,
  bridge: string,
  family: Family,
): IptablesRule[] {
  const output = is(bridge)
  const discovery = family === 6 && !network.icc ? [135, 136] : []
  const closed = isClosed(network, family)
  const elsewhere = { input: isNot(bridge), output }
  return [
    ...discovery.map(
      (type): IptablesRule => ({
        target: 'ACCEPT',
        protocol: 'icmpv6',
        input: output,
        output,
        matches: [{ kind: 'icmpv6', type }],
      }),
    ),
    ...othersOf(network, bridge).map((other) => ({ target: 'RETURN', input: is(other), output })),
    ...(closed
      ? []
      : passesBetween(view, network, family).map((input) => ({ target: 'ACCEPT', input, output }))),
    ...(closed ? [] : outsideRules(view, network, family).map((rule) => ({ ...elsewhere, ...rule }))),
  ]
}

function outsideRules(view: NetworkView, network: NetworkRecord, family: Family): IptablesRule[] {
  if (acceptsDirect(view, network, family)) return [{ target: 'ACCEPT' }]
  const { mode } = familyOf(network, family)
  const icmp: IptablesRule = { target: 'ACCEPT', protocol: family === 4 ? 'icmp' : 'icmpv6' }
  const peers = [...view.peers].filter(({ subnet }) => subnet.family === family)
  return [
    ...(mode === 'routed' ? [icmp] : []),
    ...peers.map(({ subnet }) => ({ target: 'ACCEPT', source: is(subnet) })),
    { target: 'DROP' },
  ]
}

/** Whether new connections from outside reach containers on every port. */
function acceptsDirect(view: NetworkView, network: NetworkRecord, family: Family): boolean {
  return view.policy.acceptDirect || familyOf(network, family).mode === 'nat-unprotected'
}

function othersOf(network: NetworkRecord, bridge: string): string[] {
  return network.bridges.filter((other) => other !== bridge)
}
