/** Packets for what networks are there for: which our rules let pass, and other programs' should. */
import type { NamespaceState, Packet } from '../../explain/index.js'
import type { Link } from '../../rtnl/index.js'
import { familiesOf, familyOf, type NetworkRecord } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { STRANGER, someAddresses } from './sample-addresses.js'
import { uplinks } from './uplinks.js'

/** One packet on its way through the host. */
export interface Traffic {
  /** What it is, in words: `containers of docker0 outward`. */
  readonly what: string
  readonly network: NetworkRecord
  readonly packet: Packet & { readonly inputDevice: Link; readonly outputDevice: Link }
}

const TCP = 6
const SYN = 2

/**
 * A packet for what networks are there for whoever is on them: outward by each uplink, and between containers. It is
 * evaluated by the hooks alone, as if containers and routes were there.
 */
export function trafficOf(registry: Registry, state: NamespaceState): Traffic[] {
  const links = new Map(state.links.map((each) => [each.name, each]))
  const link: FindLink = (name) => (name === undefined ? undefined : links.get(name))
  const networks = [...registry.networks]
  return [
    ...networks.flatMap((network) => outward(network, state, link)),
    ...networks.flatMap((network) => within(network, link)),
  ]
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
        const what = `what containers of ${network.name} send outward (IPv${family})`
        return [{ what, network, packet: firstPacket(bridge, out, source, STRANGER[family], TCP, 443) }]
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
      return [{ what, network, packet: firstPacket(bridge, bridge, one, other, TCP, 80) }]
    }),
  )
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
