import { Cidr, type IPAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import { linkLocalPrefixLength } from '../plan/asked-addresses.js'
import { bridgeMac } from '../plan/bridge.js'
import { endpointRoutes } from '../plan/endpoint-routes.js'
import { endpointSysctl } from '../plan/endpoint-sysctls.js'
import { linkLocalAddresses, poolEndpoints } from '../plan/endpoints.js'
import { type EndpointRecord, type NetworkRecord, type PoolRecord, poolOf } from '../plan/records.js'
import { hasIPv6 } from './container-links.js'
import type { HostKernel } from './host-kernel.js'
import type { Place, Station } from './stations.js'
import { inOperation } from './steps.js'
import { writeIfWritable, writeSetting } from './sysctls.js'

/** In the container: the interface up, its addresses, the ways out. One send, and the settings of IPv6 where it has it. */
export async function configureInside(
  kernel: HostKernel,
  { network, endpoint }: Station,
  { namespace, path }: Place,
): Promise<void> {
  const kernelHasIPv6 = await kernel.hasIPv6()
  await toldOf(joinPath(path, 'netns'), async () => {
    if (!endpoint.ipv6) return
    if (!kernelHasIPv6) throw noIPv6()
    // What another container advertises as a router is not to be believed; where rules are made, it is dropped before.
    await writeIfWritable(namespace, `net/ipv6/conf/${endpoint.interfaceName}/accept_ra`, '0')
  })
  await writeSysctls(endpoint, namespace, joinPath(path, 'sysctls'))
  const sixth = hasIPv6({ mtu: endpoint.mtu ?? network.mtu }) && kernelHasIPv6
  await toldOf(joinPath(path, 'netns'), () =>
    kernel.applyInside(namespace, insideOperations(network, endpoint, sixth)),
  )
}

/** What fails is told of the caller's input. */
async function toldOf(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw inOperation(error, 'Network.attach', { path })
  }
}

/** Before it has addresses: some are heeded only then. An error tells which of them the kernel does not have or take. */
async function writeSysctls(
  { sysctls = {}, interfaceName }: EndpointRecord,
  namespace: Namespace,
  path: string,
): Promise<void> {
  for (const [name, value] of Object.entries(sysctls)) {
    await toldOf(joinPath(path, name), () =>
      writeSetting(namespace, endpointSysctl(name, interfaceName), value),
    )
  }
}

function noIPv6(): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation: 'Network.attach',
    message: 'the kernel has no IPv6 (ipv6.disable=1?): make the network without',
  })
}

/**
 * @param sixth whether the interface can have IPv6: of itself the kernel would give it a link-local address, which nobody answers to;
 * the one that the sender check lets pass is ours to give
 */
function insideOperations(network: NetworkRecord, endpoint: EndpointRecord, sixth: boolean): RtnlOperation[] {
  const device = endpoint.index
  const generation = sixth ? ({ ipv6AddressGeneration: 'none' } as const) : {}
  return [
    { kind: 'link', action: 'change', link: { device: 'lo', up: true } },
    { kind: 'link', action: 'change', link: { device, up: true, ...generation } },
    ...ownAddresses(network, endpoint).flatMap(({ address, pool }) => [
      addressOperation('add', device, address, pool.subnet.prefixLength),
      ...gatewayOperations(network, pool, device),
    ]),
    ...linkLocalAddresses(endpoint).map((address) =>
      addressOperation('add', device, address, linkLocalPrefixLength(address.family)),
    ),
    ...endpointRoutes(network, endpoint)
      .filter(({ type }) => type === 'unicast')
      .map(
        ({ destination, gateway, metric }): RtnlOperation => ({
          kind: 'route',
          action: 'add',
          route: { destination, metric, device, ...(gateway && { gateway }) },
        }),
      ),
  ]
}

/**
 * The first of a family is to be the one that packets are sent from: with IPv4 that is the one that came first, and with IPv6, where
 * no other resembles the destination more, the one that came last. Link-local ones of IPv4 come after it, and in the same scope: the
 * kernel puts an address of the scope `link` before all that reach further, and sends from it by routes without a gateway, and multicast.
 */
function ownAddresses(
  network: NetworkRecord,
  endpoint: EndpointRecord,
): { readonly address: IPAddress; readonly pool: PoolRecord }[] {
  const ipv4 = poolEndpoints(endpoint).filter(({ family }) => family === 4)
  const ipv6 = poolEndpoints(endpoint).filter(({ family }) => family === 6)
  return [...ipv4, ...ipv6.toReversed()].flatMap(({ address }) => {
    const pool = poolOf(network, address)
    return pool ? [{ address, pool }] : []
  })
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
