import { NfbridgeError } from '../../errors.js'
import type { PortReservations } from '../../netns/index.js'
import { AddressEnds, arrivingAddresses } from '../plan/address-ends.js'
import { elementsOf, everything, planElements, type Touched } from '../plan/elements.js'
import { flowsOf, revokedFlows, untranslatedFlows, type ViewStep } from '../plan/flows.js'
import type { HostSettings } from '../plan/network-settings.js'
import type { Registry } from '../plan/registry.js'
import { unrememberedLinks } from '../plan/unremembered.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import type { AdoptedBridge } from './adopted-bridge.js'
import { Advertiser } from './advertiser.js'
import type { BridgeNetfilterOff } from './bridge-netfilter-off.js'
import type { Forwarding } from './forwarding.js'
import type { HostKernel } from './host-kernel.js'
import { KeptNamespaces } from './kept-namespaces.js'
import { Offload } from './offload.js'
import type { Persistence } from './persistence.js'
import type { UnreservedPort } from './port-steps.js'
import { Revocations } from './revocations.js'
import type { RulesetContent } from './ruleset-transaction.js'
import { inOperation, type Leftover, type Step, takeBack } from './steps.js'
import type { Sysctls } from './sysctls.js'
import { Turns } from './turns.js'
import type { UnwrittenHostsFile } from './unwritten-hosts-files.js'

/** What a context is made of. */
export interface HostParts {
  readonly settings: HostSettings
  readonly kernel: HostKernel
  readonly registry: Registry
  readonly persistence: Persistence
  readonly sysctls: Sysctls
  readonly forwarding: Forwarding
  readonly bridgeNetfilter: BridgeNetfilterOff
  /** The published ports, kept from other processes. */
  readonly reservations: PortReservations
  /** What we changed on bridges that are not ours, by name. */
  readonly adoptedBridges: Map<string, AdoptedBridge>
}

/** What the host, its networks and its containers share. */
export class HostContext {
  readonly settings: HostSettings
  readonly kernel: HostKernel
  readonly registry: Registry
  readonly persistence: Persistence
  readonly sysctls: Sysctls
  readonly forwarding: Forwarding
  readonly bridgeNetfilter: BridgeNetfilterOff
  readonly reservations: PortReservations
  readonly adoptedBridges: Map<string, AdoptedBridge>
  /** What keeps the containers' namespaces. */
  readonly namespaces: KeptNamespaces
  /** Tells neighbours of the containers' addresses. */
  readonly advertiser: Advertiser
  /** Which connections go past the hooks. */
  readonly offload: Offload
  /** Which addresses have no connections of former owners. */
  readonly ends: AddressEnds = new AddressEnds()
  /** What was revoked where files could not be written. */
  readonly revocations: Revocations
  /** Published ports that others had taken when the host was opened. */
  unreservedPorts: readonly UnreservedPort[] = []
  /** Hosts files that could not be written, by their paths. */
  unwrittenHostsFiles: Map<string, UnwrittenHostsFile> = new Map()
  /** Whether what containers have already was in the way once; see {@link besideOthers}. */
  looksInside = false
  /** What is looked at when a call has found that somebody else has committed; it does not fail. */
  othersCommitted: () => Promise<void> = async () => undefined
  readonly #turns = new Turns()
  #leftovers: readonly Leftover[] = []
  #closed = false

  constructor(parts: HostParts) {
    this.settings = parts.settings
    this.kernel = parts.kernel
    this.registry = parts.registry
    this.persistence = parts.persistence
    this.sysctls = parts.sysctls
    this.forwarding = parts.forwarding
    this.bridgeNetfilter = parts.bridgeNetfilter
    this.reservations = parts.reservations
    this.adoptedBridges = parts.adoptedBridges
    this.namespaces = new KeptNamespaces(parts.kernel.namespace)
    this.advertiser = new Advertiser(parts.kernel)
    this.offload = new Offload(parts.kernel, parts.settings)
    this.revocations = new Revocations(parts.persistence, parts.registry, parts.kernel.marks)
  }

  /** Runs a call when the calls before it have ended; what it plans therefore still stands when it is applied. */
  operate<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#assertOpen(operation)
      await this.#retry()
      try {
        const result = await work()
        if (this.kernel.takeOthersCommitted()) await this.othersCommitted()
        const told = this.revocations.takeTold()
        if (told) throw told
        return result
      } catch (error) {
        // What a lower layer calls its own operation is this call to the caller.
        throw inOperation(error, operation)
      }
    })
  }

  /** What a call could not take back when it failed: the next one tries once more, before it does anything. */
  readonly leave = (leftovers: readonly Leftover[]): void => {
    this.#leftovers = leftovers
  }

  async #retry(): Promise<void> {
    const leftovers = this.#leftovers
    // Once: later on somebody else may have made what would then be taken away.
    this.#leftovers = []
    if (leftovers.length === 0) return
    await this.kernel.exclusively(async () => {
      for (const { undo } of leftovers.toReversed()) await undo().catch(() => undefined)
    })
  }

  /** Whether {@link close} has ended it. */
  get closed(): boolean {
    return this.#closed
  }

  /** Ends the context after the calls that were asked for before: later ones fail with NFB_CLOSED. */
  close(): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#closed) return
      this.#closed = true
      try {
        for (const network of this.registry.networks) {
          this.persistence.savePools(network.name, this.registry.poolMemories(network))
        }
        // Any tool may have changed them; a reboot would forget it.
        if (this.settings.firewall) await this.kernel.userRules.snapshot()
      } catch (error) {
        throw inOperation(error, 'BridgeHost.close')
      } finally {
        this.advertiser.close()
        this.reservations.close()
        this.kernel.close()
        this.persistence.close()
      }
    })
  }

  /** The step that writes a change to the state directory. */
  remember(change: ViewChange, before: NetworkView = this.registry): Step {
    const inverse = invertChange(change, before)
    const leaves = 'files of the state directory'
    return {
      leaves,
      apply: async () => {
        try {
          await this.revocations.save(change, before)
        } catch (error) {
          // Some of the files may be written.
          await takeBack(error, leaves, async () => this.persistence.save(inverse))
        }
      },
      undo: async () => {
        try {
          await this.revocations.save(inverse, withChange(before, change))
        } catch (error) {
          await takeBack(error, leaves, async () => this.persistence.save(change))
        }
      },
      isMemory: true,
    }
  }

  /**
   * The step that commits the difference of two views in one transaction, and ends the connections that only deleted
   * elements allowed, as well as those that are left of former owners of addresses that come. No step where no rules are made, or nothing differs; nor before the first network, which brings the
   * rules with all that there is.
   */
  elementSteps(before: NetworkView, after: NetworkView, touched: Touched): Step[] {
    if (!this.settings.firewall || (isEmpty(before.networks) && isEmpty(after.networks))) return []
    const change = planElements(before, after, touched)
    if (change.add.length + change.delete.length === 0) return []
    const forward: ViewStep = { before, after, touched, change }
    const backward: ViewStep = {
      before: after,
      after: before,
      touched,
      change: { add: change.delete, delete: change.add },
    }
    const leaves = `elements of the sets of table ${this.settings.name}, or connections that they allowed`
    // Known where the change was made by this very step, and is not just taken away.
    let former: ReadonlySet<string> | undefined
    return [
      {
        leaves,
        apply: async () => {
          await this.#forgetFormer(forward)
          former = this.kernel.ruled
          await this.#commit(forward)
          try {
            await this.#forgetFlows(forward)
          } catch (error) {
            await takeBack(error, leaves, () => this.#commit(backward, former))
          }
        },
        undo: async () => {
          await this.#commit(backward, former)
          await this.#forgetFlows(backward)
        },
      },
    ]
  }

  /** Makes our rules and elements again where somebody has taken any: for what the kernel does all the same. */
  async mendRules(): Promise<void> {
    const { firewall } = this.settings
    if (firewall && !isEmpty(this.registry.networks) && !(await this.kernel.isWhole()))
      await this.#commitAll(this.registry)
  }

  /** Commits elements; where somebody else removed or emptied our tables, everything is made again as it should be. */
  async #commit(step: ViewStep, former?: ReadonlySet<string>): Promise<void> {
    const presumed = this.kernel.questions.presumed(unrememberedLinks(step))
    try {
      await this.kernel.commitElements(step.change, presumed, former)
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
      await this.#commitAll(step.after, presumed)
    }
  }

  async #commitAll(view: NetworkView, presumed: RulesetContent['asked'] = []): Promise<void> {
    await this.kernel.commitRuleset('replace', [...elementsOf(view, everything(view)).values()], presumed)
    await this.offload.follow(view)
  }

  async #forgetFlows(step: ViewStep): Promise<void> {
    await this.kernel.forgetFlows([...revokedFlows(step), ...untranslatedFlows(step.change.add)])
    await this.kernel.questions.forget(step.change.delete)
    const gone = arrivingAddresses(step.after, step.before, step.touched.containers)
    this.ends.end(gone.map(({ address }) => address))
  }

  /** Whoever gets an address begins without a connection: where it is not known how it was last had, the kernel's table is walked through. */
  async #forgetFormer({ before, after, touched }: ViewStep): Promise<void> {
    const arriving = arrivingAddresses(before, after, touched.containers)
    const unclean = arriving.filter(({ network, address }) => {
      const record = after.network(network)
      return record === undefined || !this.ends.isClean(record, address)
    })
    const addresses = unclean.map(({ address }) => address)
    const ours = addresses.filter((address) => this.ends.isOpen(address))
    this.ends.begin(arriving.map(({ address }) => address))
    if (addresses.length > 0) await this.kernel.forgetFlows(flowsOf(addresses))
    if (ours.length > 0) await this.kernel.questions.forgetAddresses(ours)
  }

  #assertOpen(operation: string): void {
    if (!this.#closed) return
    throw new NfbridgeError({ code: 'NFB_CLOSED', operation, message: 'the host is closed; open it again' })
  }
}

function isEmpty(values: Iterable<unknown>): boolean {
  for (const _ of values) return false
  return true
}
