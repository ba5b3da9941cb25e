import { BRIDGE_NETFILTER } from './bridge-netfilter.js'
import type { HostKernel } from './host-kernel.js'
import { leaveToAnother } from './leave-settings.js'
import { type Step, takeBack } from './steps.js'
import type { Sysctls } from './sysctls.js'

/** Keeps frames of bridges that do not ask for it from the IP rules, from the first network to the last. */
export class BridgeNetfilterOff {
  readonly #kernel: Pick<HostKernel, 'otherHosts' | 'leaveTo'>
  readonly #sysctls: Sysctls

  constructor(kernel: Pick<HostKernel, 'otherHosts' | 'leaveTo'>, sysctls: Sysctls) {
    this.#kernel = kernel
    this.#sysctls = sysctls
  }

  /**
   * Turns off what is on, where that is wanted; backward, gives back what was turned off, be it by an earlier process with other
   * options or by another host that left it to this one.
   */
  step(wanted: boolean): Step {
    const leaves = BRIDGE_NETFILTER.map((name) => `${name} = 0`).join(', ')
    /** What this step began to turn off; before it was applied: all. */
    let turned: readonly string[] = BRIDGE_NETFILTER
    const undo = (): Promise<void> => this.#giveBack(turned)
    return {
      leaves,
      apply: async () => {
        turned = []
        if (!wanted) return
        try {
          for (const name of BRIDGE_NETFILTER) {
            const now = await this.#sysctls.readIfThere(name)
            // Without br_netfilter no frame passes them.
            if (now === undefined || now === '0') continue
            // What an earlier process turned off, and somebody on, is not this step's to give back.
            if (this.#sysctls.before(name) === undefined) turned = [...turned, name]
            await this.#sysctls.change(name, '0')
          }
        } catch (error) {
          await takeBack(error, leaves, undo)
        }
      },
      undo,
    }
  }

  async #giveBack(turned: readonly string[]): Promise<void> {
    const names = turned.filter((name) => this.#sysctls.before(name) !== undefined)
    // Whoever is still there may have been opened with the same wish.
    if (names.length === 0 || (await leaveToAnother(this.#kernel, this.#sysctls, names, () => true))) return
    for (const name of names) await this.#sysctls.restore(name)
  }
}
