import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray } from '../input.js'
import type { Failure, Outcome } from '../native/addon.js'
import { errorOfAll, failed } from '../native/failure.js'
import { Packer } from '../native/pack.js'
import { unpack } from '../native/unpack.js'
import { withInput } from '../read-input.js'
import { addMessages, callerPath, describe, type RtnlOperation } from './operation.js'
import { checkDevice, type Device } from './values.js'

/** RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: the counters of IPv6, the larger part of a link's, are not asked for. */
export const SKIP_STATISTICS = 0x8

/**
 * Steps that end with the changes being made: each yields words to send and is resumed with what came back, so that one
 * text serves the async and the sync calls.
 */
export type Steps<T> = Generator<Uint32Array, T, Outcome<ArrayBuffer>>

export async function runSteps<T>(
  steps: Steps<T>,
  send: (words: Uint32Array) => Promise<Outcome<ArrayBuffer>>,
): Promise<T> {
  let step = steps.next()
  while (!step.done) step = steps.next(await send(step.value))
  return step.value
}

export function runStepsSync<T>(steps: Steps<T>, send: (words: Uint32Array) => Outcome<ArrayBuffer>): T {
  let step = steps.next()
  while (!step.done) step = steps.next(send(step.value))
  return step.value
}

/**
 * Makes the changes: looks up the links that are named and not numbered, if there are any, in one send, then sends
 * everything at once. Nothing is sent when an operation is found wrong before.
 */
export function* applySteps(operations: readonly RtnlOperation[], caller: string): Steps<void> {
  const compiled = (known: ReadonlyMap<string, number>): Batch =>
    withInput(operations, caller, 'operations', () =>
      compile(checkArray(operations, caller, 'operations'), caller, known),
    )
  let batch = compiled(new Map())
  if (batch.unknown.size > 0) batch = compiled(yield* lookUpSteps(batch.unknown, caller))
  if (batch.packer.count === 0) return
  const outcome = yield batch.packer.words()
  if (failed(outcome)) throw batchError(outcome, operations, batch.origins, caller)
}

/** Finds the indices of named links, in one send. */
export function* lookUpSteps(
  names: ReadonlyMap<string, string>,
  caller: string,
): Steps<ReadonlyMap<string, number>> {
  const packer = new Packer()
  const asked = [...names]
  for (const [name] of asked) packer.add('getLink', 0, { ifname: name, extMask: SKIP_STATISTICS })
  const outcome = yield packer.words()
  if (failed(outcome)) {
    throw errorOfAll(
      outcome,
      caller,
      (index) => asked[index]?.[1] ?? '',
      (index) => (asked[index] === undefined ? undefined : `find link ${asked[index][0]}`),
    )
  }
  const found = new Map<string, number>()
  for (const message of unpack(outcome)) {
    const [name] = asked[message.index] ?? []
    if (message.name === 'newLink' && name !== undefined) found.set(name, message.record.index ?? 0)
  }
  return found
}

/** Which of the operations of an `apply` failed, by index and in order; the others were carried out. */
export function failedOperations(error: NfbridgeError): readonly number[] {
  const indices = [error, ...error.related].flatMap((each) => {
    const match = /^operations\[(\d+)\]/.exec(each.path ?? '')
    return match === null ? [] : [Number(match[1])]
  })
  return [...new Set(indices)].sort((one, other) => one - other)
}

interface Batch {
  readonly packer: Packer
  /** The operation that each message belongs to, by the message's index. */
  readonly origins: readonly number[]
  /** Names of links that are not in `known`, and where the caller gave them. */
  readonly unknown: ReadonlyMap<string, string>
}

function compile(
  operations: readonly RtnlOperation[],
  caller: string,
  known: ReadonlyMap<string, number>,
): Batch {
  const packer = new Packer()
  const origins: number[] = []
  const unknown = new Map<string, string>()
  /** Links that earlier operations of this batch make or rename; undefined when the kernel chooses the index. */
  const made = new Map<string, number | undefined>()
  const resolve = (device: Device, path: string): number => {
    const checked = checkDevice(device, caller, path)
    if (typeof checked === 'number') return checked
    if (made.has(checked)) {
      const index = made.get(checked)
      if (index !== undefined) return index
      throw new NfbridgeError({
        code: 'NFB_INVALID_ARGUMENT',
        operation: caller,
        message: `${checked} is made in the same batch: give it an index to refer to it, or apply it before`,
        path,
      })
    }
    const index = known.get(checked)
    if (index !== undefined) return index
    unknown.set(checked, path)
    return 1
  }
  for (const [number, operation] of operations.entries()) {
    const path = joinPath('operations', number)
    const origin = {
      operation: caller,
      locate: (inRecord: string) => joinPath(path, callerPath(operation, inRecord)),
    }
    addMessages(operation, caller, path, resolve, (name, flags, record) => {
      packer.add(name, flags, record, origin)
      origins.push(number)
    })
    if (operation.kind !== 'link') continue
    if (operation.action === 'create' && operation.link.netns === undefined) {
      made.set(operation.link.name, operation.link.index)
    } else if (operation.action === 'change' && operation.link.name !== undefined) {
      made.set(operation.link.name, resolve(operation.link.device, path))
    }
  }
  return { packer, origins, unknown }
}

/** One error for each operation that failed: when its first message fails, its second one fails because of that. */
function batchError(
  failures: readonly Failure[],
  operations: readonly RtnlOperation[],
  origins: readonly number[],
  caller: string,
): NfbridgeError {
  const seen = new Set<number>()
  const causes = failures.filter((failure) => {
    const number = origins[failure.index]
    if (number === undefined) return true
    if (seen.has(number)) return false
    seen.add(number)
    return true
  })
  const operationAt = (index: number): [number, RtnlOperation] | undefined => {
    const number = origins[index]
    const operation = number === undefined ? undefined : operations[number]
    return number === undefined || operation === undefined ? undefined : [number, operation]
  }
  return errorOfAll(
    causes,
    caller,
    (index, inRecord) => {
      const [number, operation] = operationAt(index) ?? []
      if (number === undefined || operation === undefined) return inRecord
      const path = joinPath('operations', number)
      return inRecord === '' ? path : joinPath(path, callerPath(operation, inRecord))
    },
    (index) => {
      const [, operation] = operationAt(index) ?? []
      return operation === undefined ? undefined : describe(operation)
    },
  )
}
