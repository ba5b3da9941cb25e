/** The container of the attach row: named by its id, one exposed port, no link, on a network that is closed within. */
import type { BridgeHost, Namespace } from 'nfbridge'

type Network = Awaited<ReturnType<BridgeHost['createNetwork']>>
type Endpoint = Awaited<ReturnType<Network['attach']>>

export const networkOptions = { name: 'docker0', subnet: '172.17.0.0/16', icc: false } as const

export function addContainer(network: Network, netns: Namespace): Promise<Endpoint> {
  return network.attach({ netns, expose: ['80/tcp'] })
}
