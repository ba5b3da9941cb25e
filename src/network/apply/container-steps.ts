import { Cidr } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import { applyInNamespace, failedOperations, type RtnlOperation } from '../../rtnl/index.js'
import type { Touched } from '../plan/elements.js'
import type { Plan } from '../plan/plan.js'
import { type ContainerRecord, hostIndex, type NetworkRecord } from '../plan/records.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
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

/** A container's namespace, and where the container stands in the caller's input. */
interface Place {
  readonly namespace: Namespace
  readonly path: string
}

/** By container id; a container that leaves needs none. */
export type Places = ReadonlyMap<string, Place>

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
    context.remember(arrival.change, arrival.absent),
    ...context.elementSteps(arrival.absent, arrival.present, arrival.touched),
    hostLinksStep(context, arrival),
    insideStep(arrival),
    carrierStep(context, arrival),
  ]
}

function hostLinksStep({ kernel }: HostContext, { network, containers, places }: Arrival): Step {
  return {
    leaves: `interfaces ${containers.map(({ hostInterface }) => hostInterface).join(', ')}`,
    apply: async () => {
      const bridge = await kernel.bridgeIndex(network.name)
      const operations = containers.flatMap((container) => {
        const place = places.get(container.id)
        return place ? createPair(network, bridge, container, place.namespace) : []
      })
      try {
        await kernel.applyLinks(operations)
      } catch (error) {
        await undoPairs(kernel, containers, error)
        throw pairError(error, containers, places)
      }
    },
    undo: () => ignoreMissing(kernel.applyLinks(deletePairs(network, containers))),
  }
}

/** What was made in a send of which a part failed; an interface that was there before is not ours to delete. */
async function undoPairs(
  kernel: HostKernel,
  containers: readonly ContainerRecord[],
  error: unknown,
): Promise<void> {
  const foreign = new Set(
    error instanceof NfbridgeError
      ? [error, ...error.related]
          .filter(({ code }) => code === 'NFB_EXISTS')
          .flatMap((each) => failedOperations(each).slice(0, 1))
      : [],
  )
  for (const [index, { hostInterface }] of containers.entries()) {
    if (!foreign.has(index)) await kernel.deleteLink(hostInterface)
  }
}

/** The same error, told of the caller's containers instead of the operations that they became. */
function pairError(error: unknown, containers: readonly ContainerRecord[], places: Places): unknown {
  if (!(error instanceof NfbridgeError)) return error
  const [failedIndex] = failedOperations(error)
  const container = failedIndex === undefined ? undefined : containers[failedIndex]
  if (!container) return error
  const path = places.get(container.id)?.path ?? ''
  const { hostInterface, interfaceName } = container
  if (error.code !== 'NFB_EXISTS') return inOperation(error, error.operation, { path })
  return new NfbridgeError({
    code: 'NFB_EXISTS',
    operation: error.operation,
    message: `the container has an interface "${interfaceName}" already, or the host one "${hostInterface}"`,
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: joinPath(path, 'interfaceName'),
    related: error.related,
    cause: error,
  })
}

/** One request makes both ends where they belong, with indexes of our choice. */
function createPair(
  network: NetworkRecord,
  bridge: number,
  container: ContainerRecord,
  namespace: Namespace,
): RtnlOperation {
  const { hostInterface, interfaceName, mac, index } = container
  // One queue at each end spares a fifth of the cost.
  const both = { txQueues: 1, rxQueues: 1, ...(network.mtu === undefined ? {} : { mtu: network.mtu }) }
  return {
    kind: 'link',
    action: 'create',
    link: {
      ...both,
      kind: 'veth',
      name: hostInterface,
      index: hostIndex(container),
      master: bridge,
      group: network.group,
      up: true,
      // A container reaches itself by a published port: in and out by one port of the bridge.
      port: { hairpin: true },
      peer: { ...both, name: interfaceName, mac, netns: namespace, index },
    },
  }
}

/**
 * One deletion costs some 20 ms, and one by group hardly more for hundreds: several interfaces first move to a group of
 * their own. Deleting the end on the host deletes the one in the container.
 */
function deletePairs(network: NetworkRecord, containers: readonly ContainerRecord[]): RtnlOperation[] {
  const [first] = containers
  if (first && containers.length === 1) {
    return [{ kind: 'link', action: 'delete', link: { device: first.hostInterface } }]
  }
  const leaving = network.group + LEAVING
  return [
    ...containers.map(
      ({ hostInterface }): RtnlOperation => ({
        kind: 'link',
        action: 'change',
        link: { device: hostInterface, group: leaving },
      }),
    ),
    { kind: 'link', action: 'delete', link: { group: leaving } },
  ]
}

/** Far from the groups of other networks. */
const LEAVING = 0x8000

/** In the container: the interface up, its address, the way out. One send in each namespace. */
function insideStep({ network, containers, places }: Arrival): Step {
  return {
    leaves: 'addresses in the containers',
    apply: async () => {
      const settled = await Promise.allSettled(
        containers.map((container) => configureInside(network, container, places.get(container.id))),
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
  network: NetworkRecord,
  container: ContainerRecord,
  place: Place | undefined,
): Promise<void> {
  if (!place) return
  try {
    await applyInNamespace(place.namespace, insideOperations(network, container))
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
