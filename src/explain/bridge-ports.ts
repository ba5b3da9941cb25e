/** A bridge's ports: who is behind them, and what they let pass beside rules. */
import type { Link } from '../rtnl/index.js'
import { Stopped } from './answer.js'
import type { Attachment } from './neighbour-question.js'
import { noSuchAddress, requireRunning } from './obstacles.js'
import type { Packet } from './packet.js'
import { hasAddress, linkByIndex, type NamespaceState } from './state.js'
import type { World } from './world.js'

/** br_netfilter hands frames to the hooks of IP here: NF_BR_PRI_BRNF, and one before it at forward. */
export const BRIDGE_NETFILTER = { prerouting: 0, forward: -1 } as const

/** Who has an address on a bridge. */
export async function neighbourOn(world: World, bridge: Link, address: string): Promise<Attachment> {
  const { host } = world
  let without: NamespaceState | undefined
  for (const machine of await world.machines(address)) {
    for (const device of machine.links) {
      const port = portOf(host, device)
      if (port === undefined || port.master !== bridge.index) continue
      if (!hasAddress(machine, address)) {
        without = machine
        continue
      }
      requireRunning(host, port)
      requireRunning(machine, device)
      return { machine, device, port }
    }
  }
  const owner = world.owner ? world.owner(address) : without?.name
  throw owner !== undefined && without
    ? noSuchAddress(owner, address, `${owner} no longer`)
    : noSuchAddress(host.name, address, `nobody on ${bridge.name}`)
}

/** The host's end of a machine's link: each knows the other's index. */
export function portOf(host: NamespaceState, device: Link): Link | undefined {
  if (device.peer === undefined || device.peerNamespaceId === undefined) return undefined
  const port = linkByIndex(host, device.peer)
  return port?.peer === device.index && port.peerNamespaceId !== undefined ? port : undefined
}

/** A port of a bridge that has to take or give frames. @throws Stopped when it does not */
export function requireForwarding(host: NamespaceState, port: Link): void {
  requireRunning(host, port)
  const state = port.port?.state
  if (state !== undefined && state !== 'forwarding')
    throw new Stopped(
      { kind: 'link', namespace: host.name, link: port.name, problem: 'blocking' },
      `in ${host.name}, the bridge's port ${port.name} is ${state}`,
      `wait until the port ${port.name} forwards, or turn off the spanning tree protocol`,
    )
}

/** From one port to another. @throws Stopped when the bridge does not pass it on */
export function requirePassable(host: NamespaceState, bridge: Link, from: Link, port: Link): void {
  if (from.index === port.index && !port.port?.hairpin)
    throw new Stopped(
      { kind: 'link', namespace: host.name, link: port.name, problem: 'hairpin' },
      `in ${host.name}, the bridge ${bridge.name} sends nothing back by ${port.name}, where it came from`,
      `turn hairpin on for ${port.name}`,
    )
  if (from.port?.isolated && port.port?.isolated)
    throw new Stopped(
      { kind: 'link', namespace: host.name, link: port.name, problem: 'isolated' },
      `in ${host.name}, ${from.name} and ${port.name} are isolated from each other on ${bridge.name}`,
      'take the flag isolated from one of the two ports',
    )
}

/** Whether what a bridge passes on meets the rules of IP: by its own setting, or by that of all bridges. */
export async function isFiltered(host: NamespaceState, bridge: Link, { family }: Packet): Promise<boolean> {
  const name = family === 'ip6' ? 'ip6tables' : 'iptables'
  const all = await host.sysctl(`net/bridge/bridge-nf-call-${name}`)
  // Without br_netfilter there is no such setting, and the bridge's own has no effect.
  if (all === undefined) return false
  const own = family === 'ip6' ? bridge.bridge?.nfCallIp6tables : bridge.bridge?.nfCallIptables
  return all === '1' || own === true
}

/** The next hop of a translated packet that stays on its bridge; undefined for one that leaves it. */
export async function nextHopOn(
  host: NamespaceState,
  bridge: Link,
  packet: Packet,
): Promise<string | undefined> {
  const question = { destination: packet.destination, source: packet.source, inputDevice: bridge.index }
  const decision = await host.lookup(question)
  if (!decision.reachable || decision.type === 'local' || decision.device !== bridge.index) return undefined
  return (decision.gateway ?? packet.destination).toString()
}
