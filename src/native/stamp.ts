import type { MessageName } from './records.js'

/** How the words of a row become bytes; `codec::StampForm`. */
export const StampForm = {
  /** As they are in memory. */
  bytes: 0,
  /** The lowest bytes of one word's number, in network byte order. */
  bigEndian: 1,
  /** The same, in the host's. */
  hostOrder: 2,
} as const
export type StampForm = (typeof StampForm)[keyof typeof StampForm]

/** Bytes of a template that each row has its own value for. */
export interface StampSite {
  /** In the template, in bytes. */
  readonly offset: number
  readonly length: number
  /** The first word of the value in a row. */
  readonly word: number
  readonly form: StampForm
}

/**
 * A message that was encoded before, with holes: C++ makes as many of it as there are rows of values. The layout is
 * `stampBody` of native/codec/records.h.
 */
export interface Stamp {
  readonly message: MessageName
  /** Where a message has several rows: what comes before them, up to and with the header of the nest that holds them. */
  readonly head: Uint8Array
  /** What each row makes: a whole message, or an entry of the nest. */
  readonly template: Uint8Array
  /** The most rows in one message; 0: each row makes a message. */
  readonly rowsPerMessage: number
  readonly sites: readonly StampSite[]
  readonly rowWords: number
}

/** How many messages a stamp makes of so many rows. */
export function stampedMessages(stamp: Stamp, rows: number): number {
  return stamp.rowsPerMessage === 0 ? rows : Math.ceil(rows / stamp.rowsPerMessage)
}
