import { checkBoolean, checkInteger, checkString } from '../../input.js'

/** What a damaged file of the state directory is reported under: it is read when the host is opened. */
export const OPERATION = 'BridgeHost.open'

/** Properties of a value that was read from a file: each is returned as what it must be, or NFB_INVALID_ARGUMENT thrown. */

export function get(value: object, property: string): unknown {
  return Object.hasOwn(value, property) ? Reflect.get(value, property) : undefined
}

export function text(value: object, property: string): string {
  return checkString(get(value, property), OPERATION, property)
}

export function flag(value: object, property: string): boolean {
  return checkBoolean(get(value, property), OPERATION, property)
}

export function integer(value: object, property: string): number {
  return checkInteger(get(value, property), [0, 0xffffffff], OPERATION, property)
}

export function array(value: object, property: string): readonly unknown[] {
  const list = get(value, property)
  if (Array.isArray(list)) return list
  throw new TypeError(`"${property}" is no list`)
}

export function texts(value: object, property: string): readonly string[] {
  return array(value, property).map((each) => checkString(each, OPERATION, property))
}

export function objects(value: object, property: string): readonly object[] {
  return array(value, property).map((each) => asObject(each, property))
}

export function object(value: object, property: string): object {
  return asObject(get(value, property), property)
}

/** The property parsed; undefined where it is missing. */
export function optional<T>(
  value: object,
  property: string,
  parse: (value: object, property: string) => T,
): T | undefined {
  return get(value, property) === undefined ? undefined : parse(value, property)
}

/** Texts by names. */
export function textsByName(value: object, property: string): Readonly<Record<string, string>> {
  const from = object(value, property)
  return Object.fromEntries(Object.keys(from).map((name) => [name, text(from, name)]))
}

function asObject(value: unknown, property: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new TypeError(`"${property}" is no object`)
}
