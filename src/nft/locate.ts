/** Where in the caller's operations a failure of the kernel belongs. */
import { joinPath } from '../errors.js'
import { type BatchContext, compileExpressions, type Operation, SetScope, Trail } from './compile/index.js'
import { interfaceIndexType } from './datatype/index.js'
import type { Element, MapObject, Rule, SetObject } from './model/index.js'

/** Properties of the kernel's records, by the names that the model has for them. */
const properties: ReadonlyMap<string, string> = new Map([
  ['table', 'table'],
  ['chain', 'chain'],
  ['name', 'name'],
  ['set', 'name'],
  ['handle', 'handle'],
  ['position', 'handle'],
  ['id', 'id'],
  ['positionId', 'nextTo'],
  ['type', 'type'],
  ['policy', 'policy'],
  ['hook', 'hook'],
  ['hook.hooknum', 'hook'],
  ['hook.priority', 'prio'],
  ['hook.dev', 'dev'],
  ['hook.devs', 'dev'],
  ['keyType', 'type'],
  ['keyLen', 'type'],
  ['dataType', 'map'],
  ['dataLen', 'map'],
  ['timeout', 'timeout'],
  ['gcInterval', 'gc-interval'],
  ['flags', 'flags'],
  ['desc', 'size'],
  ['desc.size', 'size'],
  ['userdata', 'comment'],
])

/**
 * The path of what the kernel refused.
 * @param owners for each message the index of its operation
 * @param path the property of the message's record that the extended acknowledgement points at, or empty
 */
export function locateFailure(
  operations: readonly Operation[],
  owners: readonly number[],
  declared: readonly (SetObject | MapObject)[],
  index: number,
  path: string,
): string {
  const owner = owners[index]
  const operation = owner === undefined ? undefined : operations[owner]
  if (owner === undefined || operation === undefined) return path
  if ('prepared' in operation)
    return joinPath(
      joinPath('operations', owner),
      operation.prepared.locate(index - owners.indexOf(owner), path),
    )
  const [kind, object] = subject(operation)
  const base = joinPath(joinPath('operations', owner), kind)
  if (kind === 'rule') return joinPath(base, rulePath(operations, owner, declared, object, path))
  if (kind === 'element') return joinPath(base, elementPath(owners, owner, object, path))
  const property = kind === 'table' && path === 'name' ? 'name' : properties.get(path)
  return property === undefined ? base : joinPath(base, property)
}

function subject(operation: Operation): [kind: string, object: unknown] {
  const [object]: unknown[] = Object.values(operation)
  const [entry] = typeof object === 'object' && object !== null ? Object.entries(object) : []
  return entry ?? ['', undefined]
}

/** `expressions[4].data.set` belongs to the statement whose compilation made the fifth expression. */
function rulePath(
  operations: readonly Operation[],
  owner: number,
  declared: readonly (SetObject | MapObject)[],
  object: unknown,
  path: string,
): string {
  const [, position] = /^expressions\[(\d+)\]/.exec(path) ?? []
  if (position === undefined || !isRule(object)) return properties.get(path) ?? ''
  const statement = statementOf(operations, owner, declared, object, Number(position))
  return statement === undefined ? 'expr' : `expr[${statement}]`
}

function isRule(object: unknown): object is Rule {
  return typeof object === 'object' && object !== null && 'expr' in object
}

/** Finds the statement by compiling ever more of the rule: failures are rare, and need no bookkeeping beforehand. */
function statementOf(
  operations: readonly Operation[],
  owner: number,
  declared: readonly (SetObject | MapObject)[],
  rule: Rule,
  position: number,
): number | undefined {
  const scope = new SetScope()
  for (const object of declared) scope.declare('set' in object ? object.set : object.map)
  for (const operation of operations.slice(0, owner)) {
    const [kind] = subject(operation)
    if (kind !== 'set' && kind !== 'map') continue
    const added = 'add' in operation ? operation.add : 'create' in operation ? operation.create : undefined
    if (added !== undefined && 'set' in added) scope.declare(added.set)
    else if (added !== undefined && 'map' in added) scope.declare(added.map)
  }
  for (let count = 1; count <= rule.expr.length; count++) {
    const trail = new Trail()
    const batch: BatchContext = {
      sink: { add: () => 0 },
      scope,
      trail,
      nextSetId: 0,
      interfaces: anyInterface,
    }
    const expressions = compileExpressions(batch, { ...rule, expr: rule.expr.slice(0, count) })
    if (expressions.length > position) return count - 1
  }
  return undefined
}

/** Which index an interface has does not matter here. */
const anyInterface = interfaceIndexType({ index: () => 1, name: () => undefined })

/** `elements[2].key` is the third element, if they went in one message and as they were given. */
function elementPath(owners: readonly number[], owner: number, object: unknown, path: string): string {
  const [, position] = /^elements\[(\d+)\]/.exec(path) ?? []
  if (position === undefined) return properties.get(path) ?? ''
  const inOneMessage = owners.indexOf(owner) === owners.lastIndexOf(owner)
  if (!inOneMessage || !isElement(object) || object.flags?.includes('interval')) return 'elem'
  return Number(position) < object.elem.length ? `elem[${position}]` : 'elem'
}

function isElement(object: unknown): object is Element {
  return typeof object === 'object' && object !== null && 'elem' in object
}
