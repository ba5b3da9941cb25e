import {
  formatRange,
  type IPAddress,
  IPv4Address,
  IPv6Address,
  MacAddress,
  parseAddress,
  parseExpose,
  parsePortRange,
  parsePublication,
} from '../../address/index.js'
import { checkInteger, checkOneOf } from '../../input.js'
import type { ConnectionLimitOptions } from '../options.js'
import { addHostText, parseAddHosts } from '../plan/add-hosts.js'
import { isLinkLocal } from '../plan/asked-addresses.js'
import { parseConnectionLimits } from '../plan/connections.js'
import { parseEndpointSysctls } from '../plan/endpoint-sysctls.js'
import { HELPER_NAMES } from '../plan/helpers.js'
import { labelsOf } from '../plan/labels.js'
import { LARGEST_MTU, smallestMtu } from '../plan/mtu.js'
import { requestedPublication } from '../plan/publish-settings.js'
import {
  type BandwidthRecord,
  type ContainerPort,
  type ContainerRecord,
  type EndpointRecord,
  type LinkRecord,
  type PublishedPort,
  portText,
  publishedText,
} from '../plan/records.js'
import { routeToJson } from '../plan/static-route.js'
import { flag, get, OPERATION, object, objects, optional, text, texts, textsByName } from './json-value.js'
import { routingFromJson } from './routing-json.js'

const STATES = ['running', 'stopped', 'host'] as const

/** How far the host's ends were from those in containers, before a file said where they are. */
export const FORMER_SPAN = 0x10000000

/** A container as JSON: text forms only, which the parsers of the caller's own input read again. */
export function containerToJson(container: ContainerRecord): object {
  const { endpoints, exposed, published, addHosts, ...rest } = container
  return {
    ...rest,
    endpoints: endpoints.map(endpointToJson),
    addHosts: addHosts.map(addHostText),
    expose: exposed.map(portText),
    publish: published.map(publishedToJson),
  }
}

/** @throws NfbridgeError or TypeError when it is not what {@link containerToJson} made */
export function containerFromJson(value: object): ContainerRecord {
  // A file of a version that did not know it was written beside a hosts file that was all ours.
  const isOld = get(value, 'addHosts') === undefined
  return {
    id: text(value, 'id'),
    name: text(value, 'name'),
    hostname: text(value, 'hostname'),
    domainname: optional(value, 'domainname', text),
    state: stateOf(text(value, 'state')),
    netns: optional(value, 'netns', text),
    netnsProcess: optional(value, 'netnsProcess', text),
    endpoints: objects(value, 'endpoints').map(endpointFromJson),
    exposed: texts(value, 'expose').map(portFromJson),
    published: objects(value, 'publish').map(publishedFromJson),
    links: objects(value, 'links').map(linkFromJson),
    addHosts: parseAddHosts(optional(value, 'addHosts', texts) ?? [], OPERATION, 'addHosts'),
    hostsFile: optional(value, 'hostsFile', text),
    ...labelsOf({ labels: optional(value, 'labels', textsByName) }),
    ...parseConnectionLimits(limitsFromJson(value), OPERATION, ''),
    ...(isOld || optional(value, 'hostsFileUnmarked', flag) ? { hostsFileUnmarked: true } : {}),
  }
}

function limitsFromJson(value: object): ConnectionLimitOptions {
  const number = (from: object, name: string): number => whole(from, name, [1, 0xffff_ffff])
  return {
    maxConnections: optional(value, 'maxConnections', (from, name) =>
      get(from, name) === 'unlimited' ? 'unlimited' : number(from, name),
    ),
    newConnectionsPerSecond: optional(value, 'newConnectionsPerSecond', number),
  }
}

function endpointToJson({ ipv4, ipv6, further, linkLocal, mac, routes, ...rest }: EndpointRecord): object {
  return {
    ...rest,
    further: further?.map(String),
    linkLocal: linkLocal?.map(String),
    routes: routes?.map(routeToJson),
    ipv4: ipv4?.toString(),
    ipv6: ipv6?.toString(),
    mac: mac.toString(),
  }
}

function endpointFromJson(value: object): EndpointRecord {
  const fixed = object(value, 'fixed')
  const index = whole(value, 'index', [1, 0x7fff_ffff])
  return {
    network: text(value, 'network'),
    bridge: text(value, 'bridge'),
    ipv4: optional(value, 'ipv4', (from, name) => IPv4Address.parse(text(from, name))),
    ipv6: optional(value, 'ipv6', (from, name) => IPv6Address.parse(text(from, name))),
    ...furtherFromJson(value),
    fixed: { ipv4: flag(fixed, 'ipv4'), ipv6: flag(fixed, 'ipv6'), mac: flag(fixed, 'mac') },
    mac: MacAddress.parseUnicast(text(value, 'mac')),
    hostInterface: text(value, 'hostInterface'),
    interfaceName: text(value, 'interfaceName'),
    ...mtuFromJson(value),
    ...parseEndpointSysctls(optional(value, 'sysctls', textsByName), OPERATION, 'sysctls'),
    index,
    hostIndex:
      optional(value, 'hostIndex', (from, name) => whole(from, name, [1, 0x7fff_ffff])) ??
      index + FORMER_SPAN,
    aliases: optional(value, 'aliases', texts) ?? [],
    priority: whole(value, 'priority', [-1000, 1000]),
    metric: whole(value, 'metric', [1, 0xffff_ffff]),
    ...routingFromJson(value),
    ingress: optional(value, 'ingress', bandwidthFromJson),
    egress: optional(value, 'egress', bandwidthFromJson),
    allowForgedSource: flag(value, 'allowForgedSource'),
  }
}

function furtherFromJson(value: object): Pick<EndpointRecord, 'further' | 'linkLocal'> {
  const list = (from: object, name: string): IPAddress[] =>
    texts(from, name).map((each) => parseAddress(each))
  const further = optional(value, 'further', list)
  const linkLocal = optional(value, 'linkLocal', list)
  if (linkLocal?.some((address) => !isLinkLocal(address))) throw new TypeError('an address is not link-local')
  return { ...(further && { further }), ...(linkLocal && { linkLocal }) }
}

function mtuFromJson(value: object): Pick<EndpointRecord, 'mtu'> {
  const mtu = optional(value, 'mtu', (from, name) => whole(from, name, [smallestMtu([]), LARGEST_MTU]))
  return mtu === undefined ? {} : { mtu }
}

function bandwidthFromJson(value: object, property: string): BandwidthRecord {
  const limit = object(value, property)
  return {
    rate: whole(limit, 'rate', [8, Number.MAX_SAFE_INTEGER]),
    burst: whole(limit, 'burst', [1, 0xffff_ffff]),
  }
}

function portFromJson(port: string): ContainerPort {
  const { protocol, first } = parseExpose(port, 'expose')
  return { protocol, port: first }
}

function publishedToJson({ chosenOf, ...port }: PublishedPort): object {
  return {
    publication: publishedText(port),
    helper: port.helper,
    chosenOf: typeof chosenOf === 'object' ? formatRange(chosenOf) : chosenOf,
  }
}

function publishedFromJson(value: object): PublishedPort {
  const publication = optional(value, 'publication', text)
  if (publication === undefined) return formerPublishedFromJson(value)
  const chosenOf = optional(value, 'chosenOf', text)
  const helper = optional(value, 'helper', (each, name) =>
    checkOneOf(get(each, name), HELPER_NAMES, OPERATION, name),
  )
  return {
    ...publishedPort(publication),
    ...(helper && { helper }),
    ...(chosenOf && { chosenOf: chosenOf === 'dynamic' ? chosenOf : parsePortRange(chosenOf, 'chosenOf') }),
  }
}

/** As version 0.1 wrote it: 0.0.0.0 stands for every address of both families. */
function formerPublishedFromJson(value: object): PublishedPort {
  const port = publishedPort(text(value, 'port'))
  const every = port.hostAddress?.toString() === '0.0.0.0'
  return {
    ...port,
    ...(every && { hostAddress: undefined }),
    ...(optional(value, 'automatic', flag) && { chosenOf: 'dynamic' }),
  }
}

/** With the ports of the host as they were resolved. */
function publishedPort(written: string): PublishedPort {
  const { port, choice } = requestedPublication(parsePublication(written, 'publish'), 'publish')
  if (choice === undefined) return port
  throw new TypeError(`${written} has no ports of the host`)
}

function linkFromJson(value: object): LinkRecord {
  return { server: text(value, 'server'), alias: text(value, 'alias') }
}

function stateOf(text: string): ContainerRecord['state'] {
  const state = STATES.find((each) => each === text)
  if (state) return state
  throw new TypeError(`"${text}" is no state of a container`)
}

function whole(value: object, property: string, range: readonly [number, number]): number {
  return checkInteger(get(value, property), [...range], OPERATION, property)
}
