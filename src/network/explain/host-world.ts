/** The namespaces of a host and its containers, as one explanation comes to them. */
import { parseAddress } from '../../address/index.js'
import type { NamespaceState, Step, World } from '../../explain/index.js'
import type { NamespaceSource } from '../../netns/index.js'
import type { Link } from '../../rtnl/index.js'
import { linkLocalAddresses, poolEndpoints } from '../plan/endpoints.js'
import { type ContainerRecord, standingEndpoints } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { FORWARD_CHAIN } from '../rules/names.js'
import { assumedState } from './assumed-state.js'
import type { HostReading } from './host-reading.js'

/** What was read of the host, and of those of its containers that the question comes to. */
export class HostWorld implements World {
  readonly host: NamespaceState
  readonly #reading: HostReading
  readonly #registry: Registry
  readonly #namespaces: ReadonlyMap<string, NamespaceSource>
  /** By full id: those of several containers in one namespace, as in a pod, are the same object. */
  readonly #states = new Map<string, NamespaceState>()
  readonly #assumed: string[] = []
  readonly #tooLarge = new Map<string, string>()
  #known: ReadonlySet<number> | undefined

  /** @param namespaces that the caller gave, by full id of their containers */
  constructor(
    reading: HostReading,
    registry: Registry,
    namespaces: ReadonlyMap<string, NamespaceSource> = new Map(),
  ) {
    this.host = reading.host
    this.#reading = reading
    this.#registry = registry
    this.#namespaces = namespaces
  }

  /** Names of the containers whose inside was not looked at. */
  get assumed(): readonly string[] {
    return this.#assumed
  }

  /** Of those the ones that have more inside than is read, by name, with the sentence that says so. */
  get tooLarge(): ReadonlyMap<string, string> {
    return this.#tooLarge
  }

  /** A function of its own: it is handed on without its object. */
  readonly isOwn = ({ family, table }: Pick<Step, 'family' | 'table'>): boolean =>
    table === this.#reading.table && (family === 'inet' || family === 'bridge')

  /** Why no rule of ours is asked about routed packets; undefined: they are asked. */
  get unasked(): 'gone' | 'dormant' | undefined {
    const { catalog } = this.host.evaluator
    const ours = { family: 'inet', table: this.#reading.table } as const
    if (catalog.isDormant(ours)) return 'dormant'
    return catalog.chain(ours, FORWARD_CHAIN) === undefined ? 'gone' : undefined
  }

  /** The name of our tables, as sentences have it. */
  get tableName(): string {
    return `inet ${this.#reading.table}`
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
    const { state: read, tooLarge } = await this.#reading.inside(record, this.#namespaces.get(record.id))
    if (!read) this.#assumed.push(record.name)
    if (tooLarge !== undefined) this.#tooLarge.set(record.name, tooLarge)
    const state = read ?? assumedState(this.#registry, record, this.host.links)
    this.#states.set(record.id, state)
    return state
  }
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
