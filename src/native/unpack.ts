import { type ReadMessage, readMessages } from './reader.js'
import type { MessageName, MessageRecords } from './records.js'
import { layouts } from './tables.js'

/** A message whose type the tables know. */
export type KnownMessage = {
  [K in MessageName]: {
    readonly name: K
    /** Index of the request that it answers; 0 in dumps and events. */
    readonly index: number
    /** nlmsg_flags. */
    readonly flags: number
    readonly record: MessageRecords[K]
  }
}[MessageName]

/** A message of a type that the tables do not know, kept as it came. */
export interface OpaqueMessage {
  readonly name: 'opaque'
  readonly index: number
  readonly flags: number
  /** nlmsg_type. */
  readonly type: number
  readonly bytes: Uint8Array
}

/** One message of a reply or an event, discriminated by `name`. */
export type ReplyMessage = KnownMessage | OpaqueMessage

/**
 * Reads the messages of a reply one by one; what was not asked for is not built.
 * @throws NfbridgeError NFB_INTERNAL when the buffer is damaged.
 */
export function* unpack(reply: ArrayBuffer): Generator<ReplyMessage, void, undefined> {
  for (const message of readMessages(layouts, reply)) yield typed(message)
}

/** The types of the records are generated from the tables that read them: their names decide what they are. */
function typed(message: ReadMessage): ReplyMessage {
  return message as ReplyMessage
}
