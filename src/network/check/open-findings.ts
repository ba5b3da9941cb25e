/** `host.findings`: what is told when a host is opened, before anything of it stands. */

import { StateReader } from '../../explain/index.js'
import type { Link } from '../../rtnl/index.js'
import type { HostContext } from '../apply/host-context.js'
import { HOST } from '../explain/host-reading.js'
import { eachFamily } from '../plan/endpoints.js'
import type { Family } from '../plan/records.js'
import type { Finding } from './finding.js'
import { forwardedFindings, mayForward } from './forwarded.js'

/**
 * What the forward policy drops that the host forwards for others, or will drop with the first network.
 * @param known the namespace's links, if they were listed just now
 */
export async function openFindings(
  context: HostContext,
  known: readonly Link[] | undefined,
): Promise<Finding[]> {
  const { kernel, registry, settings } = context
  if (!settings.firewall || settings.forwardPolicy !== 'auto') return []
  const bridges = new Set([...registry.networks].flatMap((network) => network.bridges))
  const stands = bridges.size > 0
  const drop = stands ? registry.policy.drop : await familiesToTurnOn(context)
  if (drop.length === 0) return []
  // To read all of the state costs much more than the links.
  const links = known ?? (await kernel.listLinks())
  if (!links.some((link) => !bridges.has(link.name) && mayForward(link))) return []
  using reader = await StateReader.open(HOST, kernel.namespace)
  return forwardedFindings({ state: await reader.read(), table: kernel.table, bridges, drop, stands })
}

/** Families that are not forwarded now, and will be with the first network. */
async function familiesToTurnOn({ forwarding, settings }: HostContext): Promise<Family[]> {
  if (!settings.ipForward) return []
  const found: Family[] = []
  for (const family of eachFamily) if ((await forwarding.state(family)).on === false) found.push(family)
  return found
}
