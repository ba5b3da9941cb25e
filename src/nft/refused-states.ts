/** Statements that elements have for themselves, where they are not those of their set; and flags of sets that exclude each other. */
import { isObjectKind } from './compile/data-layout.js'
import type { Element, NamedMap, NamedSet, Rule, StatefulStatement } from './model/index.js'
import type { SetName } from './ranges/index.js'
import type { Cause } from './refused-cause.js'

/** What must be known of a set. */
interface Declared {
  readonly map?: unknown
  readonly flags?: readonly string[] | undefined
  readonly timeout?: number
  readonly stmt?: readonly StatefulStatement[] | undefined
}

export type SetFinder = (name: SetName) => Declared | undefined

const stateNames = ['counter', 'limit', 'quota', 'ct count', 'last'] as const

function namesOf(value: object | undefined): string[] {
  return Object.keys(value ?? {}).filter((key) => stateNames.some((name) => name === key))
}

/** Elements that have statements, but not those of their set. */
export function refusedElementStates(
  kind: 'set' | 'map' | 'element',
  element: Pick<Element, 'family' | 'table' | 'name' | 'elem'>,
  place: string,
  find: SetFinder,
): Cause | undefined {
  const [, at] = /\.elem\[(\d+)\]/.exec(place) ?? []
  const set = find(element)
  for (const [index, each] of element.elem.entries()) {
    if (at !== undefined && Number(at) !== index) continue
    const key: unknown = Array.isArray(each) ? each[0] : each
    if (typeof key !== 'object' || key === null || !('elem' in key) || typeof key.elem !== 'object') continue
    const message = differing(namesOf(key.elem ?? undefined), set, 'the element')
    if (message !== undefined) return { message, place: `${kind}.elem[${index}]` }
  }
  return undefined
}

/** A rule's statement that adds to a set what it cannot hold. */
export function refusedSetStatement(rule: Rule, place: string, find: SetFinder): Cause | undefined {
  const [, at] = /^rule\.expr\[(\d+)\]$/.exec(place) ?? []
  const statement = at === undefined ? undefined : rule.expr[Number(at)]
  if (statement === undefined) return undefined
  const added =
    'set' in statement
      ? { name: statement.set.set, key: statement.set.elem, stmt: statement.set.stmt }
      : 'map' in statement
        ? { name: statement.map.map, key: statement.map.elem, stmt: statement.map.stmt }
        : undefined
  if (added === undefined) return undefined
  const set = find({ family: rule.family, table: rule.table, name: added.name.slice(1) })
  if (set?.flags?.includes('interval'))
    return { message: `rules add no elements to sets of ranges, and ${added.name} has the flag interval` }
  const untimed = hasTimeout(added.key) && !expires(set)
  const message =
    untimed && set !== undefined
      ? timeoutsOf(added.name)
      : (differing((added.stmt ?? []).flatMap(namesOf), set, 'the statement') ??
        (untimed ? timeoutsOf(added.name) : undefined))
  return message === undefined ? undefined : { message }
}

function expires(set: Declared | undefined): boolean {
  return set?.flags?.includes('timeout') === true || set?.timeout !== undefined
}

/** Why elements of a set, or map, of this name can't have timeouts. */
export function timeoutsOf(name: string): string {
  return `elements of ${name} have timeouts only if it has the flag timeout`
}

/** Whether a key, `{ elem: { val, timeout } }`, says how long its element lives. */
export function hasTimeout(key: unknown): boolean {
  if (typeof key !== 'object' || key === null || !('elem' in key)) return false
  return typeof key.elem === 'object' && key.elem !== null && ('timeout' in key.elem || 'expires' in key.elem)
}

/** Why one has the wrong statements for itself: all those of the set in their order, or none, are right. */
function differing(names: readonly string[], set: Declared | undefined, subject: string): string | undefined {
  if (names.length === 0) return undefined
  const rule = `${subject} has all statements that the set declares (stmt), in their order, or none`
  if (set === undefined) return `${rule}; this one has ${names.join(', ')}`
  const wanted = (set.stmt ?? []).flatMap(namesOf)
  if (wanted.length === 0) return withoutExpiry(names, set)
  const declared = `the set declares ${wanted.join(', ')}`
  const lacking = wanted.filter((name) => !names.includes(name))
  const surplus = names.filter((name) => !wanted.includes(name))
  if (lacking.length === 0 && surplus.length === 0)
    return names.join() === wanted.join() ? undefined : `it has ${names.join(', ')}, and ${declared}: ${rule}`
  const faults = [
    ...(lacking.length > 0 ? [`it lacks ${lacking.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`it has ${surplus.join(', ')} in excess`] : []),
  ]
  return `${faults.join(' and ')}, as ${declared}: ${rule}`
}

function withoutExpiry(names: readonly string[], set: Declared): string | undefined {
  if (!names.includes('ct count')) return undefined
  if (expires(set)) return 'ct count is for elements that do not expire, and the set has timeouts'
  return undefined
}

/** Properties of a set that no kernel has together. */
export function refusedSet(set: NamedSet | NamedMap): Cause | undefined {
  const flags = set.flags ?? []
  const kind = 'map' in set ? 'map' : 'set'
  const place = `${kind}.flags`
  if (flags.includes('dynamic') && flags.includes('interval'))
    return { message: `a ${kind} to which rules add (dynamic) holds no ranges (interval)`, place }
  if (flags.includes('constant') && expires(set))
    return { message: `elements of a ${kind} that never changes (constant) do not expire (timeout)`, place }
  if (flags.includes('dynamic') && 'map' in set && isObjectKind(set.map))
    return { message: `rules do not add (dynamic) to a map of objects such as ${set.map}`, place }
  const message = withoutExpiry((set.stmt ?? []).flatMap(namesOf), set)
  return message === undefined ? undefined : { message, place: `${kind}.stmt` }
}
