import type { Namespace } from '../../netns/index.js'
import type { Persistence } from './persistence.js'
import type { Step } from './steps.js'

/** RFC 1812 forwarding between interfaces; see the kernel's Documentation/networking/ip-sysctl.rst. */
const IP_FORWARD = 'net.ipv4.ip_forward'

/** Remembers what the settings that we write were before, beyond this process, and gives them back. */
export class Forwarding {
  readonly #namespace: Namespace
  readonly #persistence: Persistence
  #before: string | undefined

  constructor(namespace: Namespace, persistence: Persistence, remembered: ReadonlyMap<string, string>) {
    this.#namespace = namespace
    this.#persistence = persistence
    this.#before = remembered.get(IP_FORWARD)
  }

  /**
   * Turns IPv4 forwarding on where it is off and it is wanted; backward, turns off what was turned on here, be it by an
   * earlier process with other options.
   */
  step(wanted: boolean): Step {
    return {
      leaves: `${IP_FORWARD} = 1`,
      apply: async () => {
        if (!wanted) return
        const now = await this.#namespace.readSysctl(IP_FORWARD)
        if (now !== '0') return
        // Remembered first: killed in between, we would give back what is there anyway.
        this.#remember(now)
        await this.#namespace.writeSysctl(IP_FORWARD, '1')
      },
      undo: async () => {
        if (this.#before === undefined) return
        await this.#namespace.writeSysctl(IP_FORWARD, this.#before)
        this.#remember(undefined)
      },
    }
  }

  #remember(before: string | undefined): void {
    this.#persistence.saveSysctl(IP_FORWARD, before)
    this.#before = before
  }
}
