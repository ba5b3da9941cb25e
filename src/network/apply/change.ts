import type { Plan } from '../plan/plan.js'
import { invertChange, type ViewChange, withChange } from '../plan/view.js'
import { transitionSteps } from './container-steps.js'
import type { HostContext } from './host-context.js'
import { withLastingPlaces } from './places.js'
import type { Places } from './stations.js'
import { applySteps, undoSteps } from './steps.js'

const NOWHERE: Places = new Map()

/** Makes a change of containers, links or publications: all of it, or nothing. */
export async function applyPlan(
  context: HostContext,
  { change, touched }: Plan,
  operation: string,
  places: Places = NOWHERE,
): Promise<void> {
  const { registry } = context
  const present = withChange(registry, change)
  await applySteps(
    transitionSteps(context, { absent: registry, present, change }, touched, places),
    operation,
    context.leave,
  )
  settle(context, change)
}

/**
 * Makes a change by which interfaces go: the steps by which they came, run backward. When something can't be taken away
 * the containers stay known, and the call can be repeated.
 */
export async function withdrawPlan(
  context: HostContext,
  { change, touched }: Plan,
  operation: string,
): Promise<void> {
  const { registry } = context
  const absent = withChange(registry, change)
  const transition = { absent, present: registry, change: invertChange(change, registry) }
  await withLastingPlaces(context, transition, (places) =>
    undoSteps(transitionSteps(context, transition, touched, places), operation),
  )
  settle(context, change)
}

/** What was applied is what stands. */
function settle({ registry, namespaces }: HostContext, change: ViewChange): void {
  registry.apply(change)
  for (const [id, container] of change.containers ?? []) if (!container) namespaces.forget(id)
}
