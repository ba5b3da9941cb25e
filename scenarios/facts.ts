/** What the objects of nfbridge say about containers and networks, as the runner needs it. */
import type { BridgeHost } from 'nfbridge'

export interface EndpointFacts {
  readonly network: string
  readonly addresses: readonly string[]
}

/** Where a container is; nowhere when it is stopped, detached or not there. */
export function containerEndpoints(host: BridgeHost, name: string): EndpointFacts[] {
  const container = host.container(name)
  if (container === undefined || container.name !== name) return []
  return [{ network: container.network, addresses: [container.address] }]
}

export function networkGateways(host: BridgeHost): { network: string; address: string }[] {
  return host.networks.map((network) => ({ network: network.name, address: network.gateway }))
}
