import type { NetworkRecord } from '../plan/records.js'
import { detachContainers } from './detach.js'
import type { HostContext } from './host-context.js'
import { networkSteps } from './network-steps.js'
import { undoSteps } from './steps.js'

/** Detaches what is on a network and removes it; the last network takes tables and forwarding with it. */
export async function destroyNetwork(
  context: HostContext,
  network: NetworkRecord,
  operation: string,
): Promise<void> {
  await detachContainers(context, network, context.registry.containersOf(network.name), operation)
  await undoSteps(networkSteps(context, network), operation)
  context.registry.apply({ networks: new Map([[network.name, undefined]]) })
}
