import { joinPath, NfbridgeError } from '../../errors.js'
import { Namespace, type NamespaceSource, processOf } from '../../netns/index.js'
import type { ContainerRecord } from '../plan/records.js'
import type { HostContext } from './host-context.js'
import { hasLasting } from './lasting-inside.js'
import type { Place, Places, Transition } from './stations.js'
import { inOperation } from './steps.js'

/** By what a container's namespace is found: what the caller gave, or the path that is remembered. */
export interface Source {
  readonly netns: NamespaceSource
  /** The process that a path below /proc was about when it was given; its number may be another one's by now. */
  readonly process?: string | undefined
}

/** What a source led to when the call began: what was looked at is what is used, whatever it leads to later. */
export interface Held extends Source {
  /** Undefined: {@link error} says why. */
  readonly namespace: Namespace | undefined
  readonly error?: unknown
}

/** A container's namespace in a call. */
export interface NamedPlace {
  readonly id: string
  readonly held: Held
  /** Where the container stands in the caller's input. */
  readonly path: string
}

/** By what was remembered of a container. */
export function rememberedSource({ netns, netnsProcess }: ContainerRecord): Source | undefined {
  return netns === undefined ? undefined : { netns, process: netnsProcess }
}

/** Opens each namespace once, for the whole of a call. What can't be opened is told by {@link withPlaces}. */
export async function withHeld<T>(
  sources: readonly Source[],
  work: (held: readonly Held[]) => Promise<T>,
): Promise<T> {
  const held: Held[] = []
  try {
    for (const source of sources) held.push(hold(source))
    return await work(held)
  } finally {
    for (const { namespace } of held) namespace?.close()
  }
}

function hold(source: Source): Held {
  try {
    return open(source)
  } catch (error) {
    if (error instanceof NfbridgeError) return { netns: source.netns, namespace: undefined, error }
    throw error
  }
}

/** A process that is still the one that it was has had its number all the while that its namespace was opened. */
function open({ netns, process }: Source): Held & { readonly namespace: Namespace } {
  const expected = process ?? processAt(netns)
  const namespace = Namespace.open(netns)
  if (expected === undefined || expected === processAt(netns)) return { netns, process: expected, namespace }
  namespace.close()
  throw new NfbridgeError({
    code: 'NFB_NAMESPACE_GONE',
    operation: 'netns.open',
    message: `${netns} is about another process by now than the one that the container was in; give its namespace again`,
    path: 'netns',
  })
}

/** The process that a path is about; of what is no path, none. */
export function processAt(netns: NamespaceSource | undefined): string | undefined {
  return typeof netns === 'string' ? processOf(netns) : undefined
}

/**
 * The places of containers, whose namespaces are held, for as long as the work lasts. When it is done, the objects that the caller gave
 * are kept.
 * @throws what was in the way of opening one, before anything is changed
 */
export async function withPlaces<T>(
  { kernel, namespaces }: HostContext,
  named: readonly NamedPlace[],
  operation: string,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const places = new Map<string, Place>()
  for (const { id, held, path } of named) {
    const { namespace } = held
    const isOwn = namespace?.inode === kernel.namespace.inode
    if (!namespace || isOwn)
      throw inOperation(isOwn ? ownNamespace(operation) : held.error, operation, {
        path: joinPath(path, 'netns'),
      })
    places.set(id, { namespace, path })
  }
  const result = await work(places)
  for (const { id, held } of named) namespaces.keep(id, held.netns)
  return result
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
      const kept = namespaces.find(id)
      const record = transition.present.container(id)
      const source = kept ? { netns: kept } : record && rememberedSource(record)
      const namespace = source && openIfThere(source)
      // A path may lead elsewhere by now, and to the host's own.
      if (namespace?.inode === kernel.namespace.inode) namespace.close()
      else if (namespace) places.set(id, { namespace, path: '' })
    }
    return await work(places)
  } finally {
    for (const { namespace } of places.values()) namespace.close()
  }
}

function openIfThere(source: Source): Namespace | undefined {
  try {
    return open(source).namespace
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
