/** The namespaces of a host and its containers, read as an explanation asks for them. */
import { parseAddress } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { type NamespaceState, StateReader, type Step, type World } from '../../explain/index.js'
import { Namespace, type NamespaceSource } from '../../netns/index.js'
import type { Link } from '../../rtnl/index.js'
import type { HostKernel } from '../apply/host-kernel.js'
import type { KeptNamespaces } from '../apply/kept-namespaces.js'
import { inOperation } from '../apply/steps.js'
import { linkLocalAddresses, poolEndpoints } from '../plan/endpoints.js'
import { type ContainerRecord, standingEndpoints } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { FORWARD_CHAIN } from '../rules/names.js'
import { assumedState } from './assumed-state.js'

/** How sentences call the host. */
export const HOST = 'the host'

/** A reading of the host, and of those of its containers that the question comes to. */
export class HostWorld implements World {
  readonly host: NamespaceState
  readonly #table: string
  readonly #registry: Registry
  readonly #namespaces: ReadonlyMap<string, NamespaceSource>
  readonly #kept: KeptNamespaces
  /** By full id: those of several containers in one namespace, as in a pod, are the same object. */
  readonly #states = new Map<string, NamespaceState>()
  readonly #byInode = new Map<bigint, NamespaceState>()
  readonly #assumed: string[] = []
  #known: ReadonlySet<number> | undefined
  readonly #open: { close(): void }[]

  private constructor(
    host: NamespaceState,
    table: string,
    registry: Registry,
    namespaces: ReadonlyMap<string, NamespaceSource>,
    kept: KeptNamespaces,
    open: { close(): void }[],
  ) {
    this.host = host
    this.#table = table
    this.#registry = registry
    this.#namespaces = namespaces
    this.#kept = kept
    this.#open = open
  }

  /** @param namespaces that the caller gave, by full id of their containers */
  static async read(
    { namespace, table }: Pick<HostKernel, 'namespace' | 'table'>,
    registry: Registry,
    namespaces: ReadonlyMap<string, NamespaceSource>,
    kept: KeptNamespaces,
  ): Promise<HostWorld> {
    const reader = await StateReader.open(HOST, namespace)
    try {
      return new HostWorld(await reader.read(), table, registry, namespaces, kept, [reader])
    } catch (error) {
      reader.close()
      throw error
    }
  }

  /** Names of the containers whose inside was not looked at. */
  get assumed(): readonly string[] {
    return this.#assumed
  }

  /** A function of its own: it is handed on without its object. */
  readonly isOwn = ({ family, table }: Pick<Step, 'family' | 'table'>): boolean =>
    table === this.#table && (family === 'inet' || family === 'bridge')

  /** Why no rule of ours is asked about routed packets; undefined: they are asked. */
  get unasked(): 'gone' | 'dormant' | undefined {
    const { catalog } = this.host.evaluator
    const ours = { family: 'inet', table: this.#table } as const
    if (catalog.isDormant(ours)) return 'dormant'
    return catalog.chain(ours, FORWARD_CHAIN) === undefined ? 'gone' : undefined
  }

  /** The name of our tables, as sentences have it. */
  get tableName(): string {
    return `inet ${this.#table}`
  }

  /** Those that were given an address, those that the caller named, and those that the question came to already. */
  async machines(address: string): Promise<readonly NamespaceState[]> {
    for (const container of this.#registry.containers) {
      if (container.state !== 'running') continue
      if (hasBeenGiven(container, address) || this.#namespaces.has(container.id))
        await this.container(container)
    }
    return [...new Set(this.#states.values())]
  }

  owner(address: string): string | undefined {
    for (const container of this.#registry.containers)
      if (hasBeenGiven(container, address)) return container.name
    return undefined
  }

  /** A function of its own: it is handed on without its object. */
  readonly isKnownPort = ({ index }: Link): boolean => {
    this.#known ??= new Set(
      [...this.#registry.containers].flatMap((each) =>
        standingEndpoints(each).map(({ hostIndex }) => hostIndex),
      ),
    )
    return this.#known.has(index)
  }

  /** Whose an address is in a namespace that something came to: one of several containers in it, or whom it is called by. */
  ownerAt({ namespace, address }: { readonly namespace: string; readonly address: string }): string {
    for (const [id, { name }] of this.#states) {
      const container = name === namespace ? this.#registry.container(id) : undefined
      if (container && hasBeenGiven(container, address)) return container.name
    }
    return namespace
  }

  /** The inside of a container that runs. */
  async container(record: ContainerRecord): Promise<NamespaceState> {
    const known = this.#states.get(record.id)
    if (known) return known
    const read = await this.#readInside(record)
    if (!read) this.#assumed.push(record.name)
    const state = read ?? assumedState(this.#registry, record, this.host.links)
    this.#states.set(record.id, state)
    return state
  }

  close(): void {
    for (const each of this.#open) each.close()
  }

  async #readInside(record: ContainerRecord): Promise<NamespaceState | undefined> {
    const source = this.#namespaces.get(record.id) ?? this.#kept.find(record.id) ?? record.netns
    if (source === undefined) return undefined
    try {
      const namespace = Namespace.open(source)
      this.#open.push(namespace)
      const shared = this.#byInode.get(namespace.inode)
      if (shared && isOf(shared, record)) return shared
      const reader = await StateReader.open(record.name, namespace)
      this.#open.push(reader)
      const state = await reader.read()
      if (!isOf(state, record)) return undefined
      this.#byInode.set(namespace.inode, state)
      return state
    } catch (error) {
      // A namespace that the caller gave has to be one; what a path led to once may be gone.
      if (!(error instanceof NfbridgeError)) throw error
      if (this.#namespaces.has(record.id))
        throw inOperation(error, 'BridgeHost.explain', { path: `namespaces.${record.name}` })
      return undefined
    }
  }
}

/** Whether it is the container's own namespace: a path may lead to another one by now. */
function isOf({ links }: NamespaceState, record: ContainerRecord): boolean {
  return standingEndpoints(record).some((endpoint) =>
    links.some(({ index, peer }) => index === endpoint.index && peer === endpoint.hostIndex),
  )
}

/** Whether a container was given an address, link-local ones included. */
export function hasBeenGiven(container: ContainerRecord, text: string): boolean {
  const address = parseAddress(text).toString()
  return standingEndpoints(container).some(
    (endpoint) =>
      poolEndpoints(endpoint).some((each) => each.address.toString() === address) ||
      linkLocalAddresses(endpoint).some((each) => each.toString() === address),
  )
}
