import { IPv4Address, IPv6Address } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import { type AskedAddress, askedBefore } from './asked-addresses.js'
import type { Claims, Refuse } from './claims.js'
import type { BandwidthSettings, EndpointSettings, LimitSettings } from './endpoint-settings.js'
import { checkEndpointSysctls } from './endpoint-sysctls.js'
import { endpointMtu } from './mtu.js'
import { type Placement, place } from './placement.js'
import {
  type BandwidthRecord,
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familiesOf,
  type NetworkRecord,
  poolOf,
} from './records.js'
import { checkRoutes } from './static-route.js'
import type { InsideClaims } from './taken-links.js'

/** As many networks a container can be on: each has a metric of its own among those of one priority. */
const MOST_ENDPOINTS = 64

/** Chooses what was left open of a container's place on a network, and checks what was given. */
export function planEndpoint(
  claims: Claims,
  network: NetworkRecord,
  settings: EndpointSettings,
  container: Pick<ContainerRecord, 'id' | 'endpoints'>,
  refuse: Refuse,
  inside: InsideClaims,
): EndpointRecord {
  const { addresses, mac, aliases, priority, allowForgedSource, bandwidth } = settings
  const interfaceName = chooseInterfaceName(settings.interfaceName, container.endpoints, inside, refuse)
  const metric = chooseMetric(settings, network, container.endpoints, inside, refuse)
  checkRoutes(settings.routes, network, refuse)
  const defaultRoute = settings.defaultRoute ?? network.defaultRoute !== false
  const families = availableFamilies(network, settings, refuse)
  checkEndpointSysctls(settings, families, refuse)
  const placement = place(claims, network, families, addresses, {}, refuse)
  const [address4, address6] = [placement.addresses[4], placement.addresses[6]]
  const address = address4 ?? address6
  if (!address) throw refuse('NFB_POOL_FULL', `${network.name} has no pool of addresses`)
  return {
    network: network.name,
    bridge: placement.bridge,
    ipv4: address4 instanceof IPv4Address ? address4 : undefined,
    ipv6: address6 instanceof IPv6Address ? address6 : undefined,
    ...furtherOf(placement),
    ...claimLinkLocal(claims, network, settings.linkLocal, families, refuse),
    fixed: { ipv4: isAsked(addresses, 4), ipv6: isAsked(addresses, 6), mac: mac !== undefined },
    mac: claims.mac(network, address, mac, refuse),
    hostInterface: claims.hostInterface(
      `${container.id} ${network.name}`,
      settings.hostInterfaceName,
      refuse,
    ),
    interfaceName,
    ...(settings.sysctls && { sysctls: settings.sysctls }),
    ...endpointMtu(settings.mtu, network, families, refuse),
    index: inside.index(new Set(container.endpoints.map(({ index }) => index))),
    hostIndex: claims.hostIndex(),
    aliases,
    priority,
    metric,
    ...(settings.routes.length > 0 && { routes: settings.routes }),
    ...(!defaultRoute && { defaultRoute: false as const }),
    ...bandwidthRecords(settings.mtu ?? network.mtu, bandwidth, refuse),
    allowForgedSource,
  }
}

/** The endpoint of a container that starts again: what was fixed as it was, its former addresses where they are free. */
export function replanEndpoint(
  claims: Claims,
  network: NetworkRecord,
  former: EndpointRecord,
  ipv6Off: boolean,
  refuse: Refuse,
  inside: InsideClaims,
): EndpointRecord {
  const { ipv4, ipv6, fixed, further: _, linkLocal: __, ...rest } = former
  const asked = askedBefore(former)
  const families = availableFamilies(network, { addresses: asked.addresses, ipv6Off }, refuse)
  const placement = place(claims, network, families, asked.addresses, { 4: ipv4, 6: ipv6 }, refuse)
  const { bridge, addresses } = placement
  const [address4, address6] = [addresses[4], addresses[6]]
  const address = address4 ?? address6
  if (!address) throw refuse('NFB_POOL_FULL', `${network.name} has no pool of addresses`)
  return {
    ...rest,
    fixed,
    bridge,
    ipv4: address4 instanceof IPv4Address ? address4 : undefined,
    ipv6: address6 instanceof IPv6Address ? address6 : undefined,
    ...furtherOf(placement),
    ...claimLinkLocal(claims, network, asked.linkLocal, families, refuse),
    mac: claims.mac(network, address, fixed.mac ? former.mac : undefined, refuse),
    metric: inside.metrics.has(former.metric)
      ? chooseMetric({ metric: undefined, priority: former.priority }, network, [], inside, refuse)
      : former.metric,
    index: inside.index(new Set(), former.index),
    hostIndex: claims.hostIndex(former.hostIndex),
  }
}

function isAsked(addresses: readonly AskedAddress[], family: Family): boolean {
  return addresses.some(({ address }) => address.family === family)
}

function furtherOf({ further }: Placement): Pick<EndpointRecord, 'further'> {
  return further.length > 0 ? { further } : {}
}

/** Link-local addresses that nobody has on the network; they need no pool. */
function claimLinkLocal(
  claims: Claims,
  network: NetworkRecord,
  asked: readonly AskedAddress[],
  families: readonly Family[],
  refuse: Refuse,
): Pick<EndpointRecord, 'linkLocal'> {
  for (const { address, property } of asked) {
    const { family } = address
    const pool = poolOf(network, address)
    if (pool) {
      const message = `${address} is of the pool ${pool.subnet} of ${network.name}; ask for it by "addresses"`
      throw refuse('NFB_SETTING_CONFLICT', message, property)
    }
    if (!families.includes(family)) {
      const message = `the container has no other IPv${family} address on ${network.name}`
      throw refuse('NFB_SETTING_CONFLICT', message, property)
    }
    claims.linkLocal(network, address, property, refuse)
  }
  return asked.length > 0 ? { linkLocal: asked.map(({ address }) => address) } : {}
}

/** The families of which a container gets addresses: those of the network, but for IPv6 where the container has it turned off. */
function availableFamilies(
  network: NetworkRecord,
  { addresses, ipv6Off }: Pick<EndpointSettings, 'addresses' | 'ipv6Off'>,
  refuse: Refuse,
): Family[] {
  const families = familiesOf(network)
  if (!ipv6Off || !families.includes(6)) return families
  const off = 'the container has IPv6 turned off (net.ipv6.conf.default.disable_ipv6 is 1)'
  const asked = addresses.find(({ address }) => address.family === 6)
  if (asked)
    throw refuse('NFB_SETTING_CONFLICT', `${off}, and ${asked.address} was asked for`, asked.property)
  const others = families.filter((family) => family !== 6)
  if (others.length > 0) return others
  throw refuse('NFB_SETTING_CONFLICT', `${off}, and ${network.name} has no other addresses`, 'netns')
}

/**
 * Limits with their default bursts: a hundredth of a second of the rate, but ten packets at least.
 * @param refuse a burst that is less than one packet, its Ethernet header included: none would ever pass
 */
export function bandwidthRecords(
  mtu: number | undefined,
  { ingress, egress }: BandwidthSettings,
  refuse: Refuse,
): Pick<EndpointRecord, 'ingress' | 'egress'> {
  const packet = (mtu ?? DEFAULT_MTU) + ETHERNET_HEADER
  const limit = (
    settings: LimitSettings | undefined,
    direction: 'ingress' | 'egress',
  ): BandwidthRecord | undefined => {
    if (!settings) return undefined
    const { rate, burst } = settings
    if (burst !== undefined && burst < packet) {
      const message = `a burst of ${burst} bytes lets no full packet pass: those of the interface have up to ${packet}`
      throw refuse('NFB_INVALID_ARGUMENT', message, joinPath(joinPath('bandwidth', direction), 'burst'))
    }
    const least = 10 * (mtu ?? DEFAULT_MTU)
    return { rate, burst: burst ?? Math.min(Math.max(Math.ceil(rate / 800), least), 0xffff_ffff) }
  }
  return { ingress: limit(ingress, 'ingress'), egress: limit(egress, 'egress') }
}

/** What the kernel gives an interface that is given none. */
const DEFAULT_MTU = 1500
/** ETH_HLEN of linux/if_ether.h, which a queue counts. */
const ETHERNET_HEADER = 14

function chooseInterfaceName(
  given: string | undefined,
  endpoints: readonly EndpointRecord[],
  inside: InsideClaims,
  refuse: Refuse,
): string {
  const own = new Set(endpoints.map(({ interfaceName }) => interfaceName))
  if (given !== undefined && own.has(given)) {
    throw refuse('NFB_NAME_TAKEN', `the container has an interface "${given}" already`, 'interfaceName')
  }
  if (given !== undefined && inside.hasName(given)) {
    const message = `the container has an interface "${given}" already, which is not ours`
    throw refuse('NFB_EXISTS', message, 'interfaceName')
  }
  return inside.name(given, own)
}

/**
 * The metric of an endpoint's default routes: those of a higher priority are used sooner, and among equals the one that was
 * connected first. Never 0, which IPv6 takes for its default of 1024.
 */
function chooseMetric(
  { metric: given, priority }: Pick<EndpointSettings, 'metric' | 'priority'>,
  network: NetworkRecord,
  endpoints: readonly Pick<EndpointRecord, 'metric'>[],
  inside: InsideClaims,
  refuse: Refuse,
): number {
  const taken = new Set([...endpoints.map(({ metric }) => metric), ...inside.metrics])
  if (given !== undefined) {
    if (!taken.has(given)) return given
    throw refuse(
      'NFB_SETTING_CONFLICT',
      `another default route of the container has the metric ${given}`,
      'metric',
    )
  }
  if (network.metric !== undefined && priority === 0) {
    let metric = network.metric
    while (taken.has(metric)) metric += 1
    inside.metric(metric)
    return metric
  }
  const slots = new Set(
    [...taken].filter((metric) => metric > 0).map((metric) => (metric - 1) % MOST_ENDPOINTS),
  )
  let slot = Math.max(-1, ...slots) + 1
  // The slots of networks that it left come again when there are no others.
  if (slot >= MOST_ENDPOINTS) slot = 0
  while (slots.has(slot)) slot += 1
  const metric = (1000 - priority) * MOST_ENDPOINTS + slot + 1
  inside.metric(metric)
  if (slot < MOST_ENDPOINTS) return metric
  throw refuse('NFB_SETTING_CONFLICT', `a container is on ${MOST_ENDPOINTS} networks at most`)
}
