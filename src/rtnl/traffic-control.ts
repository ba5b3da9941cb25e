import { checkInteger, checkObject } from '../input.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import type { Connection } from './connection.js'
import { type Filter, type FilterSelector, type FilterSpec, filterListRecord, readFilter } from './filter.js'
import { type Qdisc, type QdiscSelector, type QdiscSpec, readQdisc } from './qdisc.js'
import type { Device } from './values.js'

/** Which queueing disciplines to list. */
export interface QdiscFilter {
  readonly device?: Device
}

/** The queueing disciplines of a namespace's links; see tc(8). */
export class Qdiscs {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(given: QdiscFilter = {}): Promise<Qdisc[]> {
    const caller = 'rtnl.qdiscs.list'
    const filter = checkObject(readInput(given, caller, 'filter'), ['device'], caller, 'filter')
    const device =
      filter.device === undefined
        ? undefined
        : await this.#connection.indexOf(filter.device, caller, 'device')
    // The kernel lists those of all links, whichever is asked for.
    const read = (message: ReplyMessage): Qdisc | undefined =>
      message.name === 'newQdisc' && (device === undefined || message.record.ifindex === device)
        ? readQdisc(message.record)
        : undefined
    return this.#connection.list('getQdisc', {}, read, caller)
  }

  /** @throws NfbridgeError NFB_EXISTS; NFB_MISSING (the link, or a kind that the kernel lacks); NFB_INVALID_ARGUMENT */
  add(qdisc: QdiscSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'qdisc', action: 'add', qdisc }], 'rtnl.qdiscs.add')
  }

  /** Adds it, changes the settings of one of its kind, or takes the place of one of another. */
  replace(qdisc: QdiscSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'qdisc', action: 'replace', qdisc }], 'rtnl.qdiscs.replace')
  }

  /** Deletes it with its filters. @throws NfbridgeError NFB_MISSING */
  delete(qdisc: QdiscSelector): Promise<void> {
    return this.#connection.apply([{ kind: 'qdisc', action: 'delete', qdisc }], 'rtnl.qdiscs.delete')
  }
}

/** Which filters to list: those of one link. */
export interface FilterListing {
  readonly device: Device
  /** Default `ingress`. A number is the handle of a queueing discipline. */
  readonly parent?: 'ingress' | number
}

/** The filters of a namespace's links; see tc(8). */
export class Filters {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** @throws NfbridgeError NFB_MISSING (the link) */
  async list(given: FilterListing): Promise<Filter[]> {
    const caller = 'rtnl.filters.list'
    const listing = checkObject(readInput(given, caller, 'filter'), ['device', 'parent'], caller, 'filter')
    const { parent = 'ingress' } = listing
    if (parent !== 'ingress') checkInteger(parent, [1, 2 ** 32 - 1], caller, 'parent')
    const device = await this.#connection.indexOf(listing.device, caller, 'device')
    const read = (message: ReplyMessage): Filter | undefined =>
      message.name === 'newFilter' ? readFilter(message.record) : undefined
    return this.#connection.list('getFilter', filterListRecord(device, parent), read, caller)
  }

  /**
   * @throws NfbridgeError NFB_REJECTED when there is one with this priority, or the discipline that it would hang on is
   * missing; NFB_MISSING (a link, or a kind that the kernel lacks); NFB_INVALID_ARGUMENT
   */
  add(filter: FilterSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'filter', action: 'add', filter }], 'rtnl.filters.add')
  }

  /** Deletes those of a priority. @throws NfbridgeError NFB_MISSING */
  delete(filter: FilterSelector): Promise<void> {
    return this.#connection.apply([{ kind: 'filter', action: 'delete', filter }], 'rtnl.filters.delete')
  }
}
