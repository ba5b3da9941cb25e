import { Cidr } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import {
  type EndpointRoute,
  type ReturnRoute,
  refusingRoutes,
  returnRoutes,
} from '../plan/endpoint-routes.js'
import type { ContainerRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import type { Place, Places, Transition } from './stations.js'
import { ignoreMissing, inOperation, type Step, takeBack } from './steps.js'

/**
 * What a container has in its namespace that does not go with an interface: how it answers by the network that it was asked by, and
 * routes that refuse. It comes and goes with the change that makes the difference, of whichever network that is.
 */
export function lastingInsideStep({ kernel }: HostContext, transition: Transition, places: Places): Step {
  const parts = [...(transition.change.containers?.keys() ?? [])].flatMap((id) => {
    const place = places.get(id)
    const own = place ? arriving(transition, id) : []
    return place && own.length > 0 ? [{ place, own }] : []
  })
  const remove = async (): Promise<void> => {
    for (const { place, own } of parts) {
      // The interface by which a route goes may be gone, and the route with it.
      await ignoreMissing(kernel.applyInside(place.namespace, operations('delete', own)))
    }
  }
  const leaves = 'routing rules and routes in the containers'
  return {
    leaves,
    apply: async () => {
      const settled = await Promise.allSettled(
        parts.map(({ place, own }) =>
          addTo(place, (toAdd) => kernel.applyInside(place.namespace, toAdd), own),
        ),
      )
      const failed = settled.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') await takeBack(failed.reason, leaves, remove)
    },
    undo: remove,
  }
}

async function addTo(
  { path }: Place,
  apply: (toAdd: RtnlOperation[]) => Promise<void>,
  own: readonly LastingPart[],
): Promise<void> {
  try {
    await apply(operations('add', own))
  } catch (error) {
    // A rule that says the same is there already: one of the container's own, or of a call that was killed. The kernel makes all others.
    const failures = error instanceof NfbridgeError ? [error, ...error.related] : []
    if (failures.length > 0 && failures.every(({ code }) => code === 'NFB_EXISTS')) return
    throw inOperation(error, 'Network.attach', { path: joinPath(path, 'netns') })
  }
}

/** One of the things that are added together and removed together; `key` is equal for equal ones. */
interface LastingPart {
  readonly key: string
  readonly operations: (action: 'add' | 'delete') => RtnlOperation[]
}

/** Whether a container has anything that stays in its namespace between two states of what stands. */
export function hasLasting(transition: Transition, id: string): boolean {
  return arriving(transition, id).length > 0
}

function arriving({ absent, present }: Transition, id: string): LastingPart[] {
  const standing = new Set(lastingParts(absent, absent.container(id)).map(({ key }) => key))
  return lastingParts(present, present.container(id)).filter(({ key }) => !standing.has(key))
}

function lastingParts(view: NetworkView, container: ContainerRecord | undefined): LastingPart[] {
  if (!container) return []
  return [
    ...returnRoutes(view, container).map(returnPart),
    ...refusingRoutes(view, container).map(refusingPart),
  ]
}

function operations(action: 'add' | 'delete', parts: readonly LastingPart[]): RtnlOperation[] {
  return parts.flatMap((part) => part.operations(action))
}

/** Priorities of the rules in a container: before the kernel's own for the table main, 32766. */
const MAIN_FIRST = 32_700
const BY_SOURCE = 32_701

/** By which the kernel tells our rules and routes from the container's own (`proto 110` in the words of `ip`); assigned to nobody. */
const OURS = 110

/**
 * The answers of a container on several networks, each by the network that it was asked by. Whatever else has a route there (a
 * bridge or a VPN of the container's own) goes first; only what would take the default route goes by its source.
 */
function returnPart({ source, gateway, endpoint, table }: ReturnRoute): LastingPart {
  const { family } = source
  const from = { source: Cidr.of(source, family === 4 ? 32 : 128), protocol: OURS }
  return {
    key: `return ${source} ${gateway} ${endpoint.index} ${table}`,
    operations: (action) => [
      {
        kind: 'route',
        action: action === 'add' ? 'replace' : 'delete',
        route: { destination: 'default', family, gateway, device: endpoint.index, table, protocol: OURS },
      },
      { kind: 'rule', action, rule: { ...from, priority: MAIN_FIRST, suppressPrefixLength: 0 } },
      { kind: 'rule', action, rule: { ...from, priority: BY_SOURCE, table } },
    ],
  }
}

/** Two networks may give a container the same one, which is there once. */
function refusingPart({ destination, metric, type }: EndpointRoute): LastingPart {
  return {
    key: `refuse ${destination} ${metric} ${type}`,
    operations: (action) => [
      {
        kind: 'route',
        action: action === 'add' ? 'replace' : 'delete',
        route: { destination, metric, type, protocol: OURS },
      },
    ],
  }
}
