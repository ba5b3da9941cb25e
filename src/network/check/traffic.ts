/** Packets for what stands: which our rules let pass, and other programs' should. */
import { parseAddress } from '../../address/index.js'
import type { NamespaceState, Packet } from '../../explain/index.js'
import type { Link } from '../../rtnl/index.js'
import { eachFamily, publishingEndpoint, translates } from '../plan/endpoints.js'
import {
  addressOf,
  type ContainerRecord,
  type Family,
  familiesOf,
  familyOf,
  isForHostAlone,
  linkablePorts,
  type NetworkRecord,
  publishedFamilies,
  standingEndpoints,
} from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { uplinks } from './settings.js'

/** One packet on its way through the host. */
export interface Traffic {
  /** What it is, in words: `containers of docker0 outward`. */
  readonly what: string
  readonly bridge: string
  readonly packet: Packet & { readonly inputDevice: Link; readonly outputDevice: Link }
}

/** So many published ports and links are tried. */
const MOST = 64
/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h. */
const DESTINATION_TRANSLATED = 32
const TCP = 6
const UDP = 17
const SCTP = 132
const SYN = 2
/** Somebody on the Internet: TEST-NET-2 and the documentation prefix. */
const STRANGER = { 4: '198.51.100.77', 6: '2001:db8:77::77' } as const

/** A packet for each thing that stands: outward, by a published port, between containers of a network, by a link. */
export function trafficOf(registry: Registry, state: NamespaceState): Traffic[] {
  const links = new Map(state.links.map((each) => [each.name, each]))
  const link: FindLink = (name) => (name === undefined ? undefined : links.get(name))
  const networks = [...registry.networks]
  return [
    ...networks.flatMap((network) => outward(network, state, link)),
    ...networks.flatMap((network) => within(network, link)),
    ...first(registry.containers, (each) => published(registry, each, state, link)),
    ...first(registry.containers, (each) => linked(registry, each, link)),
  ]
}

function first(
  containers: Iterable<ContainerRecord>,
  traffic: (container: ContainerRecord) => readonly Traffic[],
): Traffic[] {
  const found: Traffic[] = []
  for (const container of containers) {
    if (found.length >= MOST) break
    found.push(...traffic(container))
  }
  return found
}

type FindLink = (name: string | undefined) => Link | undefined

function outward(network: NetworkRecord, state: NamespaceState, link: FindLink): Traffic[] {
  return familiesOf(network).flatMap((family) => {
    if (network.internal || familyOf(network, family).mode === 'isolated') return []
    return uplinks(state, family).flatMap((uplink) =>
      network.bridges.flatMap((name) => {
        const [bridge, out] = [link(name), link(uplink)]
        const source = someAddresses(network, name, family)[0]
        if (!bridge || !out || !source) return []
        const what = `what containers of ${network.name} send outward by ${uplink} (IPv${family})`
        return [{ what, bridge: name, packet: firstPacket(bridge, out, source, STRANGER[family], TCP, 443) }]
      }),
    )
  })
}

/** Between containers of a network that is open within. */
function within(network: NetworkRecord, link: FindLink): Traffic[] {
  if (!network.icc) return []
  return familiesOf(network).flatMap((family) =>
    network.bridges.flatMap((name) => {
      const bridge = link(name)
      const [one, other] = someAddresses(network, name, family)
      if (!bridge || !one || !other) return []
      const what = `what containers of ${network.name} send to each other (IPv${family})`
      return [{ what, bridge: name, packet: firstPacket(bridge, bridge, one, other, TCP, 80) }]
    }),
  )
}

/** Two addresses of a pool that containers could have. */
function someAddresses({ pools }: NetworkRecord, bridge: string, family: Family): string[] {
  const pool = pools.find((each) => each.bridge === bridge && each.subnet.family === family)
  if (!pool) return []
  const found: string[] = []
  const bytes = Uint8Array.from(pool.range.first.bytes)
  for (let host = 0; host < 4 && found.length < 2; host += 1) {
    const last = (bytes.at(-1) ?? 0) | host
    const text = textOf(family, [...bytes.slice(0, -1), last])
    const address = parseAddress(text)
    if (pool.subnet.contains(address) && text !== pool.gateway?.toString() && host > 0) found.push(text)
  }
  return found
}

function textOf(family: Family, bytes: readonly number[]): string {
  if (family === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  return parseAddress(groups.join(':')).toString()
}

/** From outside, its destination translated already: whoever drops it at `forward` drops it all the same. */
function published(
  registry: Registry,
  container: ContainerRecord,
  state: NamespaceState,
  link: FindLink,
): Traffic[] {
  return container.published.flatMap((port) =>
    eachFamily.flatMap((family) => {
      const { hostPorts, containerPorts, protocol } = port
      if (!publishedFamilies(port).includes(family) || isForHostAlone(port)) return []
      const target = publishingEndpoint(registry, container, family)
      if (!target || !translates(registry, target.endpoint.network, family)) return []
      return uplinks(state, family).flatMap((uplink) => {
        const [inwards, bridge] = [link(uplink), link(target.endpoint.bridge)]
        if (!inwards || !bridge) return []
        const number = protocol === 'tcp' ? TCP : protocol === 'udp' ? UDP : SCTP
        const packet = firstPacket(
          inwards,
          bridge,
          STRANGER[family],
          target.address.toString(),
          number,
          containerPorts.first,
        )
        const what = `what comes in by ${uplink} for port ${hostPorts.first}/${protocol}, published by ${container.name} (IPv${family})`
        const connection = packet.connection && { ...packet.connection, status: DESTINATION_TRANSLATED }
        return [{ what, bridge: bridge.name, packet: { ...packet, ...(connection && { connection }) } }]
      })
    }),
  )
}

/** From each client to a port of each of its servers. */
function linked(registry: Registry, client: ContainerRecord, link: FindLink): Traffic[] {
  return client.links.flatMap(({ server: id }) => {
    const server = registry.container(id)
    const port = server && linkablePorts(server)[0]
    if (!server || !port) return []
    return standingEndpoints(client).flatMap((from) => {
      const to = standingEndpoints(server).find(({ network }) => network === from.network)
      const [input, output] = [link(from.bridge), link(to?.bridge)]
      if (!to || !input || !output) return []
      return eachFamily.flatMap((family) => {
        const [source, destination] = [addressOf(from, family), addressOf(to, family)]
        if (!source || !destination) return []
        const number = port.protocol === 'tcp' ? TCP : port.protocol === 'udp' ? UDP : SCTP
        const what = `the link of ${client.name} to ${server.name} (${port.port}/${port.protocol}, IPv${family})`
        const packet = firstPacket(input, output, `${source}`, `${destination}`, number, port.port)
        return [{ what, bridge: from.bridge, packet }]
      })
    })
  })
}

function firstPacket(
  inputDevice: Link,
  outputDevice: Link,
  source: string,
  destination: string,
  protocol: number,
  destinationPort: number,
): Traffic['packet'] {
  const sourcePort = { low: 32768, high: 60999 }
  const original = { source, destination, protocol, sourcePort, destinationPort }
  const reply = {
    source: destination,
    destination: source,
    protocol,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  }
  return {
    family: source.includes(':') ? 'ip6' : 'ip',
    ...original,
    inputDevice,
    outputDevice,
    mark: 0,
    ...(protocol === TCP && { tcpFlags: SYN }),
    connection: { state: 'new', status: 0, direction: 'original', original, reply, mark: 0 },
  }
}
