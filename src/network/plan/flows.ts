import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import type { ConntrackEntry, ConntrackFilter } from '../../conntrack/index.js'
import { isLinkLocal } from './asked-addresses.js'
import { type ElementChange, elementsOf, type KeyField, type SetElement, type Touched } from './elements.js'
import { eachFamily, poolEndpoints } from './endpoints.js'
import { type Family, type NetworkRecord, standingEndpoints } from './records.js'
import type { NetworkView } from './view.js'

/** Tracked connections: those that one of these filters of the kernel finds and a test confirms. */
export interface FlowSelection {
  /** Each costs the kernel a walk through its whole table. */
  readonly filters: readonly ConntrackFilter[]
  readonly test: (entry: ConntrackEntry) => boolean
}

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
    const revoked = new Revoked(step, family)
    return revoked.isEmpty ? [] : [revoked.selection]
  })
}

/** What a change takes back in one family. */
class Revoked {
  readonly #family: Family
  /** Addresses that nobody has any more, or that somebody else has. */
  readonly #gone: ReadonlySet<string>
  /** Texts of what allowed a connection; see {@link allowedBy}. */
  readonly #allowed = new Set<string>()
  /** Where those connections lead: addresses of containers. */
  readonly #servers = new Set<string>()
  readonly #ranges: SetElement[] = []
  /** Publications with a helper: what they let in may have named further connections. */
  readonly #helped: SetElement[] = []
  readonly #peers: Cidr[] = []
  readonly #pools: readonly Cidr[]
  readonly #closed: readonly ClosedNetwork[]

  constructor({ before, after, touched, change }: ViewStep, family: Family) {
    this.#family = family
    this.#gone = goneAddresses(before, after, touched, family)
    this.#closed = closedNetworks(before, after, touched, family)
    const opened = openedNetworks(before, after, touched)
    const suffix = family === 6 ? '6' : ''
    for (const element of change.delete) {
      const [first, second] = element.key
      // Where everybody may speak with everybody by now, a link's element goes and its connections stay.
      if (element.set === `links${suffix}` && !inPools(opened, text(first), text(second))) {
        this.#add(`link ${element.key.join(' ')}`, text(second))
      }
      if (element.set === `replies${suffix}` && !inPools(opened, text(first), text(second))) {
        this.#add(`reply ${element.key.join(' ')}`, text(second))
      }
      if ('target' in element) {
        const target = element.target.join(' ')
        if (element.set === `publish${suffix}`)
          this.#add(`publish ${element.key.join(' ')} ${target}`, element.target[0])
        if (element.set === `publish_any${suffix}`)
          this.#add(`any ${element.key.join(' ')} ${target}`, element.target[0])
        if (element.set === `publish_helped${suffix}`) this.#helped.push(element)
        if (element.set === `publish_ranges${suffix}`) {
          this.#ranges.push(element)
          this.#servers.add(element.target[0])
        }
      }
      if (element.set === `peers${suffix}`) this.#peers.push(...prefixOf(first))
    }
    this.#pools = this.#peers.length > 0 ? poolsOf([...after.networks], family) : []
  }

  get isEmpty(): boolean {
    const parts = [
      this.#gone.size,
      this.#allowed.size,
      this.#ranges.length,
      this.#helped.length,
      this.#peers.length,
      this.#closed.length,
    ]
    return parts.every((size) => size === 0)
  }

  get selection(): FlowSelection {
    return { filters: this.#filters, test: (entry) => this.#test(entry) }
  }

  #add(allowed: string, server: string): void {
    this.#allowed.add(allowed)
    this.#servers.add(server)
  }

  #test(entry: ConntrackEntry): boolean {
    return (
      addressesOf(entry).some((address) => this.#gone.has(address)) ||
      allowedBy(entry).some((each) => this.#allowed.has(each)) ||
      this.#ranges.some((range) => cameBy(range, entry)) ||
      this.#helped.some((helped) => cameByHelped(helped, entry)) ||
      (this.#peers.some((peer) => peer.contains(entry.original.source)) &&
        this.#pools.some((pool) => pool.contains(entry.reply.source))) ||
      this.#closed.some((network) => network.forbids(entry))
    )
  }

  /** One address is looked for by the kernel; many are found in one listing of the whole table. */
  get #filters(): ConntrackFilter[] {
    const all = new Set([...this.#gone, ...this.#servers])
    const [address] = all
    const family = this.#family
    const others = this.#peers.length + this.#closed.length + this.#helped.length
    if (all.size !== 1 || address === undefined || others > 0) return [{ family }]
    const value = parseAddress(address)
    // To a server a connection is answered from its address, translated or not; who begins one is its source.
    const answered = { reply: { source: value } }
    return this.#gone.size === 0 ? [answered] : [answered, { original: { source: value } }]
  }
}

/** Addresses that a touched container had and has not. */
function goneAddresses(
  before: NetworkView,
  after: NetworkView,
  touched: Touched,
  family: Family,
): Set<string> {
  const addresses = (view: NetworkView, id: string): string[] => {
    const container = view.container(id)
    const endpoints = container ? standingEndpoints(container).flatMap(poolEndpoints) : []
    return endpoints.filter((each) => each.family === family).map(({ address }) => address.toString())
  }
  return new Set(
    (touched.containers ?? []).flatMap((id) => {
      const now = new Set(addresses(after, id))
      return addresses(before, id).filter((address) => !now.has(address))
    }),
  )
}

/** A network whose containers may speak only as they are linked, from now on. */
class ClosedNetwork {
  readonly #pools: readonly Cidr[]
  readonly #allowed: ReadonlySet<string>

  constructor(network: NetworkRecord, after: NetworkView, touched: Touched, family: Family) {
    this.#pools = poolsOf([network], family)
    this.#allowed = new Set(
      [...elementsOf(after, { pairs: touched.pairs ?? [] }).values()].flatMap(({ set, key }) => {
        if (set === 'links' || set === 'links6') return [`link ${key.join(' ')}`]
        return set === 'replies' || set === 'replies6' ? [`reply ${key.join(' ')}`] : []
      }),
    )
  }

  forbids(entry: ConntrackEntry): boolean {
    const { original, status } = entry
    const ends = [original.source, original.destination]
    // Link-local ones do not tell of which network they are; on one that stays open, a packet tracks its connection anew.
    const inside = ends.every((address) => contains(this.#pools, address)) || ends.every(isLinkLocal)
    return inside && !status.includes('dnat') && !allowedBy(entry).some((each) => this.#allowed.has(each))
  }
}

function closedNetworks(
  before: NetworkView,
  after: NetworkView,
  touched: Touched,
  family: Family,
): ClosedNetwork[] {
  return (touched.networks ?? []).flatMap((name) => {
    const network = after.network(name)
    const closes = before.network(name)?.icc === true && network?.icc === false
    return closes ? [new ClosedNetwork(network, after, touched, family)] : []
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
    const ports = added.flatMap((element) => udpPorts(element, family))
    const [first] = ports
    if (!first) return []
    const single = ports.length === 1 && first.first === first.last
    const test = ({ original, status }: ConntrackEntry): boolean =>
      !status.includes('dnat') && ports.some((range) => within(range, original.destinationPort))
    return {
      filters: [
        { family, protocol: 'udp', ...(single ? { original: { destinationPort: first.first } } : {}) },
      ],
      test,
    }
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

/** Whether a connection was translated by an element of a range, which leaves the port as it is. */
function cameBy(range: SetElement, { original, reply, protocol }: ConntrackEntry): boolean {
  if (!('target' in range)) return false
  const [host, proto, ports] = range.key
  const address = typeof host === 'object' || host === original.destination.toString()
  const port = typeof ports === 'object' && 'range' in ports && within(ports.range, original.destinationPort)
  const answers = reply.source.toString() === range.target[0] && reply.sourcePort === original.destinationPort
  return address && proto === protocol && port && answers
}

/** Whether a connection, or the one that named it, came by a publication with a helper. */
function cameByHelped({ key }: SetElement, { original, master, protocol, status }: ConntrackEntry): boolean {
  const [host, proto, port] = key
  const isOf = ({ destination, destinationPort }: ConntrackEntry['original']): boolean =>
    (typeof host === 'object' || host === destination.toString()) && port === destinationPort
  if (master) return isOf(master)
  return proto === protocol && status.includes('dnat') && isOf(original)
}

function within(range: { readonly first: number; readonly last: number }, port: number | undefined): boolean {
  return port !== undefined && port >= range.first && port <= range.last
}

function addressesOf({ original, reply }: ConntrackEntry): string[] {
  return [original.source, original.destination, reply.source, reply.destination].map(String)
}

/** The texts of the elements that may have allowed a connection. */
function allowedBy({ original, reply, protocol }: ConntrackEntry): string[] {
  const port = original.destinationPort
  const target = `${reply.source} ${reply.sourcePort}`
  return [
    `link ${original.source} ${original.destination} ${protocol} ${port}`,
    `reply ${original.source} ${original.destination} ${protocol} ${original.sourcePort}`,
    `publish ${original.destination} ${protocol} ${port} ${target}`,
    `any ${protocol} ${port} ${target}`,
  ]
}

function text(field: KeyField | undefined): string {
  return typeof field === 'string' ? field : ''
}

function prefixOf(field: KeyField | undefined): Cidr[] {
  if (typeof field !== 'object' || !('prefix' in field)) return []
  return [Cidr.parse(`${field.prefix.addr}/${field.prefix.len}`)]
}
