import { NfbridgeError } from '../../errors.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import type { Plan } from '../plan/plan.js'
import type { PeerRecord } from '../plan/records.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import { applySteps, ignoreMissing, inOperation, type Step, undoSteps } from './steps.js'

/** Adds a peer of a plan: what may pass, and then the way there. */
export async function addPeer(
  context: HostContext,
  peer: PeerRecord,
  plan: Plan,
  operation: string,
): Promise<void> {
  await requireElsewhere(context, peer, operation)
  await refuseOtherHosts(context, peer, operation)
  const present = withChange(context.registry, plan.change)
  await applySteps(
    peerSteps(context, peer, plan, { absent: context.registry, present, change: plan.change }),
    operation,
    context.leave,
  )
  context.registry.apply(plan.change)
}

/** The kernel takes a route by an address of its own, and sends nothing there. */
async function requireElsewhere(
  { kernel }: HostContext,
  { via }: PeerRecord,
  operation: string,
): Promise<void> {
  if (via === undefined) return
  const own = (await kernel.listAddresses()).some(({ address }) => address.address.equals(via))
  if (!own) return
  const message = `${via} is an address of this host itself; give the other host's`
  throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message, path: 'via' })
}

/** Of a host of another program in the namespace, whose containers it would take the way to. */
async function refuseOtherHosts(
  { kernel }: HostContext,
  { subnet }: PeerRecord,
  operation: string,
): Promise<void> {
  for (const { table, pools } of await kernel.otherHosts()) {
    const pool = pools.find((each) => each.overlaps(subnet))
    if (!pool) continue
    const message = `${subnet} overlaps ${pool}, a pool of the host "${table}" in this namespace`
    throw new NfbridgeError({ code: 'NFB_POOL_OVERLAP', operation, message, path: 'subnet' })
  }
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
    ...context.elementSteps(absent, present, touched).map(toldOfRules),
    {
      leaves: `route to ${peer.subnet}`,
      apply: async () => {
        try {
          await kernel.applyLinks([routeOperation('add', peer)])
        } catch (error) {
          throw toldOf(peer, error)
        }
      },
      undo: () => ignoreMissing(kernel.applyLinks([routeOperation('delete', peer)])),
    },
  ]
}

/** The rules of peers ask by which interface the way leads back, which Linux 5.10 answers in prerouting alone (nft_fib_validate). */
export function toldOfRules(step: Step): Step {
  return {
    ...step,
    apply: async () => {
      try {
        await step.apply()
      } catch (error) {
        if (
          !(error instanceof NfbridgeError) ||
          error.code !== 'NFB_REJECTED' ||
          error.errno !== 'EOPNOTSUPP'
        )
          throw error
        throw new NfbridgeError({
          code: 'NFB_NOT_SUPPORTED',
          operation: error.operation,
          path: 'subnet',
          errno: error.errno,
          message:
            'this kernel does not look up the way back to a sender while it forwards (fib saddr . iif oif), which peers need; Linux 6.1 does',
          cause: error,
        })
      }
    },
  }
}

/** What the kernel says of the route is told of the caller's input. */
function toldOf({ via, device }: PeerRecord, error: unknown): unknown {
  if (!(error instanceof NfbridgeError)) return error
  const ofDevice = device !== undefined && (via === undefined || error.code === 'NFB_MISSING')
  const path = error.code === 'NFB_EXISTS' ? 'subnet' : ofDevice ? 'device' : 'via'
  return inOperation(error, error.operation, { path })
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
