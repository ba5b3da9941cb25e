import type { MessageName, MessageRecords } from './records.js'
import type { Stamp } from './stamp.js'
import { layouts } from './tables.js'
import { type RecordOrigin, RecordWriter } from './writer.js'

/** Extra flags of a request's header (`NLM_F_*` in linux/netlink.h); the addon adds NLM_F_REQUEST and NLM_F_ACK. */
export const MessageFlag = {
  echo: 0x08,
  /** All matching objects of a dump: NLM_F_ROOT | NLM_F_MATCH. */
  dump: 0x300,
  /** Of a new object: replace it, fail when it exists, create it, append it. */
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** Of a deletion: do not delete recursively. */
  nonRecursive: 0x100,
} as const

/** Builds the buffer of a batch: typed records in, words for a {@link SocketHandle} out. */
export class Packer {
  readonly #writer: RecordWriter = new RecordWriter(layouts)

  /** How many messages there are. */
  get count(): number {
    return this.#writer.count
  }

  /**
   * Appends a message and returns its index, by which failures and replies refer to it.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT naming the path of a property that is unknown or of the wrong kind;
   * nothing is appended then.
   * @param origin what the record was made from, so that the error speaks of that
   */
  add<K extends MessageName>(
    name: K,
    flags: number,
    record: MessageRecords[K],
    origin?: RecordOrigin,
  ): number {
    return this.#writer.write(name, flags, record, origin)
  }

  /**
   * Appends the messages that a stamp makes of rows, `stamp.rowWords` words each, and returns the index of the first. The
   * addon makes them when it encodes the batch.
   * @param flags for the messages' headers, beside those of the template
   */
  stamp(flags: number, stamp: Stamp, rows: Uint32Array): number {
    return this.#writer.stamp(flags, stamp, rows)
  }

  /** The batch, as a view that the next `add` or `reset` makes invalid. */
  words(): Uint32Array {
    return this.#writer.words()
  }

  /** Begins anew, keeping the buffer. */
  reset(): void {
    this.#writer.reset()
  }
}
