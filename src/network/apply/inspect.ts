import { type Ruleset, toText } from '../../nft/index.js'
import { type InspectionFacts, inspectHost } from '../text/inspect-host.js'
import type { HostInspection, LostContainerInspection } from '../text/inspection.js'
import { iptablesText } from '../text/iptables-text.js'
import type { HostContext } from './host-context.js'

/** The forms that a host's rules are printed in: see `BridgeHost.toText`. */
export type RulesFormat = 'iptables' | 'nft'

/** {@link HostInspection} of a host, with what the kernel alone knows. */
export async function inspect(
  context: HostContext,
  lost: readonly LostContainerInspection[],
): Promise<HostInspection> {
  return inspectHost(context.registry, await readFacts(context, lost))
}

/** The rules of a host as text; what `nft` prints is read from the kernel. */
export async function rulesText(context: HostContext, format: RulesFormat): Promise<string> {
  if (format === 'nft') return nftText(await context.kernel.listTables())
  const userRules = await readUserRules(context)
  return iptablesText(context.registry, { firewall: context.settings.firewall, userRules })
}

/** Our two tables in the order of `nft list ruleset`; a table of this name in another family is not ours. */
function nftText({ nftables }: Ruleset): string {
  const ours = nftables.filter((object) =>
    Object.values(object).some(({ family }) => TABLE_FAMILIES.includes(family)),
  )
  return ours.length === 0 ? '' : `${toText(ours)}\n`
}

const TABLE_FAMILIES: readonly unknown[] = ['inet', 'bridge']

async function readFacts(
  context: HostContext,
  lost: readonly LostContainerInspection[],
): Promise<InspectionFacts> {
  const [ipv4, ipv6, userRules] = await Promise.all([
    context.forwarding.state(4),
    context.forwarding.state(6),
    readUserRules(context),
  ])
  return {
    settings: context.settings,
    forwarding: { ipv4, ipv6 },
    offloading: context.offload.state,
    userRules,
    lost,
    statistics: context.kernel.statistics,
  }
}

async function readUserRules({ settings, kernel }: HostContext): Promise<InspectionFacts['userRules']> {
  if (!settings.firewall) return { forward: [], inbound: [] }
  const [forward, inbound] = await Promise.all([
    kernel.userRules.list('forward'),
    kernel.userRules.list('inbound'),
  ])
  return { forward, inbound }
}
