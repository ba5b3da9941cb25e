import { checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import { Namespace, type NamespaceSource } from '../netns/index.js'
import { Connection } from './connection.js'
import { type ListFilter, listRuleset, readGeneration } from './list.js'
import type { MapObject, Ruleset, SetObject } from './model/index.js'
import {
  type Preparable,
  type Prepared,
  type PrepareOptions,
  prepare,
  prepareElements,
} from './prepare/index.js'
import { Transaction } from './transaction.js'

/** How {@link Nft.open} opens. */
export interface NftOptions {
  /** The network namespace; default: the process's own. */
  readonly netns?: NamespaceSource
}

/**
 * A connection to nf_tables in one network namespace. Calls run in their order. It holds a socket, which must be closed.
 *
 * A table with the flag `owner` belongs to the connection that added it, and goes with it (without `persist`).
 */
export class Nft {
  readonly #socket: SocketHandle
  readonly #connection: Connection

  private constructor(socket: SocketHandle) {
    this.#socket = socket
    this.#connection = new Connection(socket)
  }

  /** @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED, NFB_NOT_SUPPORTED (a kernel without nf_tables) */
  static async open(options: NftOptions = {}): Promise<Nft> {
    checkObject(options, ['netns'], 'nft.open', '')
    const namespace = options.netns === undefined ? Namespace.current() : Namespace.open(options.netns)
    try {
      return new Nft(await namespace.openSocket('netfilter', 'nft.open'))
    } finally {
      namespace.close()
    }
  }

  /** Begins a transaction; nothing is sent before its `commit`. */
  transaction(): Transaction {
    return new Transaction(this.#connection)
  }

  /** {@link prepare}, which needs no connection: what is prepared can be added on any. */
  prepare(object: Preparable, options?: PrepareOptions): Prepared {
    return prepare(object, options)
  }

  /** {@link prepareElements} */
  prepareElements(declaration: SetObject | MapObject, names: readonly string[]): Prepared {
    return prepareElements(declaration, names)
  }

  /**
   * Lists the ruleset, or the part of it that `filter` says, as it was at one moment.
   * @throws NfbridgeError NFB_DUMP_INCONSISTENT when it changed again and again meanwhile; NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async list(filter?: ListFilter): Promise<Ruleset> {
    if (this.#connection.preparing) await this.#connection.preparing
    return listRuleset(this.#socket, filter)
  }

  /** The number that the kernel counts up with each change of the namespace's ruleset. */
  async generation(): Promise<number> {
    if (this.#connection.preparing) await this.#connection.preparing
    return readGeneration(this.#socket)
  }

  /** Closes the socket; what is pending fails with NFB_CLOSED. Idempotent. */
  close(): void {
    this.#socket.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
