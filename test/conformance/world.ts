/** What the rules of the cases refer to: the same in the table of every family. */
import type { DatatypeName, Family, MapObject, SetFlag, SetObject } from '../../src/nft/model/index.js'

type Types = DatatypeName | readonly DatatypeName[]

/** Sets and maps by name: the key's type, what a map gives, flags. */
const sets: readonly (readonly [string, Types, (Types | 'verdict' | undefined)?, (readonly SetFlag[])?])[] = [
  ['s4', 'ipv4_addr'],
  ['s6', 'ipv6_addr'],
  ['ifs', 'ifname'],
  ['ports', 'inet_service'],
  ['ds', 'dscp'],
  ['pairs', ['ipv4_addr', 'inet_service']],
  ['marks', 'mark', undefined, ['interval']],
  ['nets', 'ipv4_addr', undefined, ['interval']],
  ['dyn4', 'ipv4_addr', undefined, ['dynamic', 'timeout']],
  ['dyn6', 'ipv6_addr', undefined, ['dynamic', 'timeout']],
  ['dynpair', ['ipv4_addr', 'inet_service'], undefined, ['dynamic', 'timeout']],
  ['dynmap', 'ipv4_addr', 'mark', ['dynamic', 'timeout']],
  ['ma', 'ipv4_addr', 'ipv4_addr'],
  ['mp', 'inet_service', 'inet_service'],
  ['mk', 'ipv4_addr', 'mark'],
  ['mc', ['ipv4_addr', 'inet_service'], ['ipv4_addr', 'inet_service']],
  ['m6', ['ipv6_addr', 'inet_service'], ['ipv6_addr', 'inet_service']],
  ['vm', 'inet_service', 'verdict'],
  ['vif', ['ifname', 'ifname'], 'verdict'],
]

/** Counters, quotas and limits by name. */
const objects = ['counter c1 { }', 'quota q1 { over 5 mbytes }', 'limit l1 { rate 5/second; }']

const dotted = (types: Types | 'verdict'): string => (typeof types === 'string' ? types : types.join(' . '))

/** The table `t` in nft's syntax, with a chain for each of the cases: `case0`, `case1`, …. */
export function worldText(family: Family, chains: readonly (string | undefined)[]): string {
  const setLines = sets.map(([name, type, map, flags = []]) => {
    const kind = map === undefined ? 'set' : 'map'
    const list = flags.length > 0 ? `flags ${flags.join(',')};` : ''
    // A size, for sets that rules add to must have one.
    const size = flags.includes('dynamic') ? 'size 1000;' : ''
    const types = map === undefined ? dotted(type) : `${dotted(type)} : ${dotted(map)}`
    return `${kind} ${name} { type ${types}; ${list} ${size} }`
  })
  const chainLines = chains.map((hook, index) => `chain case${index} { ${hook ?? ''} }`)
  return `table ${family} t {\n${[...objects, ...setLines, 'chain other { }', ...chainLines].join('\n')}\n}\n`
}

/** The same sets and maps, as a transaction or a compilation wants to know them. */
export function declaredSets(family: Family): (SetObject | MapObject)[] {
  return sets.map(([name, type, map, flags]) => {
    const common = { family, table: 't', name, type, ...(flags && { flags }) }
    return map === undefined ? { set: common } : { map: { ...common, map } }
  })
}
