import { addHostText } from '../plan/add-hosts.js'
import { linkLocalAddresses } from '../plan/endpoints.js'
import { hostsLines } from '../plan/hosts-lines.js'
import { linkVariables } from '../plan/link-variables.js'
import {
  type BandwidthRecord,
  type ContainerRecord,
  type EndpointRecord,
  linkablePorts,
  portText,
  publishedText,
  shortId,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { inspectRoute } from './inspect-network.js'
import type {
  BandwidthInspection,
  ContainerInspection,
  EndpointInspection,
  LinkInspection,
} from './inspection.js'

/** A container as data. @param clients names of the containers with a link to it */
export function inspectContainer(
  view: NetworkView,
  container: ContainerRecord,
  clients: readonly string[],
): ContainerInspection {
  const { id, name, hostname, domainname, state, netns, endpoints, exposed, published, links, hostsFile } =
    container
  return {
    id,
    shortId: shortId(id),
    name,
    hostname,
    domainname: domainname ?? null,
    state,
    netns: netns ?? null,
    endpoints: endpoints.map(inspectEndpoint),
    exposed: exposed.map(portText),
    published: published.map(publishedText),
    publishedHelpers: Object.fromEntries(
      published.flatMap((port) => (port.helper ? [[publishedText(port), port.helper] as const] : [])),
    ),
    links: links.flatMap((link) => inspectLink(view, link)),
    linkedFrom: [...clients],
    hosts: hostsLines(view, container).map(({ text }) => text),
    addHosts: container.addHosts.map(addHostText),
    hostsFile: hostsFile ?? null,
    variables: { ...linkVariables(view, container) },
    labels: { ...container.labels },
    maxConnections: container.maxConnections ?? view.policy.maxConnections ?? null,
    newConnectionsPerSecond: container.newConnectionsPerSecond ?? null,
  }
}

function inspectEndpoint(endpoint: EndpointRecord): EndpointInspection {
  const { network, bridge, ipv4, ipv6, mac, interfaceName, hostInterface, priority, metric } = endpoint
  return {
    network,
    bridge,
    ipv4: ipv4?.toString() ?? null,
    ipv6: ipv6?.toString() ?? null,
    further: (endpoint.further ?? []).map(String),
    linkLocal: linkLocalAddresses(endpoint).map(String),
    mac: mac.toString(),
    interfaceName,
    hostInterface,
    mtu: endpoint.mtu ?? null,
    sysctls: { ...endpoint.sysctls },
    aliases: [...endpoint.aliases],
    priority,
    metric,
    defaultRoute: endpoint.defaultRoute !== false,
    routes: (endpoint.routes ?? []).map(inspectRoute),
    ingress: inspectBandwidth(endpoint.ingress),
    egress: inspectBandwidth(endpoint.egress),
    allowForgedSource: endpoint.allowForgedSource,
  }
}

function inspectBandwidth(limit: BandwidthRecord | undefined): BandwidthInspection | null {
  return limit ? { rate: limit.rate, burst: limit.burst } : null
}

function inspectLink(
  view: NetworkView,
  { server, alias }: ContainerRecord['links'][number],
): LinkInspection[] {
  const target = view.container(server)
  if (!target) return []
  const { name, id, state } = target
  return [{ alias, container: name, id, state, ports: linkablePorts(target).map(portText) }]
}
