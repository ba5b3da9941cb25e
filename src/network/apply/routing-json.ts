import { parseAddress } from '../../address/index.js'
import { checkOneOf } from '../../input.js'
import { parseRoutes, type StaticRoute } from '../plan/static-route.js'
import { flag, get, integer, OPERATION, objects, optional, text } from './json-value.js'

/** What networks and endpoints have of routes. @throws NfbridgeError or TypeError */
export function routingFromJson(value: object): {
  readonly routes?: readonly StaticRoute[]
  readonly defaultRoute?: false
} {
  const routes = optional(value, 'routes', (each, property) => objects(each, property).map(routeFromJson))
  return {
    ...(routes && { routes }),
    ...(optional(value, 'defaultRoute', flag) === false && { defaultRoute: false as const }),
  }
}

/** By the parser of the caller's own input. */
function routeFromJson(value: object): StaticRoute {
  const types = ['unicast', 'blackhole', 'unreachable', 'prohibit'] as const
  const gateway = optional(value, 'gateway', text)
  const metric = optional(value, 'metric', integer)
  const [route] = parseRoutes(
    [
      {
        destination: text(value, 'destination'),
        gateway: gateway && parseAddress(gateway).toString(),
        metric,
        type: checkOneOf(get(value, 'type'), types, OPERATION, 'type'),
      },
    ],
    OPERATION,
    'routes',
  )
  if (route) return route
  throw new TypeError('a route is missing')
}
