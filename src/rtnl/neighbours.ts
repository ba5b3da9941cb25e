import { checkObject } from '../input.js'
import type { NeighbourRecord } from '../native/records.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import type { Connection } from './connection.js'
import {
  type FdbEntry,
  type FdbSpec,
  type Neighbour,
  type NeighbourSpec,
  readFdbEntry,
  readNeighbour,
} from './neighbour.js'
import { Family } from './numbers.js'
import type { Direction } from './operation.js'
import { compact, type Device, familyNumber } from './values.js'

/** Which neighbours to list; all given conditions hold. */
export interface NeighbourFilter {
  readonly device?: Device
  readonly family?: 4 | 6
}

/** Which entries of forwarding databases to list; all given conditions hold. */
export interface FdbFilter {
  /** Entries of this bridge, that of its ports included. */
  readonly bridge?: Device
  /** Entries of this port. */
  readonly device?: Device
}

/** The neighbours (ARP, neighbour discovery) of a namespace. */
export class Neighbours {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(given: NeighbourFilter = {}): Promise<Neighbour[]> {
    const caller = 'rtnl.neighbours.list'
    const filter = checkObject(readInput(given, caller, 'filter'), ['device', 'family'], caller, 'filter')
    const index =
      filter.device === undefined
        ? undefined
        : await this.#connection.indexOf(filter.device, caller, 'device')
    const record = compact<NeighbourRecord>({
      family: filter.family === undefined ? undefined : familyNumber(filter.family),
      ndaIfindex: index,
    })
    const read = (message: ReplyMessage): Neighbour | undefined => {
      const neighbour = message.name === 'newNeighbour' ? readNeighbour(message.record) : undefined
      return index === undefined || neighbour?.device === index ? neighbour : undefined
    }
    return this.#connection.list('getNeighbour', record, read, caller)
  }

  /** @throws NfbridgeError NFB_EXISTS, NFB_MISSING (the link) */
  add(neighbour: NeighbourSpec): Promise<void> {
    return this.#apply('add', neighbour)
  }

  replace(neighbour: NeighbourSpec): Promise<void> {
    return this.#apply('replace', neighbour)
  }

  /** @throws NfbridgeError NFB_MISSING */
  delete(neighbour: NeighbourSpec): Promise<void> {
    return this.#apply('delete', neighbour)
  }

  #apply(action: Direction, neighbour: NeighbourSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'neighbour', action, neighbour }], `rtnl.neighbours.${action}`)
  }
}

/** The forwarding databases of a namespace's bridges. */
export class ForwardingDatabase {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(given: FdbFilter = {}): Promise<FdbEntry[]> {
    const caller = 'rtnl.fdb.list'
    const filter = checkObject(readInput(given, caller, 'filter'), ['bridge', 'device'], caller, 'filter')
    const index = async (device: Device | undefined, path: string): Promise<number | undefined> =>
      device === undefined ? undefined : await this.#connection.indexOf(device, caller, path)
    const master = await index(filter.bridge, 'bridge')
    const device = await index(filter.device, 'device')
    const record = compact<NeighbourRecord>({ family: Family.bridge, ifindex: device, master })
    const read = (message: ReplyMessage): FdbEntry | undefined => {
      const entry = message.name === 'newNeighbour' ? readFdbEntry(message.record) : undefined
      return device === undefined || entry?.device === device ? entry : undefined
    }
    return this.#connection.list('getNeighbour', record, read, caller)
  }

  /** @throws NfbridgeError NFB_EXISTS, NFB_MISSING (the link) */
  add(entry: FdbSpec): Promise<void> {
    return this.#apply('add', entry)
  }

  replace(entry: FdbSpec): Promise<void> {
    return this.#apply('replace', entry)
  }

  /** @throws NfbridgeError NFB_MISSING */
  delete(entry: FdbSpec): Promise<void> {
    return this.#apply('delete', entry)
  }

  #apply(action: Direction, entry: FdbSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'fdb', action, entry }], `rtnl.fdb.${action}`)
  }
}
