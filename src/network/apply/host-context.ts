import { NfbridgeError } from '../../errors.js'
import { type ElementChange, elementsOf, everything, planElements, type Touched } from '../plan/elements.js'
import { revokedFlows, untranslatedFlows } from '../plan/flows.js'
import type { HostSettings } from '../plan/network-settings.js'
import type { Plan } from '../plan/plan.js'
import type { Registry } from '../plan/registry.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import type { Forwarding } from './forwarding.js'
import type { HostKernel } from './host-kernel.js'
import type { Persistence } from './persistence.js'
import { applySteps, inOperation, type Step } from './steps.js'
import { Turns } from './turns.js'

/** What a context is made of. */
export interface HostParts {
  readonly settings: HostSettings
  readonly kernel: HostKernel
  readonly registry: Registry
  readonly persistence: Persistence
  readonly forwarding: Forwarding
}

/** What the host, its networks and its containers share. */
export class HostContext {
  readonly settings: HostSettings
  readonly kernel: HostKernel
  readonly registry: Registry
  readonly persistence: Persistence
  readonly forwarding: Forwarding
  readonly #turns = new Turns()
  #closed = false

  constructor(parts: HostParts) {
    this.settings = parts.settings
    this.kernel = parts.kernel
    this.registry = parts.registry
    this.persistence = parts.persistence
    this.forwarding = parts.forwarding
  }

  /** Runs a call when the calls before it have ended; what it plans therefore still stands when it is applied. */
  operate<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#assertOpen(operation)
      try {
        return await work()
      } catch (error) {
        // What a lower layer calls its own operation is this call to the caller.
        throw inOperation(error, operation)
      }
    })
  }

  /** Ends the context after the calls that were asked for before: later ones fail with NFB_CLOSED. */
  close(): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#closed) return
      this.#closed = true
      try {
        for (const network of this.registry.networks) {
          this.persistence.savePool(network.name, this.registry.pool(network).memory)
        }
      } finally {
        this.kernel.close()
      }
    })
  }

  /** Applies a plan that only concerns rules: links and publications. */
  async change(plan: Plan, operation: string): Promise<void> {
    const after = withChange(this.registry, plan.change)
    const steps = [this.remember(plan.change), ...this.elementSteps(this.registry, after, plan.touched)]
    await applySteps(steps, operation)
    this.registry.apply(plan.change)
  }

  /** The step that writes a change to the state directory. */
  remember(change: ViewChange, before: NetworkView = this.registry): Step {
    const inverse = invertChange(change, before)
    return {
      leaves: 'files of the state directory',
      apply: async () => this.persistence.save(change),
      undo: async () => this.persistence.save(inverse),
    }
  }

  /**
   * The step that commits the difference of two views in one transaction, and ends the connections that only deleted
   * elements allowed. No step where no rules are made, or nothing differs.
   */
  elementSteps(before: NetworkView, after: NetworkView, touched: Touched): Step[] {
    const change = planElements(before, after, touched)
    if (!this.settings.firewall || change.add.length + change.delete.length === 0) return []
    const inverse: ElementChange = { add: change.delete, delete: change.add }
    return [
      {
        leaves: 'elements of the sets of table nfbridge, or connections that they allowed',
        apply: async () => {
          await this.#commit(change, after)
          try {
            await this.#forgetFlows(change)
          } catch (error) {
            await this.#commit(inverse, before)
            throw error
          }
        },
        undo: async () => {
          await this.#commit(inverse, before)
          await this.#forgetFlows(inverse)
        },
      },
    ]
  }

  /** Commits elements; where somebody else removed our tables or elements, everything is made again as it should be. */
  async #commit(change: ElementChange, goal: NetworkView): Promise<void> {
    try {
      await this.kernel.commitElements(change)
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
      await this.kernel.commitRuleset('replace', [...elementsOf(goal, everything(goal)).values()])
    }
  }

  async #forgetFlows(change: ElementChange): Promise<void> {
    await this.kernel.forgetFlows(revokedFlows(change.delete))
    await this.kernel.forgetFlows(untranslatedFlows(change.add))
  }

  #assertOpen(operation: string): void {
    if (!this.#closed) return
    throw new NfbridgeError({ code: 'NFB_CLOSED', operation, message: 'the host is closed; open it again' })
  }
}
