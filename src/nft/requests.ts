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

/** Asks for what has a name; undefined when it is not there. */
export async function getOne<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Promise<R | undefined> {
  const outcome = await socket.request(message(name, 0, record))
  if (isMissing(outcome)) return undefined
  for (const answer of unpack(unwrap(outcome, operation))) {
    const found = pick(answer)
    if (found !== undefined) return found
  }
  return undefined
}

/** One dump; empty when the table or set that it names is not there. */
export async function dumpAll<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  operation: string,
): Promise<R[]> {
  const outcome = await socket.dump(message(name, MessageFlag.dump, record))
  if (isMissing(outcome)) return []
  return inSlices(picked(unpack(unwrap(outcome, operation)), pick))
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
