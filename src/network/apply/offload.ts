import { release } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { NfbridgeError } from '../../errors.js'
import type { Link, Route } from '../../rtnl/index.js'
import type { HostSettings } from '../plan/network-settings.js'
import { offloadDevices, reasonAgainstOffload } from '../plan/offload.js'
import type { NetworkView } from '../plan/view.js'
import type { HostKernel } from './host-kernel.js'
import { readLegacyTables } from './legacy-tables.js'
import type { Step } from './steps.js'

const OPERATION = 'BridgeHost.open'

/** From here on connections that are offloaded can be deleted (ctnetlink_del_conntrack): before, nothing could revoke them. */
const FIRST_KERNEL = [5, 19] as const

const NO_NETWORK = 'there is no network'

/** What of the kernel's handles is used here. */
export interface OffloadKernel
  extends Pick<
    HostKernel,
    | 'offload'
    | 'table'
    | 'hasFlowtables'
    | 'commitOffload'
    | 'listLinks'
    | 'listRoutes'
    | 'listChains'
    | 'watchNewRoutes'
  > {
  readonly namespace: Pick<HostKernel['namespace'], 'readProcNet'>
  readonly userRules: Pick<HostKernel['userRules'], 'readChains'>
}

/** Whether connections are offloaded, between what, and why not. */
export interface OffloadState {
  readonly on: boolean
  readonly devices: readonly string[]
  readonly reason: string | null
}

/**
 * Has established connections between containers and the outside go past the hooks, by a flowtable, as long as the kernel has
 * them and nobody must see every packet.
 */
export class Offload {
  readonly #kernel: OffloadKernel
  readonly #settings: Pick<HostSettings, 'offload' | 'firewall'>
  readonly #release: string
  /** Is told of routes that come, as long as it is in effect. */
  onNewRoute: (route: Route | undefined) => void = () => undefined
  /** Why the kernel can't; null: it can. Asked once. */
  #lack: string | null | undefined
  #reason: string | undefined = NO_NETWORK
  /** What the flowtable was made with. One that goes leaves it, and is another one if it comes again, as its index tells. */
  #devices: readonly Pick<Link, 'name' | 'index'>[] = []

  /** @param version of the kernel */
  constructor(
    kernel: OffloadKernel,
    settings: Pick<HostSettings, 'offload' | 'firewall'>,
    version: string = release(),
  ) {
    this.#kernel = kernel
    this.#settings = settings
    this.#release = version
  }

  /** As it is now. */
  get state(): OffloadState {
    const { offload: devices } = this.#kernel
    if (devices) return { on: true, devices, reason: null }
    const reason = this.#settings.firewall ? (this.#reason ?? NO_NETWORK) : 'firewall is false'
    return { on: false, devices: [], reason }
  }

  /** @throws NfbridgeError NFB_NOT_SUPPORTED */
  async require(): Promise<void> {
    const lack = await this.#lacks()
    if (lack === null) return
    throw new NfbridgeError({
      code: 'NFB_NOT_SUPPORTED',
      operation: OPERATION,
      path: 'offload',
      message: `${lack}; leave offload: 'auto', which does without`,
    })
  }

  /** A rule of the users comes: what it must see meets the hooks from here on, until {@link follow} is called. */
  async giveWay(): Promise<void> {
    if (this.#settings.offload === 'auto' && this.#kernel.offload) await this.#kernel.commitOffload(undefined)
  }

  /** Takes effect with the networks of a view, or has none any more, as things are now. It does not fail: {@link state} says why. */
  async follow(view: NetworkView): Promise<void> {
    try {
      await this.#follow(view)
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
      // A device or a table of ours is gone; or somebody else commits all the time. The next change looks again.
      this.#reason = `it could not be set up: ${error.reason}`
    }
  }

  /** The same as a step of a change that makes networks; backward, as one that removes them. */
  step(before: NetworkView, after: NetworkView): Step {
    return {
      leaves: 'the flowtable',
      apply: () => this.follow(after),
      undo: () => this.follow(before),
    }
  }

  async #follow(view: NetworkView): Promise<void> {
    const kernel = this.#kernel
    const bridges = [...view.networks].flatMap((network) => network.bridges)
    // The tables go with the last network.
    if (bridges.length === 0) {
      this.#reason = NO_NETWORK
      return
    }
    this.#reason = await this.#reasonAgainst()
    if (this.#reason !== undefined) {
      if (kernel.offload) await kernel.commitOffload(undefined)
      return
    }
    // Before they are listed: what comes meanwhile is told.
    await kernel.watchNewRoutes((route) => this.onNewRoute(route))
    const links = offloadDevices(await kernel.listLinks(), await kernel.listRoutes(), bridges)
    const devices = links.map(({ name, index }) => ({ name, index }))
    if (kernel.offload && isDeepStrictEqual(devices, this.#devices)) return
    await kernel.commitOffload(devices.map(({ name }) => name))
    this.#devices = devices
  }

  async #reasonAgainst(): Promise<string | undefined> {
    const { offload: option } = this.#settings
    const facts = { option, userRules: false, chains: [], table: this.#kernel.table, legacyTables: [] }
    if (option === false) return reasonAgainstOffload(facts)
    const lack = await this.#lacks()
    if (lack !== null) return lack
    if (option === true) return reasonAgainstOffload(facts)
    const { forward, inbound } = await this.#kernel.userRules.readChains()
    const { nftables: chains } = await this.#kernel.listChains()
    const legacyTables = await readLegacyTables(this.#kernel.namespace)
    return reasonAgainstOffload({
      ...facts,
      userRules: forward.length + inbound.length > 0,
      chains,
      legacyTables,
    })
  }

  async #lacks(): Promise<string | null> {
    if (this.#lack === undefined) this.#lack = await this.#look()
    return this.#lack
  }

  async #look(): Promise<string | null> {
    if (isOlder(this.#release))
      return `kernel ${this.#release} deletes no connection that is offloaded: ${FIRST_KERNEL.join('.')} is the first that does`
    if (await this.#kernel.hasFlowtables()) return null
    return 'this kernel has no flowtables (CONFIG_NF_FLOW_TABLE_INET, CONFIG_NFT_FLOW_OFFLOAD; modules nf_flow_table_inet, nft_flow_offload)'
  }
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const [first, second] = FIRST_KERNEL
  return major < first || (major === first && minor < second)
}
