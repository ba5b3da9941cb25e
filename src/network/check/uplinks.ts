/** The links by which the host reaches everybody. */
import type { NamespaceState } from '../../explain/index.js'
import { devicesOf } from '../../explain/index.js'
import type { Family } from '../plan/records.js'

/** Names of the links by which default routes of the main table lead; halves of the address space count as one. */
export function uplinks(
  { routes, links }: Pick<NamespaceState, 'routes' | 'links'>,
  family: Family,
): string[] {
  const indexes = routes
    .filter(
      (route) =>
        route.family === family &&
        route.table === 'main' &&
        route.type === 'unicast' &&
        route.destination.prefixLength <= 1,
    )
    .flatMap(devicesOf)
  return [...new Set(indexes)].flatMap((index) => links.find((link) => link.index === index)?.name ?? [])
}
