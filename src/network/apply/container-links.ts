import { joinPath, NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import { type BridgePortOptions, failedOperations, type RtnlOperation } from '../../rtnl/index.js'
import { type ContainerRecord, hostIndex, type NetworkRecord } from '../plan/records.js'
import type { HostKernel } from './host-kernel.js'
import { inOperation } from './steps.js'

/** A container's namespace, and where the container stands in the caller's input. */
export interface Place {
  readonly namespace: Namespace
  readonly path: string
}

/** By container id; a container that leaves needs none. */
export type Places = ReadonlyMap<string, Place>

/** What was made in a send of which a part failed; an interface that was there before is not ours to delete. */
export async function undoPairs(
  kernel: HostKernel,
  containers: readonly ContainerRecord[],
  owners: readonly number[],
  error: unknown,
): Promise<void> {
  const foreign = new Set(
    error instanceof NfbridgeError
      ? [error, ...error.related]
          .filter(({ code }) => code === 'NFB_EXISTS')
          .flatMap((each) =>
            failedOperations(each)
              .slice(0, 1)
              .map((operation) => owners[operation]),
          )
      : [],
  )
  for (const [index, { hostInterface }] of containers.entries()) {
    if (!foreign.has(index)) await kernel.deleteLink(hostInterface)
  }
}

/** The same error, told of the caller's containers instead of the operations that they became. */
export function pairError(
  error: unknown,
  containers: readonly ContainerRecord[],
  owners: readonly number[],
  places: Places,
): unknown {
  if (!(error instanceof NfbridgeError)) return error
  const [failedIndex = -1] = failedOperations(error)
  const container = containers[owners[failedIndex] ?? -1]
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

/** One request makes both ends where they belong, with indexes of our choice; then the bridge is told who is there. */
export function createPair(
  network: NetworkRecord,
  bridge: number,
  container: ContainerRecord,
  namespace: Namespace,
  firewall: boolean,
): RtnlOperation[] {
  const { hostInterface, interfaceName, mac, index } = container
  // One queue at each end spares a fifth of the cost.
  const both = { txQueues: 1, rxQueues: 1, ...(network.mtu === undefined ? {} : { mtu: network.mtu }) }
  return [
    {
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
        port: portOptions(firewall),
        peer: { ...both, name: interfaceName, mac, netns: namespace, index },
      },
    },
    ...stationOperations(container, firewall),
  ]
}

/**
 * A container reaches itself by a published port: in and out by one port of the bridge. With rules, the bridge learns
 * nothing from what containers send: one could send a frame in another's name (link-local multicast passes the chain
 * `senders` by) and draw its traffic. Nor are frames to unknown addresses sent to everybody.
 */
function portOptions(firewall: boolean): BridgePortOptions {
  return firewall ? { hairpin: true, learning: false, unicastFlood: false } : { hairpin: true }
}

/** What the bridge does not learn it is told: which port the container's address is behind. */
function stationOperations(container: ContainerRecord, firewall: boolean): RtnlOperation[] {
  if (!firewall) return []
  const { mac } = container
  return [{ kind: 'fdb', action: 'replace', entry: { device: hostIndex(container), mac, state: 'static' } }]
}

/** Makes interfaces that are there ports of a bridge again that was made anew. */
export function portOperations(
  bridge: number,
  containers: readonly ContainerRecord[],
  firewall: boolean,
): RtnlOperation[] {
  return containers.flatMap((container) => {
    const device = hostIndex(container)
    const port = portOptions(firewall)
    return [
      { kind: 'link', action: 'change', link: { device, master: bridge, up: true, port } } as const,
      ...stationOperations(container, firewall),
    ]
  })
}

/**
 * One deletion costs some 20 ms, and one by group hardly more for hundreds: several interfaces first move to a group of
 * their own. Deleting the end on the host deletes the one in the container.
 */
export function deletePairs(network: NetworkRecord, containers: readonly ContainerRecord[]): RtnlOperation[] {
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
