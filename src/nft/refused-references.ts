/** What the kernel means where a name leads to nothing, or to something else than what is asked of it. */
import type { Operation } from './compile/index.js'
import { ObjectTypes } from './kernel/constants.js'
import type { Chain, Element, Family, NamedMap, NamedSet, Rule, Statement } from './model/index.js'
import type { Cause } from './refused-cause.js'
import { hasTimeout, timeoutsOf } from './refused-states.js'

/** What an object may say of where it belongs, whatever its kind is. */
interface Placed {
  readonly family?: Family
  readonly table?: string
  readonly chain?: string
  readonly name?: string
  readonly type?: unknown
  readonly protocol?: unknown
}

/** Chain types that not all families have; the others have `filter` alone. */
const typeFamilies: readonly Family[] = ['ip', 'ip6', 'inet']

/** An object that is not where the kernel looks for it: the place tells which name led there. */
export function missingName(operation: Operation, place: string): Cause | undefined {
  const [kind, property] = place.split('.')
  const [owner]: unknown[] = Object.values(operation)
  const object = kind === undefined ? undefined : placedIn(owner, kind)
  if (object === undefined) return undefined
  const { family, table, chain, name, type, protocol } = object
  const where = `table ${family} ${table}`
  if (property === 'table') return { message: `there is no ${where}` }
  if (kind === 'table' && property === 'name') return { message: `there is no table ${family} ${name}` }
  if (kind === 'rule' && property === 'chain') return { message: `there is no chain ${chain} in ${where}` }
  if (kind === 'element' && property === 'name')
    return { message: `there is no set or map ${name} in ${where}` }
  if (kind === 'chain' && property === 'type')
    return {
      message:
        type === 'filter' || (family !== undefined && typeFamilies.includes(family))
          ? `the kernel has no chains of the type ${String(type)} for the family ${family}: its module may be missing`
          : `chains of the family ${family} have the type filter alone, not ${String(type)}`,
    }
  if (kind === 'ct helper' && property === undefined && 'add' in operation)
    return {
      message: `the kernel has no helper ${String(type)} of connection tracking for ${String(protocol)}: its module may be missing`,
    }
  return undefined
}

function placedIn(owner: unknown, kind: string): Placed | undefined {
  if (typeof owner !== 'object' || owner === null) return undefined
  const object: unknown = new Map<string, unknown>(Object.entries(owner)).get(kind)
  return typeof object === 'object' && object !== null ? object : undefined
}

/** A chain that is there already, and does not become another. */
export function refusedChange({ name, hook, flags }: Chain, place: string): Cause | undefined {
  // A device that does not offload says the same, and so do kernels that lack these hooks.
  if (hook === undefined || hook === 'ingress' || hook === 'egress' || flags?.includes('offload'))
    return undefined
  if (place === 'chain.policy')
    return {
      message: `the chain ${name} is there already, without a hook: it gets none`,
      place: 'chain.hook',
    }
  if (place !== 'chain') return undefined
  return {
    message: `the chain ${name} is there already, with another type, hook or priority: these do not change`,
  }
}

/** Statements that name an object of the table by a text. */
const objectKinds = Object.keys(ObjectTypes)

/** A statement of a rule that refers to a chain, a set or an object. The place is that of the statement. */
export function refusedReference(errno: string, rule: Rule, place: string): Cause | undefined {
  const [, at] = /^rule\.expr\[(\d+)\]$/.exec(place) ?? []
  const statement = at === undefined ? undefined : rule.expr[Number(at)]
  if (statement === undefined) return undefined
  const where = `table ${rule.family} ${rule.table}`
  const target = targetOf(statement)
  const set = setNamedIn(statement)
  if (errno === 'ENOENT') {
    const object = objectKinds.find(
      (kind) => typeof new Map(Object.entries(statement)).get(kind) === 'string',
    )
    if (target !== undefined) return { message: `there is no chain ${target} in ${where}` }
    if (object !== undefined)
      return {
        message: `there is no ${object} ${String(new Map(Object.entries(statement)).get(object))} in ${where}`,
      }
    if ('flow' in statement)
      return { message: `there is no flowtable ${statement.flow.flowtable.slice(1)} in ${where}` }
    return set === undefined ? undefined : { message: `there is no set or map ${set.slice(1)} in ${where}` }
  }
  if (errno === 'EOPNOTSUPP' && target !== undefined)
    return { message: `the chain ${target} has a hook of its own: rules lead only to chains without` }
  if (errno !== 'EINVAL' || set === undefined) return undefined
  const wanted =
    'vmap' in statement ? 'a map of verdicts' : 'a set, or a map of values of the length that is wanted'
  return {
    message: `${set} does not fit: ${wanted} is expected, with keys of the length of what is looked up`,
  }
}

function targetOf(statement: Statement): string | undefined {
  return 'jump' in statement ? statement.jump.target : 'goto' in statement ? statement.goto.target : undefined
}

/** The first set or map that a value names: `@name`. */
function setNamedIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value.startsWith('@') ? value : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const part of Object.values(value)) {
    const found = setNamedIn(part)
    if (found !== undefined) return found
  }
  return undefined
}

/** Elements that their set can't hold. */
export function refusedElement(errno: string, element: Element): Cause | undefined {
  if (errno !== 'EINVAL') return undefined
  const { name, elem, map, type } = element
  const timed = elem.findIndex((each) => hasTimeout(Array.isArray(each) ? each[0] : each))
  const key = type === undefined ? '' : `, of which ${JSON.stringify(type)} was said,`
  return {
    message:
      timed >= 0
        ? timeoutsOf(name)
        : `it does not fit ${name}: the keys${key} have another length there, or it is ${map === undefined ? 'a map, whose elements are pairs' : 'a set, whose elements are keys alone'}`,
  }
}

/** A set or map that can't be made so, or is there in another way. */
export function refusedDeclaration(
  errno: string,
  set: NamedSet | NamedMap,
  place: string,
): Cause | undefined {
  const kind = 'map' in set ? 'map' : 'set'
  if (
    errno === 'EINVAL' &&
    set['gc-interval'] !== undefined &&
    !set.flags?.includes('timeout') &&
    set.timeout === undefined
  )
    return { message: `a ${kind} has a gc-interval only with the flag timeout`, place: `${kind}.gc-interval` }
  if (errno !== 'EEXIST') return undefined
  if (place === kind && set.elem !== undefined)
    return {
      message: 'two of its elements overlap: one begins or ends within another',
      place: `${kind}.elem`,
    }
  return {
    message: `a set or map ${set.name} is there already, with another type, other flags or other settings`,
  }
}
