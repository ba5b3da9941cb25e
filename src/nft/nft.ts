import { checkListingLimit, checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import { Namespace, type NamespaceSource } from '../netns/index.js'
import { readInput } from '../read-input.js'
import { Connection } from './connection.js'
import { type CountFilter, countTable, type TableCounts } from './count.js'
import { type NftEventOptions, NftEvents } from './events.js'
import { readInterfaces } from './interfaces.js'
import { type ListFilter, listRuleset, readGeneration } from './list.js'
import type {
  Expression,
  ListedObject,
  MapElement,
  MapObject,
  Ruleset,
  SetElement,
  SetObject,
} from './model/index.js'
import { watchOthers } from './others-commits.js'
import {
  type Preparable,
  type Prepared,
  type PrepareOptions,
  prepare,
  prepareElements,
} from './prepare/index.js'
import { type ResetTarget, reset } from './reset.js'
import { type ElementsOptions, findElement, type SetName, streamElements } from './set-elements.js'
import { NftTraces, type TraceOptions } from './traces.js'
import { Transaction } from './transaction.js'

/** How {@link Nft.open} opens. */
export interface NftOptions {
  /** The network namespace; default: the process's own. */
  readonly netns?: NamespaceSource
  /**
   * For a namespace that somebody else may have filled: how many bytes all listings of this handle may have, 1 to 2,147,483,647. One that goes
   * beyond is NFB_TOO_LARGE, and the handle is then to be closed. Default: no limit.
   */
  readonly listingLimit?: number
}

/**
 * A connection to nf_tables in one network namespace. Calls run in their order. It holds a socket, which must be closed.
 *
 * A table with the flag `owner` belongs to the connection that added it, and goes with it (without `persist`).
 */
export class Nft {
  readonly #socket: SocketHandle
  readonly #connection: Connection
  /** For sockets of their own: streams, events. */
  readonly #namespace: Namespace

  private constructor(socket: SocketHandle, namespace: Namespace, listingLimit: number | undefined) {
    this.#socket = socket
    this.#namespace = namespace
    this.#connection = new Connection(socket, () => readInterfaces(namespace, 'nft.interfaces', listingLimit))
  }

  /** @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED, NFB_NOT_SUPPORTED (a kernel without nf_tables) */
  static async open(given: NftOptions = {}): Promise<Nft> {
    const options = checkObject(readInput(given, 'nft.open', ''), ['netns', 'listingLimit'], 'nft.open', '')
    const listingLimit = checkListingLimit(options.listingLimit, 'nft.open')
    const namespace = options.netns === undefined ? Namespace.current() : Namespace.open(options.netns)
    try {
      const socket = await namespace.openSocket('netfilter', 'nft.open', listingLimit)
      return new Nft(socket, namespace, listingLimit)
    } catch (error) {
      namespace.close()
      throw error
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
    return listRuleset(this.#socket, readInput(filter, 'nft.list', 'filter'), this.#connection.readInterfaces)
  }

  /**
   * Counts the rules of a table's chains and the elements of its sets and maps: cheaper than {@link list}, for who only
   * wants to know whether something is missing.
   * @throws NfbridgeError NFB_DUMP_INCONSISTENT when the ruleset changed again and again meanwhile; NFB_NOT_PERMITTED,
   * NFB_CLOSED
   */
  async count(filter: CountFilter): Promise<TableCounts> {
    if (this.#connection.preparing) await this.#connection.preparing
    return countTable(this.#socket, readInput(filter, 'nft.count', 'filter'))
  }

  /**
   * Looks up the element of a set or map that has a key, or whose range has it: `nft.element(set, '10.0.0.7')`.
   * @returns as a listing gives it; undefined when there is none
   * @throws NfbridgeError NFB_MISSING when there is no such set; NFB_INVALID_ARGUMENT (and other codes for addresses) when
   * the key is none of its type; NFB_NOT_SUPPORTED when the model cannot say what the element is; NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async element(set: SetName, key: Expression): Promise<SetElement | MapElement | undefined> {
    if (this.#connection.preparing) await this.#connection.preparing
    const operation = 'nft.element'
    const asked = [readInput(set, operation, 'set'), readInput(key, operation, 'key')] as const
    return findElement(this.#socket, ...asked, this.#connection.readInterfaces)
  }

  /**
   * The elements of a set or map one by one, in the kernel's order, read from the kernel as they are taken: of a large set
   * only a part is held at a time, except where it has ranges of one field. The stream has a socket of its own; leaving
   * the loop closes it.
   * @throws NfbridgeError NFB_DUMP_INCONSISTENT, at the end, when the ruleset changed meanwhile, unless `onChange` is
   * `'ignore'`; NFB_MISSING, NFB_NOT_SUPPORTED, NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async *elements(
    set: SetName,
    options: ElementsOptions = {},
  ): AsyncGenerator<SetElement | MapElement, void, undefined> {
    if (this.#connection.preparing) await this.#connection.preparing
    const operation = 'nft.elements'
    const asked = [readInput(set, operation, 'set'), readInput(options, operation, '')] as const
    const socket = await this.#namespace.openSocket('netfilter', operation)
    try {
      yield* streamElements(socket, ...asked, this.#connection.readInterfaces)
    } finally {
      socket.close()
    }
  }

  /**
   * Reads what counts (named counters and quotas; what rules or the elements of a set count by themselves) and sets it to
   * zero in one go. Nothing that is counted between the two is lost.
   * @returns the objects, rules or the set as a listing gives them, with what they had counted
   * @throws NfbridgeError NFB_NOT_SUPPORTED on kernels that cannot; NFB_INVALID_ARGUMENT for a table without its family;
   * NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async reset(target: ResetTarget): Promise<readonly ListedObject[]> {
    if (this.#connection.preparing) await this.#connection.preparing
    const asked = readInput(target, 'nft.reset', 'target')
    const socket = await this.#namespace.openSocket('netfilter', 'nft.reset')
    try {
      return await reset(socket, asked)
    } finally {
      socket.close()
    }
  }

  /**
   * Subscribes to the changes of the namespace's ruleset, whoever makes them: an event for each transaction, in the order
   * and the shape of libnftables' JSON commands. When events are lost, a snapshot takes their place. The subscription has
   * sockets of its own and outlives this connection; close it, or leave the loop.
   * @throws NfbridgeError NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async events(options: NftEventOptions = {}): Promise<NftEvents> {
    return NftEvents.open(this.#namespace, readInput(options, 'nft.events', ''))
  }

  /**
   * Calls back when somebody else has committed: another program, or another connection of this one. What this connection
   * commits, the kernel tells it nothing of. It keeps no process alive; close it.
   * @internal
   */
  watchOthers(onCommit: () => void): Promise<{ close(): void }> {
    return watchOthers(this.#namespace, this.#socket, onCommit)
  }

  /**
   * Subscribes to the traces of packets that a rule has marked with `meta nftrace set 1`: each rule that they match, each
   * verdict, the policy that decides, with the headers once. The subscription outlives this connection; close it, or leave
   * the loop.
   * @throws NfbridgeError NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async traces(options: TraceOptions = {}): Promise<NftTraces> {
    return NftTraces.open(this.#namespace, readInput(options, 'nft.traces', ''))
  }

  /** The number that the kernel counts up with each change of the namespace's ruleset. */
  async generation(): Promise<number> {
    if (this.#connection.preparing) await this.#connection.preparing
    return readGeneration(this.#socket)
  }

  /** Closes the socket; what is pending fails with NFB_CLOSED. Idempotent. */
  close(): void {
    this.#socket.close()
    this.#namespace.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
