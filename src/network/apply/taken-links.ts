import { NfbridgeError } from '../../errors.js'
import { Namespace, type NamespaceSource } from '../../netns/index.js'
import { Rtnl } from '../../rtnl/index.js'
import { type LinksInside, NOBODY_LOOKED, type TakenLinks } from '../plan/taken-links.js'
import type { HostContext } from './host-context.js'

/**
 * Works with names and indexes that are free in containers and on the host. Looking costs a request for each container, and one that is new
 * has nothing: so nobody looks until something was in the way, and from then on it is looked first.
 * @param sources the namespaces of the call's containers
 * @param work may run twice; what failed has been undone
 */
export async function besideOthers<T>(
  context: HostContext,
  sources: readonly (NamespaceSource | undefined)[],
  work: (taken: TakenLinks) => Promise<T>,
): Promise<T> {
  if (!context.looksInside) {
    try {
      return await work(NOBODY_LOOKED)
    } catch (error) {
      if (!isInTheWay(error)) throw error
    }
  }
  const result = await work(await look(context, sources))
  context.looksInside = true
  return result
}

/** What {@link pairError} says of a pair whose name or index somebody has. */
function isInTheWay(error: unknown): boolean {
  if (!(error instanceof NfbridgeError) || error.remaining.length > 0) return false
  const taken = error.code === 'NFB_EXISTS' || error.code === 'NFB_BUSY'
  return taken && (error.path ?? '').endsWith('interfaceName')
}

async function look(
  { kernel }: HostContext,
  sources: readonly (NamespaceSource | undefined)[],
): Promise<TakenLinks> {
  const links = await kernel.listLinks()
  const known = new Map<bigint, LinksInside>()
  const inside: (LinksInside | undefined)[] = []
  for (const source of sources) inside.push(source === undefined ? undefined : await linksIn(source, known))
  return {
    host: new Set(links.map(({ index }) => index)),
    hostNames: new Set(links.map(({ name }) => name)),
    inside,
  }
}

async function linksIn(source: NamespaceSource, known: Map<bigint, LinksInside>): Promise<LinksInside> {
  const namespace = Namespace.open(source)
  try {
    const former = known.get(namespace.inode)
    if (former) return former
    const rtnl = await Rtnl.open({ netns: namespace })
    try {
      const links = await rtnl.links.list()
      const routes = await rtnl.routes.list()
      const inside = {
        names: new Set(links.map(({ name }) => name)),
        indexes: new Set(links.map(({ index }) => index)),
        metrics: new Set(
          routes.flatMap(({ destination, metric = 0 }) => (destination.prefixLength === 0 ? [metric] : [])),
        ),
      }
      known.set(namespace.inode, inside)
      return inside
    } finally {
      rtnl.close()
    }
  } finally {
    namespace.close()
  }
}
