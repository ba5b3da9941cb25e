/** What the kernel means when it refuses elements: its errno says less. */
import { NfbridgeError } from '../errors.js'
import type { Operation } from './compile/index.js'
import type { Element } from './model/index.js'

/** @returns undefined when the error means nothing else than it says */
export function refusedElements(error: unknown, operations: readonly Operation[]): NfbridgeError | undefined {
  if (!(error instanceof NfbridgeError) || error.errno !== 'EEXIST') return undefined
  const [, index] = /^operations\[(\d+)\]\.element/.exec(error.path ?? '') ?? []
  const operation = index === undefined ? undefined : operations[Number(index)]
  const element = operation && elementOf(operation)
  if (element === undefined) return undefined
  return new NfbridgeError({
    code: error.code,
    operation: error.operation,
    message: element.flags?.includes('interval')
      ? 'it begins or ends within another element of the set, or overlaps it'
      : element.map === undefined
        ? error.reason
        : 'it is in the map already, with other data',
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: error.path,
    related: error.related,
    cause: error,
  })
}

function elementOf(operation: Operation): Element | undefined {
  const object = 'add' in operation ? operation.add : 'create' in operation ? operation.create : undefined
  return object !== undefined && 'element' in object ? object.element : undefined
}
