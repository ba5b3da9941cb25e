import { Cidr } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import type { Touched } from '../plan/elements.js'
import type { Plan } from '../plan/plan.js'
import { type ContainerRecord, hostIndex, type NetworkRecord } from '../plan/records.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import { createPair, deletePairs, type Place, type Places, pairError, undoPairs } from './container-links.js'
import type { HostContext } from './host-context.js'
import type { HostKernel } from './host-kernel.js'
import { ignoreMissing, inOperation, type Step } from './steps.js'

/** Containers coming to a network, seen as forward: detaching is the same, run backward. */
interface Arrival {
  readonly network: NetworkRecord
  readonly containers: readonly ContainerRecord[]
  readonly absent: NetworkView
  readonly present: NetworkView
  /** Leads from `absent` to `present`. */
  readonly change: ViewChange
  readonly touched: Touched
  readonly places: Places
}

/** The steps that attach the containers of a plan. */
export function attachSteps(
  context: HostContext,
  network: NetworkRecord,
  plan: Plan & { readonly containers: readonly ContainerRecord[] },
  places: Places,
): Step[] {
  const { registry } = context
  const { containers, change, touched } = plan
  const present = withChange(registry, change)
  return arrivalSteps(context, {
    network,
    containers,
    absent: registry,
    present,
    change,
    touched,
    places,
  })
}

/** The steps that, run backward, detach the containers of a plan. */
export function detachSteps(
  context: HostContext,
  network: NetworkRecord,
  containers: readonly ContainerRecord[],
  plan: Plan,
): Step[] {
  const { registry } = context
  const absent = withChange(registry, plan.change)
  const change = invertChange(plan.change, registry)
  const { touched } = plan
  return arrivalSteps(context, {
    network,
    containers,
    absent,
    present: registry,
    change,
    touched,
    places: new Map(),
  })
}

/**
 * The rules come before the interfaces, and go after them: an interface that exists is never without its sender check,
 * and a packet never meets a set that still lacks its links.
 */
function arrivalSteps(context: HostContext, arrival: Arrival): Step[] {
  return [
    ...context.elementSteps(arrival.absent, arrival.present, arrival.touched),
    hostLinksStep(context, arrival),
    insideStep(context, arrival),
    carrierStep(context, arrival),
    // Last, so that a process that is killed in between leaves what nobody remembers, and the next one removes.
    context.remember(arrival.change, arrival.absent),
  ]
}

function hostLinksStep({ kernel, settings }: HostContext, arrival: Arrival): Step {
  const { network, containers, places } = arrival
  return {
    leaves: `interfaces ${containers.map(({ hostInterface }) => hostInterface).join(', ')}`,
    apply: async () => {
      const bridge = await kernel.bridgeIndex(network.name)
      const operations: RtnlOperation[] = []
      /** The container that each operation is for. */
      const owners: number[] = []
      for (const [index, container] of containers.entries()) {
        const place = places.get(container.id)
        if (!place) continue
        const own = createPair(network, bridge, container, place.namespace, settings.firewall)
        operations.push(...own)
        owners.push(...own.map(() => index))
      }
      try {
        await kernel.applyLinks(operations)
      } catch (error) {
        await undoPairs(kernel, containers, owners, error)
        throw pairError(error, containers, owners, places)
      }
    },
    undo: () => ignoreMissing(kernel.applyLinks(deletePairs(network, containers))),
  }
}

/** In the container: the interface up, its address, the way out. One send in each namespace. */
function insideStep({ kernel }: HostContext, { network, containers, places }: Arrival): Step {
  return {
    leaves: 'addresses in the containers',
    apply: async () => {
      const settled = await Promise.allSettled(
        containers.map((container) => configureInside(kernel, network, container, places.get(container.id))),
      )
      // Only when none is under way any more may the interfaces be taken back.
      const failed = settled.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
    // The interface takes its addresses and routes with it.
    undo: async () => undefined,
  }
}

/**
 * When it is done the containers' first packet gets through. The bridge comes last: its carrier follows from its ports'.
 * One that is not there in time is no failure: somebody set the interface down.
 */
function carrierStep({ kernel }: HostContext, { network, containers, places }: Arrival): Step {
  return {
    leaves: 'nothing',
    apply: async () => {
      if (places.size > 0)
        await kernel.awaitCarrier([...containers.map(hostIndex), await kernel.bridgeIndex(network.name)])
    },
    undo: async () => undefined,
  }
}

async function configureInside(
  kernel: HostKernel,
  network: NetworkRecord,
  container: ContainerRecord,
  place: Place | undefined,
): Promise<void> {
  if (!place) return
  try {
    await kernel.applyInside(place.namespace, insideOperations(network, container))
  } catch (error) {
    throw inOperation(error, 'Network.attach', { path: joinPath(place.path, 'netns') })
  }
}

function insideOperations(network: NetworkRecord, container: ContainerRecord): RtnlOperation[] {
  const device = container.index
  const address = Cidr.parseInterface(`${container.address}/${network.subnet.prefixLength}`)
  return [
    { kind: 'link', action: 'change', link: { device: 'lo', up: true } },
    { kind: 'link', action: 'change', link: { device, up: true } },
    { kind: 'address', action: 'add', address: { device, address } },
    { kind: 'route', action: 'add', route: { destination: 'default', gateway: network.gateway, device } },
  ]
}
