import type { IPAddress } from '../../address/index.js'
import type { Link, RtnlOperation } from '../../rtnl/index.js'
import { bridgeMac, bridgePools, MOST_LEARNED } from '../plan/bridge.js'
import { type NetworkRecord, standingEndpoints } from '../plan/records.js'
import { isTracked } from '../plan/tracking.js'
import { askingOperations } from './asking-bridges.js'
import { gatewayOperations, writeSettings } from './bridge-steps.js'
import { alteredPort, portOperations } from './container-links.js'
import type { HostContext } from './host-context.js'
import { addressOperation } from './inside.js'

/**
 * What bridges of ours that still stand lack, after somebody set them down, took their addresses or their ports while no
 * process looked after them. Bridges of others keep what they were given.
 */
export async function mendingOperations(
  context: HostContext,
  networks: readonly NetworkRecord[],
  links: readonly Link[],
): Promise<RtnlOperation[]> {
  const { kernel, registry, settings } = context
  const linksByName = new Map(links.map((link) => [link.name, link]))
  const addresses = await kernel.listAddresses()
  const standing = networks
    .filter(({ adopted }) => !adopted)
    .flatMap((network) => network.bridges.map((bridge) => ({ network, bridge })))
    .filter(({ bridge }) => linksByName.get(bridge)?.kind === 'bridge')
  // A process that was killed while it made a bridge did not come to them; what has its value already stays as it is.
  for (const { network, bridge } of standing) await writeSettings(context, network, bridge)
  const has = (index: number, wanted: IPAddress): boolean =>
    addresses.some(({ device, address }) => device === index && wanted.equals(address.address))
  const untracked = networks.filter((network) => !isTracked(network, registry.policy))
  const asking = askingOperations(context, untracked, registry.policy, links)
  const lacking = standing.flatMap(({ network, bridge }): RtnlOperation[] => {
    const link = linksByName.get(bridge)
    if (link?.kind !== 'bridge') return []
    const { index, up } = link
    const pools = bridgePools(network, bridge)
    const linkLocal = bridgeMac(network, bridge).linkLocal
    const lacksLinkLocal = pools.some(({ gateway }) => gateway?.family === 6) && !has(index, linkLocal)
    const missing = pools.filter(({ gateway }) => gateway && !has(index, gateway))
    const astray = registry
      .containersOf(network.name)
      .flatMap(standingEndpoints)
      .filter((endpoint) => {
        const port = linksByName.get(endpoint.hostInterface)
        // Set down, a bridge forgets which neighbour has which MAC.
        return endpoint.bridge === bridge && port && (!up || port.master !== index)
      })
    return [
      ...(up ? [] : [{ kind: 'link', action: 'change', link: { device: index, up: true } } as const]),
      ...learningLimit(link),
      ...(lacksLinkLocal ? [addressOperation('add', index, linkLocal, 64)] : []),
      ...gatewayOperations(index, missing),
      ...portOperations(index, astray, settings.firewall),
    ]
  })
  // Ports are ours on bridges of others as well; one that an earlier version made has less.
  const altered = networks
    .flatMap(({ name }) =>
      registry
        .containersOf(name)
        .flatMap(standingEndpoints)
        .filter(({ network }) => network === name),
    )
    .flatMap((endpoint) => {
      const link = linksByName.get(endpoint.hostInterface)
      return link ? alteredPort(link, endpoint, settings.firewall) : []
    })
  return [...asking, ...lacking, ...altered]
}

/** A bridge that an earlier version made has no limit; a kernel before 6.7 does not know any. */
function learningLimit({ index, bridge }: Link): RtnlOperation[] {
  if (bridge?.fdbMaxLearned !== 0) return []
  return [
    { kind: 'link', action: 'change', link: { device: index, bridge: { fdbMaxLearned: MOST_LEARNED } } },
  ]
}
