/** Compares values with shapes, and says where and why one does not fit. */
import { joinPath } from '../../errors.js'
import { quote } from '../datatype/index.js'
import type { Shape } from './shape.js'
import { shapes } from './shapes.js'

/** Where a value does not fit, and why. */
export interface Failure {
  readonly path: string
  readonly message: string
}

/** A value that does not fit, before anybody wants to know why: most alternatives of a union don't fit. */
interface Miss {
  /** How much of the value fitted: of several alternatives, the one that fits best says what is wrong. */
  readonly progress: number
  readonly steps: Steps
  readonly message: () => string
  /** Of a value that is none of some: which. */
  readonly refused?: { readonly value: unknown; readonly expected: readonly Shape[] }
}

type Steps = (string | number)[]

interface ObjectShape {
  readonly properties: ReadonlyMap<string, Shape>
  readonly required: readonly string[]
  /** Properties with one of some values: `protocol: 'tcp'` tells the fields of one header from those of others. */
  readonly literals: readonly (readonly [name: string, values: readonly unknown[]])[]
}

/** Compares a value with the shape of the given name. @returns undefined when it fits */
export function check(name: string, value: unknown, path: string): Failure | undefined {
  const miss = compare({ ref: name }, value, [path])
  if (miss === undefined) return undefined
  const where = miss.steps.reduce<string>((parent, step) => joinPath(parent, step), '')
  return { path: where, message: miss.message() }
}

function compare(shape: Shape, value: unknown, steps: Steps): Miss | undefined {
  if (shape.kind === undefined) return compare(resolve(shape.ref), value, steps)
  switch (shape.kind) {
    case 'string':
      return typeof value === 'string' ? undefined : refuse(value, [shape], steps)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : refuse(value, [shape], steps)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : refuse(value, [shape], steps)
    case 'values':
      return shape.values.some((each) => each === value) ? undefined : refuse(value, [shape], steps)
    case 'pattern':
      return typeof value === 'string' && expressionOf(shape.pattern).test(value)
        ? undefined
        : refuse(value, [shape], steps)
    case 'list':
      return compareList(shape, value, steps)
    case 'tuple':
      return compareTuple(shape, value, steps)
    case 'object':
      return compareObject(shape, value, steps)
    default:
      return compareUnion(shape, value, steps)
  }
}

const expressions = new Map<string, RegExp>()

function expressionOf(pattern: string): RegExp {
  const cached = expressions.get(pattern)
  if (cached !== undefined) return cached
  const made = new RegExp(pattern)
  expressions.set(pattern, made)
  return made
}

function resolve(name: string): Shape {
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined
  if (shape === undefined) throw new RangeError(`there is no shape ${name}`)
  return shape
}

function compareList(
  shape: Extract<Shape, { kind: 'list' }>,
  value: unknown,
  steps: Steps,
): Miss | undefined {
  if (!Array.isArray(value)) return refuse(value, [shape], steps)
  for (const [index, item] of value.entries()) {
    const failure = within(index, shape.of, item, steps)
    if (failure) return failure
  }
  return undefined
}

function compareTuple(
  shape: Extract<Shape, { kind: 'tuple' }>,
  value: unknown,
  steps: Steps,
): Miss | undefined {
  if (!Array.isArray(value) || value.length !== shape.items.length) return refuse(value, [shape], steps)
  for (const [index, item] of shape.items.entries()) {
    const failure = within(index, item, value[index], steps)
    if (failure) return failure
  }
  return undefined
}

function within(step: string | number, shape: Shape, value: unknown, steps: Steps): Miss | undefined {
  steps.push(step)
  const failure = compare(shape, value, steps)
  steps.pop()
  return failure
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function compareObject(
  shape: Extract<Shape, { kind: 'object' }>,
  value: unknown,
  steps: Steps,
): Miss | undefined {
  if (!isObject(value)) return refuse(value, [shape], steps)
  const { properties, required } = objectShape(shape)
  let fitting = 0
  for (const [name, child] of properties) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) continue
    const failure = within(name, child, value[name], steps)
    if (failure) return { ...failure, progress: failure.progress + fitting }
    fitting++
  }
  const missing = required.find((name) => !Object.hasOwn(value, name) || value[name] === undefined)
  if (missing !== undefined) return fail(() => `the property ${quote(missing)} is missing`, steps, fitting)
  const unknown = Object.keys(value).find((name) => value[name] !== undefined && !properties.has(name))
  if (unknown === undefined) return undefined
  const known = (): string => [...properties.keys()].join(', ')
  const message = (): string => `there is no property ${quote(unknown)} here, only ${known()}`
  return fail(message, [...steps, unknown], fitting - 1)
}

const objectShapes = new WeakMap<Shape, ObjectShape>()

/** The properties by their names, those first that tell alternatives from each other. */
function objectShape(shape: Extract<Shape, { kind: 'object' }>): ObjectShape {
  const cached = objectShapes.get(shape)
  if (cached !== undefined) return cached
  const entries = Object.entries(shape.properties).map(([name, child]): [string, Shape, boolean] =>
    name.endsWith('?') ? [name.slice(0, -1), child, true] : [name, child, false],
  )
  const tells = ([, child]: [string, Shape, boolean]): number => (child.kind === 'values' ? 0 : 1)
  entries.sort((one, other) => tells(one) - tells(other))
  const made: ObjectShape = {
    literals: entries.flatMap(([name, child, optional]) =>
      child.kind === 'values' && !optional ? [[name, child.values] as const] : [],
    ),
    properties: new Map(entries.map(([name, child]): [string, Shape] => [name, child])),
    required: entries.filter(([, , optional]) => !optional).map(([name]) => name),
  }
  objectShapes.set(shape, made)
  return made
}

/** The alternatives of a union, without names and unions among them. */
function flatten(shape: Shape): readonly Shape[] {
  if (shape.kind === undefined) return flatten(resolve(shape.ref))
  return shape.kind === 'union' ? indexOf(shape).all : [shape]
}

/** The alternatives of a union by what tells them apart, so that a value is not compared with all of them. */
interface UnionIndex {
  readonly all: readonly Shape[]
  readonly scalars: readonly Shape[]
  readonly lists: readonly Shape[]
  /** Objects by the properties that they ask for, or by all where they ask for none. */
  readonly objects: ReadonlyMap<string, readonly Shape[]>
  /** Objects that may be empty. */
  readonly optional: readonly Shape[]
}

const indexes = new WeakMap<Shape, UnionIndex>()

function indexOf(shape: Extract<Shape, { kind: 'union' }>): UnionIndex {
  const cached = indexes.get(shape)
  if (cached !== undefined) return cached
  const all = shape.of.flatMap(flatten)
  const objects = new Map<string, Shape[]>()
  const optional: Shape[] = []
  for (const each of all) {
    if (each.kind !== 'object') continue
    const { required, properties } = objectShape(each)
    if (required.length === 0) optional.push(each)
    for (const name of required.length > 0 ? required : properties.keys()) {
      const known = objects.get(name)
      if (known) known.push(each)
      else objects.set(name, [each])
    }
  }
  const isList = ({ kind }: Shape): boolean => kind === 'list' || kind === 'tuple'
  const scalars = all.filter((each) => each.kind !== 'object' && !isList(each))
  const made = { all, scalars, lists: all.filter(isList), objects, optional }
  indexes.set(shape, made)
  return made
}

/** The alternatives that a value may be meant as. */
function candidatesFor({ scalars, lists, objects, optional }: UnionIndex, value: unknown): readonly Shape[] {
  if (Array.isArray(value)) return lists
  if (!isObject(value)) return scalars
  const keys = Object.keys(value)
  if (keys.length === 0) return optional
  const [first, ...others] = keys
  const known = (first === undefined ? undefined : objects.get(first)) ?? []
  const candidates =
    others.length === 0 ? known : [...new Set([...known, ...others.flatMap((key) => objects.get(key) ?? [])])]
  const fitting = candidates.filter((each) => hasLiteralsOf(each, value))
  return fitting.length > 0 ? fitting : candidates
}

function hasLiteralsOf(shape: Shape, value: { readonly [key: string]: unknown }): boolean {
  if (shape.kind !== 'object') return false
  return objectShape(shape).literals.every(([name, values]) => values.includes(value[name]))
}

function compareUnion(
  shape: Extract<Shape, { kind: 'union' }>,
  value: unknown,
  steps: Steps,
): Miss | undefined {
  const index = indexOf(shape)
  const candidates = candidatesFor(index, value)
  let best: Miss | undefined
  for (const candidate of candidates) {
    const failure = compare(candidate, value, steps)
    if (failure === undefined) return undefined
    if (best === undefined || failure.progress > best.progress) best = failure
    else if (failure.progress === best.progress) best = either(best, failure)
  }
  // Scalars, and what is like no alternative: say all that would do. Others: what the best alternative misses.
  const isVague = candidates.length > 1 && best?.progress === progressOf(steps, 0)
  return best === undefined || isVague ? refuse(value, index.all, steps) : best
}

/** Two alternatives that miss at the same place: there either would do. */
function either(one: Miss, other: Miss): Miss {
  if (one.refused === undefined || other.refused === undefined) return one
  if (one.steps.join() !== other.steps.join()) return one
  return refuse(one.refused.value, [...one.refused.expected, ...other.refused.expected], one.steps)
}

function progressOf(steps: Steps, fitting: number): number {
  return steps.length * 1000 + fitting
}

function fail(message: () => string, steps: Steps, fitting: number): Miss {
  return { message, steps: [...steps], progress: progressOf(steps, fitting) }
}

function refuse(value: unknown, expected: readonly Shape[], steps: Steps): Miss {
  const message = (): string => `${quote(value)} is not what is expected: ${titles(expected)}`
  return { ...fail(message, steps, 0), refused: { value, expected } }
}

function titles(expected: readonly Shape[]): string {
  const known = [...new Set(expected.flatMap(title))]
  return [...known.slice(0, 40), ...(known.length > 40 ? ['…'] : [])].join(', ')
}

/** What a shape asks for, in words. */
function title(shape: Shape): string[] {
  if (shape.kind === undefined) return flatten(shape).flatMap(title)
  switch (shape.kind) {
    case 'string':
      return ['text']
    case 'number':
      return ['a number']
    case 'boolean':
      return ['true or false']
    case 'values':
      return shape.values.map((value) => JSON.stringify(value))
    case 'pattern':
      return [`text like ${shape.pattern}`]
    case 'list':
      return ['a list']
    case 'tuple':
      return [`a list of ${shape.items.length}`]
    case 'object': {
      const { required, properties } = objectShape(shape)
      return [`{ ${(required.length > 0 ? required : [...properties.keys()]).slice(0, 4).join(', ')} }`]
    }
    default:
      return flatten(shape).flatMap(title)
  }
}
