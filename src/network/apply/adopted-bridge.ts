import { Cidr, type IPAddress } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type { Link } from '../../rtnl/index.js'
import { bridgePools } from '../plan/bridge.js'
import { type Family, familiesOf, type NetworkRecord, type PoolRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { askingOf } from './asking-bridges.js'
import { gatewayOperations } from './bridge-steps.js'
import type { HostContext } from './host-context.js'
import { addressOperation } from './inside.js'
import { ignoreMissing } from './steps.js'

/** What we changed on a bridge that was there before us. */
export interface AdoptedBridge {
  readonly nfCallIptables: boolean
  readonly nfCallIp6tables: boolean
  /** Whether somebody had set it up. */
  readonly up: boolean
  /** The addresses that it had not: `172.20.0.1/16`. */
  readonly addresses: readonly string[]
  /** Gateways of the network that other machines are: `172.20.0.254`. */
  readonly gateways: readonly string[]
}

/** Makes a bridge of somebody else fit for a network; what was there already stays as it is. */
export async function adoptBridge(
  context: HostContext,
  network: NetworkRecord,
  bridge: string,
  policy: NetworkView['policy'],
): Promise<void> {
  const { kernel, persistence, settings, sysctls } = context
  const link = await kernel.findLink(bridge)
  if (link?.kind !== 'bridge') throw noBridge(bridge, link)
  const standing = await kernel.listAddresses(link.index)
  const before = context.adoptedBridges.get(bridge)
  const lacking = bridgePools(network, bridge).filter(
    ({ gateway }) => gateway && !standing.some(({ address }) => address.address.equals(gateway)),
  )
  const ports = (await kernel.listLinks()).filter(({ master }) => master === link.index)
  const gateways = await othersGateways(context, link, ports, lacking, before)
  const missing = lacking.filter(({ gateway }) => gateway && !gateways.includes(gateway.toString()))
  const added = missing.flatMap(({ gateway, subnet }) =>
    gateway ? [`${gateway}/${subnet.prefixLength}`] : [],
  )
  const memory: AdoptedBridge = {
    nfCallIptables: before?.nfCallIptables ?? link.bridge?.nfCallIptables ?? false,
    nfCallIp6tables: before?.nfCallIp6tables ?? link.bridge?.nfCallIp6tables ?? false,
    up: before?.up ?? link.up,
    addresses: [...new Set([...(before?.addresses ?? []), ...added])],
    gateways,
  }
  // Remembered first: killed in between, we would take away what is not there.
  context.adoptedBridges.set(bridge, memory)
  persistence.saveBridge(bridge, memory)
  const asking = askingOf(context, network, bridge, policy)
  const nfCall = asking ? { bridge: asking } : {}
  // Without ports it would take the MAC of the first of ours, and lose it with the last.
  const mac = ports.length > 0 || !link.mac ? {} : { mac: link.mac }
  await kernel.applyLinks([
    { kind: 'link', action: 'change', link: { device: link.index, up: true, ...mac, ...nfCall } },
    ...gatewayOperations(link.index, missing),
  ])
  const families = familiesOf(network)
  if (settings.firewall && families.includes(4)) await sysctls.change(localnetSetting(bridge), '1')
  for (const family of families) await sysctls.change(announcementSetting(bridge, family), '1')
}

/**
 * Gateways that other machines on the bridge's LAN are: the host sends by them, or they answer. Containers have them as their way out;
 * the bridge must not have them as well.
 */
async function othersGateways(
  { kernel }: HostContext,
  { index, up }: Link,
  ports: readonly Link[],
  lacking: readonly PoolRecord[],
  before: AdoptedBridge | undefined,
): Promise<string[]> {
  const routes = await kernel.listRoutes()
  const isOthers = async (gateway: IPAddress): Promise<boolean> => {
    // Ours since an earlier process made it so, and taken from the bridge meanwhile: to be given again.
    if (before?.addresses.some((text) => Cidr.parseInterface(text).address.equals(gateway))) return false
    if (before?.gateways.includes(gateway.toString())) return true
    if (routes.some((route) => route.gateway?.equals(gateway))) return true
    // Nobody answers on a bridge that is down, or that has no port with a carrier.
    return up && ports.some(({ lowerUp }) => lowerUp) && (await kernel.isTaken(index, gateway))
  }
  const gateways = lacking.flatMap(({ gateway }) => (gateway ? [gateway] : []))
  // All are asked for at once: where nobody answers, that takes seconds. No question outlives a call that fails.
  const answers = await Promise.allSettled(gateways.map(isOthers))
  return gateways.flatMap((gateway, place) => {
    const answer = answers[place]
    if (answer?.status === 'rejected') throw answer.reason
    return answer?.value ? [gateway.toString()] : []
  })
}

/** Gives a bridge back as it was, if it is still there; also one that was adopted half. */
export async function releaseBridge(context: HostContext, bridge: string): Promise<void> {
  const { kernel, persistence, settings, sysctls } = context
  const memory = context.adoptedBridges.get(bridge)
  if (!memory) return
  const link = await kernel.findLink(bridge)
  if (link) {
    const { nfCallIptables, nfCallIp6tables, addresses } = memory
    if (settings.firewall) {
      const change = { device: link.index, bridge: { nfCallIptables, nfCallIp6tables } }
      await kernel.applyLinks([{ kind: 'link', action: 'change', link: change }])
    }
    for (const text of addresses) {
      const { address, prefixLength } = Cidr.parseInterface(text)
      await ignoreMissing(kernel.applyLinks([addressOperation('delete', link.index, address, prefixLength)]))
    }
    for (const setting of changedSettings(bridge)) await sysctls.restore(setting)
    if (!memory.up) {
      await kernel.applyLinks([{ kind: 'link', action: 'change', link: { device: link.index, up: false } }])
    }
  } else {
    for (const setting of changedSettings(bridge)) sysctls.forget(setting)
  }
  context.adoptedBridges.delete(bridge)
  persistence.saveBridge(bridge, undefined)
}

function changedSettings(bridge: string): string[] {
  return [localnetSetting(bridge), announcementSetting(bridge, 4), announcementSetting(bridge, 6)]
}

/**
 * The host tells everybody when the bridge's MAC becomes another one, as it does when a port of a lower MAC joins: containers
 * would go on sending to the former one until they give it up.
 */
function announcementSetting(bridge: string, family: Family): string {
  return family === 4 ? `net/ipv4/conf/${bridge}/arp_notify` : `net/ipv6/conf/${bridge}/ndisc_notify`
}

function localnetSetting(bridge: string): string {
  return `net/ipv4/conf/${bridge}/route_localnet`
}

function noBridge(bridge: string, link: Link | undefined): NfbridgeError {
  return new NfbridgeError({
    code: link ? 'NFB_SETTING_CONFLICT' : 'NFB_MISSING',
    operation: 'BridgeHost.createNetwork',
    message: link
      ? `"${bridge}" is there and is no bridge${link.kind ? `, but a ${link.kind}` : ''}; choose another name`
      : `there is no bridge "${bridge}" any more`,
    path: 'adopt',
  })
}
