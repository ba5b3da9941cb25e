/**
 * Properties that no value of the model has: misspelt ones, and those of several alternatives at once. Only the names are
 * looked at. Whether the values are right the compiler says, which reads the properties that it knows.
 */
import type { Trail } from '../compile/index.js'
import { InvalidValue, quote } from '../datatype/index.js'
import type { Shape } from './shape.js'
import { shapes } from './shapes.js'

/** Where a property is that nobody knows, and what is expected there. */
export interface UnknownKey {
  readonly steps: readonly (string | number)[]
  readonly message: string
}

type Properties = { readonly [name: string]: unknown }

/** What a value may be, as far as it has parts. */
interface Node {
  readonly objects: readonly ReadonlyMap<string, Shape>[]
  /** Those of the objects that have a property. */
  readonly byKey: ReadonlyMap<string, readonly ReadonlyMap<string, Shape>[]>
  readonly lists: readonly Extract<Shape, { kind: 'list' | 'tuple' }>[]
}

/** Elements may be made of their set: `{ ...set, elem }`. */
const elements: Shape = {
  kind: 'object',
  properties: {
    element: {
      kind: 'object',
      properties: { ...propertiesOf('NamedSet'), ...propertiesOf('NamedMap'), ...propertiesOf('Element') },
    },
  },
}

const added = objectsOf('RulesetObject')

/** By the verb of an operation, what it takes. What is deleted may be named by all that is listed of it. */
const operands: { readonly [verb: string]: Shape | undefined } = {
  add: added,
  create: added,
  insert: { ref: 'RuleObject' },
  replace: { ref: 'RuleObject' },
  delete: objectsOf('DeletableObject', 'RulesetObject'),
  destroy: objectsOf('DeletableObject', 'RulesetObject'),
  flush: objectsOf('FlushableObject', 'RulesetObject'),
  rename: {
    kind: 'object',
    properties: { chain: { kind: 'union', of: [{ ref: 'ChainRenaming' }, { ref: 'Chain' }] } },
  },
}

const statementList: Shape = { kind: 'list', of: { ref: 'Statement' } }

/** How many elements are looked at in one step. */
const elementsAStep = 1024

/** The first property of an operation that it does not have, in steps. */
export function* unknownKeyOf(operation: object): Generator<undefined, UnknownKey | undefined, undefined> {
  const [verb, other] = Object.keys(operation)
  if (verb === undefined) return undefined
  if (other !== undefined)
    return { steps: [other], message: `${verb} and ${other} are two operations: each is one of its own` }
  const operand = operands[verb]
  if (operand === undefined) return undefined
  const value: unknown = Object.values(operation)[0]
  const [kind, object]: [string, unknown] = Object.entries(value ?? {})[0] ?? ['', undefined]
  if (kind !== 'ruleset' && (kind === 'opaque' || nodeOf(operand).byKey.has(kind)) && !isObject(object))
    return {
      steps: [kind],
      message: `an object with what is to be said of the ${kind} is expected, not ${quote(object)}`,
    }
  const elements = elementsOf(object)
  if (elements.length <= elementsAStep) return unknownIn(operand, value)
  for (let start = 0; start < elements.length; start += elementsAStep) {
    const part = { [kind]: { ...Object(object), elem: elements.slice(start, start + elementsAStep) } }
    const found = unknownIn(operand, part)
    if (found !== undefined) {
      const steps = found.steps.map((step, index) =>
        index === 2 && typeof step === 'number' ? step + start : step,
      )
      return { ...found, steps }
    }
    yield
  }
  return undefined
}

function unknownIn(operand: Shape, value: unknown): UnknownKey | undefined {
  return fits(operand, value) ? undefined : find(operand, value, [])
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function elementsOf(object: unknown): readonly unknown[] {
  return isObject(object) && 'elem' in object && Array.isArray(object.elem) ? object.elem : []
}

/** The trail stands at what was looked at. @throws InvalidValue with the trail at the property */
export function refuseUnknownKey(found: UnknownKey | undefined, trail: Trail): void {
  if (found === undefined) return
  for (const step of found.steps) trail.enter(step)
  throw new InvalidValue(found.message)
}

/** The first property of an object to add that it does not have. */
export function unknownKeyInAdded(object: unknown): UnknownKey | undefined {
  return find(added, object, [])
}

/** The first property in statements that they do not have. */
export function unknownKeyInStatements(statements: unknown): UnknownKey | undefined {
  return find(statementList, statements, [])
}

/** The usual case, without a word about where: every operation is asked. False where it takes a closer look. */
function fits(shape: Shape, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const node = nodeOf(shape)
  if (Array.isArray(value)) {
    const [only, other] = node.lists
    if (only?.kind !== 'list' || other !== undefined) return find(shape, value, []) === undefined
    for (const item of value) if (item === undefined || !fits(only.of, item)) return false
    return true
  }
  if (!isPlain(value) || node.objects.length === 0) return true
  let properties: ReadonlyMap<string, Shape> | undefined
  for (const key in value) {
    if (value[key] === undefined) continue
    if (properties === undefined) {
      const candidates = node.byKey.get(key)
      if (candidates?.length !== 1) return find(shape, value, []) === undefined
      properties = candidates[0]
    }
    const child = properties?.get(key)
    if (child === undefined || !fits(child, value[key])) return false
  }
  return true
}

function find(shape: Shape, value: unknown, steps: readonly (string | number)[]): UnknownKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const node = nodeOf(shape)
  if (Array.isArray(value)) return findInList(node, value, steps)
  return isPlain(value) ? findInObject(node, value, steps) : undefined
}

/** Values with a class of their own are no part of JSON, and are whole; what has no words is bytes, and no shape has it. */
function isPlain(value: object): value is Properties {
  if ('opaque' in value) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function findInList(
  { lists }: Node,
  value: readonly unknown[],
  steps: readonly (string | number)[],
): UnknownKey | undefined {
  return firstOfNone(lists, (list) => {
    for (const [index, item] of value.entries()) {
      if (item === undefined) return { steps: [...steps, index], message: 'a list without holes is expected' }
      if (typeof item !== 'object') continue
      const child = list.kind === 'list' ? list.of : list.items[index]
      const found = child && find(child, item, [...steps, index])
      if (found !== undefined) return found
    }
    return undefined
  })
}

function findInObject(
  { objects, byKey }: Node,
  value: Properties,
  steps: readonly (string | number)[],
): UnknownKey | undefined {
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  const [first] = keys
  // What can't be an object here the compiler refuses.
  if (first === undefined || objects.length === 0) return undefined
  let candidates = byKey.get(first) ?? []
  let known = ''
  for (const key of keys) {
    const narrowed = candidates.filter((properties) => properties.has(key))
    if (narrowed.length === 0)
      return refusal(key, known, candidates.length > 0 ? candidates : objects, byKey, steps)
    candidates = narrowed
    known = key
  }
  const parts = keys.filter((key) => typeof value[key] === 'object' && value[key] !== null)
  if (parts.length === 0) return undefined
  return firstOfNone(candidates, (properties) => {
    for (const key of parts) {
      const child = properties.get(key)
      const found = child && find(child, value[key], [...steps, key])
      if (found !== undefined) return found
    }
    return undefined
  })
}

function refusal(
  key: string,
  before: string,
  candidates: Node['objects'],
  byKey: Node['byKey'],
  steps: readonly (string | number)[],
): UnknownKey {
  const known = [...new Set(candidates.flatMap((properties) => [...properties.keys()]))]
  const message =
    before !== '' && byKey.has(key)
      ? `${quote(before)} and ${quote(key)} do not go together: each is one of its own`
      : `there is no property ${quote(key)} here, only ${known.slice(0, 40).join(', ')}${known.length > 40 ? ', …' : ''}`
  return { steps: [...steps, key], message }
}

/** What is wrong by the alternative that goes farthest; undefined as soon as one has nothing wrong. */
function firstOfNone<T>(
  alternatives: readonly T[],
  look: (alternative: T) => UnknownKey | undefined,
): UnknownKey | undefined {
  let best: UnknownKey | undefined
  for (const alternative of alternatives) {
    const found = look(alternative)
    if (found === undefined) return undefined
    if (best === undefined || found.steps.length > best.steps.length) best = found
  }
  return best
}

function objectsOf(...types: readonly string[]): Shape {
  const others = types.flatMap((type) => flatten({ ref: type })).filter((each) => !isOf(each, 'element'))
  return { kind: 'union', of: [...others, elements] }
}

function isOf(shape: Shape, name: string): boolean {
  return shape.kind === 'object' && Object.hasOwn(shape.properties, name)
}

/** By their names alone, without the mark of those that may be left out. */
function propertiesOf(type: string): { readonly [name: string]: Shape } {
  return Object.fromEntries(
    flatten({ ref: type }).flatMap((each) =>
      each.kind === 'object'
        ? Object.entries(each.properties).map(([name, of]) => [plainName(name), of])
        : [],
    ),
  )
}

/** The name of a property in a shape ends in a question mark where it may be left out. */
function plainName(name: string): string {
  return name.replace(/\?$/, '')
}

const nodes = new WeakMap<Shape, Node>()

function nodeOf(shape: Shape): Node {
  const cached = nodes.get(shape)
  if (cached !== undefined) return cached
  const all = flatten(shape)
  const objects = all.flatMap((each) =>
    each.kind === 'object'
      ? [new Map(Object.entries(each.properties).map(([name, child]) => [plainName(name), child] as const))]
      : [],
  )
  const byKey = new Map<string, ReadonlyMap<string, Shape>[]>()
  for (const properties of objects)
    for (const key of properties.keys()) byKey.set(key, [...(byKey.get(key) ?? []), properties])
  const lists = all.filter((each) => each.kind === 'list' || each.kind === 'tuple')
  const made = { objects, byKey, lists }
  nodes.set(shape, made)
  return made
}

function flatten(shape: Shape): readonly Shape[] {
  if (shape.kind === undefined) {
    const named = Object.hasOwn(shapes, shape.ref) ? shapes[shape.ref] : undefined
    if (named === undefined) throw new RangeError(`there is no shape ${shape.ref}`)
    return flatten(named)
  }
  return shape.kind === 'union' ? shape.of.flatMap(flatten) : [shape]
}
