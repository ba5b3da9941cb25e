import { joinPath, NfbridgeError } from '../../errors.js'
import { Namespace, type NamespaceSource } from '../../netns/index.js'
import type { HostContext } from './host-context.js'
import { hasLasting } from './lasting-inside.js'
import type { Place, Places, Transition } from './stations.js'
import { inOperation } from './steps.js'

/** A container's namespace as the caller gave it. */
export interface NamedPlace {
  readonly id: string
  readonly netns: NamespaceSource
  /** Where the container stands in the caller's input. */
  readonly path: string
}

/**
 * Opens each container's namespace, before anything is changed, for as long as the work lasts. When it is done, the objects that
 * the caller gave are kept.
 */
export async function withPlaces<T>(
  { kernel, namespaces }: HostContext,
  named: readonly NamedPlace[],
  operation: string,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const places = new Map<string, Place>()
  try {
    for (const { id, netns, path } of named) {
      try {
        const namespace = Namespace.open(netns)
        places.set(id, { namespace, path })
        if (namespace.inode === kernel.namespace.inode) throw ownNamespace(operation)
      } catch (error) {
        throw inOperation(error, operation, { path: joinPath(path, 'netns') })
      }
    }
    const result = await work(places)
    for (const { id, netns } of named) namespaces.keep(id, netns)
    return result
  } finally {
    for (const { namespace } of places.values()) namespace.close()
  }
}

/**
 * Opens the namespaces of containers in which something is to be removed. One that is not there any more, or that is not known after a
 * restart since it was given by no path, is passed over: what was in the first went with it.
 */
export async function withLastingPlaces<T>(
  { kernel, namespaces }: HostContext,
  transition: Transition,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const places = new Map<string, Place>()
  try {
    for (const id of transition.change.containers?.keys() ?? []) {
      if (!hasLasting(transition, id)) continue
      const source = namespaces.find(id) ?? transition.present.container(id)?.netns
      const namespace = source === undefined ? undefined : openIfThere(source)
      // The number of a process may be another one's by now, and that one may be in the host's.
      if (namespace?.inode === kernel.namespace.inode) namespace.close()
      else if (namespace) places.set(id, { namespace, path: '' })
    }
    return await work(places)
  } finally {
    for (const { namespace } of places.values()) namespace.close()
  }
}

function openIfThere(source: NamespaceSource): Namespace | undefined {
  try {
    return Namespace.open(source)
  } catch (error) {
    if (error instanceof NfbridgeError) return undefined
    throw error
  }
}

function ownNamespace(operation: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: "this is the host's own namespace: a container needs one of its own",
  })
}
