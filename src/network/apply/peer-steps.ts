import type { RtnlOperation } from '../../rtnl/index.js'
import type { Plan } from '../plan/plan.js'
import type { PeerRecord } from '../plan/records.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import { applySteps, ignoreMissing, type Step, undoSteps } from './steps.js'

/** Adds a peer of a plan: what may pass, and then the way there. */
export async function addPeer(
  context: HostContext,
  peer: PeerRecord,
  plan: Plan,
  operation: string,
): Promise<void> {
  const present = withChange(context.registry, plan.change)
  await applySteps(
    peerSteps(context, peer, plan, { absent: context.registry, present, change: plan.change }),
    operation,
    context.leave,
  )
  context.registry.apply(plan.change)
}

/** The same, backward. */
export async function removePeer(
  context: HostContext,
  peer: PeerRecord,
  plan: Plan,
  operation: string,
): Promise<void> {
  const absent = withChange(context.registry, plan.change)
  const change = invertChange(plan.change, context.registry)
  await undoSteps(peerSteps(context, peer, plan, { absent, present: context.registry, change }), operation)
  context.registry.apply(plan.change)
}

function peerSteps(
  context: HostContext,
  peer: PeerRecord,
  { touched }: Plan,
  views: { readonly absent: NetworkView; readonly present: NetworkView; readonly change: ViewChange },
): Step[] {
  const { kernel } = context
  const { absent, present, change } = views
  return [
    context.remember(change, absent),
    ...context.elementSteps(absent, present, touched),
    {
      leaves: `route to ${peer.subnet}`,
      apply: () => kernel.applyLinks([routeOperation('add', peer)]),
      undo: () => ignoreMissing(kernel.applyLinks([routeOperation('delete', peer)])),
    },
  ]
}

/** The route to a peer's containers. */
function routeOperation(action: 'add' | 'delete', { subnet, via, device }: PeerRecord): RtnlOperation {
  return {
    kind: 'route',
    action,
    route: {
      destination: subnet,
      ...(via === undefined ? {} : { gateway: via }),
      ...(device === undefined ? {} : { device }),
    },
  }
}

/** The routes to peers that are not there any more: after a reboot, or an interface that went and came. */
export async function missingPeerRoutes(
  { kernel }: HostContext,
  peers: readonly PeerRecord[],
): Promise<RtnlOperation[]> {
  if (peers.length === 0) return []
  const standing = await kernel.listRoutes()
  return peers
    .filter(
      ({ subnet }) =>
        !standing.some(({ table, destination }) => table === 'main' && destination.equals(subnet)),
    )
    .map((peer) => routeOperation('add', peer))
}
