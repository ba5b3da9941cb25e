/** What all scenarios can be run under, beside what they say themselves: who reaches whom must be the same. */
import type { Namespace } from 'nfbridge'

/** The settings by which br_netfilter shows the rules of IP the frames of every bridge of a namespace. */
const SETTINGS = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'] as const

/** Whether the settings are on. */
export type BridgeNetfilter = '0' | '1'

export function isBridgeNetfilter(text: string): text is BridgeNetfilter {
  return text === '0' || text === '1'
}

export interface Variant {
  /** The settings of the hosts' namespaces before anything of ours is there. Default: as the kernel has them. */
  readonly sysctl?: BridgeNetfilter
  /** A rule of the users that concerns all containers, and stops nothing, stands on each host. */
  readonly userRule?: boolean
  /** The settings change between steps and probes, while connections are open. */
  readonly changing?: boolean
}

/** `--sysctl 0 --user-rule`; the empty text is that of a run that changes nothing. */
export function variantText({ sysctl, userRule = false, changing = false }: Variant): string {
  return [
    ...(sysctl === undefined ? [] : [`--sysctl ${sysctl}`]),
    ...(userRule ? ['--user-rule'] : []),
    ...(changing ? ['--changing'] : []),
  ].join(' ')
}

/** What `--all-variants` runs. */
export const allVariants: readonly Variant[] = [false, true].flatMap((userRule): Variant[] => [
  { sysctl: '0', userRule },
  { sysctl: '1', userRule },
  { userRule, changing: true },
])

/** The settings of one namespace, while a scenario runs in it. */
export class BridgeNetfilterSettings {
  readonly #namespace: Namespace
  #before: ReadonlyMap<string, string> = new Map()
  #changes: Promise<void> = Promise.resolve()

  constructor(namespace: Namespace) {
    this.#namespace = namespace
  }

  /** Before anything of ours is there. A kernel without br_netfilter has no such settings. */
  async prepare({ sysctl }: Variant): Promise<void> {
    const before = new Map<string, string>()
    for (const name of SETTINGS) {
      const value = await this.#namespace.readSysctl(name).catch(() => undefined)
      if (value === undefined) continue
      if (sysctl !== undefined) await this.#namespace.writeSysctl(name, sysctl)
      before.set(name, sysctl ?? value)
    }
    this.#before = before
  }

  /** Turns each setting into its opposite; one change after the other, whoever asks for them at once. */
  flip(): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      for (const name of this.#before.keys())
        await this.#write(name, (await this.#namespace.readSysctl(name)) === '1' ? '0' : '1')
    })
    return this.#changes
  }

  /** As they were before. */
  restore(): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      for (const [name, value] of this.#before) await this.#write(name, value)
    })
    return this.#changes
  }

  #write(name: string, value: string): Promise<void> {
    return this.#namespace.writeSysctl(name, value)
  }
}
