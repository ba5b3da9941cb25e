import type { Link, RtnlOperation } from '../../rtnl/index.js'
import { bridgePools } from '../plan/bridge.js'
import { type NetworkRecord, standingEndpoints } from '../plan/records.js'
import { gatewayOperations } from './bridge-steps.js'
import { portOperations } from './container-links.js'
import type { HostContext } from './host-context.js'

/**
 * What bridges of ours that still stand lack, after somebody set them down, took their addresses or their ports while no
 * process looked after them. Bridges of others keep what they were given.
 */
export async function mendingOperations(
  { kernel, registry, settings }: HostContext,
  networks: readonly NetworkRecord[],
  links: readonly Link[],
): Promise<RtnlOperation[]> {
  const linksByName = new Map(links.map((link) => [link.name, link]))
  const addresses = await kernel.listAddresses()
  return networks
    .filter(({ adopted }) => !adopted)
    .flatMap((network) => network.bridges.map((bridge) => ({ network, bridge })))
    .flatMap(({ network, bridge }): RtnlOperation[] => {
      const link = linksByName.get(bridge)
      if (link?.kind !== 'bridge') return []
      const { index, up } = link
      const missing = bridgePools(network, bridge).filter(
        ({ gateway }) =>
          !addresses.some(({ device, address }) => device === index && gateway?.equals(address.address)),
      )
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
        ...gatewayOperations(index, missing),
        ...portOperations(index, astray, settings.firewall),
      ]
    })
}
