/** Which rules of the users can concern what stays within a bridge: for their sake its frames meet the chains at all. */
import type { Expression, MatchStatement, SetElement, Statement } from '../../nft/index.js'

/**
 * Whether a rule can have to do with traffic that comes in and goes out by the same bridge of those given. It can, unless
 * it requires an interface that is none of them before it does anything. What merely counts or logs has to do with it, too,
 * and what is not understood may.
 */
export function concernsTrafficWithin(expr: readonly Statement[], bridges: Iterable<string>): boolean {
  let possible = [...bridges]
  for (const statement of expr) {
    if (possible.length === 0) return false
    // What users give is looked at more closely when it is compiled, which may be later.
    if (!isObject(statement) || !('match' in statement) || !isObject(statement.match)) return true
    const accepts = requiredInterface(statement)
    if (accepts) possible = possible.filter(accepts)
  }
  return possible.length > 0
}

const INTERFACE_KEYS: ReadonlySet<string> = new Set(['iif', 'iifname', 'oif', 'oifname'])

type Test = (name: string) => boolean

/** Which interfaces a match lets through; undefined: it may be any. */
function requiredInterface({ match: { op, left, right } }: MatchStatement): Test | undefined {
  if (op !== '==' || !isObject(left) || !('meta' in left) || !isObject(left.meta)) return undefined
  if (!INTERFACE_KEYS.has(left.meta.key)) return undefined
  if (!isObject(right) || !('set' in right) || !isList(right.set)) return namedInterface(right)
  const tests = right.set.map((element) => (isList(element) ? undefined : namedInterface(keyOf(element))))
  // One that is not understood may be any interface.
  if (!tests.every((test) => test !== undefined)) return undefined
  return (name) => tests.some((test) => test(name))
}

/** `eth0`, or `eth*` for all that begin so; a star that is part of the name is written `\*`. */
function namedInterface(value: Expression): Test | undefined {
  if (typeof value !== 'string' || value.startsWith('@')) return undefined
  if (!value.endsWith('*')) return (name) => name === value
  if (value.endsWith('\\*')) return (name) => name === `${value.slice(0, -2)}*`
  const prefix = value.slice(0, -1)
  return (name) => name.startsWith(prefix)
}

function keyOf(element: SetElement): Expression {
  return isObject(element) && 'elem' in element ? element.elem.val : element
}

function isObject<T>(value: T): value is Exclude<T & object, readonly unknown[]> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value)
}
