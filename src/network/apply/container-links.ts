import { MacAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import { type BridgePortOptions, failedOperations, type Link, type RtnlOperation } from '../../rtnl/index.js'
import { toldAddresses } from '../plan/endpoints.js'
import type { EndpointRecord, NetworkRecord } from '../plan/records.js'
import { limiterName, limitOperations } from './bandwidth.js'
import type { HostKernel } from './host-kernel.js'
import type { Places, Station } from './stations.js'
import { ignoreMissing, inOperation } from './steps.js'

/** What was made in a send of which a part failed; an interface that was there before is not ours to delete. */
export async function undoPairs(
  kernel: HostKernel,
  stations: readonly Station[],
  owners: readonly number[],
  error: unknown,
): Promise<void> {
  const foreign = new Set(
    error instanceof NfbridgeError
      ? [error, ...error.related]
          .filter(({ code }) => code === 'NFB_EXISTS' || code === 'NFB_BUSY')
          .flatMap((each) =>
            failedOperations(each)
              .slice(0, 1)
              .map((operation) => owners[operation]),
          )
      : [],
  )
  for (const [index, { endpoint }] of stations.entries()) {
    if (foreign.has(index)) continue
    for (const name of interfacesOf(endpoint)) await kernel.deleteLink(name)
  }
  await ignoreMissing(kernel.applyLinks(await forgetNeighbours(kernel, stations)))
}

/** The same error, told of the caller's containers instead of the operations that they became. */
export function pairError(
  error: unknown,
  stations: readonly Station[],
  owners: readonly number[],
  places: Places,
): unknown {
  if (!(error instanceof NfbridgeError)) return error
  const [failedIndex = -1] = failedOperations(error)
  const station = stations[owners[failedIndex] ?? -1]
  if (!station) return error
  const path = places.get(station.container.id)?.path ?? ''
  const { hostInterface, interfaceName, index, hostIndex } = station.endpoint
  // Of an index that somebody has the kernel says EBUSY in the container, and EEXIST on the host.
  if (error.code !== 'NFB_EXISTS' && error.code !== 'NFB_BUSY')
    return inOperation(error, error.operation, { path })
  return new NfbridgeError({
    code: error.code,
    operation: error.operation,
    message: `the container has an interface "${interfaceName}" or index ${index} already, or the host "${hostInterface}" or ${hostIndex}`,
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: joinPath(path, 'interfaceName'),
    related: error.related,
    cause: error,
  })
}

/**
 * One request makes both ends where they belong, with indexes of our choice; then the bridge is told who is there. Up it goes at
 * the end: of an interface that is up, each change of its port makes the kernel walk through all routes of IPv6.
 */
export function createPair(
  { network, endpoint }: Station,
  bridge: BridgeOfPair,
  namespace: Namespace,
  { firewall, ipv6 }: { readonly firewall: boolean; readonly ipv6: boolean },
): RtnlOperation[] {
  const { hostInterface, interfaceName, mac, index } = endpoint
  // One queue at each end spares a fifth of the cost.
  const queues = { txQueues: 1, rxQueues: 1 }
  const mtu = network.mtu === undefined ? {} : { mtu: network.mtu }
  return [
    {
      kind: 'link',
      action: 'create',
      link: {
        ...queues,
        ...(bridge.mtu === undefined ? mtu : { mtu: bridge.mtu }),
        kind: 'veth',
        name: hostInterface,
        index: endpoint.hostIndex,
        mac: hostEndMac(mac),
        master: bridge.index,
        group: network.group,
        port: portOptions(endpoint, firewall),
        // A port of a bridge needs no address of its own: four routes less for the kernel to walk through, and no frames from it.
        ...(ipv6 && hasIPv6(network) ? { ipv6AddressGeneration: 'none' } : {}),
        peer: {
          ...queues,
          ...mtu,
          ...(endpoint.mtu === undefined ? {} : { mtu: endpoint.mtu }),
          name: interfaceName,
          mac,
          netns: namespace,
          index,
        },
      },
    },
    ...stationOperations(endpoint, bridge.index, firewall),
    ...limitOperations(endpoint, network.group),
    { kind: 'link', action: 'change', link: { device: endpoint.hostIndex, up: true } },
  ]
}

/** What a pair must know of its bridge. */
export interface BridgeOfPair {
  readonly index: number
  /** Of an adopted one, which has the least of its ports' unless somebody set it; undefined: that of the network. */
  readonly mtu: number | undefined
}

/**
 * The host's end has an address that was set (NET_ADDR_SET), which udev's MACAddressPolicy leaves alone; and so high a one, as
 * libvirt gives it, that no bridge takes it for its own, the lowest of its ports'.
 */
function hostEndMac(mac: MacAddress): MacAddress {
  const bytes = Uint8Array.from(mac.bytes)
  bytes[0] = 0xfe
  return MacAddress.fromBytes(bytes)
}

/** RFC 8200, 5: on an interface with less the kernel has no IPv6, and no settings of it. */
const LEAST_IPV6_MTU = 1280

/** Whether interfaces of a network can have IPv6 at all. */
export function hasIPv6({ mtu }: Pick<NetworkRecord, 'mtu'>): boolean {
  return mtu === undefined || mtu >= LEAST_IPV6_MTU
}

/**
 * Frames to 01:80:c2:00:00:00 to :0f: by default the kernel hands them to the port as an interface of the host, past the bridge's rules (net/bridge/br_input.c,
 * br_handle_frame), and with them whatever they carry. Passed on like others they meet the chain `senders`, which drops them. The kernel
 * itself drops those to :01.
 */
const LINK_LOCAL_GROUPS = 0xfffd

/**
 * How many multicast groups the bridge remembers of a container: by default 4,096 of all ports together (`mcast_hash_max`), after which it
 * snoops no more and floods all of them. The kernel counts each source of a group.
 */
const MOST_GROUPS = 256

/**
 * A container reaches itself by a published port: in and out by one port of the bridge. With rules, the bridge learns
 * nothing from what containers send: one could send a frame in another's name (link-local multicast passes the chain
 * `senders` by) and draw its traffic. Nor are frames to unknown addresses sent to everybody. Behind a container that may
 * send as others there are stations that only its own frames tell of.
 */
export function portOptions({ allowForgedSource }: EndpointRecord, firewall: boolean): BridgePortOptions {
  const always = { hairpin: true, multicastMaxGroups: MOST_GROUPS }
  if (!firewall) return always
  const judged = { ...always, groupForwardMask: LINK_LOCAL_GROUPS }
  // Questions for its address are answered by the bridge, which was told, and are not copied to a thousand ports.
  return {
    ...judged,
    learning: allowForgedSource,
    unicastFlood: allowForgedSource,
    proxyArpForPort: !allowForgedSource,
  }
}

/**
 * What the bridge does not learn it is told: which port the container's MAC is behind. Nor does the host ask for it: a question
 * goes to every port, and beyond a thousand the kernel drops it on the way to some (`net.core.netdev_max_backlog`).
 */
function stationOperations(endpoint: EndpointRecord, bridge: number, firewall: boolean): RtnlOperation[] {
  if (!firewall) return []
  const { mac } = endpoint
  return [
    { kind: 'fdb', action: 'replace', entry: { device: endpoint.hostIndex, mac, state: 'static' } },
    ...neighbourOperations('replace', endpoint, bridge),
  ]
}

function neighbourOperations(
  action: 'replace' | 'delete',
  endpoint: EndpointRecord,
  bridge: number,
): RtnlOperation[] {
  const { mac, allowForgedSource } = endpoint
  if (allowForgedSource) return []
  return toldAddresses(endpoint).map((address) => ({
    kind: 'neighbour',
    action,
    neighbour: { device: bridge, address, mac },
  }))
}

/** Takes back what the host was told about containers; with a bridge that is gone it went. */
export async function forgetNeighbours(
  kernel: HostKernel,
  stations: readonly Station[],
): Promise<RtnlOperation[]> {
  const bridges = new Map<string, number>()
  for (const name of new Set(stations.map(({ endpoint }) => endpoint.bridge))) {
    const index = await kernel.findBridge(name)
    if (index !== undefined) bridges.set(name, index)
  }
  return stations.flatMap(({ endpoint }) => {
    const bridge = bridges.get(endpoint.bridge)
    return bridge === undefined ? [] : neighbourOperations('delete', endpoint, bridge)
  })
}

/** Gives a port what it was made with, where it has something else. */
export function alteredPort(
  { index, port }: Link,
  endpoint: EndpointRecord,
  firewall: boolean,
): RtnlOperation[] {
  if (!port) return []
  const options = portOptions(endpoint, firewall)
  const has = new Map<string, unknown>(Object.entries(port))
  if (Object.entries(options).every(([name, value]) => !has.has(name) || has.get(name) === value)) return []
  return [{ kind: 'link', action: 'change', link: { device: index, port: options } }]
}

/** Makes interfaces that are there ports of a bridge again that was made anew. */
export function portOperations(
  bridge: number,
  endpoints: readonly EndpointRecord[],
  firewall: boolean,
): RtnlOperation[] {
  return endpoints.flatMap((endpoint) => {
    const device = endpoint.hostIndex
    const port = portOptions(endpoint, firewall)
    return [
      { kind: 'link', action: 'change', link: { device, master: bridge, up: true, port } } as const,
      ...stationOperations(endpoint, bridge, firewall),
    ]
  })
}

/**
 * One deletion costs some 20 ms, and one by group hardly more for hundreds: several interfaces first move to a group of
 * their own. Deleting the end on the host deletes the one in the container.
 */
export function deletePairs(stations: readonly Station[]): RtnlOperation[] {
  const [first] = stations
  const devices = stations.flatMap(({ endpoint }) => interfacesOf(endpoint))
  const [device] = devices
  if (!first || device === undefined) return []
  if (devices.length === 1) return [{ kind: 'link', action: 'delete', link: { device } }]
  const group = first.network.group + LEAVING
  return [
    ...devices.map(
      (each): RtnlOperation => ({ kind: 'link', action: 'change', link: { device: each, group } }),
    ),
    { kind: 'link', action: 'delete', link: { group } },
  ]
}

/** What an endpoint has on the host. */
function interfacesOf(endpoint: EndpointRecord): string[] {
  return [endpoint.hostInterface, ...(endpoint.egress ? [limiterName(endpoint)] : [])]
}

/** Far from the groups of other networks. */
const LEAVING = 0x8000
