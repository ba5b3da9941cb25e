import { planDetach } from '../plan/detach.js'
import { planDisconnect } from '../plan/lifecycle.js'
import type { NetworkRecord } from '../plan/records.js'
import { withdrawPlan } from './change.js'
import type { HostContext } from './host-context.js'
import { planNetworkSteps } from './network-steps.js'
import { inOperation, undoSteps } from './steps.js'

/**
 * Takes the containers off a network and removes it: those that are on no other are detached, the others disconnected. The
 * last network takes tables and forwarding with it.
 */
export async function destroyNetwork(
  context: HostContext,
  network: NetworkRecord,
  operation: string,
): Promise<void> {
  const { registry, kernel } = context
  const emptied = await emptyNetwork(context, network, operation)
  await kernel.exclusively(async () => {
    const { steps, removed } = await planned(context, network, operation, emptied)
    await undoSteps(steps, operation)
    registry.apply(removed)
  })
}

/** What the host looks at for it may fail when the containers are gone already: then the network is what remains. */
async function planned(
  context: HostContext,
  network: NetworkRecord,
  operation: string,
  emptied: boolean,
): Promise<Awaited<ReturnType<typeof planNetworkSteps>>> {
  try {
    return await planNetworkSteps(context, network)
  } catch (error) {
    throw emptied ? inOperation(error, operation, { remaining: [`network ${network.name}`] }) : error
  }
}

/** Takes every container off a network. @returns whether there were any */
async function emptyNetwork(
  context: HostContext,
  network: NetworkRecord,
  operation: string,
): Promise<boolean> {
  const { registry } = context
  const containers = registry.containersOf(network.name)
  const only = containers.filter(({ endpoints }) => endpoints.length === 1)
  if (only.length > 0) await withdrawPlan(context, planDetach(registry, only), operation)
  for (const { id } of containers.filter(({ endpoints }) => endpoints.length > 1)) {
    const container = registry.container(id)
    if (container) await withdrawPlan(context, planDisconnect(registry, container, network), operation)
  }
  return containers.length > 0
}
