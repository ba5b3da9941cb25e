import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import type { ConnectionSelection, ConntrackFilter, TupleFilter } from '../../conntrack/index.js'
import { arrivingAddresses } from './address-ends.js'
import { LINK_LOCAL } from './asked-addresses.js'
import { type ElementChange, elementsOf, type KeyField, type SetElement, type Touched } from './elements.js'
import { eachFamily } from './endpoints.js'
import type { Family, NetworkRecord } from './records.js'
import type { NetworkView } from './view.js'

/** Tracked connections, as data: what judges them judges any number, on a thread that nobody waits for. */
export type FlowSelection = ConnectionSelection

/** A change of elements, with the views that it leads from and to. */
export interface ViewStep {
  readonly before: NetworkView
  readonly after: NetworkView
  readonly touched: Touched
  readonly change: ElementChange
}

/**
 * The connections that only the deleted elements allowed. `ct state established` keeps a connection alive when its rule is
 * gone; forgotten by connection tracking, its next packet is a new connection's and meets the rules.
 */
export function revokedFlows(step: ViewStep): FlowSelection[] {
  return eachFamily.flatMap((family) => {
    const closed = closedNetworks(step, family)
    const filters = [...goneFilters(step, family), ...deletedFilters(step, family)]
    return [...(filters.length > 0 ? [{ filters }] : []), ...closed]
  })
}

/** All of an address that a touched container had and has not. */
function goneFilters({ before, after, touched }: ViewStep, family: Family): ConntrackFilter[] {
  const gone = arrivingAddresses(after, before, touched.containers)
  return filtersOf(gone.map(({ address }) => address).filter((address) => address.family === family))
}

/**
 * Every connection to or from some addresses. To a server a connection is answered from its address, translated or not; who begins one
 * is its source.
 */
function filtersOf(addresses: readonly IPAddress[]): ConntrackFilter[] {
  return addresses.flatMap((source): ConntrackFilter[] => [
    { family: source.family, reply: { source } },
    { family: source.family, original: { source } },
  ])
}

/** The same as selections: of each family one. */
export function flowsOf(addresses: readonly IPAddress[]): FlowSelection[] {
  return eachFamily.flatMap((family) => {
    const filters = filtersOf(addresses.filter((address) => address.family === family))
    return filters.length > 0 ? [{ filters }] : []
  })
}

/** Every connection to or from addresses of some networks, but for those to or from others of their addresses. */
export function flowsWithin(
  subnets: readonly Cidr[],
  others: readonly (Cidr | IPAddress)[],
): FlowSelection[] {
  return subnets.flatMap((subnet) => {
    const { family } = subnet
    const within = others.filter((other) => other.family === family)
    return (['original', 'reply'] as const).map((direction) => ({
      filters: [{ family, [direction]: { source: subnet } }],
      unless: within.map((source) => ({ family, [direction]: { source } })),
    }))
  })
}

/** What each deleted element allowed. */
function deletedFilters({ before, after, touched, change }: ViewStep, family: Family): ConntrackFilter[] {
  const opened = openedNetworks(before, after, touched)
  const pools = poolsOf([...after.networks], family)
  return change.delete.flatMap((element): ConntrackFilter[] => {
    const set = setOf(element, family)
    const pair = set === 'links' || set === 'replies'
    // Where everybody may speak with everybody by now, a link's element goes and its connections stay.
    if (pair && inPools(opened, text(element.key[0]), text(element.key[1]))) return []
    if (set === 'links') return [linkFilter(element, family)]
    if (set === 'replies') return [replyFilter(element, family)]
    if (set === 'peers')
      return prefixOf(element.key[0]).flatMap((source) =>
        pools.map((pool) => ({ family, original: { source }, reply: { source: pool } })),
      )
    return publishedFilters(element, family)
  })
}

/** The name of an element's set without the suffix of its family; undefined for one of the other family. */
function setOf({ set }: SetElement, family: Family): string | undefined {
  if (set.endsWith('6') !== (family === 6)) return undefined
  return family === 6 ? set.slice(0, -1) : set
}

function linkFilter({ key: [client, server, protocol, port] }: SetElement, family: Family): ConntrackFilter {
  return {
    family,
    ...protocolOf(protocol),
    original: {
      source: parseAddress(text(client)),
      destination: parseAddress(text(server)),
      ...(typeof port === 'number' && { destinationPort: port }),
    },
  }
}

function replyFilter({ key: [server, client, protocol, port] }: SetElement, family: Family): ConntrackFilter {
  return {
    family,
    ...protocolOf(protocol),
    original: {
      source: parseAddress(text(server)),
      destination: parseAddress(text(client)),
      ...(typeof port === 'number' && { sourcePort: port }),
    },
  }
}

const PUBLISHING: ReadonlySet<string> = new Set([
  'publish',
  'publish_any',
  'publish_ranges',
  'publish_helped',
])

/** What came by a published port, or by one with a helper, which may have named further connections. */
function publishedFilters(element: SetElement, family: Family): ConntrackFilter[] {
  const set = setOf(element, family)
  if (set === undefined || !PUBLISHING.has(set)) return []
  const [proto, port] = element.key.slice(-2)
  const [host] = element.key.length > 2 ? element.key : []
  const destination = typeof host === 'string' ? { destination: parseAddress(host) } : {}
  const protocol = protocolOf(proto)
  if (set === 'publish_helped') {
    const asked = { ...destination, ...portOf(port) }
    return [
      { family, master: asked },
      { family, ...protocol, status: { has: ['dnat'] }, original: asked },
    ]
  }
  if (!('target' in element)) return []
  const [address, targetPort] = element.target
  const source = parseAddress(address)
  const original = { ...destination, ...portOf(port) }
  if (set === 'publish' || set === 'publish_any')
    return [
      {
        family,
        ...protocol,
        original,
        reply: { source, ...(targetPort !== undefined && { sourcePort: targetPort }) },
      },
    ]
  if (set === 'publish_ranges') return [{ family, ...protocol, portKept: true, original, reply: { source } }]
  return []
}

function portOf(port: KeyField | undefined): Pick<TupleFilter, 'destinationPort'> {
  if (typeof port === 'number') return { destinationPort: port }
  return typeof port === 'object' && 'range' in port ? { destinationPort: port.range } : {}
}

/** Networks whose containers may speak only as they are linked, from now on. */
function closedNetworks({ before, after, touched }: ViewStep, family: Family): FlowSelection[] {
  const names = (touched.networks ?? []).filter(
    (name) => before.network(name)?.icc === true && after.network(name)?.icc === false,
  )
  if (names.length === 0) return []
  const allowed = [...elementsOf(after, { pairs: touched.pairs ?? [] }).values()].flatMap((element) => {
    const set = setOf(element, family)
    if (set === 'links') return [linkFilter(element, family)]
    return set === 'replies' ? [replyFilter(element, family)] : []
  })
  return names.flatMap((name) => {
    const network = after.network(name)
    const pools = network ? poolsOf([network], family) : []
    const within = (source: Cidr, destination: Cidr): ConntrackFilter => ({
      family,
      status: { lacks: ['dnat'] },
      original: { source, destination },
    })
    const filters = pools.flatMap((source) => pools.map((destination) => within(source, destination)))
    // Link-local ones do not tell of which network they are; on one that stays open, a packet tracks its connection anew.
    return [{ filters: [...filters, within(LINK_LOCAL[family], LINK_LOCAL[family])], unless: allowed }]
  })
}

function openedNetworks(before: NetworkView, after: NetworkView, touched: Touched): Cidr[] {
  return (touched.networks ?? []).flatMap((name) => {
    const network = after.network(name)
    const opens = before.network(name)?.icc === false && network?.icc === true
    return opens ? network.pools.map(({ subnet }) => subnet) : []
  })
}

function poolsOf(networks: readonly NetworkRecord[], family: Family): Cidr[] {
  return networks.flatMap(({ pools }) =>
    pools.map(({ subnet }) => subnet).filter((subnet) => subnet.family === family),
  )
}

function inPools(pools: readonly Cidr[], ...addresses: string[]): boolean {
  return pools.length > 0 && addresses.every((address) => contains(pools, parseAddress(address)))
}

function contains(pools: readonly Cidr[], address: IPAddress): boolean {
  return pools.some((pool) => pool.contains(address))
}

/**
 * Datagrams that came for a port before it was published, and go nowhere by a tracked connection that no translation
 * applies to any more: connection tracking would keep them off the container for as long as they keep coming.
 */
export function untranslatedFlows(added: readonly SetElement[]): FlowSelection[] {
  return eachFamily.flatMap((family) => {
    const filters = added.flatMap((element) =>
      udpPorts(element, family).map(({ first, last }): ConntrackFilter => {
        const destinationPort = first === last ? first : { first, last }
        return { family, protocol: 'udp', status: { lacks: ['dnat'] }, original: { destinationPort } }
      }),
    )
    return filters.length > 0 ? [{ filters }] : []
  })
}

/** The ports of the host that an element publishes for UDP in one family. */
function udpPorts(
  { set, key }: SetElement,
  family: Family,
): { readonly first: number; readonly last: number }[] {
  const suffix = family === 6 ? '6' : ''
  const names = [
    `publish${suffix}`,
    `publish_any${suffix}`,
    `publish_ranges${suffix}`,
    `publish_helped${suffix}`,
  ]
  const port = key.at(-1)
  if (!names.includes(set) || key.at(-2) !== 'udp' || port === undefined) return []
  if (typeof port === 'number') return [{ first: port, last: port }]
  return typeof port === 'object' && 'range' in port ? [port.range] : []
}

function protocolOf(field: KeyField | undefined): Pick<ConntrackFilter, 'protocol'> {
  return field === 'tcp' || field === 'udp' || field === 'sctp' ? { protocol: field } : {}
}

function text(field: KeyField | undefined): string {
  return typeof field === 'string' ? field : ''
}

function prefixOf(field: KeyField | undefined): Cidr[] {
  if (typeof field !== 'object' || !('prefix' in field)) return []
  return [Cidr.parse(`${field.prefix.addr}/${field.prefix.len}`)]
}
