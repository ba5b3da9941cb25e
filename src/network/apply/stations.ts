import type { Namespace } from '../../netns/index.js'
import {
  type ContainerRecord,
  type EndpointRecord,
  type NetworkRecord,
  standingEndpoints,
} from '../plan/records.js'
import type { NetworkView, ViewChange } from '../plan/view.js'

/** A container's namespace, and where the container stands in the caller's input. */
export interface Place {
  readonly namespace: Namespace
  readonly path: string
}

/** By container id; a container that leaves needs none. */
export type Places = ReadonlyMap<string, Place>

/** One interface pair of a container: what comes with a connection and goes with it. */
export interface Station {
  readonly network: NetworkRecord
  readonly container: ContainerRecord
  readonly endpoint: EndpointRecord
}

/** Two states of what stands, of which `present` has more interfaces: leaving is arriving, run backward. */
export interface Transition {
  readonly absent: NetworkView
  readonly present: NetworkView
  /** Leads from `absent` to `present`. */
  readonly change: ViewChange
}

/** The interfaces that stand in `present` and not in `absent`. */
export function arrivingStations({ absent, present, change }: Transition): Station[] {
  return [...(change.containers?.keys() ?? [])].flatMap((id) => {
    const container = present.container(id)
    if (!container) return []
    const before = absent.container(id)
    const standing = new Set(
      before ? standingEndpoints(before).map(({ hostInterface }) => hostInterface) : [],
    )
    return standingEndpoints(container)
      .filter(({ hostInterface }) => !standing.has(hostInterface))
      .flatMap((endpoint) => {
        const network = present.network(endpoint.network) ?? absent.network(endpoint.network)
        return network ? [{ network, container, endpoint }] : []
      })
  })
}

/** Every interface that stands in a view. */
export function standingStations(view: NetworkView): Station[] {
  return [...view.containers].flatMap((container) =>
    standingEndpoints(container).flatMap((endpoint) => {
      const network = view.network(endpoint.network)
      return network ? [{ network, container, endpoint }] : []
    }),
  )
}
