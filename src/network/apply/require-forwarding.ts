/** What needs a host that forwards is refused where it does not, and is not to be made to (`ipForward: false`). */
import { NfbridgeError } from '../../errors.js'
import { type Family, isForHostAlone, type PublishedPort, publishedFamilies } from '../plan/records.js'
import { FORWARDING } from './forwarding-settings.js'
import type { HostContext } from './host-context.js'

type Host = Pick<HostContext, 'forwarding' | 'settings'>

interface Need {
  readonly families: readonly Family[]
  /** What would not work: `the published port 8080/tcp is reached by the host alone`. */
  readonly otherwise: string
  readonly operation: string
  readonly path: string
}

/** @throws NfbridgeError NFB_SETTING_CONFLICT */
async function requireForwarding(
  { forwarding, settings }: Host,
  { families, otherwise, operation, path }: Need,
): Promise<void> {
  if (settings.ipForward) return
  for (const family of families) {
    const { on } = await forwarding.state(family)
    if (on !== false) continue
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation,
      message: `the host does not forward IPv${family} (${FORWARDING[family]} is 0), and ipForward: false leaves it so: ${otherwise}`,
      path,
    })
  }
}

/** A network over several bridges: what goes from one to another is forwarded. */
export function requireForBridges(
  host: Host,
  bridges: number,
  families: readonly Family[],
  operation: string,
): Promise<void> {
  const otherwise = 'containers on different bridges would not reach each other; make the network with one'
  return requireForwarding(host, {
    families: bridges > 1 ? families : [],
    otherwise,
    operation,
    path: 'bridges',
  })
}

/** Published ports, those aside that are for the host alone: what it sends itself is not forwarded. */
export async function requireForPublications(
  host: Host,
  requested: readonly { readonly port: PublishedPort; readonly path: string }[],
  families: readonly Family[],
  operation: string,
): Promise<void> {
  for (const { port, path } of requested) {
    if (isForHostAlone(port)) continue
    const otherwise =
      'nobody but the host would reach a published port; publish it on an address of a family that is forwarded, or on 127.0.0.1'
    const needed = publishedFamilies(port).filter((family) => families.includes(family))
    await requireForwarding(host, { families: needed, otherwise, operation, path })
  }
}
