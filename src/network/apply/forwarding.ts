import { NfbridgeError } from '../../errors.js'
import type { Link } from '../../rtnl/index.js'
import { eachFamily } from '../plan/endpoints.js'
import { type Family, familiesOf, type NetworkRecord } from '../plan/records.js'
import { belongsTo, FORWARDING, interfaceSetting, sideEffects } from './forwarding-settings.js'
import type { HostKernel } from './host-kernel.js'
import { leaveToAnother } from './leave-settings.js'
import { ignoreMissing, type Step, takeBack } from './steps.js'
import { readOnly, type Sysctls } from './sysctls.js'

/** Of the kernel: its interfaces, and the hosts of other programs beside this one. */
type Surroundings = Pick<HostKernel, 'listLinks' | 'otherHosts' | 'takeInherited' | 'leaveTo'>

/** Turns forwarding on with the first network of a family, and gives back what was there with the last. */
export class Forwarding {
  readonly #kernel: Surroundings
  readonly #sysctls: Sysctls

  constructor(kernel: Surroundings, sysctls: Sysctls) {
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
    await this.inherit()
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

  /** What another host turned on and left to this one is ours to give back from now on. */
  async inherit(): Promise<void> {
    await this.#kernel.takeInherited((name, before) => this.#sysctls.keep(name, before))
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
      await this.inherit()
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
    const links = await this.#kernel.listLinks()
    const interfaces = links.map(({ name }) => name)
    // Where new interfaces forward, those that do not must be told from those that come later.
    const initial = await this.#sysctls.readIfThere(interfaceSetting(family, 'default', 'forwarding'))
    for (const { name, left } of sideEffects(family, interfaces)) {
      const value = await this.#sysctls.readIfThere(name)
      if (value !== undefined && (value !== left || initial !== '0')) this.#sysctls.keep(name, value)
    }
    try {
      if (family === 6) await this.#keepRouterAdvertisements(links)
      await this.#sysctls.change(FORWARDING[family], '1')
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_READ_ONLY') throw error
      // What comes before it is needed for its sake alone.
      throw readOnly(FORWARDING[family], '1', error)
    }
  }

  /**
   * An interface that forwards IPv6 no longer hears router advertisements, by which most uplinks have their address and
   * default route; unless its `accept_ra` is 2. A port of a bridge is no uplink: the bridge is.
   */
  async #keepRouterAdvertisements(links: readonly Link[]): Promise<void> {
    for (const { name, port } of links) {
      if (port) continue
      const forwarding = await this.#sysctls.readIfThere(interfaceSetting(6, name, 'forwarding'))
      const accepts = await this.#sysctls.readIfThere(interfaceSetting(6, name, 'accept_ra'))
      if (forwarding !== '0' || accepts !== '1') continue
      // Another program may take its interface away at any time.
      await ignoreMissing(this.#sysctls.change(interfaceSetting(6, name, 'accept_ra'), '2'))
    }
  }

  async #giveBack(family: Family): Promise<void> {
    const names = this.#sysctls.changed.filter((name) => belongsTo(family, name))
    const left =
      this.#isOurs(family) &&
      (await leaveToAnother(this.#kernel, this.#sysctls, names, ({ families }) => families.includes(family)))
    if (left) return
    await this.#sysctls.restore(FORWARDING[family])
    await this.#asDefault(family)
    for (const name of names) await this.#sysctls.restore(name)
  }

  /** Interfaces that came meanwhile have what new ones began with before. */
  async #asDefault(family: Family): Promise<void> {
    const before = this.#sysctls.before(interfaceSetting(family, 'default', 'forwarding'))
    if (before === undefined) return
    for (const { name } of await this.#kernel.listLinks()) {
      const setting = interfaceSetting(family, name, 'forwarding')
      if (this.#sysctls.before(setting) !== undefined) continue
      const now = await this.#sysctls.readIfThere(setting)
      if (now !== undefined && now !== before) await ignoreMissing(this.#sysctls.write(setting, before))
    }
  }
}
