import { MacAddress } from '../../address/index.js'
import type { Link, Neighbour, RtnlOperation } from '../../rtnl/index.js'
import { toldAddresses } from '../plan/endpoints.js'
import type { NetworkRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { HostKernel } from './host-kernel.js'
import { standingStations } from './stations.js'

/**
 * What the host was told of containers that nobody remembers: of a call that was killed, and of those that went with their
 * interface while no process looked after them. On a bridge of somebody else only what has the form of ours.
 */
export async function strayNeighbourOperations(
  kernel: Pick<HostKernel, 'listNeighbours'>,
  view: NetworkView,
  networks: readonly NetworkRecord[],
  links: readonly Link[],
): Promise<RtnlOperation[]> {
  const known = new Set(
    standingStations(view).flatMap(({ endpoint }) =>
      toldAddresses(endpoint).map((address) => `${endpoint.bridge} ${address}`),
    ),
  )
  const bridges = new Map(
    networks.flatMap(({ bridges: names, adopted }) =>
      links.flatMap(({ name, index }) => (names.includes(name) ? [[index, { name, adopted }] as const] : [])),
    ),
  )
  if (bridges.size === 0) return []
  const listed = await kernel.listNeighbours()
  // A container's further addresses have the MAC that is derived from its first.
  const derived = new Set(listed.filter(isDerived).map(({ device, mac }) => `${device} ${mac}`))
  return listed.flatMap((neighbour): RtnlOperation[] => {
    const { address, mac, device, state } = neighbour
    const bridge = bridges.get(device)
    if (!bridge || state !== 'permanent' || !mac || known.has(`${bridge.name} ${address}`)) return []
    if (bridge.adopted && !derived.has(`${device} ${mac}`)) return []
    return [{ kind: 'neighbour', action: 'delete', neighbour: { device, address, mac } }]
  })
}

/** Whether the MAC is one that {@link planEndpoint} derives from an address. */
function isDerived({ address, mac }: Neighbour): boolean {
  return mac?.equals(MacAddress.fromBytes(Uint8Array.of(0x02, 0x42, ...address.bytes.slice(-4)))) ?? false
}
