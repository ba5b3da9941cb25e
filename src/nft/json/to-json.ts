/** Values of the model to libnftables' JSON. */
import { NfbridgeError } from '../../errors.js'
import { readInput, withInput } from '../../read-input.js'
import { type Operation, priorityNumber } from '../compile/index.js'
import { isTypeof, typeNames } from '../datatype/index.js'
import { withProtocols } from '../implied-protocol.js'
import type { Family, ListedObject, OpaqueObject, Priority, RulesetObject } from '../model/index.js'
import { isNode } from './normalize.js'
import { inDependencyOrder } from './order.js'

const operation = 'ruleset.toJson'

/** How JSON is written. */
export interface ToJsonOptions {
  /**
   * Keep what nft 1.0.6 does not read or refuses: the set flag `dynamic`, names of priorities, parts of seconds, flags and
   * comments of tables, flags, counters and comments of chains, types of elements and maps, the expressions that sets are declared by, what is
   * `unknown`. `ruleset.fromJson` reads all of it. Default: false.
   */
  readonly keep?: boolean
  /**
   * What JSON has no words for (opaque statements and objects; extensions of xtables, unless they are to be kept): `refuse`
   * (default), or leave out the whole rule or object.
   */
  readonly opaque?: 'refuse' | 'omit'
}

/** libnftables' JSON. */
export interface JsonRuleset {
  readonly nftables: readonly { readonly [name: string]: unknown }[]
}

/** What can be written as JSON: a listing, objects, or operations. */
export type JsonSource =
  | { readonly nftables: readonly (ListedObject | RulesetObject)[] }
  | { readonly operations: readonly Operation[] }
  | readonly (ListedObject | RulesetObject)[]
  | readonly Operation[]

/**
 * Writes libnftables' JSON, which `nft -j -f` reads: objects in the order of their dependencies, or operations as commands.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT with the path of an opaque value
 */
export function toJson(given: JsonSource, givenOptions: ToJsonOptions = {}): JsonRuleset {
  const source = readInput(given, operation, 'source')
  const options = readInput(givenOptions, operation, '')
  return withInput(source, operation, 'source', () => written(source, options))
}

function written(source: JsonSource, options: ToJsonOptions): JsonRuleset {
  const entries: readonly (ListedObject | RulesetObject | Operation)[] =
    'nftables' in source ? source.nftables : 'operations' in source ? source.operations : source
  const objects: RulesetObject[] = []
  const commands: { readonly [name: string]: unknown }[] = []
  for (const [index, entry] of entries.entries()) {
    const unsayable = options.keep ? ['opaque'] : ['opaque', 'xt']
    if (isUnsayable(entry, unsayable)) {
      if (options.opaque === 'omit') continue
      throw new NfbridgeError({
        code: 'NFB_INVALID_ARGUMENT',
        operation,
        message:
          'nft reads no JSON of what is opaque or belongs to xtables: leave it out with { opaque: "omit" }, or keep xtables',
        path: `nftables[${index}]${opaquePath(entry, unsayable)}`,
      })
    }
    if (isOperation(entry)) commands.push(writeOperation(entry, options))
    else objects.push(entry)
  }
  return {
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      ...inDependencyOrder(objects).map((object) => writeObject(object, options)),
      ...commands,
    ],
  }
}

function isUnsayable(
  entry: ListedObject | RulesetObject | Operation,
  names: readonly string[],
): entry is OpaqueObject {
  return opaquePath(entry, names) !== ''
}

/** The first value of an entry that has one of the names: `.rule.expr[1].opaque`. */
function opaquePath(value: unknown, names: readonly string[]): string {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const inner = opaquePath(item, names)
      if (inner !== '') return `[${index}]${inner}`
    }
    return ''
  }
  if (!isNode(value)) return ''
  for (const [key, item] of Object.entries(value)) {
    const inner = names.includes(key) ? '' : opaquePath(item, names)
    if (names.includes(key) || inner !== '') return `.${key}${inner}`
  }
  return ''
}

const verbs = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'rename', 'flush']

function isOperation(entry: ListedObject | RulesetObject | Operation): entry is Operation {
  return Object.keys(entry).some((key) => verbs.includes(key))
}

type JsonObject = { readonly [name: string]: unknown }

function writeOperation(entry: Operation, options: ToJsonOptions): JsonObject {
  const [verb = '', object]: [string?, unknown?] = Object.entries(entry)[0] ?? []
  return { [verb]: writeObject(object, options) }
}

function writeObject(object: unknown, { keep = false }: ToJsonOptions): JsonObject {
  if (!isNode(object)) return {}
  const [kind = '', inner]: [string?, unknown?] = Object.entries(object)[0] ?? []
  const written = convert(kind === 'rule' ? explicit(inner) : inner, keep)
  return { [kind]: keep || !isNode(written) ? written : accepted(kind, written) }
}

/** A rule whose ports have their protocol, which nft wants to be said. */
function explicit(rule: unknown): unknown {
  return isNode(rule) && Array.isArray(rule.expr) ? { ...rule, expr: withProtocols(rule.expr) } : rule
}

/** Properties that nft has no place for, by the kind of the object. */
const foreign: { readonly [kind: string]: readonly string[] } = {
  table: ['flags', 'comment'],
  chain: ['flags', 'counters', 'comment'],
  rule: ['nextTo'],
  set: ['keyLen', 'keyOrder'],
  map: ['keyLen', 'keyOrder', 'dataLen', 'dataOrder', 'ranges'],
  element: ['type', 'map', 'flags', 'ranges', 'keyLen', 'keyOrder', 'dataLen', 'dataOrder'],
  flowtable: ['flags'],
}

/** The object as nft 1.0.6 reads it. */
function accepted(kind: string, object: JsonObject): JsonObject {
  const { prio, flags, family, ...rest } = without(namedTypes(object), ['unknown', ...(foreign[kind] ?? [])])
  return {
    family,
    ...rest,
    ...(prio !== undefined && {
      prio: isPriority(prio) && isFamily(family) ? priorityNumber(family, prio) : prio,
    }),
    ...(Array.isArray(flags) && { flags: flags.filter((flag) => flag !== 'dynamic') }),
    ...(isSet(kind) && wholeSeconds(rest)),
  }
}

/** nft 1.0.6 reads names of types only, no expressions. */
function namedTypes(object: JsonObject): JsonObject {
  const named = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    if (!isTypeof(value)) return []
    const types = typeNames(value)
    return [[name, types.length === 1 ? types[0] : types]]
  })
  return { ...object, ...Object.fromEntries(named) }
}

const isSet = (kind: string): boolean => kind === 'set' || kind === 'map'

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

function isPriority(value: unknown): value is Priority {
  return typeof value === 'number' || typeof value === 'string'
}

function isFamily(value: unknown): value is Family {
  return typeof value === 'string'
}

/** Times in whole seconds, upwards: what lives shorter than a second shall not live for ever. */
function wholeSeconds(object: JsonObject): JsonObject {
  const times = ['timeout', 'expires', 'gc-interval'].flatMap((name): [string, number][] => {
    const value = object[name]
    return typeof value === 'number' ? [[name, Math.ceil(value)]] : []
  })
  return Object.fromEntries(times)
}

const binaryOperators = ['&', '|', '^', '<<', '>>']

/** A value with everything in it as libnftables has it. */
function convert(value: unknown, keep: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, keep))
  if (!isNode(value)) return value
  const made: { [name: string]: unknown } = {}
  for (const [name, child] of Object.entries(value)) {
    if (child === undefined) continue
    const inner = convert(child, keep)
    if (binaryOperators.includes(name) && Array.isArray(inner)) return pairs(name, inner)
    made[name] = inner
  }
  return keep ? made : acceptedPart(made)
}

/** `a | b | c` as pairs of pairs, which every version of libnftables reads. */
function pairs(operator: string, [first, ...rest]: readonly unknown[]): unknown {
  return rest.reduce((left, right) => ({ [operator]: [left, right] }), first)
}

/** Within a rule or a set: elements live whole seconds, and maps do not say their types. */
function acceptedPart(value: JsonObject): JsonObject {
  const { elem, map } = value
  if (isNode(elem) && 'val' in elem)
    return { ...value, elem: without({ ...elem, ...wholeSeconds(elem) }, ['unknown']) }
  if (isNode(map) && 'key' in map && 'type' in map) return { ...value, map: without(map, ['type']) }
  return value
}
