/** Compares values with shapes, and says where and why one does not fit. */
import { joinPath } from '../../errors.js'
import { quote } from '../datatype/index.js'
import type { Shape } from './shape.js'
import { shapes } from './shapes.js'

/** Where a value does not fit, and why. */
export interface Failure {
  readonly path: string
  readonly message: string
  /** How much of the value fitted: of several alternatives, the one that fits best says what is wrong. */
  readonly progress: number
}

type Steps = (string | number)[]

interface ObjectShape {
  readonly properties: ReadonlyMap<string, Shape>
  readonly required: readonly string[]
}

/** Compares a value with the shape of the given name. @returns undefined when it fits */
export function check(name: string, value: unknown, path: string): Failure | undefined {
  return compare({ ref: name }, value, [path])
}

function compare(shape: Shape, value: unknown, steps: Steps): Failure | undefined {
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
      return typeof value === 'string' && new RegExp(shape.pattern).test(value)
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

function resolve(name: string): Shape {
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined
  if (shape === undefined) throw new RangeError(`there is no shape ${name}`)
  return shape
}

function compareList(
  shape: Extract<Shape, { kind: 'list' }>,
  value: unknown,
  steps: Steps,
): Failure | undefined {
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
): Failure | undefined {
  if (!Array.isArray(value) || value.length !== shape.items.length) return refuse(value, [shape], steps)
  for (const [index, item] of shape.items.entries()) {
    const failure = within(index, item, value[index], steps)
    if (failure) return failure
  }
  return undefined
}

function within(step: string | number, shape: Shape, value: unknown, steps: Steps): Failure | undefined {
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
): Failure | undefined {
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
  if (missing !== undefined) return fail(`the property ${quote(missing)} is missing`, steps, fitting)
  const unknown = Object.keys(value).find((name) => value[name] !== undefined && !properties.has(name))
  if (unknown === undefined) return undefined
  const known = [...properties.keys()].join(', ')
  return fail(`there is no property ${quote(unknown)} here, only ${known}`, [...steps, unknown], fitting - 1)
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
  const made = {
    properties: new Map(entries.map(([name, child]): [string, Shape] => [name, child])),
    required: entries.filter(([, , optional]) => !optional).map(([name]) => name),
  }
  objectShapes.set(shape, made)
  return made
}

const alternatives = new WeakMap<Shape, readonly Shape[]>()

/** The alternatives of a union, without names and unions among them. */
function flatten(shape: Shape): readonly Shape[] {
  if (shape.kind === undefined) return flatten(resolve(shape.ref))
  if (shape.kind !== 'union') return [shape]
  const cached = alternatives.get(shape)
  if (cached !== undefined) return cached
  const made = shape.of.flatMap(flatten)
  alternatives.set(shape, made)
  return made
}

function compareUnion(
  shape: Extract<Shape, { kind: 'union' }>,
  value: unknown,
  steps: Steps,
): Failure | undefined {
  const all = flatten(shape)
  const candidates = isObject(value) ? all.filter((each) => hasKeyOf(each, value)) : all.filter(kindOf(value))
  if (candidates.length === 0) return refuse(value, all, steps)
  let best: Failure | undefined
  for (const candidate of candidates) {
    const failure = compare(candidate, value, steps)
    if (failure === undefined) return undefined
    if (best === undefined || failure.progress > best.progress) best = failure
  }
  // Scalars: say all that would do. Others: what the best alternative misses.
  return candidates.length > 1 && best?.progress === progressOf(steps, 0) ? refuse(value, all, steps) : best
}

/** Whether an object has something that the alternative asks for (or nothing is asked for). */
function hasKeyOf(shape: Shape, value: { readonly [key: string]: unknown }): boolean {
  if (shape.kind !== 'object') return false
  const { required, properties } = objectShape(shape)
  const names = required.length > 0 ? required : [...properties.keys()]
  return names.some((name) => Object.hasOwn(value, name)) || (required.length === 0 && isEmpty(value))
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

/** Whether a shape is of the same kind as a value that is no object. */
function kindOf(value: unknown): (shape: Shape) => boolean {
  if (Array.isArray(value)) return ({ kind }) => kind === 'list' || kind === 'tuple'
  return ({ kind }) => kind !== 'object' && kind !== 'list' && kind !== 'tuple'
}

function progressOf(steps: Steps, fitting: number): number {
  return steps.length * 1000 + fitting
}

function fail(message: string, steps: Steps, fitting: number): Failure {
  const path = steps.reduce<string>((parent, step) => joinPath(parent, step), '')
  return { path, message, progress: progressOf(steps, fitting) }
}

function refuse(value: unknown, expected: readonly Shape[], steps: Steps): Failure {
  const known = new Set(expected.flatMap(title))
  const titles = [...known]
  const shown = titles.length > 40 ? [...titles.slice(0, 40), '…'] : titles
  return fail(`${quote(value)} is not what is expected: ${shown.join(', ')}`, steps, 0)
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
