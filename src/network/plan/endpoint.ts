import { IPv4Address, IPv6Address } from '../../address/index.js'
import type { Claims, Refuse } from './claims.js'
import type { BandwidthSettings, EndpointSettings, LimitSettings } from './endpoint-settings.js'
import { checkEndpointSysctls } from './endpoint-sysctls.js'
import { endpointMtu } from './mtu.js'
import { place } from './placement.js'
import {
  type BandwidthRecord,
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familiesOf,
  type NetworkRecord,
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
  const { ipv4, ipv6, mac, aliases, priority, allowForgedSource, bandwidth } = settings
  const interfaceName = chooseInterfaceName(settings.interfaceName, container.endpoints, inside, refuse)
  const metric = chooseMetric(settings, network, container.endpoints, inside, refuse)
  checkRoutes(settings.routes, network, refuse)
  const defaultRoute = settings.defaultRoute ?? network.defaultRoute !== false
  const families = availableFamilies(network, settings, refuse)
  checkEndpointSysctls(settings, families, refuse)
  const placement = place(claims, network, families, { 4: ipv4, 6: ipv6 }, {}, refuse)
  const [address4, address6] = [placement.addresses[4], placement.addresses[6]]
  const address = address4 ?? address6
  if (!address) throw refuse('NFB_POOL_FULL', `${network.name} has no pool of addresses`)
  return {
    network: network.name,
    bridge: placement.bridge,
    ipv4: address4 instanceof IPv4Address ? address4 : undefined,
    ipv6: address6 instanceof IPv6Address ? address6 : undefined,
    fixed: { ipv4: ipv4 !== undefined, ipv6: ipv6 !== undefined, mac: mac !== undefined },
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
    ...bandwidthRecords(network, bandwidth),
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
  const { ipv4, ipv6, fixed } = former
  const asked = { 4: fixed.ipv4 ? ipv4 : undefined, 6: fixed.ipv6 ? ipv6 : undefined }
  const families = availableFamilies(network, { ipv6: asked[6], ipv6Off }, refuse)
  const { bridge, addresses } = place(claims, network, families, asked, { 4: ipv4, 6: ipv6 }, refuse)
  const [address4, address6] = [addresses[4], addresses[6]]
  const address = address4 ?? address6
  if (!address) throw refuse('NFB_POOL_FULL', `${network.name} has no pool of addresses`)
  return {
    ...former,
    bridge,
    ipv4: address4 instanceof IPv4Address ? address4 : undefined,
    ipv6: address6 instanceof IPv6Address ? address6 : undefined,
    mac: claims.mac(network, address, fixed.mac ? former.mac : undefined, refuse),
    metric: inside.metrics.has(former.metric)
      ? chooseMetric({ metric: undefined, priority: former.priority }, network, [], inside, refuse)
      : former.metric,
    index: inside.index(new Set(), former.index),
    hostIndex: claims.hostIndex(former.hostIndex),
  }
}

/** The families of which a container gets addresses: those of the network, but for IPv6 where the container has it turned off. */
function availableFamilies(
  network: NetworkRecord,
  { ipv6, ipv6Off }: Pick<EndpointSettings, 'ipv6' | 'ipv6Off'>,
  refuse: Refuse,
): Family[] {
  const families = familiesOf(network)
  if (!ipv6Off || !families.includes(6)) return families
  const off = 'the container has IPv6 turned off (net.ipv6.conf.default.disable_ipv6 is 1)'
  if (ipv6) throw refuse('NFB_SETTING_CONFLICT', `${off}, and ${ipv6} was asked for`, 'ipv6Address')
  const others = families.filter((family) => family !== 6)
  if (others.length > 0) return others
  throw refuse('NFB_SETTING_CONFLICT', `${off}, and ${network.name} has no other addresses`, 'netns')
}

/** Limits with their default bursts: a hundredth of a second of the rate, but ten packets at least. */
export function bandwidthRecords(
  network: Pick<NetworkRecord, 'mtu'>,
  { ingress, egress }: BandwidthSettings,
): Pick<EndpointRecord, 'ingress' | 'egress'> {
  const least = 10 * (network.mtu ?? 1500)
  const limit = (settings: LimitSettings | undefined): BandwidthRecord | undefined =>
    settings && {
      rate: settings.rate,
      burst: settings.burst ?? Math.min(Math.max(Math.ceil(settings.rate / 800), least), 0xffff_ffff),
    }
  return { ingress: limit(ingress), egress: limit(egress) }
}

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
