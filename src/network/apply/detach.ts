import { planDetach } from '../plan/detach.js'
import type { ContainerRecord, NetworkRecord } from '../plan/records.js'
import { detachSteps } from './container-steps.js'
import type { HostContext } from './host-context.js'
import { undoSteps } from './steps.js'

/** Takes containers of one network off it. When something can't be removed, they stay known and can be detached again. */
export async function detachContainers(
  context: HostContext,
  network: NetworkRecord,
  containers: readonly ContainerRecord[],
  operation: string,
): Promise<void> {
  if (containers.length === 0) return
  const plan = planDetach(context.registry, containers)
  await undoSteps(detachSteps(context, network, containers, plan), operation)
  context.registry.apply(plan.change)
}
