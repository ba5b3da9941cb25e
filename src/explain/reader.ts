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

/** Handles of one namespace; those of the caller stay open, those that were opened here are closed. */
export class StateReader {
  readonly name: string
  readonly #namespace: Namespace
  readonly #rtnl: Rtnl
  readonly #nft: Nft
  readonly #owned: readonly { close(): void }[]

  private constructor(
    name: string,
    namespace: Namespace,
    rtnl: Rtnl,
    nft: Nft,
    owned: readonly { close(): void }[],
  ) {
    this.name = name
    this.#namespace = namespace
    this.#rtnl = rtnl
    this.#nft = nft
    this.#owned = owned
  }

  /**
   * @param handles of the same namespace, for the caller to close; what is left out is opened here
   * @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED
   */
  static async open(
    name: string,
    namespace: Namespace,
    handles: { readonly rtnl?: Rtnl; readonly nft?: Nft } = {},
  ): Promise<StateReader> {
    const owned: { close(): void }[] = []
    const keep = <T extends { close(): void }>(handle: T): T => {
      owned.push(handle)
      return handle
    }
    try {
      const rtnl = handles.rtnl ?? keep(await Rtnl.open({ netns: namespace }))
      const nft = handles.nft ?? keep(await Nft.open({ netns: namespace }))
      return new StateReader(name, namespace, rtnl, nft, owned)
    } catch (error) {
      for (const handle of owned) handle.close()
      throw error
    }
  }

  /**
   * Reads everything, all tables of all families included, while the ruleset is of one generation.
   * @throws NfbridgeError NFB_DUMP_INCONSISTENT when it changed during each of several attempts
   */
  async read(): Promise<NamespaceState> {
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
        evaluator: new Evaluator(new Catalog(ruleset), environmentOf({ links, addresses, routes, rules })),
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
