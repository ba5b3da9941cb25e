import { type Cidr, type IPAddress, IPv6Address, MacAddress, type PortRange } from '../../address/index.js'
import type { HelperName } from '../options.js'
import { connectionElements } from './connections.js'
import {
  type EndpointFamily,
  eachFamily,
  hasTracking,
  linkedAddresses,
  linkLocalAddresses,
  poolEndpoints,
  publishingEndpoint,
  untrackedEndpoints,
} from './endpoints.js'
import { helperObject, helperPorts } from './helpers.js'
import {
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familyOf,
  isForHostAlone,
  linkablePorts,
  type NetworkRecord,
  oneHostAddress,
  type PublishedPort,
  publishedFamilies,
  standingEndpoints,
} from './records.js'
import { isTracked } from './tracking.js'
import type { NetworkView } from './view.js'

/** A set that exists once for each address family: `links` and `links6`. */
export type OfFamily<Name extends string> = Name | `${Name}6`

/** Sets of exact keys or of intervals; rules/sets.ts declares what their keys are made of. */
export type PlainSet =
  | 'bridges'
  | 'host_bridges'
  | 'inherited'
  | 'internal'
  | 'strict'
  | 'isolated'
  | 'trusted'
  | 'masqueraded'
  | 'ports'
  | 'tracked_ports'
  | 'isolated_ports'
  | 'closed_ports'
  | 'forging_ports'
  | 'closed_forging_ports'
  | 'tracked_closed_ports'
  | 'solicited_nodes'
  | 'closed_macs'
  | 'adopted_bridges'
  | 'adopted_ports'
  | OfFamily<
      | 'links'
      | 'replies'
      | 'linked'
      | 'published'
      | 'published_ranges'
      | 'hairpin'
      | 'near'
      | 'pools'
      | 'peers'
      | 'not_masqueraded'
      | 'senders'
      | 'adopted_addresses'
      | 'port_addresses'
      | 'connections'
      | 'connection_slots'
      | 'connection_rates'
    >

/** Maps to a verdict. */
export type VerdictMap = 'icc' | 'to_host' | 'direct' | 'direct_between' | 'outward' | 'forward_policy'

/** Maps to an address, or to an address and a port. */
export type TargetMap = OfFamily<'publish' | 'publish_any' | 'publish_ranges' | 'publish_helped' | 'snat_to'>

/** Maps to a helper of connection tracking. */
export type HelperMap = OfFamily<'publish_helpers'> | 'outward_helpers'

/** Sets that the rules fill themselves, from the packets that they see. */
export type DynamicSet = 'same_bridge' | OfFamily<'asked' | 'asked_of_links' | 'askers' | 'refused'>

export type SetName = PlainSet | VerdictMap | TargetMap | HelperMap | DynamicSet

/** The chains that a verdict map leads to. */
export type ElementVerdict =
  | 'accept'
  | 'drop'
  | 'same_network'
  | 'same_bridge'
  | 'same_lan'
  | 'routed'
  | 'published_ports'
  | 'from_internal_to_host'
  | 'from_lan_to_host'
  | 'outbound'
  | 'outbound_helped'

/** One field of a key: a value, or in a set of intervals a range or a prefix. */
export type KeyField =
  | string
  | number
  | { readonly range: PortRange }
  | { readonly prefix: { readonly addr: string; readonly len: number } }

/**
 * One element of one of our sets or maps (`rules/`): all that grows with networks, containers, links and ports.
 * The rules themselves never change, but for those that stand only while a set has elements.
 */
export type SetElement =
  | { readonly set: PlainSet; readonly key: readonly KeyField[]; readonly limit?: ElementLimit }
  | { readonly set: VerdictMap; readonly key: readonly KeyField[]; readonly verdict: ElementVerdict }
  | {
      readonly set: TargetMap
      readonly key: readonly KeyField[]
      readonly target: readonly [address: string, port?: number]
    }
  /** The helper is the name of an object: {@link HELPER_OBJECTS}. */
  | { readonly set: HelperMap; readonly key: readonly KeyField[]; readonly helper: string }

/** What an element counts for itself: it is found only when there is more. */
export type ElementLimit = { readonly connections: number } | { readonly perSecond: number }

/** Which part of a view a change touches. Only this part is planned, whatever the number of containers. */
export interface Touched {
  readonly networks?: readonly string[]
  /** Full ids. */
  readonly containers?: readonly string[]
  /** Full ids of client and server. */
  readonly pairs?: readonly (readonly [client: string, server: string])[]
  /** Subnets, as text. */
  readonly peers?: readonly string[]
  readonly policy?: boolean
}

/** The elements to add and to delete. */
export interface ElementChange {
  readonly add: readonly SetElement[]
  readonly delete: readonly SetElement[]
}

/** The whole of a view: for what rebuilds everything. */
export function everything(view: NetworkView): Touched {
  const containers = [...view.containers]
  return {
    networks: [...view.networks].map(({ name }) => name),
    containers: containers.map(({ id }) => id),
    pairs: containers.flatMap(({ id, links }) => links.map(({ server }) => [id, server] as const)),
    peers: [...view.peers].map(({ subnet }) => subnet.toString()),
    policy: true,
  }
}

/** The difference of two views in the part that a change touches: adding and removing can't drift apart. */
export function planElements(before: NetworkView, after: NetworkView, touched: Touched): ElementChange {
  const old = elementsOf(before, touched)
  const now = elementsOf(after, touched)
  return {
    add: [...now].filter(([text]) => !old.has(text)).map(([, element]) => element),
    delete: [...old].filter(([text]) => !now.has(text)).map(([, element]) => element),
  }
}

/** Every element of the touched part of a view, by its text. */
export function elementsOf(view: NetworkView, touched: Touched): Map<string, SetElement> {
  const elements = new Map<string, SetElement>()
  const put = (added: readonly SetElement[]): void => {
    for (const element of added) elements.set(elementText(element), element)
  }
  for (const name of touched.networks ?? []) {
    const network = view.network(name)
    if (network) put(networkElements(view, network))
  }
  for (const id of touched.containers ?? []) {
    const container = view.container(id)
    if (container) put(containerElements(view, container))
  }
  for (const [client, server] of touched.pairs ?? []) {
    put(linkElements(view, client, server))
    // Both may be linked to each other, and have the elements for what has no ports in common.
    put(linkElements(view, server, client))
  }
  for (const subnet of touched.peers ?? []) {
    const peer = view.peer(subnet)
    if (peer) put([subnetElement('peers', peer.subnet)])
  }
  if (touched.policy) {
    put(
      view.policy.drop.map((family) => ({ set: 'forward_policy', key: [nfproto(family)], verdict: 'drop' })),
    )
  }
  return elements
}

/** Equal for equal elements, data included. */
export function elementText(element: SetElement): string {
  const key = `${element.set} ${element.key.map(fieldText).join(' . ')}`
  if ('verdict' in element) return `${key} : ${element.verdict}`
  if ('helper' in element) return `${key} : ${element.helper}`
  if ('target' in element) return `${key} : ${element.target.join(' . ')}`
  return element.limit ? `${key} : ${JSON.stringify(element.limit)}` : key
}

function fieldText(field: KeyField): string {
  if (typeof field !== 'object') return `${field}`
  return 'range' in field
    ? `${field.range.first}-${field.range.last}`
    : `${field.prefix.addr}/${field.prefix.len}`
}

function networkElements(view: NetworkView, network: NetworkRecord): SetElement[] {
  const { bridges, internal, isolation, trustedInterfaces, helpers } = network
  const within = withinBridge(view, network)
  const pools = network.pools.map(({ subnet }) => subnetElement('pools', subnet))
  const perBridge = bridges.flatMap((bridge): SetElement[] => [
    { set: 'bridges', key: [bridge] },
    { set: 'host_bridges', key: [bridge] },
    { set: 'outward', key: [bridge], verdict: helpers.length > 0 ? 'outbound_helped' : 'outbound' },
    ...helpers.flatMap((helper) =>
      helperPorts(helper).map(
        ({ protocol, port }): SetElement => ({
          set: 'outward_helpers',
          key: [bridge, protocol, port],
          helper: helperObject(helper, protocol),
        }),
      ),
    ),
    ...bridges.map(
      (other): SetElement => ({
        set: 'icc',
        key: [bridge, other],
        verdict: network.icc ? 'accept' : other === bridge ? within : 'same_network',
      }),
    ),
    ...(isClosedLan(network) ? [{ set: 'adopted_bridges', key: [bridge, bridge] } as const] : []),
    ...(internal || isolation === 'strict' ? [{ set: 'strict', key: [bridge] } as const] : []),
    ...(isolation === 'default' ? [{ set: 'isolated', key: [bridge] } as const] : []),
    ...trustedInterfaces.map((trusted): SetElement => ({ set: 'trusted', key: [trusted, bridge] })),
    ...eachFamily.flatMap((family) => outsideElements(view, network, bridge, family)),
  ])
  return [...perBridge, ...pools]
}

/** Which chain judges what stays on one bridge of a network with `icc: false`. */
function withinBridge(view: NetworkView, network: NetworkRecord): ElementVerdict {
  if (isClosedLan(network)) return 'same_lan'
  return isTracked(network, view.policy) ? 'same_network' : 'same_bridge'
}

/** Whether a network's containers may speak only as they are linked, on a bridge whose other machines may do as they like. */
function isClosedLan({ adopted, icc }: NetworkRecord): boolean {
  return adopted && !icc
}

/** How one bridge meets the outside in one family. */
function outsideElements(
  view: NetworkView,
  network: NetworkRecord,
  bridge: string,
  family: Family,
): SetElement[] {
  const { mode, masquerade, snat, except } = familyOf(network, family)
  const key = [nfproto(family), bridge]
  if (network.internal || mode === 'isolated')
    return [
      { set: 'internal', key },
      { set: 'to_host', key, verdict: towardsHost(network) },
    ]
  const between = directVerdict(network, family)
  const direct = view.policy.acceptDirect ? 'accept' : between
  const translated = (mode === 'nat' || mode === 'nat-unprotected') && masquerade
  return [
    ...(direct === undefined ? [] : [{ set: 'direct', key, verdict: direct } as const]),
    ...(between === undefined ? [] : [{ set: 'direct_between', key, verdict: between } as const]),
    ...(translated && snat
      ? [{ set: ofFamily('snat_to', family), key: [bridge], target: [snat.toString()] } as const]
      : []),
    ...(translated && !snat ? [{ set: 'masqueraded', key } as const] : []),
    ...(translated
      ? except.map(
          ({ address, prefixLength }): SetElement => ({
            set: ofFamily('not_masqueraded', family),
            key: [bridge, { prefix: { addr: address.toString(), len: prefixLength } }],
          }),
        )
      : []),
  ]
}

/** In which a bridge of ours has no address. */
function isolatedFamilies(network: NetworkRecord): Family[] {
  return network.adopted ? [] : eachFamily.filter((family) => familyOf(network, family).mode === 'isolated')
}

/** What a network without a way out meets on its way to the host, which has no address on an isolated bridge of ours. */
function towardsHost({ adopted, internal }: NetworkRecord): ElementVerdict {
  if (adopted) return 'from_lan_to_host'
  return internal ? 'from_internal_to_host' : 'drop'
}

/** What new connections from other networks and from outside to containers' own addresses meet; nothing: they are not let in. */
function directVerdict(network: NetworkRecord, family: Family): ElementVerdict | undefined {
  const { mode } = familyOf(network, family)
  if (mode === 'nat-unprotected') return 'accept'
  if (mode === 'routed') return 'routed'
  return network.allowDirectRouting ? 'published_ports' : undefined
}

function containerElements(view: NetworkView, container: ContainerRecord): SetElement[] {
  const endpoints = standingEndpoints(container)
  // By whatever interface: answers leave by the default route, to whichever of the networks the question came.
  const own = endpoints.flatMap(poolEndpoints)
  const senders = endpoints.flatMap((endpoint): SetElement[] => {
    const addresses = [...own, ...linkLocalEndpoints(endpoint)]
    return [
      ...portElements(view, endpoint),
      ...addresses.map(
        ({ family, address }): SetElement => ({
          set: ofFamily('senders', family),
          key: [endpoint.hostInterface, endpoint.mac.toString(), address.toString()],
        }),
      ),
      ...adoptedElements(view, endpoint, addresses),
      ...(view.network(endpoint.network)?.icc === false ? resolutionElements(endpoint, addresses) : []),
    ]
  })
  // A link-local address may be that of others on other links.
  const connections = own.flatMap((each) => connectionElements(container, view.policy.maxConnections, each))
  const publications = container.published.flatMap((port) => publicationElements(view, container, port))
  return [...senders, ...connections, ...withMergedRanges(publications)]
}

function linkLocalEndpoints(endpoint: EndpointRecord): { family: Family; address: IPAddress }[] {
  return linkLocalAddresses(endpoint).map((address) => ({ family: address.family, address }))
}

/** How the rules know one port of a bridge, and whom it leads to. */
function portElements(view: NetworkView, endpoint: EndpointRecord): SetElement[] {
  const { bridge, hostInterface, mac, allowForgedSource } = endpoint
  const network = view.network(endpoint.network)
  const closed = network?.icc === false
  const bridged = network !== undefined && !isTracked(network, view.policy)
  const port = (set: PlainSet): SetElement => ({ set, key: [hostInterface] })
  return [
    port(allowForgedSource ? 'forging_ports' : 'ports'),
    ...(allowForgedSource && closed ? [port('closed_forging_ports')] : []),
    ...(bridged ? [] : [port('tracked_ports')]),
    ...(network ? isolatedFamilies(network) : []).map(
      (family): SetElement => ({ set: 'isolated_ports', key: [hostInterface, etherType(family)] }),
    ),
    ...(bridged && closed
      ? [port('closed_ports'), { set: 'closed_macs', key: [bridge, mac.toString()] } as const]
      : []),
    ...(!bridged && closed && !network.adopted ? [port('tracked_closed_ports')] : []),
  ]
}

/**
 * Whose packets those of a container among a LAN's own machines are: table inet does not know by which ports a frame comes and goes,
 * and the bridge sees to it that it gets none of them that it could not tell.
 */
function adoptedElements(
  view: NetworkView,
  { network: name, bridge, hostInterface }: EndpointRecord,
  addresses: readonly { readonly family: Family; readonly address: IPAddress }[],
): SetElement[] {
  const network = view.network(name)
  if (!network || !isClosedLan(network)) return []
  const port = { set: 'adopted_ports', key: [hostInterface] } as const
  return [
    ...(isTracked(network, view.policy) ? [port] : []),
    ...addresses.map(
      ({ family, address }): SetElement => ({
        set: ofFamily('adopted_addresses', family),
        key: [bridge, address.toString()],
      }),
    ),
  ]
}

/** By which addresses a port is asked who has them. */
function resolutionElements(
  { hostInterface }: EndpointRecord,
  addresses: readonly { readonly family: Family; readonly address: IPAddress }[],
): SetElement[] {
  return addresses.flatMap(({ family, address }): SetElement[] => {
    const own: SetElement = {
      set: ofFamily('port_addresses', family),
      key: [hostInterface, address.toString()],
    }
    if (!(address instanceof IPv6Address)) return [own]
    const group = address.solicitedNode
    const mac = MacAddress.ofMulticast(group)
    return [own, { set: 'solicited_nodes', key: [hostInterface, mac.toString(), group.toString()] }]
  })
}

/** Two publications may lead to overlapping ports of the container; the kernel takes no intervals that overlap. */
function withMergedRanges(elements: readonly SetElement[]): SetElement[] {
  const merged = new Map<string, SetElement & { readonly set: PlainSet }>()
  const others: SetElement[] = []
  const ranges = elements.flatMap((element) => {
    const [address, protocol, ports] = element.key
    if (element.set === 'published_ranges' || element.set === 'published_ranges6') {
      if (typeof ports === 'object' && 'range' in ports && address !== undefined && protocol !== undefined)
        return [{ set: element.set, address, protocol, range: ports.range }]
    }
    others.push(element)
    return []
  })
  const last = new Map<string, PortRange>()
  for (const { set, address, protocol, range } of ranges.toSorted((a, b) => a.range.first - b.range.first)) {
    const of = `${set} ${fieldText(address)} ${fieldText(protocol)}`
    const before = last.get(of)
    const joined = before && range.first <= before.last
    const whole = joined ? { first: before.first, last: Math.max(before.last, range.last) } : range
    last.set(of, whole)
    merged.set(`${of} ${whole.first}`, { set, key: [address, protocol, { range: whole }] })
  }
  return [...others, ...merged.values()]
}

/**
 * One publication: translated to one address in each family, and open by itself where a network is routed; one of a loopback
 * address is only translated, in the host itself.
 */
function publicationElements(
  view: NetworkView,
  container: ContainerRecord,
  published: PublishedPort,
): SetElement[] {
  const { protocol, containerPorts } = published
  return publishedFamilies(published).flatMap((family): SetElement[] => {
    const target = publishingEndpoint(view, container, family)
    return [
      ...(target ? translationElements(view, container, published, target) : []),
      ...standingEndpoints(container)
        .filter(({ network }) => !isForHostAlone(published) && modeOf(view, network, family) === 'routed')
        .flatMap(poolEndpoints)
        .filter((endpoint) => endpoint.family === family)
        .flatMap(({ address }) => publishedElements(address, protocol, containerPorts, family)),
    ]
  })
}

function modeOf(view: NetworkView, name: string, family: Family): string | undefined {
  const network = view.network(name)
  return network && familyOf(network, family).mode
}

function translationElements(
  view: NetworkView,
  container: ContainerRecord,
  published: PublishedPort,
  target: EndpointFamily,
): SetElement[] {
  const { address, family } = target
  const { hostPorts, containerPorts, protocol } = published
  const hostAddress = oneHostAddress(published)
  const to = address.toString()
  const shared: SetElement[] = isForHostAlone(published)
    ? []
    : [
        ...publishedElements(address, protocol, containerPorts, family),
        ...nearElements(view, container, target),
      ]
  if (published.helper !== undefined)
    return [...shared, ...helpedElements(published, published.helper, to, family)]
  if (isInterval(hostPorts) && hostPorts.first === containerPorts.first) {
    const host = hostAddress?.toString() ?? everyAddress(family)
    const key = [host, protocol, { range: hostPorts }]
    return [...shared, { set: ofFamily('publish_ranges', family), key, target: [to] }]
  }
  const single = portsOf(hostPorts).map((hostPort, offset): SetElement => {
    const target = [to, containerPorts.first + offset] as const
    return hostAddress === undefined
      ? { set: ofFamily('publish_any', family), key: [protocol, hostPort], target }
      : { set: ofFamily('publish', family), key: [hostAddress.toString(), protocol, hostPort], target }
  })
  return [...shared, ...single]
}

/**
 * Who comes from a bridge that carries a container's answers past connection tracking, the container itself included; on a bridge that
 * tracks frames the container alone, which would not take a packet from its own address.
 */
function nearElements(
  view: NetworkView,
  container: ContainerRecord,
  { endpoint, address, family }: EndpointFamily,
): SetElement[] {
  const to = address.toString()
  const near = untrackedEndpoints(view, container).map(
    ({ bridge }): SetElement => ({ set: ofFamily('near', family), key: [bridge, to] }),
  )
  if (!hasTracking(view, endpoint.network)) return near
  const itself = poolEndpoints(endpoint)
    .filter((own) => own.family === family)
    .map((own): SetElement => ({ set: ofFamily('hairpin', family), key: [own.address.toString(), to] }))
  return [...near, ...itself]
}

/** The helper is assigned first: once a connection is translated, the kernel makes no room for what it changes in packets. */
function helpedElements(
  published: PublishedPort,
  helper: HelperName,
  to: string,
  family: Family,
): SetElement[] {
  const { hostPorts, containerPorts, protocol } = published
  const host = oneHostAddress(published)?.toString() ?? everyAddress(family)
  return portsOf(hostPorts).flatMap((hostPort, offset): SetElement[] => {
    const key = [host, protocol, hostPort]
    return [
      { set: ofFamily('publish_helpers', family), key, helper: helperObject(helper, protocol) },
      { set: ofFamily('publish_helped', family), key, target: [to, containerPorts.first + offset] },
    ]
  })
}

/** As a key of an interval set. */
function everyAddress(family: Family): KeyField {
  return { prefix: { addr: family === 4 ? '0.0.0.0' : '::', len: 0 } }
}

function publishedElements(
  address: IPAddress,
  protocol: string,
  ports: PortRange,
  family: Family,
): SetElement[] {
  const key = [address.toString(), protocol]
  if (isInterval(ports))
    return [{ set: ofFamily('published_ranges', family), key: [...key, { range: ports }] }]
  return [{ set: ofFamily('published', family), key: [...key, ports.first] }]
}

/**
 * One element is the pair of ACCEPT rules of Docker's link: the answers pass by connection tracking, or by a second element
 * where links are stateless. Where everybody may speak with everybody (icc) a link opens nothing that is not open.
 */
function linkElements(view: NetworkView, clientId: string, serverId: string): SetElement[] {
  const client = view.container(clientId)
  const server = view.container(serverId)
  if (!client || !server || !client.links.some((link) => link.server === serverId)) return []
  const ports = linkablePorts(server)
  if (ports.length === 0) return []
  return standingEndpoints(client).flatMap((from) => {
    const network = view.network(from.network)
    const to = standingEndpoints(server).find((endpoint) => endpoint.network === from.network)
    if (!to || network?.icc !== false) return []
    const stateless = network.linkMode === 'stateless'
    return linkedAddresses(from, to).flatMap(({ family, source, destination }) => {
      const [one, other] = [source.toString(), destination.toString()]
      const ofPorts = ports.flatMap(({ protocol, port }): SetElement[] => [
        { set: ofFamily('links', family), key: [one, other, protocol, port] },
        ...(stateless
          ? [{ set: ofFamily('replies', family), key: [other, one, protocol, port] } as const]
          : []),
      ])
      return [
        ...ofPorts,
        { set: ofFamily('linked', family), key: [one, other] } as const,
        { set: ofFamily('linked', family), key: [other, one] } as const,
      ]
    })
  })
}

function subnetElement(set: 'pools' | 'peers', { address, prefixLength, family }: Cidr): SetElement {
  const prefix = { addr: address.toString(), len: prefixLength }
  return { set: ofFamily(set, family), key: [{ prefix }] }
}

/** The name of a family's own set: that of IPv6 ends in 6. */
export function ofFamily<Name extends string>(name: Name, family: Family): Name | `${Name}6` {
  return family === 4 ? name : `${name}6`
}

/** By their names in the kernel, which tables of family bridge tell them by. */
function etherType(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}

function nfproto(family: Family): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6'
}

function isInterval({ first, last }: PortRange): boolean {
  return last > first
}

function portsOf({ first, last }: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
}
