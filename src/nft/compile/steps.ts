/** Compiles an operation in steps, so that a large one does not hold the thread for long. */
import type { Element, NamedMap, NamedSet, RulesetObject } from '../model/index.js'
import { changeElements } from './elements-of-set.js'
import type { Removal } from './message.js'
import { addPreparedInSteps, type CompileOptions, compileOperation, type Operation } from './operation.js'
import type { BatchContext } from './rule-context.js'

const NLM_F_EXCL = 0x200

/** How many elements are compiled in one step. */
const elementsAStep = 1024

/** Below this many operations, elements counted by the dozen, a batch is compiled within a millisecond or two. */
const longOperations = 200

/** Whether compiling them takes so long that others must have their turn in between. */
export function isLong(operations: readonly Operation[]): boolean {
  if (operations.length > longOperations) return true
  let weight = operations.length
  for (const operation of operations) {
    const elements = elementsOf(operation)
    if (elements !== undefined) weight += elements / 12
    if (weight > longOperations) return true
  }
  return false
}

/** Of what has no shape, nothing: the compiler refuses it with its path. */
function elementsOf(operation: Operation): number | undefined {
  if (!isObject(operation)) return undefined
  if ('prepared' in operation) return operation.prepared?.work
  const object =
    'add' in operation
      ? operation.add
      : 'create' in operation
        ? operation.create
        : 'delete' in operation
          ? operation.delete
          : 'destroy' in operation
            ? operation.destroy
            : undefined
  if (!isObject(object)) return undefined
  if ('element' in object) return countOf(object.element)
  if ('set' in object) return declared(object.set)
  return 'map' in object ? declared(object.map) : undefined
}

function declared(set: unknown): number | undefined {
  return isObject(set) && 'type' in set ? countOf(set) : undefined
}

function countOf(elements: unknown): number | undefined {
  return isObject(elements) && 'elem' in elements && Array.isArray(elements.elem)
    ? elements.elem.length
    : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** {@link compileOperation}, with a rest after every thousand elements where they do not depend on each other. */
export function* compileInSteps(
  batch: BatchContext,
  operation: Operation,
  options: CompileOptions,
): Generator<undefined, void, undefined> {
  if ((elementsOf(operation) ?? 0) <= elementsAStep) compileOperation(batch, operation, options)
  else if ('prepared' in operation) {
    yield* addPreparedInSteps(batch, operation.prepared, options)
    batch.trail.leave()
  } else if ('add' in operation) yield* addInSteps(batch, operation.add, options, 0)
  else if ('create' in operation) yield* addInSteps(batch, operation.create, options, NLM_F_EXCL)
  else if (
    'delete' in operation &&
    'element' in operation.delete &&
    !isWhole(batch, operation.delete.element)
  )
    yield* elementsInSteps(batch, 'element', operation.delete.element, 'Del', 0)
  else if (
    'destroy' in operation &&
    'element' in operation.destroy &&
    !isWhole(batch, operation.destroy.element)
  )
    yield* elementsInSteps(batch, 'element', operation.destroy.element, 'Destroy', 0)
  else compileOperation(batch, operation, options)
}

function* addInSteps(
  batch: BatchContext,
  object: RulesetObject,
  options: CompileOptions,
  exclusive: number,
): Generator<undefined, void, undefined> {
  const verb = exclusive === 0 ? 'add' : 'create'
  const whole: Operation = verb === 'add' ? { add: object } : { create: object }
  if ('element' in object && !isWhole(batch, object.element)) {
    yield* elementsInSteps(batch, 'element', object.element, 'New', exclusive)
  } else if ('set' in object && object.set.elem !== undefined && !countsElements(object.set)) {
    const { elem, ...set } = object.set
    compileOperation(batch, verb === 'add' ? { add: { set } } : { create: { set } }, options)
    yield* elementsInSteps(batch, 'set', { ...nameOf(set), elem }, 'New', 0)
  } else if ('map' in object && object.map.elem !== undefined && !countsElements(object.map)) {
    const { elem, ...map } = object.map
    compileOperation(batch, verb === 'add' ? { add: { map } } : { create: { map } }, options)
    yield* elementsInSteps(batch, 'map', { ...nameOf(map), elem }, 'New', 0)
  } else compileOperation(batch, whole, options)
}

function nameOf({ family, table, name }: NamedSet | NamedMap): Pick<Element, 'family' | 'table' | 'name'> {
  return { family, table, name }
}

/** The trail stands at the operation, before and after. */
function* elementsInSteps(
  batch: BatchContext,
  kind: 'element' | 'set' | 'map',
  element: Element,
  change: 'New' | Removal,
  flags: number,
): Generator<undefined, void, undefined> {
  batch.trail.enter(kind)
  for (let start = 0; start < element.elem.length; start += elementsAStep) {
    const part = { ...element, elem: element.elem.slice(start, start + elementsAStep) }
    changeElements(batch, part, change, flags, start)
    yield
  }
  batch.trail.leave()
}

/** Whether the elements must be seen together: where ranges end others may begin. */
function isWhole(batch: BatchContext, element: Element): boolean {
  const declared = batch.scope.find(element.family, element.table, element.name)
  return (element.flags ?? declared?.flags)?.includes('interval') ?? false
}

/** Whether a set must see all of its elements when it is made. */
function countsElements(set: NamedSet | NamedMap): boolean {
  return set.flags?.some((flag) => flag === 'interval' || flag === 'constant') ?? false
}
