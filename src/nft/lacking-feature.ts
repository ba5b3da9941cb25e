/**
 * What the kernel says when it lacks something: the same ENOENT as when a name is not there. Where nothing is named that
 * could be missing, it is the kind of expression or object that the kernel does not have.
 */
import { NfbridgeError } from '../errors.js'
import { isStateful, kindOf, type Operation } from './compile/index.js'
import type { Statement } from './model/index.js'

/** @returns undefined when the error means something else */
export function lackingFeature(error: unknown, operations: readonly Operation[]): NfbridgeError | undefined {
  if (!(error instanceof NfbridgeError) || error.errno !== 'ENOENT' || error.path === undefined)
    return undefined
  const [, index, place] = /^operations\[(\d+)\]\.(.*)$/.exec(error.path) ?? []
  const operation = index === undefined ? undefined : operations[Number(index)]
  const feature = operation && place !== undefined ? lacking(operation, place) : undefined
  if (feature === undefined) return undefined
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation: error.operation,
    message: `this kernel has no ${feature} (it may be too old, or a module may be missing)`,
    errno: error.errno,
    path: error.path,
    cause: error,
  })
}

/** @param place the path within the operation; without a property the kernel did not point at a name */
function lacking(operation: Operation, place: string): string | undefined {
  if ('insert' in operation || 'replace' in operation) {
    const { rule } = 'insert' in operation ? operation.insert : operation.replace
    return lackingStatement(rule.expr, place)
  }
  const object = 'add' in operation ? operation.add : 'create' in operation ? operation.create : undefined
  if (object === undefined) return undefined
  if ('rule' in object) return lackingStatement(object.rule.expr, place)
  if ('flowtable' in object) return place === 'flowtable' ? 'flowtables' : undefined
  if (!isStateful(object)) return undefined
  const kind = kindOf(object)
  // Of a helper it is the program that may be missing, which the object names.
  return place === kind && kind !== 'ct helper' ? `objects of the kind ${kind}` : undefined
}

function lackingStatement(expr: readonly Statement[], place: string): string | undefined {
  const [, position] = /^rule\.expr\[(\d+)\]$/.exec(place) ?? []
  const statement = position === undefined ? undefined : expr[Number(position)]
  if (statement === undefined || namesSomething(statement)) return undefined
  const [name] = Object.keys(statement)
  return `statement ${name}`
}

const targets = ['jump', 'goto', 'flow', 'set', 'map', 'meter', 'opaque']

/** Whether a statement refers to a chain, a set, a named object. */
function namesSomething(statement: Statement): boolean {
  const [pair] = Object.entries(statement)
  if (pair === undefined) return true
  const [name, value] = pair
  return targets.includes(name) || typeof value === 'string' || /"@|"jump"|"goto"/.test(JSON.stringify(value))
}
