import { Cidr, type IPAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import { bridgeMac } from '../plan/bridge.js'
import { eachFamily } from '../plan/endpoints.js'
import {
  addressOf,
  type EndpointRecord,
  type NetworkRecord,
  type PoolRecord,
  poolOf,
} from '../plan/records.js'
import type { HostKernel } from './host-kernel.js'
import type { Place, Station } from './stations.js'
import { inOperation } from './steps.js'

/** In the container: the interface up, its addresses, the ways out. One send, and the settings of IPv6 where it has it. */
export async function configureInside(
  kernel: HostKernel,
  { network, endpoint }: Station,
  { namespace, path }: Place,
): Promise<void> {
  try {
    if (endpoint.ipv6)
      await prepareIPv6(endpoint.interfaceName, (name, value) => namespace.writeSysctl(name, value))
    await kernel.applyInside(namespace, insideOperations(network, endpoint))
  } catch (error) {
    throw inOperation(error, 'Network.attach', { path: joinPath(path, 'netns') })
  }
}

/**
 * Before it is up: many runtimes turn IPv6 off in a container; the link-local address is ours to give, the one that the
 * sender check lets pass; and what another container advertises as a router is not to be believed.
 */
async function prepareIPv6(
  interfaceName: string,
  write: (name: string, value: string) => Promise<void>,
): Promise<void> {
  const setting = (name: string): string => `net/ipv6/conf/${interfaceName}/${name}`
  try {
    await write(setting('disable_ipv6'), '0')
  } catch (error) {
    if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
    throw new NfbridgeError({
      code: 'NFB_NOT_SUPPORTED',
      operation: error.operation,
      message: 'the kernel has no IPv6 (ipv6.disable=1?): make the network without',
      cause: error,
    })
  }
  await write(setting('addr_gen_mode'), ADDR_GEN_MODE_NONE)
  await write(setting('accept_ra'), '0')
}

/** IN6_ADDR_GEN_MODE_NONE of linux/if_link.h. */
export const ADDR_GEN_MODE_NONE = '1'

function insideOperations(network: NetworkRecord, endpoint: EndpointRecord): RtnlOperation[] {
  const device = endpoint.index
  return [
    { kind: 'link', action: 'change', link: { device: 'lo', up: true } },
    { kind: 'link', action: 'change', link: { device, up: true } },
    ...(endpoint.ipv6 ? [addressOperation('add', device, endpoint.mac.linkLocal, 64)] : []),
    ...eachFamily.flatMap((family) => {
      const address = addressOf(endpoint, family)
      const pool = address && poolOf(network, address)
      if (!address || !pool) return []
      return [
        addressOperation('add', device, address, pool.subnet.prefixLength),
        ...gatewayOperations(network, pool, device),
        ...routeOperations(network, pool, endpoint),
      ]
    }),
  ]
}

/**
 * Where the gateway is, which needs no asking: the question goes to every port of the bridge, and on one of a thousand the
 * answer finds the kernel's queue full (`net.core.netdev_max_backlog`). The MAC of an adopted bridge may change.
 */
function gatewayOperations(network: NetworkRecord, pool: PoolRecord, device: number): RtnlOperation[] {
  if (!pool.gateway || network.adopted) return []
  const neighbour = { device, address: pool.gateway, mac: bridgeMac(network, pool.bridge) }
  return [{ kind: 'neighbour', action: 'replace', neighbour }]
}

/**
 * The way out, where there is one. Without it, or where the default route may go by another network, those to the other
 * pools of this one: on the same bridge directly, to another bridge by the host.
 */
function routeOperations(
  network: NetworkRecord,
  pool: PoolRecord,
  endpoint: EndpointRecord,
): RtnlOperation[] {
  const { index: device, metric } = endpoint
  const { gateway, bridge, subnet } = pool
  const siblings = network.pools.filter((other) => other !== pool && other.subnet.family === subnet.family)
  const toSiblings = siblings.flatMap((other): RtnlOperation[] => {
    const route = { destination: other.subnet, device, metric }
    if (other.bridge === bridge) return [{ kind: 'route', action: 'add', route }]
    return gateway ? [{ kind: 'route', action: 'add', route: { ...route, gateway } }] : []
  })
  if (!gateway || network.internal) return toSiblings
  return [
    ...toSiblings,
    { kind: 'route', action: 'add', route: { destination: 'default', gateway, device, metric } },
  ]
}

/** An address of an interface of ours: nobody else has it, so nobody waits for duplicates to be looked for (IPv6). */
export function addressOperation(
  action: 'add' | 'delete',
  device: number,
  address: IPAddress,
  prefixLength: number,
): RtnlOperation {
  return {
    kind: 'address',
    action,
    address: {
      device,
      address: Cidr.of(address, prefixLength),
      ...(address.family === 6 ? { duplicateDetection: false } : {}),
    },
  }
}
