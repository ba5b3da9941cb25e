import { IPv4Address, IPv6Address, MacAddress, parseExpose } from '../../address/index.js'
import { checkInteger } from '../../input.js'
import { parsePublishOption } from '../plan/publish-settings.js'
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
import { flag, get, OPERATION, object, objects, optional, text, texts } from './json-value.js'

const STATES = ['running', 'stopped', 'host'] as const

/** A container as JSON: text forms only, which the parsers of the caller's own input read again. */
export function containerToJson(container: ContainerRecord): object {
  const { endpoints, exposed, published, ...rest } = container
  return {
    ...rest,
    endpoints: endpoints.map(endpointToJson),
    expose: exposed.map(portText),
    publish: published.map((port) => ({ port: publishedText(port), automatic: port.automatic })),
  }
}

/** @throws NfbridgeError or TypeError when it is not what {@link containerToJson} made */
export function containerFromJson(value: object): ContainerRecord {
  return {
    id: text(value, 'id'),
    name: text(value, 'name'),
    hostname: text(value, 'hostname'),
    state: stateOf(text(value, 'state')),
    netns: optional(value, 'netns', text),
    endpoints: objects(value, 'endpoints').map(endpointFromJson),
    exposed: texts(value, 'expose').map(portFromJson),
    published: objects(value, 'publish').map(publishedFromJson),
    links: objects(value, 'links').map(linkFromJson),
    hostsFile: optional(value, 'hostsFile', text),
  }
}

function endpointToJson({ ipv4, ipv6, mac, ...rest }: EndpointRecord): object {
  return { ...rest, ipv4: ipv4?.toString(), ipv6: ipv6?.toString(), mac: mac.toString() }
}

function endpointFromJson(value: object): EndpointRecord {
  const fixed = object(value, 'fixed')
  return {
    network: text(value, 'network'),
    bridge: text(value, 'bridge'),
    ipv4: optional(value, 'ipv4', (from, name) => IPv4Address.parse(text(from, name))),
    ipv6: optional(value, 'ipv6', (from, name) => IPv6Address.parse(text(from, name))),
    fixed: { ipv4: flag(fixed, 'ipv4'), ipv6: flag(fixed, 'ipv6'), mac: flag(fixed, 'mac') },
    mac: MacAddress.parseUnicast(text(value, 'mac')),
    hostInterface: text(value, 'hostInterface'),
    interfaceName: text(value, 'interfaceName'),
    index: whole(value, 'index', [1, 0x7fff_ffff]),
    priority: whole(value, 'priority', [-1000, 1000]),
    metric: whole(value, 'metric', [1, 0xffff_ffff]),
    ingress: optional(value, 'ingress', bandwidthFromJson),
    egress: optional(value, 'egress', bandwidthFromJson),
    allowForgedSource: flag(value, 'allowForgedSource'),
  }
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

function publishedFromJson(value: object): PublishedPort {
  const { port } = parsePublishOption(text(value, 'port'), 'publish')
  return optional(value, 'automatic', flag) ? { ...port, automatic: true } : port
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
