/**
 * What the kernel means by an error number where it knows the operation, and what it was given does not fit: elements
 * beside their set, flags of a set, statements beside the hook of their chain, names that lead to something else.
 */
import { NfbridgeError } from '../errors.js'
import type { Operation, SetDeclaration } from './compile/index.js'
import type { MapObject, NamedMap, NamedSet, Rule, SetObject } from './model/index.js'
import { type SetName, setKey } from './ranges/index.js'
import { addedBy, type Cause } from './refused-cause.js'
import { refusedChain, refusedRule } from './refused-hooks.js'
import {
  missingName,
  refusedChange,
  refusedDeclaration,
  refusedElement,
  refusedReference,
} from './refused-references.js'
import { refusedElementStates, refusedSet, refusedSetStatement, type SetFinder } from './refused-states.js'

/** What is known of the sets that the operations refer to. */
export interface KnownDeclarations {
  readonly declared: readonly (SetObject | MapObject)[]
  readonly told: { find(set: SetName): SetDeclaration | undefined }
}

/** @returns undefined when the error means something else, or the cause is not found in what was given */
export function refusedInput(
  error: unknown,
  operations: readonly Operation[],
  known: KnownDeclarations,
): NfbridgeError | undefined {
  if (!(error instanceof NfbridgeError)) return undefined
  const { errno, path = '' } = error
  if (errno === undefined || !explained.has(errno)) return undefined
  const [, index, place] = /^operations\[(\d+)\]\.(.*)$/.exec(path) ?? []
  if (index === undefined || place === undefined) return undefined
  const found = causeIn(errno, operations, Number(index), place, known)
  if (found === undefined) return undefined
  return new NfbridgeError({
    code: errno === 'ENOENT' || errno === 'EEXIST' ? error.code : 'NFB_REJECTED',
    operation: error.operation,
    message: found.message,
    errno,
    kernelMessage: error.kernelMessage,
    path: found.place === undefined ? path : `operations[${index}].${found.place}`,
    related: error.related,
    cause: error,
  })
}

/** Error numbers of which the kernel has many causes, and says none. */
const explained: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'E2BIG', 'EINVAL', 'ENOENT', 'EEXIST'])

function causeIn(
  errno: string,
  operations: readonly Operation[],
  index: number,
  place: string,
  known: KnownDeclarations,
): Cause | undefined {
  const operation = operations[index]
  const before = operations.slice(0, index + 1)
  if (operation === undefined) return undefined
  const missing = errno === 'ENOENT' ? missingName(operation, place) : undefined
  if (missing !== undefined) return missing
  const find: SetFinder = (name) => declarationIn(before, name) ?? declarationOf(known, name)
  const isUnsupported = errno === 'EOPNOTSUPP' || errno === 'E2BIG'
  const refusedIn = (rule: Rule): Cause | undefined =>
    (isUnsupported
      ? (refusedSetStatement(rule, place, find) ?? refusedRule(rule, place, before))
      : undefined) ?? refusedReference(errno, rule, place)
  if ('insert' in operation || 'replace' in operation) {
    const { rule } = 'insert' in operation ? operation.insert : operation.replace
    return refusedIn(rule)
  }
  const object = addedBy(operation)
  if (object === undefined) return undefined
  if ('rule' in object) return refusedIn(object.rule)
  if ('chain' in object)
    return isUnsupported ? (refusedChain(object.chain) ?? refusedChange(object.chain, place)) : undefined
  if ('element' in object)
    return isUnsupported
      ? refusedElementStates('element', object.element, place, find)
      : refusedElement(errno, object.element)
  const kind = 'set' in object ? 'set' : 'map'
  const set = 'set' in object ? object.set : 'map' in object ? object.map : undefined
  if (set === undefined) return undefined
  if (!isUnsupported) return 'add' in operation ? refusedDeclaration(errno, set, place) : undefined
  return refusedSet(set) ?? refusedElementStates(kind, { ...set, elem: set.elem ?? [] }, place, find)
}

function declarationIn(operations: readonly Operation[], name: SetName): NamedSet | NamedMap | undefined {
  const key = setKey(name)
  return operations
    .map(addedBy)
    .flatMap((object): readonly (NamedSet | NamedMap)[] => {
      if (object === undefined) return []
      return 'set' in object ? [object.set] : 'map' in object ? [object.map] : []
    })
    .findLast((set) => setKey(set) === key)
}

function declarationOf({ declared, told }: KnownDeclarations, name: SetName) {
  const key = setKey(name)
  const sets = declared.map((object) => ('set' in object ? object.set : object.map))
  return sets.find((set) => setKey(set) === key) ?? told.find(name)
}
