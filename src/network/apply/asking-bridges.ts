/** Bridges whose frames meet the rules of IP: each asks br_netfilter for itself, as long as its network is tracked. */
import type { BridgeOptions, Link, RtnlOperation } from '../../rtnl/index.js'
import type { NetworkRecord } from '../plan/records.js'
import { isTracked } from '../plan/tracking.js'
import type { NetworkView } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import type { Step } from './steps.js'

type Asking = Required<Pick<BridgeOptions, 'nfCallIptables' | 'nfCallIp6tables'>>

type Asker = Pick<HostContext, 'settings' | 'adoptedBridges'>

const YES: Asking = { nfCallIptables: true, nfCallIp6tables: true }
const NO: Asking = { nfCallIptables: false, nfCallIp6tables: false }

/** What a bridge of a network shall ask for; undefined: it is somebody else's, and not for us to say. */
export function askingOf(
  { settings, adoptedBridges }: Asker,
  network: NetworkRecord,
  bridge: string,
  policy: NetworkView['policy'],
): Asking | undefined {
  if (settings.firewall && isTracked(network, policy)) return YES
  if (!network.adopted) return NO
  const before = settings.firewall ? adoptedBridges.get(bridge) : undefined
  return before && { nfCallIptables: before.nfCallIptables, nfCallIp6tables: before.nfCallIp6tables }
}

/** Changes what the bridges of some networks ask for, from one view to another. */
export function askingStep(
  context: HostContext,
  networks: readonly string[],
  before: NetworkView,
  after: NetworkView,
): Step {
  const ask = async (view: NetworkView): Promise<void> => {
    const records = networks.flatMap((name) => view.network(name) ?? [])
    const links: Link[] = []
    // Of a thousand containers, the bridges alone are asked for.
    for (const bridge of records.flatMap(({ bridges }) => bridges)) {
      const link = await context.kernel.findLink(bridge)
      if (link) links.push(link)
    }
    await context.kernel.applyLinks(askingOperations(context, records, view.policy, links))
  }
  return {
    leaves: `what the bridges of ${networks.join(', ')} ask br_netfilter for`,
    apply: () => ask(after),
    undo: () => ask(before),
  }
}

/** What mends those that are there and do not ask for what they should. */
export function askingOperations(
  asker: Asker,
  networks: readonly NetworkRecord[],
  policy: NetworkView['policy'],
  links: readonly Link[],
): RtnlOperation[] {
  const byName = new Map(links.map((link) => [link.name, link]))
  return networks.flatMap((network) =>
    network.bridges.flatMap((name): RtnlOperation[] => {
      const wanted = askingOf(asker, network, name, policy)
      const link = byName.get(name)
      if (!wanted || link?.kind !== 'bridge') return []
      const { nfCallIptables, nfCallIp6tables } = link.bridge ?? {}
      if (nfCallIptables === wanted.nfCallIptables && nfCallIp6tables === wanted.nfCallIp6tables) return []
      return [{ kind: 'link', action: 'change', link: { device: link.index, bridge: wanted } }]
    }),
  )
}
