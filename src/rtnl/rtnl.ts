import { NfbridgeError } from '../errors.js'
import { checkListingLimit, checkObject } from '../input.js'
import type { Outcome } from '../native/addon.js'
import { Namespace, type NamespaceSource } from '../netns/index.js'
import { readInput } from '../read-input.js'
import { Addresses } from './addresses.js'
import { applySteps, runSteps } from './batch.js'
import { Connection } from './connection.js'
import { type EventOptions, RtnlEvents } from './events.js'
import { Links } from './links.js'
import { ForwardingDatabase, Neighbours } from './neighbours.js'
import { watchNewRoutes } from './new-routes.js'
import type { RtnlOperation } from './operation.js'
import type { Route } from './route.js'
import { Routes } from './routes.js'
import { RoutingRules } from './routing-rules.js'
import { Filters, Qdiscs } from './traffic-control.js'

/** Options of {@link Rtnl.open}. */
export interface RtnlOptions {
  /** The namespace; that of the process by default. A Namespace stays the caller's to close. */
  readonly netns?: NamespaceSource | Namespace
  /**
   * For a namespace that somebody else may have filled: how many bytes all listings of this handle may have, 1 to 2,147,483,647. One that goes
   * beyond is NFB_TOO_LARGE, and the handle is then to be closed. Default: no limit.
   */
  readonly listingLimit?: number
}

/** Where a namespace without a source is: the calling thread's. */
const CURRENT = '/proc/thread-self/ns/net'

/**
 * Links, addresses, routes, neighbours and traffic control of one network namespace, by rtnetlink (rtnetlink(7)). Calls of one instance
 * run in their order, on a thread of their own.
 */
export class Rtnl {
  readonly #namespace: Namespace
  readonly #connection: Connection
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  /** The routing policy database: which table decides about which packets. */
  readonly rules: RoutingRules
  readonly neighbours: Neighbours
  /** Forwarding databases of bridges. */
  readonly fdb: ForwardingDatabase
  /** Queueing disciplines of links. */
  readonly qdiscs: Qdiscs
  /** Filters of traffic control. */
  readonly filters: Filters
  #closed = false

  private constructor(namespace: Namespace, connection: Connection) {
    this.#namespace = namespace
    this.#connection = connection
    this.links = new Links(connection)
    this.addresses = new Addresses(connection)
    this.routes = new Routes(connection)
    this.rules = new RoutingRules(connection)
    this.neighbours = new Neighbours(connection)
    this.fdb = new ForwardingDatabase(connection)
    this.qdiscs = new Qdiscs(connection)
    this.filters = new Filters(connection)
  }

  /**
   * Opens a socket in the namespace.
   * @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED
   */
  static async open(given: RtnlOptions = {}): Promise<Rtnl> {
    const options = checkObject(readInput(given, 'rtnl.open', ''), ['netns', 'listingLimit'], 'rtnl.open', '')
    const listingLimit = checkListingLimit(options.listingLimit, 'rtnl.open')
    const namespace = Namespace.open(options.netns ?? CURRENT)
    try {
      const socket = await namespace.openSocket('route', 'rtnl.open', listingLimit)
      return new Rtnl(namespace, new Connection(socket))
    } catch (error) {
      namespace.close()
      throw error
    }
  }

  /**
   * Makes changes in one send, in their order. rtnetlink has no rollback: when one fails, the kernel goes on with the
   * rest. Links that are named where an index is needed (a master, the device of an address or a route) are looked up
   * first, in a send of their own; a link made in the same batch can be named where it is given an index.
   * @throws NfbridgeError with the code of the first failure, its `path` beginning `operations[i]` and the other
   * failures in `related`; {@link failedOperations} gives the indices. Input that is wrong is found before anything
   * is sent.
   */
  apply(operations: readonly RtnlOperation[]): Promise<void> {
    return this.#connection.apply(operations, 'rtnl.apply')
  }

  /** {@link apply} on the calling thread: without the thread hop, and the thread is held while the kernel works. */
  applySync(operations: readonly RtnlOperation[]): void {
    this.#connection.applySync(operations, 'rtnl.apply')
  }

  /**
   * Subscribes to what changes, whoever changes it. When the promise is settled the subscription stands: what changes
   * from then on is in the iterator.
   *
   *     for await (const event of await rtnl.events({ topics: ['link'] })) …
   */
  async events(options: EventOptions = {}): Promise<RtnlEvents> {
    if (!this.#closed) return await RtnlEvents.open(this.#namespace, readInput(options, 'rtnl.events', ''))
    throw new NfbridgeError({ code: 'NFB_CLOSED', operation: 'rtnl.events', message: 'the handle is closed' })
  }

  /** Calls back with each route that comes, and with undefined when word of some was lost; until the watch is closed. @internal */
  watchNewRoutes(onRoute: (route: Route | undefined) => void): Promise<{ close(): void }> {
    return watchNewRoutes(this.#namespace, onRoute)
  }

  /** Closes the socket; what is pending fails with NFB_CLOSED. Iterators of events stay open. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection.close()
    this.#namespace.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * {@link Rtnl.apply} in a namespace that is used once: no socket is kept. This is how a container's own end is set up.
 * @throws NfbridgeError as {@link Rtnl.apply}
 */
export function applyInNamespace(netns: Namespace, operations: readonly RtnlOperation[]): Promise<void> {
  const caller = 'rtnl.applyInNamespace'
  const send = (words: Uint32Array): Promise<Outcome<ArrayBuffer>> => netns.exchange(words, caller)
  return runSteps(applySteps(operations, caller), send)
}
