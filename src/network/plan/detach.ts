import type { Plan } from './plan.js'
import type { ContainerRecord } from './records.js'
import type { Registry } from './registry.js'

/**
 * Removes containers: their own elements, their links, and the links to them. The clients lose those links, so that
 * whoever gets the address or the name next inherits nothing.
 */
export function planDetach(registry: Registry, containers: readonly ContainerRecord[]): Plan {
  const leaving = new Set(containers.map(({ id }) => id))
  const change = new Map<string, ContainerRecord | undefined>(containers.map(({ id }) => [id, undefined]))
  const pairs: (readonly [string, string])[] = []
  for (const { id, links } of containers) {
    for (const { server } of links) pairs.push([id, server])
    for (const clientId of registry.clientsOf(id)) {
      pairs.push([clientId, id])
      const client = registry.container(clientId)
      if (!client || leaving.has(clientId)) continue
      change.set(clientId, { ...client, links: client.links.filter(({ server }) => !leaving.has(server)) })
    }
  }
  return { change: { containers: change }, touched: { containers: [...leaving], pairs } }
}
