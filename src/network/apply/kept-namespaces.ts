import { Namespace, type NamespaceSource } from '../../netns/index.js'

/** Of each host's namespace, by inode: they outlive a host that is closed, as its networks do. */
const byHost = new Map<bigint, Map<string, Namespace>>()

/**
 * The `Namespace` objects that containers were attached with. A namespace that nothing else holds would go with its object, when
 * the garbage collector finds that nobody uses it; so an object that was given to us is kept, for as long as the container is
 * attached and the caller does not close it. The kernel holds what is given by a path or a process id, and we don't.
 */
export class KeptNamespaces {
  readonly #byContainer: Map<string, Namespace>

  /** Those that this process keeps for a host. */
  constructor(host: Namespace) {
    this.#byContainer = byHost.get(host.inode) ?? new Map()
    byHost.set(host.inode, this.#byContainer)
  }

  /** What a container's namespace was given by last: an object is kept, and anything else takes the place of one. */
  keep(id: string, given: NamespaceSource): void {
    if (given instanceof Namespace) this.#byContainer.set(id, given)
    else this.#byContainer.delete(id)
  }

  /** The open object of a container; undefined: there is none, or it was closed. */
  find(id: string): Namespace | undefined {
    const namespace = this.#byContainer.get(id)
    if (!namespace?.closed) return namespace
    this.#byContainer.delete(id)
    return undefined
  }

  forget(id: string): void {
    this.#byContainer.delete(id)
  }

  /** Forgets those of containers that are not known, or that were found by a path since. */
  retain(isKept: (id: string) => boolean): void {
    for (const id of this.#byContainer.keys()) if (!isKept(id)) this.#byContainer.delete(id)
  }
}
