/** Questions to the kernel that change nothing: one object, a dump, a dump in parts. */
import type { Outcome, SocketHandle } from '../native/addon.js'
import { failed, unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'

/** What to take from an answer; `undefined` leaves it out. */
export type Pick<R> = (message: ReplyMessage) => R | undefined

const ENOENT = 2

/** Whether a call failed because what it names is not there. */
function isMissing<T>(outcome: Outcome<T>): boolean {
  return failed(outcome) && outcome[0]?.reason === 'kernel' && outcome[0].errno === ENOENT
}

/** One message, ready for a socket. */
export function message<K extends MessageName>(
  name: K,
  flags: number,
  record: MessageRecords[K],
): Uint32Array {
  const packer = new Packer()
  packer.add(name, flags, record)
  return packer.words()
}

/** A question to the kernel, for a socket that waits or does not. */
interface Question {
  readonly kind: 'request' | 'dump'
  readonly words: Uint32Array
}

/** Yields questions, is told the answers; yields nothing where others may have their turn. */
export type Asking<T> = Generator<Question | undefined, T, Outcome<ArrayBuffer> | undefined>

/** Puts the questions to a socket. */
export async function ask<T>(socket: SocketHandle, asking: Asking<T>): Promise<T> {
  let step = asking.next()
  while (!step.done) {
    const question = step.value
    if (question === undefined) step = await slice(asking)
    else step = asking.next(await socket[question.kind](question.words))
  }
  return step.value
}

/** As {@link ask}, on the calling thread. */
export function askSync<T>(socket: SocketHandle, asking: Asking<T>): T {
  for (let step = asking.next(); ; ) {
    if (step.done) return step.value
    const question = step.value
    if (question === undefined) step = asking.next()
    else if (question.kind === 'request') step = asking.next(socket.requestSync(question.words))
    else step = asking.next(socket.dumpSync(question.words))
  }
}

/** Goes on to the next question, with rests. */
function slice<T>(asking: Asking<T>): Promise<IteratorResult<Question | undefined, T>> {
  return inSlices(
    (function* untilQuestion() {
      for (let step = asking.next(); ; step = asking.next()) {
        if (step.done || step.value !== undefined) return step
        yield
      }
    })(),
  )
}

function* put(kind: Question['kind'], words: Uint32Array): Asking<Outcome<ArrayBuffer>> {
  const outcome = yield { kind, words }
  if (outcome === undefined) throw new Error('a question was left without an answer')
  return outcome
}

/** Work that asks nothing, in steps. */
export function* inSteps<T>(steps: Generator<undefined, T, undefined>): Asking<T> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    yield
  }
}

/** Asks for what has a name; undefined when it is not there. */
export function* one<K extends MessageName, R>(
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Asking<R | undefined> {
  const outcome = yield* put('request', message(name, 0, record))
  if (isMissing(outcome)) return undefined
  for (const answer of unpack(unwrap(outcome, operation))) {
    const found = pick(answer)
    if (found !== undefined) return found
  }
  return undefined
}

/** One dump; empty when the table or set that it names is not there. */
export function* all<K extends MessageName, R>(
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Asking<R[]> {
  const outcome = yield* put('dump', message(name, MessageFlag.dump, record))
  if (isMissing(outcome)) return []
  return yield* inSteps(picked(unpack(unwrap(outcome, operation)), pick))
}

/** {@link one} */
export function getOne<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Promise<R | undefined> {
  return ask(socket, one(name, record, pick, operation))
}

/** {@link all} */
export function dumpAll<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Promise<R[]> {
  return ask(socket, all(name, record, pick, operation))
}

/**
 * A dump in parts, read as they are asked for. The socket must have no other user until the end.
 * @param onChange what to do at the end when the kernel says that what was listed changed meanwhile
 */
export async function* dumpInParts<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
  onChange: 'throw' | 'ignore',
): AsyncGenerator<R[], void, undefined> {
  let words: Uint32Array = message(name, MessageFlag.dump, record)
  for (;;) {
    const outcome = await socket.dumpPart(words)
    if (onChange === 'ignore' && failed(outcome) && outcome[0]?.reason === 'inconsistent') return
    const part = unwrap(outcome, operation)
    if (part.byteLength === 0) return
    yield await inSlices(picked(unpack(part), pick))
    words = none
  }
}

const none = new Uint32Array(0)

export const tableOf: Pick<MessageRecords['nftNewTable']> = (answer) =>
  answer.name === 'nftNewTable' ? answer.record : undefined
export const chainOf: Pick<MessageRecords['nftNewChain']> = (answer) =>
  answer.name === 'nftNewChain' ? answer.record : undefined
export const setOf: Pick<MessageRecords['nftNewSet']> = (answer) =>
  answer.name === 'nftNewSet' ? answer.record : undefined
export const elementsOf: Pick<MessageRecords['nftNewElement']> = (answer) =>
  answer.name === 'nftNewElement' ? answer.record : undefined
export const objectOf: Pick<MessageRecords['nftNewObject']> = (answer) =>
  answer.name === 'nftNewObject' ? answer.record : undefined
export const flowtableOf: Pick<MessageRecords['nftNewFlowtable']> = (answer) =>
  answer.name === 'nftNewFlowtable' ? answer.record : undefined
export const ruleOf: Pick<MessageRecords['nftNewRule']> = (answer) =>
  answer.name === 'nftNewRule' ? answer.record : undefined
