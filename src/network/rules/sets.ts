import type { CtHelper, DatatypeName, Element, MapType, NamedMap, NamedSet } from '../../nft/index.js'
import {
  type ElementLimit,
  type KeyField,
  ofFamily,
  type SetElement,
  type SetName,
} from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'
import { HELPER_OBJECTS } from '../plan/helpers.js'
import type { TableFamily } from './names.js'

/**
 * The most elements of a large set. Declared, so that the kernel picks its fixed hash, in which an insertion costs half;
 * it allocates eight bytes for each of four thirds as many buckets.
 */
const LARGE = 262_144
const MEDIUM = 65_536
/** The most questions over UDP that are remembered at once; the set grows with them. */
const ASKED = 524_288
/** So long an answer may take: as long as connection tracking waits within a stream (nf_conntrack_udp_timeout_stream). */
const ASKED_SECONDS = 120

/** So long it is remembered who met a limit last. */
const REFUSED_SECONDS = 3600

/** Declared in one of the two tables, or with the same name in both. */
interface SetDeclaration {
  readonly tables: readonly [TableFamily, ...TableFamily[]]
  readonly type: DatatypeName | readonly DatatypeName[]
  readonly map?: MapType
  readonly size?: number
  readonly flags?: readonly ('interval' | 'dynamic' | 'timeout')[]
  /** Seconds that an element stays. */
  readonly timeout?: number
  /** What its elements come and go with. Default: containers, of which the only one may come and go all day. */
  readonly of?: 'networks'
}

const INET = ['inet'] as const
const BRIDGE = ['bridge'] as const
const BOTH = ['inet', 'bridge'] as const

/** Sets of which there is one. What churns is a hash set of exact keys. */
const SHARED = {
  bridges: { tables: INET, of: 'networks', type: 'ifname' },
  // With those of other hosts in the namespace, which each of them writes into the tables of all.
  host_bridges: { tables: INET, of: 'networks', type: 'ifname' },
  // Interface, family, setting and value: what another host changed, and left to this one to give back.
  inherited: { tables: INET, type: ['ifname', 'nf_proto', 'mark', 'mark'] },
  internal: { tables: INET, of: 'networks', type: ['nf_proto', 'ifname'] },
  strict: { tables: INET, of: 'networks', type: 'ifname' },
  isolated: { tables: INET, of: 'networks', type: 'ifname' },
  to_host: { tables: INET, of: 'networks', type: ['nf_proto', 'ifname'], map: 'verdict' },
  trusted: { tables: INET, of: 'networks', type: ['ifname', 'ifname'] },
  masqueraded: { tables: INET, of: 'networks', type: ['nf_proto', 'ifname'] },
  icc: { tables: INET, of: 'networks', type: ['ifname', 'ifname'], map: 'verdict' },
  direct: { tables: INET, of: 'networks', type: ['nf_proto', 'ifname'], map: 'verdict' },
  direct_between: { tables: INET, of: 'networks', type: ['nf_proto', 'ifname'], map: 'verdict' },
  forward_policy: { tables: INET, of: 'networks', type: 'nf_proto', map: 'verdict' },
  outward: { tables: INET, of: 'networks', type: 'ifname', map: 'verdict' },
  outward_helpers: {
    tables: INET,
    of: 'networks',
    type: ['ifname', 'inet_proto', 'inet_service'],
    map: 'ct helper',
  },
  // Pairs of a bridge and itself: filled by the rule that looks a pair up, see `forward`.
  same_bridge: {
    tables: INET,
    type: ['ifname', 'ifname'],
    size: MEDIUM,
    flags: ['dynamic', 'timeout'],
    timeout: 3600,
  },
  ports: { tables: BRIDGE, type: 'ifname', size: MEDIUM },
  // Of networks whose frames connection tracking sees.
  tracked_ports: { tables: BRIDGE, type: 'ifname', size: MEDIUM },
  // With the families in which the bridge has no address.
  isolated_ports: { tables: BRIDGE, type: ['ifname', 'ether_type'], size: MEDIUM },
  // Of networks that are judged in their bridges, and let pass what links allow.
  closed_ports: { tables: BRIDGE, type: 'ifname', size: MEDIUM },
  // Of networks with icc: false whose frames connection tracking sees.
  tracked_closed_ports: { tables: BRIDGE, type: 'ifname', size: MEDIUM },
  // By which MAC and IP addresses the addresses behind ports are asked for (RFC 4291, 2.7.1).
  solicited_nodes: { tables: BRIDGE, type: ['ifname', 'ether_addr', 'ipv6_addr'], size: MEDIUM },
  // Bridges and the MAC addresses of their ports' other ends, of the same networks.
  closed_macs: { tables: INET, type: ['ifname', 'ether_addr'], size: MEDIUM },
  // Adopted bridges of networks with icc: false, each with itself.
  adopted_bridges: { tables: INET, of: 'networks', type: ['ifname', 'ifname'] },
  // Ports of containers there, where table inet judges by links.
  adopted_ports: { tables: BRIDGE, type: 'ifname' },
  // Those that may send from any address, and of these the ones of networks with icc: false.
  forging_ports: { tables: BRIDGE, type: 'ifname' },
  closed_forging_ports: { tables: BRIDGE, type: 'ifname' },
} as const satisfies Partial<Record<SetName, SetDeclaration>>

/**
 * Sets of which each address family has its own. Intervals are few and change seldom: ranges of ports, subnets of peers; each
 * deletion from such a set costs as much as the whole of it.
 */
const ofAddresses = (address: 'ipv4_addr' | 'ipv6_addr') =>
  ({
    links: { tables: BOTH, type: [address, address, 'inet_proto', 'inet_service'], size: LARGE },
    replies: { tables: BOTH, type: [address, address, 'inet_proto', 'inet_service'] },
    // Linked ends, in both directions.
    linked: { tables: BRIDGE, type: [address, address], size: LARGE },
    // Questions over UDP that a link let pass: client, server, the client's port and the server's.
    asked: {
      tables: BOTH,
      type: [address, address, 'inet_service', 'inet_service'],
      size: ASKED,
      flags: ['dynamic', 'timeout'],
      timeout: ASKED_SECONDS,
    },
    // The same without the client's port: there are no more of these than links.
    asked_of_links: {
      tables: BOTH,
      type: [address, address, 'inet_service'],
      size: LARGE,
      flags: ['dynamic', 'timeout'],
      timeout: ASKED_SECONDS,
    },
    // How often clients asked anew.
    askers: {
      tables: BRIDGE,
      type: address,
      size: MEDIUM,
      flags: ['dynamic', 'timeout'],
      timeout: ASKED_SECONDS,
    },
    // With a limit of its own each, of connections or of those that begin in a second.
    connections: { tables: INET, type: address },
    connection_slots: { tables: INET, type: [address, 'mark'] },
    connection_rates: { tables: INET, type: address },
    // Who met a limit, and how often.
    refused: {
      tables: INET,
      type: address,
      size: MEDIUM,
      flags: ['dynamic', 'timeout'],
      timeout: REFUSED_SECONDS,
    },
    published: { tables: INET, type: [address, 'inet_proto', 'inet_service'], size: MEDIUM },
    published_ranges: { tables: INET, type: [address, 'inet_proto', 'inet_service'], flags: ['interval'] },
    hairpin: { tables: INET, type: [address, address], size: MEDIUM },
    near: { tables: INET, type: ['ifname', address], size: MEDIUM },
    publish: {
      tables: INET,
      type: [address, 'inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      size: MEDIUM,
    },
    publish_any: {
      tables: INET,
      type: ['inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      size: MEDIUM,
    },
    publish_ranges: {
      tables: INET,
      type: [address, 'inet_proto', 'inet_service'],
      map: address,
      flags: ['interval'],
    },
    publish_helpers: {
      tables: INET,
      type: [address, 'inet_proto', 'inet_service'],
      map: 'ct helper',
      flags: ['interval'],
    },
    publish_helped: {
      tables: INET,
      type: [address, 'inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      flags: ['interval'],
    },
    pools: { tables: BOTH, of: 'networks', type: address, flags: ['interval'] },
    peers: { tables: INET, of: 'networks', type: address, flags: ['interval'] },
    not_masqueraded: { tables: INET, of: 'networks', type: ['ifname', address], flags: ['interval'] },
    snat_to: { tables: INET, of: 'networks', type: 'ifname', map: address },
    senders: { tables: BRIDGE, type: ['ifname', 'ether_addr', address], size: MEDIUM },
    // Bridges of `adopted_bridges` and their containers' addresses.
    adopted_addresses: { tables: INET, type: ['ifname', address] },
    // Which addresses are behind the ports of networks with icc: false.
    port_addresses: { tables: BRIDGE, type: ['ifname', address], size: MEDIUM },
  }) as const satisfies Partial<Record<SetName, SetDeclaration>>

/** Every set and map of the ruleset: what grows is an element of one of these, never a rule. */
const SETS: ReadonlyMap<string, SetDeclaration> = new Map<string, SetDeclaration>([
  ...Object.entries(SHARED),
  ...eachFamily.flatMap((family) =>
    Object.entries(ofAddresses(family === 4 ? 'ipv4_addr' : 'ipv6_addr')).map(
      ([name, declaration]): [string, SetDeclaration] => [ofFamily(name, family), declaration],
    ),
  ),
])

/** The declarations of one table's sets and maps. */
export function setObjects(family: TableFamily, table: string): ({ set: NamedSet } | { map: NamedMap })[] {
  return [...SETS]
    .filter(([, { tables }]) => tables.includes(family))
    .map(([name, { map, tables: _tables, of: _of, ...declaration }]) => {
      const set = { ...declaration, family, table, name }
      return map === undefined ? { set } : { map: { ...set, map } }
    })
}

/** Sets that hosts of other programs in the namespace must know: each writes its elements of them into the tables of all. */
export const ANNOUNCED_SETS: ReadonlySet<string> = new Set<SetName>(['host_bridges', 'strict', 'isolated'])

/** Whether a set or map has no elements but those that we put there: neither packets nor other hosts fill it. */
export function isFilledByUsAlone(name: string): boolean {
  const declared = SETS.get(name)
  return declared !== undefined && !ANNOUNCED_SETS.has(name) && !declared.flags?.includes('dynamic')
}

/** Whether its elements come and go with networks, and seldom, not with containers. */
export function isOfNetworks(name: string): boolean {
  return SETS.get(name)?.of === 'networks'
}

/** The names of the sets that elements are of. */
export function setsOf(elements: Iterable<SetElement>): ReadonlySet<string> {
  const sets = new Set<string>()
  for (const { set } of elements) sets.add(set)
  return sets
}

/** Whether a set or map is in the table of a family. */
export function isInTable(name: string, family: TableFamily): boolean {
  return SETS.get(name)?.tables.includes(family) ?? false
}

/** Elements as objects of a transaction, one for each set of each table that has any. */
export function elementObjects(table: string, elements: readonly SetElement[]): { element: Element }[] {
  const bySet = new Map<SetName, Element['elem'][number][]>()
  for (const element of elements) {
    const value = elementValue(element)
    const values = bySet.get(element.set)
    if (values) values.push(value)
    else bySet.set(element.set, [value])
  }
  return [...bySet].flatMap(([name, elem]) => {
    const { tables = [], of: _of, ...declaration } = SETS.get(name) ?? {}
    return tables.map((family) => ({ element: { ...declaration, family, table, name, elem } }))
  })
}

/** The helpers that elements refer to, as objects of a transaction: added again where they are there already. */
export function helperObjects(table: string, elements: readonly SetElement[]): { 'ct helper': CtHelper }[] {
  const names = new Set(elements.flatMap((element) => ('helper' in element ? element.helper : [])))
  return [...names].flatMap((name) => {
    const helper = HELPER_OBJECTS.get(name)
    return helper ? [{ 'ct helper': { family: 'inet', table, ...helper } }] : []
  })
}

function elementValue(element: SetElement): Element['elem'][number] {
  const fields = element.key.map(fieldValue)
  const [first] = fields
  const plain = fields.length === 1 && first !== undefined ? first : { concat: fields }
  const key =
    'limit' in element && element.limit ? { elem: { val: plain, ...limitOf(element.limit) } } : plain
  if ('verdict' in element) {
    const { verdict } = element
    if (verdict === 'accept') return [key, { accept: null }]
    return [key, verdict === 'drop' ? { drop: null } : { jump: { target: verdict } }]
  }
  if ('helper' in element) return [key, element.helper]
  if (!('target' in element)) return key
  const [address, port] = element.target
  return [key, port === undefined ? address : { concat: [address, port] }]
}

/** As many may begin at once as begin in a second. */
function limitOf(limit: ElementLimit) {
  if ('connections' in limit) return { 'ct count': { val: limit.connections, inv: true } } as const
  return { limit: { rate: limit.perSecond, per: 'second', burst: limit.perSecond, inv: true } } as const
}

function fieldValue(field: KeyField) {
  if (typeof field !== 'object') return field
  return 'range' in field
    ? { range: [field.range.first, field.range.last] as const }
    : { prefix: field.prefix }
}
