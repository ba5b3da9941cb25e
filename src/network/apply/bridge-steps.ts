import type { MacAddress } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type { BridgeOptions, RtnlOperation } from '../../rtnl/index.js'
import { bridgeMac, bridgePools, MOST_LEARNED } from '../plan/bridge.js'
import { familiesOf, familyOf, type NetworkRecord, type PoolRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { adoptBridge, releaseBridge } from './adopted-bridge.js'
import { askingOf } from './asking-bridges.js'
import { hasIPv6 } from './container-links.js'
import type { HostContext } from './host-context.js'
import { addressOperation } from './inside.js'
import { type Step, takeBack } from './steps.js'

/** A network's bridges with their addresses and settings, one step for each. */
export function bridgeSteps(
  context: HostContext,
  network: NetworkRecord,
  policy: NetworkView['policy'],
): Step[] {
  return network.bridges.map((bridge) =>
    network.adopted
      ? adoptedStep(context, network, bridge, policy)
      : ownStep(context, network, bridge, policy),
  )
}

function ownStep(
  context: HostContext,
  network: NetworkRecord,
  bridge: string,
  policy: NetworkView['policy'],
): Step {
  const { kernel } = context
  const mac = bridgeMac(network, bridge)
  return {
    leaves: `bridge ${bridge}`,
    apply: async () => {
      await kernel.applyLinks([
        createBridge(network, bridge, mac, askingOf(context, network, bridge, policy)),
      ])
      try {
        await writeSettings(context, network, bridge)
        const device = await kernel.bridgeIndex(bridge)
        const gateways = gatewayOperations(device, bridgePools(network, bridge))
        const linkLocal = bridgePools(network, bridge).some(({ gateway }) => gateway?.family === 6)
          ? [addressOperation('add', device, mac.linkLocal, 64)]
          : []
        if (gateways.length > 0) await kernel.applyLinks([...linkLocal, ...gateways])
      } catch (error) {
        await takeBack(error, `bridge ${bridge}`, () => kernel.deleteLink(bridge))
      }
    },
    undo: () => kernel.deleteLink(bridge),
  }
}

function adoptedStep(
  context: HostContext,
  network: NetworkRecord,
  bridge: string,
  policy: NetworkView['policy'],
): Step {
  const leaves = `settings and addresses of ${bridge}`
  return {
    leaves,
    apply: async () => {
      try {
        await adoptBridge(context, network, bridge, policy)
      } catch (error) {
        await takeBack(error, leaves, () => releaseBridge(context, bridge))
      }
    },
    undo: () => releaseBridge(context, bridge),
  }
}

/** The bridge's own addresses. */
export function gatewayOperations(device: number, pools: readonly PoolRecord[]): RtnlOperation[] {
  return pools.flatMap(({ gateway, subnet }) =>
    gateway ? [addressOperation('add', device, gateway, subnet.prefixLength)] : [],
  )
}

function createBridge(
  network: NetworkRecord,
  name: string,
  mac: MacAddress,
  asking: BridgeOptions = {},
): RtnlOperation {
  const { mtu } = network
  return {
    kind: 'link',
    action: 'create',
    link: {
      kind: 'bridge',
      name,
      mac,
      up: true,
      bridge: { ...asking, fdbMaxLearned: MOST_LEARNED },
      ...(mtu === undefined ? {} : { mtu }),
    },
  }
}

/** They go with the bridge. It has no carrier yet, and so the kernel has given it no address of its own accord. */
export async function writeSettings(
  { kernel, sysctls, settings }: HostContext,
  network: NetworkRecord,
  bridge: string,
): Promise<void> {
  const families = familiesOf(network)
  // Lets the host reach published ports by 127.0.0.1; rules keep everybody else from it (docs/rules.md).
  if (settings.firewall && families.includes(4))
    await sysctls.write(`net/ipv4/conf/${bridge}/route_localnet`, '1')
  const arpIgnore = arpIgnoreOf(network)
  if (arpIgnore !== undefined) await sysctls.writeIfWritable(`net/ipv4/conf/${bridge}/arp_ignore`, arpIgnore)
  const setting = (name: string): string => `net/ipv6/conf/${bridge}/${name}`
  if ((await sysctls.readIfThere(setting('disable_ipv6'))) === undefined) {
    if (families.includes(6)) throw noIPv6()
    return
  }
  if (families.includes(6)) await sysctls.write(setting('disable_ipv6'), '0')
  // Its addresses are those that we give it.
  if (hasIPv6(network)) {
    const link = { device: bridge, ipv6AddressGeneration: 'none' } as const
    await kernel.applyLinks([{ kind: 'link', action: 'change', link }])
  }
  // Whatever a container advertises as a router, the host does not learn it. Where rules are made, the sender check drops it
  // before: so this may be missing where nothing can be written.
  await sysctls.writeIfWritable(setting('accept_ra'), '0')
  await sysctls.writeIfWritable(setting('autoconf'), '0')
}

/**
 * By default the kernel answers ARP for every address of the host on every interface. 1: only for the interface's own; 8: for none
 * (Documentation/networking/ip-sysctl.rst).
 */
function arpIgnoreOf(network: NetworkRecord): '1' | '8' | undefined {
  if (network.internal) return '1'
  return familyOf(network, 4).mode === 'isolated' ? '8' : undefined
}

function noIPv6(): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation: 'BridgeHost.createNetwork',
    message: 'the kernel has no IPv6 (ipv6.disable=1?): make the network without',
    path: 'ipv6',
  })
}
