import { eachFamily } from '../plan/endpoints.js'
import { type Family, familiesOf, type NetworkRecord } from '../plan/records.js'
import type { HostKernel } from './host-kernel.js'
import { type Step, takeBack } from './steps.js'
import type { Sysctls } from './sysctls.js'

/** RFC 1812 forwarding between interfaces; see the kernel's Documentation/networking/ip-sysctl.rst. */
const FORWARDING: Readonly<Record<Family, string>> = {
  4: 'net.ipv4.ip_forward',
  6: 'net.ipv6.conf.all.forwarding',
}

/** Turns forwarding on with the first network of a family, and gives back what was there with the last. */
export class Forwarding {
  readonly #kernel: Pick<HostKernel, 'listLinks'>
  readonly #sysctls: Sysctls

  constructor(kernel: Pick<HostKernel, 'listLinks'>, sysctls: Sysctls) {
    this.#kernel = kernel
    this.#sysctls = sysctls
  }

  /** The families that networks need forwarding of. */
  static families(networks: Iterable<NetworkRecord>): Family[] {
    const needed = new Set([...networks].flatMap(familiesOf))
    return eachFamily.filter((family) => needed.has(family))
  }

  /** Of these families, those in which it is on by our doing, or will be when the step is made. */
  async ours(families: readonly Family[], wanted: boolean): Promise<Family[]> {
    const found: Family[] = []
    for (const family of families) {
      if (this.#isOurs(family) || (wanted && (await this.#isOff(family)))) found.push(family)
    }
    return found
  }

  /** Whether a family is forwarded now, null where the kernel has none of it, and whether that is our doing. */
  async state(family: Family): Promise<{ readonly on: boolean | null; readonly turnedOn: boolean }> {
    const value = await this.#sysctls.readIfThere(FORWARDING[family])
    return { on: value === undefined ? null : value !== '0', turnedOn: this.#isOurs(family) }
  }

  /**
   * Turns it on where it is off and wanted; backward, turns off what was turned on here, be it by an earlier process with
   * other options.
   */
  step(families: readonly Family[], wanted: boolean): Step {
    const leaves = families.map((family) => `${FORWARDING[family]} = 1`).join(', ')
    /** Families that this step began to turn on; before it was applied: all. */
    let turned: readonly Family[] = families
    const undo = async (): Promise<void> => {
      for (const family of turned) await this.#giveBack(family)
    }
    return {
      leaves,
      apply: async () => {
        turned = []
        if (!wanted) return
        try {
          for (const family of families) {
            if (!(await this.#isOff(family))) continue
            // What an earlier process turned on, and somebody off, is not this step's to give back.
            if (!this.#isOurs(family)) turned = [...turned, family]
            await this.#turnOn(family)
          }
        } catch (error) {
          await takeBack(error, leaves, undo)
        }
      },
      undo,
    }
  }

  #isOurs(family: Family): boolean {
    return this.#sysctls.before(FORWARDING[family]) !== undefined
  }

  async #isOff(family: Family): Promise<boolean> {
    return (await this.#sysctls.readIfThere(FORWARDING[family])) === '0'
  }

  async #turnOn(family: Family): Promise<void> {
    if (family === 6) await this.#keepRouterAdvertisements()
    await this.#sysctls.change(FORWARDING[family], '1')
  }

  /**
   * An interface that forwards IPv6 no longer hears router advertisements, by which most uplinks have their address and
   * default route; unless its `accept_ra` is 2. And `all.forwarding` overwrites what each interface has, in both directions.
   */
  async #keepRouterAdvertisements(): Promise<void> {
    for (const { name } of await this.#kernel.listLinks()) {
      const forwarding = await this.#sysctls.readIfThere(interfaceSetting(name, 'forwarding'))
      if (forwarding === '1') this.#sysctls.keep(interfaceSetting(name, 'forwarding'), '1')
      const accepts = await this.#sysctls.readIfThere(interfaceSetting(name, 'accept_ra'))
      if (forwarding !== '0' || accepts !== '1') continue
      await this.#sysctls.change(interfaceSetting(name, 'accept_ra'), '2')
    }
  }

  async #giveBack(family: Family): Promise<void> {
    await this.#sysctls.restore(FORWARDING[family])
    if (family === 4) return
    for (const name of this.#sysctls.changed) {
      if (INTERFACE_SETTING.test(name)) await this.#sysctls.restore(name)
    }
  }
}

/** With slashes: an interface's name may have dots. */
function interfaceSetting(name: string, setting: 'accept_ra' | 'forwarding'): string {
  return `net/ipv6/conf/${name}/${setting}`
}

const INTERFACE_SETTING = /^net\/ipv6\/conf\/.*\/(accept_ra|forwarding)$/
