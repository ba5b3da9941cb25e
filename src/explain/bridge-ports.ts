/** A bridge's ports: who is behind them, and what they let pass beside rules. */
import { parseAddress } from '../address/index.js'
import type { Link } from '../rtnl/index.js'
import { Stopped } from './answer.js'
import type { Attachment } from './neighbour-question.js'
import { noSuchAddress, requireRunning } from './obstacles.js'
import type { Packet } from './packet.js'
import { hasAddress, linkByIndex, type NamespaceState } from './state.js'
import type { World } from './world.js'

/** br_netfilter hands frames to the hooks of IP here: NF_BR_PRI_BRNF, and one before it at forward. */
export const BRIDGE_NETFILTER = { prerouting: 0, forward: -1 } as const

/** Who has an address on a bridge: by the interface that has it, where several of a namespace are on the bridge. */
export async function neighbourOn(world: World, bridge: Link, address: string): Promise<Attachment> {
  const { host } = world
  let without: NamespaceState | undefined
  for (const machine of await world.machines(address)) {
    const ends = machine.links.flatMap((device): Attachment[] => {
      const port = portOf(host, device)
      return port?.master === bridge.index ? [{ machine, device, port }] : []
    })
    const end = ends.find(({ device }) => hasAddress(machine, address, device)) ?? ends[0]
    if (end === undefined) continue
    if (!hasAddress(machine, address)) {
      without = machine
      continue
    }
    requireRunning(host, end.port)
    requireRunning(machine, end.device)
    return end
  }
  const owner = world.owner ? world.owner(address) : without?.name
  if (owner !== undefined && without) throw noSuchAddress(owner, address, `${owner} no longer`)
  throw owner === undefined
    ? unknownNeighbour(world, bridge, address)
    : noSuchAddress(host.name, address, `nobody on ${bridge.name}`)
}

/** An address of nobody who is known: who is behind other ports of the bridge may have it. */
function unknownNeighbour({ host, isKnownPort }: World, bridge: Link, address: string): Stopped {
  const strange = host.links.filter(
    (link) => link.master === bridge.index && isKnownPort !== undefined && !isKnownPort(link),
  )
  if (strange.length === 0) return noSuchAddress(host.name, address, `nobody on ${bridge.name}`)
  const mac = host.neighbours.find(
    (each) => each.device === bridge.index && each.address.equals(parseAddress(address)),
  )?.mac
  const entry =
    mac && host.fdb.find((each) => each.mac.equals(mac) && strange.some(({ index }) => index === each.device))
  const behind = strange
    .filter(({ index }) => entry === undefined || index === entry.device)
    .map(({ name }) => name)
  const ports =
    behind.length > 3 ? `${behind.slice(0, 3).join(', ')} and ${behind.length - 3} more` : behind.join(', ')
  const machine = 'a machine that this host did not attach'
  return new Stopped(
    { kind: 'address', namespace: host.name, address, behind },
    mac && entry
      ? `${address} is at ${mac}, behind ${ports} of ${bridge.name}: ${machine}, and its inside was not looked at`
      : `whether anybody on ${bridge.name} has the address ${address} is not known: behind ${ports} is ${machine}`,
    `ask the one who attached it, or look there: \`ip neighbour show ${address} dev ${bridge.name}\``,
  )
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

/** The MAC address that a namespace sends to by what it was told for good (a permanent neighbour); undefined: it asks. */
export function toldMac(state: NamespaceState, device: Link, nextHop: string): string | undefined {
  return state.neighbours
    .find(
      (each) =>
        each.device === device.index &&
        each.state === 'permanent' &&
        !each.proxy &&
        each.address.toString() === nextHop,
    )
    ?.mac?.toString()
}

/** Frames to the bridge's own address, or to that of one of its ports, are the host's. @throws Stopped for others */
export function requireOwnMac(
  host: NamespaceState,
  bridge: Link,
  mac: string | undefined,
  from: string,
): void {
  if (mac === undefined || bridge.mac === undefined || isOwnMac(host, bridge, mac)) return
  throw new Stopped(
    { kind: 'link', namespace: host.name, link: bridge.name, problem: 'mac' },
    `${from} was told that ${bridge.name} has the MAC address ${mac}, and it has ${bridge.mac}`,
    `give ${bridge.name} its address back: ip link set ${bridge.name} address ${mac}`,
  )
}

/** Whether frames of a bridge to a MAC address are the host's. */
export function isOwnMac(host: NamespaceState, bridge: Link, mac: string | undefined): boolean {
  const own = host.links.filter(({ index, master }) => index === bridge.index || master === bridge.index)
  return mac !== undefined && own.some((link) => link.mac?.toString() === mac)
}

/** Frames to a MAC address go to the port that the bridge knows it behind, or to all that take what is unknown. @throws Stopped */
export function requireKnownMac(
  host: NamespaceState,
  bridge: Link,
  { machine, device, port }: Attachment,
  told: string | undefined,
): void {
  const mac = device.mac?.toString()
  if (mac === undefined) return
  if (told !== undefined && told !== mac)
    throw new Stopped(
      { kind: 'link', namespace: machine.name, link: device.name, problem: 'mac' },
      `${device.name} of ${machine.name} has the MAC address ${mac}, and is taken to have ${told}`,
      // Either may have been changed: this does not say which of both was given.
      `if ${device.name} of ${machine.name} was given ${mac}, the neighbour entry is wrong: set its lladdr to ${mac} (ip neigh replace); if it was given ${told}, give it that back`,
    )
  const entries = host.fdb.filter((entry) => entry.mac.toString() === mac && entry.master === bridge.index)
  const ports = port.port
  const found = entries.some((entry) => entry.device === port.index)
  // A port that learns is found as soon as something was sent from behind it: ARP is asked before.
  if (found || (entries.length === 0 && (ports?.unicastFlood !== false || ports.learning !== false))) return
  const elsewhere = entries.some((entry) => entry.state !== 'dynamic' || ports?.learning === false)
  if (entries.length > 0 && !elsewhere) return
  throw new Stopped(
    { kind: 'link', namespace: host.name, link: port.name, problem: 'unknown-mac' },
    `in ${host.name}, the bridge ${bridge.name} does not know that ${mac} (${machine.name}) is behind ${port.name}, and does not send there what it does not know`,
    `tell it: bridge fdb replace ${mac} dev ${port.name} master static`,
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
