/** Word of routes that come, at no cost for other events: the kernel filters. */
import { failed } from '../native/failure.js'
import { unpack } from '../native/unpack.js'
import type { Namespace } from '../netns/index.js'
import { readEvent } from './events.js'
import { Group } from './numbers.js'
import type { Route } from './route.js'

/** No socket has this port: routes are told whoever made them. */
const NOBODY = 0xffff_ffff

/** Calls back with each route that comes, and with undefined when word of some was lost. It keeps no process alive. */
export function watchNewRoutes(
  namespace: Namespace,
  onRoute: (route: Route | undefined) => void,
): Promise<{ close(): void }> {
  const options = { message: 'newRoute', exceptPort: NOBODY, holds: false }
  const groups = [Group.ipv4Route, Group.ipv6Route]
  return namespace.openMonitor(
    'route',
    groups,
    (outcome) => {
      if (failed(outcome)) return onRoute(undefined)
      for (const message of unpack(outcome)) {
        const event = readEvent(message)
        if (event.kind === 'route') onRoute(event.route)
      }
    },
    'rtnl.watchNewRoutes',
    options,
  )
}
