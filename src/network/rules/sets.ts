import type { CtHelper, DatatypeName, Element, MapType, NamedMap, NamedSet } from '../../nft/index.js'
import { type KeyField, ofFamily, type SetElement, type SetName } from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'
import { HELPER_OBJECTS } from '../plan/helpers.js'
import type { TableFamily } from './names.js'

/**
 * The most elements of a large set. Declared, so that the kernel picks its fixed hash, in which an insertion costs half;
 * it allocates eight bytes for each of four thirds as many buckets.
 */
const LARGE = 262_144
const MEDIUM = 65_536

interface SetDeclaration {
  readonly family: TableFamily
  readonly type: DatatypeName | readonly DatatypeName[]
  readonly map?: MapType
  readonly size?: number
  readonly flags?: readonly ('interval' | 'dynamic' | 'timeout')[]
  /** Seconds that an element stays. */
  readonly timeout?: number
}

/** Sets of which there is one. What churns is a hash set of exact keys. */
const SHARED = {
  bridges: { family: 'inet', type: 'ifname' },
  // With those of other hosts in the namespace, which each of them writes into the tables of all.
  host_bridges: { family: 'inet', type: 'ifname' },
  // Interface, family, setting and value: what another host changed, and left to this one to give back.
  inherited: { family: 'inet', type: ['ifname', 'nf_proto', 'mark', 'mark'] },
  internal: { family: 'inet', type: ['nf_proto', 'ifname'] },
  strict: { family: 'inet', type: 'ifname' },
  isolated: { family: 'inet', type: 'ifname' },
  trusted: { family: 'inet', type: ['ifname', 'ifname'] },
  masqueraded: { family: 'inet', type: ['nf_proto', 'ifname'] },
  icc: { family: 'inet', type: ['ifname', 'ifname'], map: 'verdict' },
  direct: { family: 'inet', type: ['nf_proto', 'ifname'], map: 'verdict' },
  direct_between: { family: 'inet', type: ['nf_proto', 'ifname'], map: 'verdict' },
  forward_policy: { family: 'inet', type: 'nf_proto', map: 'verdict' },
  outward: { family: 'inet', type: 'ifname', map: 'verdict' },
  outward_helpers: { family: 'inet', type: ['ifname', 'inet_proto', 'inet_service'], map: 'ct helper' },
  // Pairs of a bridge and itself: filled by the rule that looks a pair up, see `forward`.
  same_bridge: {
    family: 'inet',
    type: ['ifname', 'ifname'],
    size: MEDIUM,
    flags: ['dynamic', 'timeout'],
    timeout: 3600,
  },
  ports: { family: 'bridge', type: 'ifname', size: MEDIUM },
  closed_ports: { family: 'bridge', type: 'ifname' },
} as const satisfies Partial<Record<SetName, SetDeclaration>>

/**
 * Sets of which each address family has its own. Intervals are few and change seldom: ranges of ports, subnets of peers; each
 * deletion from such a set costs as much as the whole of it.
 */
const ofAddresses = (address: 'ipv4_addr' | 'ipv6_addr') =>
  ({
    links: { family: 'inet', type: [address, address, 'inet_proto', 'inet_service'], size: LARGE },
    replies: { family: 'inet', type: [address, address, 'inet_proto', 'inet_service'] },
    published: { family: 'inet', type: [address, 'inet_proto', 'inet_service'], size: MEDIUM },
    published_ranges: { family: 'inet', type: [address, 'inet_proto', 'inet_service'], flags: ['interval'] },
    hairpin: { family: 'inet', type: [address, address], size: MEDIUM },
    publish: {
      family: 'inet',
      type: [address, 'inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      size: MEDIUM,
    },
    publish_any: {
      family: 'inet',
      type: ['inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      size: MEDIUM,
    },
    publish_ranges: {
      family: 'inet',
      type: [address, 'inet_proto', 'inet_service'],
      map: address,
      flags: ['interval'],
    },
    publish_helpers: {
      family: 'inet',
      type: [address, 'inet_proto', 'inet_service'],
      map: 'ct helper',
      flags: ['interval'],
    },
    publish_helped: {
      family: 'inet',
      type: [address, 'inet_proto', 'inet_service'],
      map: [address, 'inet_service'],
      flags: ['interval'],
    },
    pools: { family: 'inet', type: address, flags: ['interval'] },
    peers: { family: 'inet', type: address, flags: ['interval'] },
    not_masqueraded: { family: 'inet', type: ['ifname', address], flags: ['interval'] },
    snat_to: { family: 'inet', type: 'ifname', map: address },
    senders: { family: 'bridge', type: ['ifname', 'ether_addr', address], size: MEDIUM },
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
    .filter(([, declaration]) => declaration.family === family)
    .map(([name, { map, ...declaration }]) => {
      const set = { ...declaration, table, name }
      return map === undefined ? { set } : { map: { ...set, map } }
    })
}

/** Which of the two tables a set or map is in. */
export function familyOfSet(name: string): TableFamily | undefined {
  return SETS.get(name)?.family
}

/** Elements as objects of a transaction, one for each set that has any. */
export function elementObjects(table: string, elements: readonly SetElement[]): { element: Element }[] {
  const bySet = new Map<SetName, Element['elem'][number][]>()
  for (const element of elements) {
    const value = elementValue(element)
    const values = bySet.get(element.set)
    if (values) values.push(value)
    else bySet.set(element.set, [value])
  }
  return [...bySet].flatMap(([name, elem]) => {
    const declaration = SETS.get(name)
    return declaration ? [{ element: { ...declaration, table, name, elem } }] : []
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
  const key = fields.length === 1 && first !== undefined ? first : { concat: fields }
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

function fieldValue(field: KeyField) {
  if (typeof field !== 'object') return field
  return 'range' in field
    ? { range: [field.range.first, field.range.last] as const }
    : { prefix: field.prefix }
}
