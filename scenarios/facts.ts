/** What the objects of nfbridge say about containers and networks, as the runner needs it. */
import type { BridgeHost } from 'nfbridge'

export interface EndpointFacts {
  readonly network: string
  readonly addresses: readonly string[]
}

/** Where a container is; nowhere when it is stopped, detached or not there. */
export function containerEndpoints(host: BridgeHost, name: string): EndpointFacts[] {
  const container = host.containers.find((one) => one.name === name)
  if (container?.state !== 'running') return []
  return container.networks.map((network) => {
    return { network, addresses: container.addressOn(network)?.addresses ?? [] }
  })
}

/** The bridges' own addresses. */
export function networkGateways(host: BridgeHost): { network: string; address: string }[] {
  return host.networks.flatMap(({ name, gateways }) =>
    gateways.map((address) => ({ network: name, address })),
  )
}
