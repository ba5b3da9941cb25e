import { Cidr, type IPAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import { bridgeMac } from '../plan/bridge.js'
import { endpointRoutes, type ReturnRoute } from '../plan/endpoint-routes.js'
import { familyEndpoints } from '../plan/endpoints.js'
import { type EndpointRecord, type NetworkRecord, type PoolRecord, poolOf } from '../plan/records.js'
import { hasIPv6 } from './container-links.js'
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
    const withoutIPv6 = endpoint.ipv6 === undefined && hasIPv6(network) && (await kernel.hasIPv6())
    await kernel.applyInside(namespace, insideOperations(network, endpoint, withoutIPv6))
  } catch (error) {
    throw inOperation(error, 'Network.attach', { path: joinPath(path, 'netns') })
  }
}

/**
 * Before it is up: the link-local address is ours to give, the one that the sender check lets pass; and what another container
 * advertises as a router is not to be believed.
 */
async function prepareIPv6(
  interfaceName: string,
  write: (name: string, value: string) => Promise<void>,
): Promise<void> {
  const setting = (name: string): string => `net/ipv6/conf/${interfaceName}/${name}`
  try {
    await write(setting('addr_gen_mode'), ADDR_GEN_MODE_NONE)
  } catch (error) {
    if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
    throw new NfbridgeError({
      code: 'NFB_NOT_SUPPORTED',
      operation: error.operation,
      message: 'the kernel has no IPv6 (ipv6.disable=1?): make the network without',
      cause: error,
    })
  }
  await write(setting('accept_ra'), '0')
}

/** IN6_ADDR_GEN_MODE_NONE of linux/if_link.h. */
export const ADDR_GEN_MODE_NONE = '1'

/** @param withoutIPv6 the kernel has IPv6 and the endpoint has none: of itself it would give it an address that nobody answers to */
function insideOperations(
  network: NetworkRecord,
  endpoint: EndpointRecord,
  withoutIPv6: boolean,
): RtnlOperation[] {
  const device = endpoint.index
  const generation = withoutIPv6 ? ({ ipv6AddressGeneration: 'none' } as const) : {}
  return [
    { kind: 'link', action: 'change', link: { device: 'lo', up: true } },
    { kind: 'link', action: 'change', link: { device, up: true, ...generation } },
    ...(endpoint.ipv6 ? [addressOperation('add', device, endpoint.mac.linkLocal, 64)] : []),
    ...familyEndpoints(endpoint).flatMap(({ address }) => {
      const pool = poolOf(network, address)
      if (!pool) return []
      return [
        addressOperation('add', device, address, pool.subnet.prefixLength),
        ...gatewayOperations(network, pool, device),
      ]
    }),
    ...endpointRoutes(network, endpoint).map(
      ({ destination, gateway, metric }): RtnlOperation => ({
        kind: 'route',
        action: 'add',
        route: { destination, device, metric, ...(gateway && { gateway }) },
      }),
    ),
  ]
}

/** Priorities of the rules in a container: before the kernel's own for the table main, 32766. */
const MAIN_FIRST = 32_700
const BY_SOURCE = 32_701

/**
 * The answers of a container on several networks, each by the network that it was asked by. Whatever else has a route there (a
 * bridge or a VPN of the container's own) goes first; only what would take the default route goes by its source.
 */
export async function configureReturn(
  kernel: HostKernel,
  routes: readonly ReturnRoute[],
  { namespace, path }: Place,
): Promise<void> {
  const families = new Set(routes.map(({ source }) => source.family))
  const operations = [
    ...routes.map(
      ({ source, gateway, endpoint, table }): RtnlOperation => ({
        kind: 'route',
        action: 'replace',
        route: { destination: 'default', family: source.family, gateway, device: endpoint.index, table },
      }),
    ),
    ...[...families].map(
      (family): RtnlOperation => ({
        kind: 'rule',
        action: 'add',
        rule: { family, priority: MAIN_FIRST, suppressPrefixLength: 0 },
      }),
    ),
    ...routes.map(
      ({ source, table }): RtnlOperation => ({
        kind: 'rule',
        action: 'add',
        rule: { priority: BY_SOURCE, source: Cidr.of(source, source.family === 4 ? 32 : 128), table },
      }),
    ),
  ]
  try {
    await kernel.applyInside(namespace, operations)
  } catch (error) {
    // Rules that are there from an earlier connection; the kernel makes all others.
    const failures = error instanceof NfbridgeError ? [error, ...error.related] : []
    if (failures.length > 0 && failures.every(({ code }) => code === 'NFB_EXISTS')) return
    throw inOperation(error, 'Network.attach', { path: joinPath(path, 'netns') })
  }
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
