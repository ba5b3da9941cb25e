import type { HostKernel } from './host-kernel.js'
import type { StandingHost } from './other-hosts.js'
import type { Sysctls } from './sysctls.js'

/**
 * Leaves what we changed of some settings to another host that needs them as they are now: from then on they are that one's to
 * give back.
 * @returns whether there is one
 */
export async function leaveToAnother(
  kernel: Pick<HostKernel, 'otherHosts' | 'leaveTo'>,
  sysctls: Sysctls,
  names: readonly string[],
  needs: (host: StandingHost) => boolean,
): Promise<boolean> {
  const settings = names.map((name) => ({ name, value: sysctls.before(name) ?? '' }))
  for (const heir of (await kernel.otherHosts()).filter(needs)) {
    if (!(await kernel.leaveTo(heir, settings))) continue
    for (const name of names) sysctls.forget(name)
    return true
  }
  return false
}
