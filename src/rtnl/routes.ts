import type { IPAddress } from '../address/index.js'
import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { RouteRecord } from '../native/records.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import type { Connection } from './connection.js'
import { numberOf, ROUTE_PROTOCOLS, ROUTE_TABLES } from './numbers.js'
import type { Direction } from './operation.js'
import { type Route, type RouteProtocol, type RouteSpec, type RouteTable, readRoute } from './route.js'
import {
  lookupRecord,
  type RouteDecision,
  type RouteLookup,
  readDecision,
  readRefusal,
} from './route-lookup.js'
import { compact, type Device, familyNumber, toAddress } from './values.js'

/** Which routes to list; all given conditions hold. */
export interface RouteFilter {
  readonly family?: 4 | 6
  /** Default `main`; `all` for all tables. */
  readonly table?: RouteTable | 'all'
  /** Routes that leave by this link. */
  readonly device?: Device
  readonly protocol?: RouteProtocol
}

/** The routes of a namespace. */
export class Routes {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(given: RouteFilter = {}): Promise<Route[]> {
    const caller = 'rtnl.routes.list'
    const filter = checkObject(
      readInput(given, caller, 'filter'),
      ['family', 'table', 'device', 'protocol'],
      caller,
      'filter',
    )
    const table =
      filter.table === 'all' ? undefined : numberOf(ROUTE_TABLES, filter.table ?? 'main', caller, 'table')
    const families = filter.family === undefined ? [4 as const, 6 as const] : [filter.family]
    const record = compact<RouteRecord>({
      oif:
        filter.device === undefined
          ? undefined
          : await this.#connection.indexOf(filter.device, caller, 'device'),
      protocol:
        filter.protocol === undefined
          ? undefined
          : numberOf(ROUTE_PROTOCOLS, filter.protocol, caller, 'protocol'),
    })
    const read = (message: ReplyMessage): Route | undefined => {
      const route = message.name === 'newRoute' ? readRoute(message.record) : undefined
      return route && matches(route, record, table) ? route : undefined
    }
    const listed: Route[][] = []
    for (const family of families) {
      const asked = {
        family: familyNumber(family),
        ...record,
        ...(table === undefined ? {} : { rtaTable: table }),
      }
      try {
        listed.push(await this.#connection.list('getRoute', asked, read, caller))
      } catch (error) {
        // "FIB table does not exist": no routes, then.
        if (table === undefined || !(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING')
          throw error
      }
    }
    return listed.flat()
  }

  /** The route that a packet to this address would take. @throws NfbridgeError NFB_REJECTED when there is none */
  async get(destination: IPAddress | string): Promise<Route> {
    const caller = 'rtnl.routes.get'
    const address = toAddress(readInput(destination, caller, 'destination'), 'destination')
    const message = await this.#connection.get(
      'getRoute',
      { family: familyNumber(address.family), dstLen: address.bytes.length * 8, dst: address.bytes },
      caller,
      `find the route to ${address}`,
    )
    const route = message.name === 'newRoute' ? readRoute(message.record) : undefined
    if (route !== undefined) return route
    throw new NfbridgeError({
      code: 'NFB_INTERNAL',
      operation: caller,
      message: 'answered by another message',
    })
  }

  /**
   * What the kernel decides about a packet: the route that it takes, or why it takes none. A packet that is refused is
   * an answer, not an error.
   *
   *     await rtnl.routes.lookup({ destination: '172.17.0.2', source: '10.0.0.9', inputDevice: 'eth0' })
   *     // { reachable: true, type: 'unicast', device: 7, … }
   *
   * @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT; NFB_MISSING when there is no such link
   */
  async lookup(given: RouteLookup): Promise<RouteDecision> {
    const caller = 'rtnl.routes.lookup'
    const lookup = readInput(given, caller, '')
    const record = await lookupRecord(lookup, caller, (device, path) =>
      this.#connection.indexOf(device, caller, path),
    )
    try {
      const message = await this.#connection.get('getRoute', record, caller, `look up ${lookup.destination}`)
      const found = message.name === 'newRoute' ? readDecision(message.record) : undefined
      if (found !== undefined) return found
    } catch (error) {
      const refused = readRefusal(error)
      if (refused !== undefined) return refused
      throw error
    }
    throw new NfbridgeError({
      code: 'NFB_INTERNAL',
      operation: caller,
      message: 'answered by another message',
    })
  }

  /** @throws NfbridgeError NFB_EXISTS, NFB_MISSING (the link), NFB_REJECTED (a gateway that no network has) */
  add(route: RouteSpec): Promise<void> {
    return this.#apply('add', route)
  }

  /** Adds it, or takes the place of the one with the same destination, table and metric. */
  replace(route: RouteSpec): Promise<void> {
    return this.#apply('replace', route)
  }

  /** @throws NfbridgeError NFB_MISSING */
  delete(route: RouteSpec): Promise<void> {
    return this.#apply('delete', route)
  }

  #apply(action: Direction, route: RouteSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'route', action, route }], `rtnl.routes.${action}`)
  }
}

/** A kernel that does not filter strictly answers with more than was asked for; cached routes are no routes. */
function matches(route: Route, asked: RouteRecord, table: number | undefined): boolean {
  const { record } = route
  if (table !== undefined && (record.rtaTable ?? record.table) !== table) return false
  if (asked.protocol !== undefined && record.protocol !== asked.protocol) return false
  if (asked.oif === undefined) return true
  return record.oif === asked.oif || (record.multipath ?? []).some((nexthop) => nexthop.ifindex === asked.oif)
}
