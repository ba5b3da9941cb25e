import { joinPath } from '../errors.js'
import { checkArray, checkObject, checkOneOf } from '../input.js'
import type { Outcome } from '../native/addon.js'
import { EventStream } from '../native/event-stream.js'
import { errorOfAll, failed } from '../native/failure.js'
import type { LinkRecord } from '../native/records.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'
import type { Namespace } from '../netns/index.js'
import { type Address, readAddressRecord } from './address.js'
import { type Link, readLink } from './link.js'
import { type FdbEntry, type Neighbour, readFdbEntry, readNeighbour } from './neighbour.js'
import { Family, Group } from './numbers.js'
import { type Route, readRoute } from './route.js'

/** `set`: it is there now, new or changed; `delete`: it is gone. */
export type EventAction = 'set' | 'delete'

/** What the kernel reports, discriminated by `kind`. */
export type RtnlEvent =
  | { readonly kind: 'link'; readonly action: EventAction; readonly link: Link }
  /** A link became a port of a bridge, changed as one, or is one no more; the link itself stays. */
  | {
      readonly kind: 'port'
      readonly action: EventAction
      /** Index of the link. */
      readonly device: number
      /** Index of the bridge. */
      readonly master?: number
      readonly record: LinkRecord
    }
  | { readonly kind: 'address'; readonly action: EventAction; readonly address: Address }
  | { readonly kind: 'route'; readonly action: EventAction; readonly route: Route }
  | { readonly kind: 'neighbour'; readonly action: EventAction; readonly neighbour: Neighbour }
  | { readonly kind: 'fdb'; readonly action: EventAction; readonly entry: FdbEntry }
  /** A message that this library does not know. */
  | { readonly kind: 'other'; readonly message: ReplyMessage }
  /** Events were lost, by the kernel or because nobody took them: list again; later events follow. */
  | { readonly kind: 'lost' }

/** What can be subscribed to; `link` includes `port`, `neighbour` includes `fdb`. */
export type EventTopic = 'link' | 'address' | 'route' | 'neighbour'

export interface EventOptions {
  /** Default: all. */
  readonly topics?: readonly EventTopic[]
  /** How many events wait for the program before they are given up for one `lost`. Default 16384. */
  readonly limit?: number
}

const EVENTS = 'rtnl.events'

const TOPICS: readonly EventTopic[] = ['link', 'address', 'route', 'neighbour']

const GROUPS: { readonly [topic in EventTopic]: readonly number[] } = {
  link: [Group.link],
  address: [Group.ipv4Address, Group.ipv6Address],
  route: [Group.ipv4Route, Group.ipv6Route],
  neighbour: [Group.neighbour],
}

/**
 * The events of a namespace, as an async iterator. It is subscribed from the moment it exists; leaving the loop, or
 * {@link close}, ends the subscription.
 */
export class RtnlEvents implements AsyncIterableIterator<RtnlEvent> {
  readonly #stream: EventStream<RtnlEvent>

  private constructor(limit: number | undefined) {
    this.#stream = new EventStream<RtnlEvent>(limit, { kind: 'lost' }, EVENTS)
  }

  /** Subscribes. For {@link Rtnl.events}. */
  static async open(namespace: Namespace, options: EventOptions): Promise<RtnlEvents> {
    checkObject(options, ['topics', 'limit'], EVENTS, '')
    const topics = checkArray(options.topics ?? TOPICS, EVENTS, 'topics').map((topic, index) =>
      checkOneOf(topic, TOPICS, EVENTS, joinPath('topics', index)),
    )
    const events = new RtnlEvents(options.limit)
    const groups = topics.flatMap((topic) => GROUPS[topic])
    events.#stream.attach(
      await namespace.openMonitor('route', groups, (outcome) => events.#receive(outcome), EVENTS),
    )
    return events
  }

  /** How many events wait to be taken. */
  get waiting(): number {
    return this.#stream.waiting
  }

  /** The next event. @throws NfbridgeError when the subscription broke; events may be had from a new one */
  next(): Promise<IteratorResult<RtnlEvent>> {
    return this.#stream.next()
  }

  /** Ends the subscription; what waits for an event gets the end. */
  return(): Promise<IteratorResult<RtnlEvent>> {
    return this.#stream.return()
  }

  /** Ends the subscription. Closing twice is the same as closing once. */
  close(): void {
    this.#stream.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #receive(outcome: Outcome<ArrayBuffer>): void {
    const stream = this.#stream
    if (stream.ended) return
    if (!failed(outcome)) for (const message of unpack(outcome)) stream.put(readEvent(message))
    else if (outcome[0]?.reason === 'overflow') stream.lose()
    else stream.fail(errorOfAll(outcome, 'rtnl.events'))
  }
}

/** A message of a monitor, or of a listing, as an event. */
export function readEvent(message: ReplyMessage): RtnlEvent {
  switch (message.name) {
    case 'newLink':
    case 'delLink': {
      const action = message.name === 'newLink' ? 'set' : 'delete'
      const { record } = message
      if (record.family !== Family.bridge) return { kind: 'link', action, link: readLink(record) }
      const master = record.master === undefined ? {} : { master: record.master }
      return { kind: 'port', action, device: record.index ?? 0, ...master, record }
    }
    case 'newAddress':
    case 'delAddress': {
      const address = readAddressRecord(message.record)
      if (address === undefined) break
      return { kind: 'address', action: message.name === 'newAddress' ? 'set' : 'delete', address }
    }
    case 'newRoute':
    case 'delRoute': {
      const route = readRoute(message.record)
      if (route === undefined) break
      return { kind: 'route', action: message.name === 'newRoute' ? 'set' : 'delete', route }
    }
    case 'newNeighbour':
    case 'delNeighbour': {
      const action = message.name === 'newNeighbour' ? 'set' : 'delete'
      const entry = readFdbEntry(message.record)
      if (entry !== undefined) return { kind: 'fdb', action, entry }
      const neighbour = readNeighbour(message.record)
      if (neighbour === undefined) break
      return { kind: 'neighbour', action, neighbour }
    }
    default:
  }
  return { kind: 'other', message }
}
