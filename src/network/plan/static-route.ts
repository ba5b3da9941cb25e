import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkInteger, checkObject, checkOneOf, checkString } from '../../input.js'
import type { RouteOptions } from '../options.js'
import type { Family } from './records.js'

const TYPES = ['unicast', 'blackhole', 'unreachable', 'prohibit'] as const

/** A route that containers get beside those of their network. */
export interface StaticRoute {
  readonly destination: Cidr
  /** Undefined: the network's way out, or of another type than unicast none. */
  readonly gateway: IPAddress | undefined
  /** Undefined: that of the default route. */
  readonly metric: number | undefined
  readonly type: (typeof TYPES)[number]
}

/** What becomes a metric: 0 would be 1024 in IPv6. */
export const METRICS = [1, 0xffff_ffff] as const

/** @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT */
export function parseRoutes(given: readonly RouteOptions[], operation: string, path: string): StaticRoute[] {
  return checkArray(given, operation, path).map((route, index) =>
    parseRoute(route, operation, joinPath(path, index)),
  )
}

function parseRoute(route: RouteOptions, operation: string, path: string): StaticRoute {
  checkObject(route, ['destination', 'gateway', 'metric', 'type'], operation, path)
  const at = (property: string): string => joinPath(path, property)
  const destination = Cidr.parse(
    checkString(route.destination, operation, at('destination')),
    at('destination'),
  )
  const type = checkOneOf(route.type ?? 'unicast', TYPES, operation, at('type'))
  const gateway =
    route.gateway === undefined
      ? undefined
      : parseAddress(checkString(route.gateway, operation, at('gateway')), at('gateway'))
  const metric =
    route.metric === undefined ? undefined : checkInteger(route.metric, METRICS, operation, at('metric'))
  const conflict = (message: string): NfbridgeError =>
    new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message, path: at('gateway') })
  if (gateway && type !== 'unicast') throw conflict(`a route of the type ${type} leads to no gateway`)
  if (gateway && gateway.family !== destination.family)
    throw conflict(`${gateway} is IPv${gateway.family}, and ${destination} is IPv${destination.family}`)
  return { destination, gateway, metric, type }
}

/** As the options have it. */
export function routeToJson({ destination, gateway, metric, type }: StaticRoute): object {
  return { destination: destination.toString(), gateway: gateway?.toString(), metric, type }
}

/**
 * Refuses routes that no container of a network could have: by a gateway that is on none of its subnets, or of a family of which it
 * has no addresses.
 */
export function checkRoutes(
  routes: readonly StaticRoute[],
  network: { readonly name: string; readonly pools: readonly { readonly subnet: Cidr }[] },
  refuse: (
    code: 'NFB_SETTING_CONFLICT' | 'NFB_ADDRESS_OUTSIDE_POOL',
    message: string,
    path: string,
  ) => NfbridgeError,
): void {
  const families = new Set<Family>(network.pools.map(({ subnet }) => subnet.family))
  for (const [index, { destination, gateway }] of routes.entries()) {
    const path = joinPath('routes', index)
    if (!families.has(destination.family)) {
      const message = `${network.name} has no IPv${destination.family} addresses, and ${destination} is of that family`
      throw refuse('NFB_SETTING_CONFLICT', message, joinPath(path, 'destination'))
    }
    if (gateway === undefined || network.pools.some(({ subnet }) => subnet.contains(gateway))) continue
    const subnets = network.pools.map(({ subnet }) => subnet).join(', ')
    const message = `${gateway} is in none of ${subnets}: no container would find it`
    throw refuse('NFB_ADDRESS_OUTSIDE_POOL', message, joinPath(path, 'gateway'))
  }
}
