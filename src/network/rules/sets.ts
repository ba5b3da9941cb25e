import type { DatatypeName, Element, MapType, NamedMap, NamedSet } from '../../nft/index.js'
import type { SetElement, SetName } from '../plan/elements.js'

/** The name of our two tables: one of family inet, one of family bridge. */
export const TABLE = 'nfbridge'

/**
 * The most elements of a large set. Declared, so that the kernel picks its fixed hash, in which an insertion costs half;
 * it allocates eight bytes for each of four thirds as many buckets.
 */
const LARGE = 262_144
const MEDIUM = 65_536

/** The families of our two tables. */
export type TableFamily = 'inet' | 'bridge'

interface SetDeclaration {
  readonly family: TableFamily
  readonly type: DatatypeName | readonly DatatypeName[]
  readonly map?: MapType
  readonly size?: number
}

/**
 * Every set and map of the ruleset: what grows is an element of one of these, never a rule. All are hash sets of exact
 * keys; ranges would make each deletion cost as much as the whole set.
 */
const SETS: Readonly<Record<SetName, SetDeclaration>> = {
  bridges: { family: 'inet', type: 'ifname' },
  icc: { family: 'inet', type: ['ifname', 'ifname'], map: 'verdict' },
  links: { family: 'inet', type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'], size: LARGE },
  published: { family: 'inet', type: ['ipv4_addr', 'inet_proto', 'inet_service'], size: MEDIUM },
  hairpin: { family: 'inet', type: ['ipv4_addr', 'ipv4_addr'], size: MEDIUM },
  publish: {
    family: 'inet',
    type: ['ipv4_addr', 'inet_proto', 'inet_service'],
    map: ['ipv4_addr', 'inet_service'],
    size: MEDIUM,
  },
  publish_any: {
    family: 'inet',
    type: ['inet_proto', 'inet_service'],
    map: ['ipv4_addr', 'inet_service'],
    size: MEDIUM,
  },
  ports: { family: 'bridge', type: 'ifname', size: MEDIUM },
  senders: { family: 'bridge', type: ['ifname', 'ether_addr', 'ipv4_addr'], size: MEDIUM },
}

/** The declarations of one table's sets and maps. */
export function setObjects(family: TableFamily): ({ set: NamedSet } | { map: NamedMap })[] {
  return Object.entries(SETS)
    .filter(([, declaration]) => declaration.family === family)
    .map(([name, { map, ...declaration }]) => {
      const set = { ...declaration, table: TABLE, name }
      return map === undefined ? { set } : { map: { ...set, map } }
    })
}

/** Elements as objects of a transaction, one for each set that has any. */
export function elementObjects(elements: readonly SetElement[]): { element: Element }[] {
  const bySet = new Map<SetName, Element['elem'][number][]>()
  for (const element of elements) {
    const value = elementValue(element)
    const values = bySet.get(element.set)
    if (values) values.push(value)
    else bySet.set(element.set, [value])
  }
  return [...bySet].map(([name, elem]) => {
    const { family, type, map } = SETS[name]
    return { element: { family, table: TABLE, name, type, elem, ...(map === undefined ? {} : { map }) } }
  })
}

function elementValue(element: SetElement): Element['elem'][number] {
  const [first] = element.key
  const key = element.key.length === 1 ? first : { concat: element.key }
  if (element.set === 'icc') {
    return [key, element.verdict === 'accept' ? { accept: null } : { jump: { target: element.verdict } }]
  }
  return 'target' in element ? [key, { concat: element.target }] : key
}
