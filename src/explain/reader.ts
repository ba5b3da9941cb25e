/** Reads the state of a namespace from its kernel. */
import { NfbridgeError } from '../errors.js'
import type { Namespace } from '../netns/index.js'
import { Nft } from '../nft/index.js'
import { Rtnl } from '../rtnl/index.js'
import { Catalog } from './catalog.js'
import { Evaluator } from './evaluate.js'
import { listSettled } from './settled.js'
import { environmentOf, type NamespaceState } from './state.js'

/** How often reading begins anew because the ruleset changed meanwhile. */
const ATTEMPTS = 5

/** What listings are of, by the operation that is told of an error. */
const LISTED: ReadonlyMap<string, string> = new Map([
  ['rtnl.links.list', 'interfaces'],
  ['rtnl.addresses.list', 'addresses'],
  ['rtnl.routes.list', 'routes'],
  ['rtnl.rules.list', 'routing rules'],
  ['rtnl.neighbours.list', 'neighbours'],
  ['rtnl.fdb.list', 'entries of bridges'],
])

/** What of a namespace is read at most, where somebody else fills it. */
export interface ReadingLimits {
  /** How many bytes the kernel may answer with, of each of netlink's two families. */
  readonly listingLimit: number
  /** How many rules a packet is followed through at one hook. */
  readonly mostRules: number
}

/** Handles of one namespace; those of the caller stay open, those that were opened here are closed. */
export class StateReader {
  readonly name: string
  readonly #namespace: Namespace
  readonly #rtnl: Rtnl
  readonly #nft: Nft
  readonly #mostRules: number | undefined
  readonly #owned: readonly { close(): void }[]

  private constructor(
    name: string,
    namespace: Namespace,
    rtnl: Rtnl,
    nft: Nft,
    mostRules: number | undefined,
    owned: readonly { close(): void }[],
  ) {
    this.name = name
    this.#namespace = namespace
    this.#rtnl = rtnl
    this.#nft = nft
    this.#mostRules = mostRules
    this.#owned = owned
  }

  /**
   * @param limits of a namespace that somebody else fills; default: none
   * @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED
   */
  static async open(
    name: string,
    namespace: Namespace,
    limits: Partial<ReadingLimits> = {},
  ): Promise<StateReader> {
    const { listingLimit, mostRules } = limits
    const owned: { close(): void }[] = []
    const keep = <T extends { close(): void }>(handle: T): T => {
      owned.push(handle)
      return handle
    }
    try {
      const options = { netns: namespace, ...(listingLimit !== undefined && { listingLimit }) }
      const rtnl = keep(await Rtnl.open(options))
      const nft = keep(await Nft.open(options))
      return new StateReader(name, namespace, rtnl, nft, mostRules, owned)
    } catch (error) {
      for (const handle of owned) handle.close()
      throw error
    }
  }

  /**
   * Reads everything, all tables of all families included, while the ruleset is of one generation.
   * @throws NfbridgeError NFB_DUMP_INCONSISTENT when it changed during each of several attempts; NFB_TOO_LARGE when there is more than
   * the limit
   */
  async read(): Promise<NamespaceState> {
    try {
      return await this.#read()
    } catch (error) {
      if (!(error instanceof NfbridgeError && error.code === 'NFB_TOO_LARGE')) throw error
      throw new NfbridgeError({
        code: 'NFB_TOO_LARGE',
        operation: 'explain.read',
        message: `${this.name} has more ${LISTED.get(error.operation) ?? 'rules of nftables'} in its namespace than are read`,
        cause: error,
      })
    }
  }

  async #read(): Promise<NamespaceState> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const ruleset = await this.#nft.list()
      const { links, addresses, routes } = await listSettled(this.#rtnl)
      const [rules, neighbours, fdb] = await Promise.all([
        this.#rtnl.rules.list(),
        this.#rtnl.neighbours.list(),
        this.#rtnl.fdb.list(),
      ])
      const { generation } = await this.#nft.list({ kinds: [] })
      if (generation !== ruleset.generation) continue
      return {
        name: this.name,
        generation,
        links,
        addresses,
        routes,
        rules,
        neighbours,
        fdb,
        evaluator: new Evaluator(
          new Catalog(ruleset),
          environmentOf({ links, addresses, routes, rules }),
          this.#mostRules,
        ),
        lookup: (question) => this.#rtnl.routes.lookup(question),
        sysctl: (name) => this.#sysctl(name),
      }
    }
    throw new NfbridgeError({
      code: 'NFB_DUMP_INCONSISTENT',
      operation: 'explain.read',
      message: `the ruleset changed during each of ${ATTEMPTS} readings: try again`,
    })
  }

  close(): void {
    for (const handle of this.#owned) handle.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #sysctl(name: string): Promise<string | undefined> {
    try {
      return await this.#namespace.readSysctl(name)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }
}
