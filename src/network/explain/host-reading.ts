/** What was read of a host and its containers: of each once, however many questions are answered from it. */
import { NfbridgeError } from '../../errors.js'
import { type NamespaceState, type ReadingLimits, StateReader } from '../../explain/index.js'
import { Namespace, type NamespaceSource } from '../../netns/index.js'
import type { HostKernel } from '../apply/host-kernel.js'
import type { KeptNamespaces } from '../apply/kept-namespaces.js'
import { inOperation } from '../apply/steps.js'
import { type ContainerRecord, standingEndpoints } from '../plan/records.js'

/** How sentences call the host. */
export const HOST = 'the host'

/**
 * What is read of a container, whose root fills its namespace: thousands of routes or rules. More
 * than a packet can be followed through at one go is not followed.
 */
const INSIDE_LIMITS: ReadingLimits = { listingLimit: 1024 * 1024, mostRules: 5_000 }

/** What the inside of a container was read from. */
interface Inside {
  readonly source: NamespaceSource
  readonly read: ReadInside
}

/** What was read; without a state where it could not be looked at, `tooLarge` says that and why there is more than is read. */
export interface ReadInside {
  readonly state?: NamespaceState
  readonly tooLarge?: string
}

/** The host is read at once, a container when a question comes to it. */
export class HostReading {
  readonly host: NamespaceState
  /** The name of our tables. */
  readonly table: string
  readonly #kept: KeptNamespaces
  /** By full id of the container. */
  readonly #insides = new Map<string, Inside>()
  readonly #byInode = new Map<bigint, NamespaceState>()
  readonly #open: { close(): void }[]

  private constructor(host: NamespaceState, table: string, kept: KeptNamespaces, reader: StateReader) {
    this.host = host
    this.table = table
    this.#kept = kept
    this.#open = [reader]
  }

  static async read(
    { namespace, table }: Pick<HostKernel, 'namespace' | 'table'>,
    kept: KeptNamespaces,
  ): Promise<HostReading> {
    const reader = await StateReader.open(HOST, namespace)
    try {
      return new HostReading(await reader.read(), table, kept, reader)
    } catch (error) {
      reader.close()
      throw error
    }
  }

  /**
   * The inside of a container.
   * @param given its namespace, where the caller gave it
   */
  async inside(record: ContainerRecord, given: NamespaceSource | undefined): Promise<ReadInside> {
    const source = given ?? this.#kept.find(record.id) ?? record.netns
    if (source === undefined) return {}
    const known = this.#insides.get(record.id)
    if (known && known.source === source) return known.read
    const read = await this.#readOrTell(record, source, given !== undefined)
    this.#insides.set(record.id, { source, read })
    return read
  }

  async #readOrTell(record: ContainerRecord, source: NamespaceSource, isGiven: boolean): Promise<ReadInside> {
    try {
      const state = await this.#readInside(record, source)
      return state ? { state } : {}
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
      if (error.code === 'NFB_TOO_LARGE') return { tooLarge: error.reason }
      // A namespace that the caller gave has to be one; what a path led to once may be gone.
      if (isGiven) throw inOperation(error, 'BridgeHost.explain', { path: `namespaces.${record.name}` })
      return {}
    }
  }

  close(): void {
    for (const each of this.#open) each.close()
  }

  async #readInside(record: ContainerRecord, source: NamespaceSource): Promise<NamespaceState | undefined> {
    const namespace = Namespace.open(source)
    this.#open.push(namespace)
    const shared = this.#byInode.get(namespace.inode)
    if (shared && isOf(shared, record)) return shared
    const reader = await StateReader.open(record.name, namespace, INSIDE_LIMITS)
    this.#open.push(reader)
    const state = await reader.read()
    if (!isOf(state, record)) return undefined
    this.#byInode.set(namespace.inode, state)
    return state
  }
}

/** Whether it is the container's own namespace: a path may lead to another one by now. */
function isOf({ links }: NamespaceState, record: ContainerRecord): boolean {
  return standingEndpoints(record).some((endpoint) =>
    links.some(({ index, peer }) => index === endpoint.index && peer === endpoint.hostIndex),
  )
}
