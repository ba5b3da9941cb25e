/** What a journey makes of packets between its stages. */
import type { Link, RouteFound, RouteLookup } from '../rtnl/index.js'
import type { LinkEnd, Neighbour } from './neighbour-question.js'
import { refusedRoute } from './obstacles.js'
import { type Packet, PROTOCOL_NUMBERS } from './packet.js'
import { linkByIndex, type NamespaceState } from './state.js'

/** A packet that a namespace is about to send; without a source the kernel chooses it. */
export type Draft = Omit<Packet, 'source'> & { readonly source?: string }

/** The packet between two namespaces or layers: without devices, frame and marks of where it was. */
export function bare(packet: Packet): Packet {
  const {
    inputDevice: _input,
    outputDevice: _output,
    inputBridge: _inputBridge,
    outputBridge: _outputBridge,
    nextHop: _nextHop,
    ...rest
  } = packet
  return rest
}

/** The packet as it comes into another namespace: what the one before knew of it stays there (skb_scrub_packet). */
export function crossing(packet: Packet): Packet {
  const { connection: _, remembered: __, zone: ___, isForHost: ____, ...rest } = bare(packet)
  return { ...rest, mark: 0 }
}

/** The end of a link that belongs to a namespace: it asks and answers with its own address. */
export function ownEnd(state: NamespaceState, device: Link, towards: string, packet: Packet): LinkEnd {
  const family = packet.family === 'ip6' ? 'ip6' : 'ip'
  return {
    address: state.evaluator.environment.deviceAddress(device, family, towards) ?? packet.source,
    state,
    device,
  }
}

/** The end of a bridge's port that belongs to a machine. */
export function endOf({ address, attachment }: Neighbour): LinkEnd {
  return attachment ? { address, state: attachment.machine, device: attachment.device } : { address }
}

/** Whether one has the other among its neighbours for good, and does not ask for it. */
export function isKnownFor({ state, device }: LinkEnd, { address }: { readonly address: string }): boolean {
  if (!state) return false
  return state.neighbours.some(
    (each) =>
      each.state === 'permanent' &&
      each.address.toString() === address &&
      (device === undefined || each.device === device.index),
  )
}

/** By which link a route leads, and to whom. */
export function deviceOf(
  state: NamespaceState,
  { device, gateway }: RouteFound,
): Pick<Packet, 'outputDevice' | 'nextHop'> {
  const link = linkByIndex(state, device)
  return { ...(link && { outputDevice: link }), ...(gateway && { nextHop: gateway.toString() }) }
}

/** What routing rules can look at, beside the addresses. */
export function markOf({
  mark,
  protocol,
  sourcePort,
  destinationPort,
}: Draft): Pick<RouteLookup, 'mark' | 'protocol' | 'sourcePort' | 'destinationPort'> {
  const name =
    protocol === PROTOCOL_NUMBERS.tcp ? 'tcp' : protocol === PROTOCOL_NUMBERS.udp ? 'udp' : undefined
  return {
    ...(mark !== undefined && mark !== 0 && { mark }),
    ...(name && {
      protocol: name,
      ...(typeof sourcePort === 'number' && { sourcePort }),
      ...(typeof destinationPort === 'number' && { destinationPort }),
    }),
  }
}

export function targetOf({ destination, destinationPort }: Draft): string {
  if (typeof destinationPort !== 'number') return destination
  return destination.includes(':')
    ? `[${destination}]:${destinationPort}`
    : `${destination}:${destinationPort}`
}

/** The way of what a namespace sends itself. @throws Stopped where there is none */
export async function routeOut(state: NamespaceState, packet: Draft): Promise<RouteFound> {
  const decision = await state.lookup({
    destination: packet.destination,
    ...(packet.source !== undefined && { source: packet.source }),
    ...markOf(packet),
  })
  if (decision.reachable) return decision
  const { outputDevice: _, inputDevice: __, ...rest } = packet
  // Refused for its source, it has a device all the same.
  const free = await state.lookup({ destination: packet.destination, ...markOf(packet) })
  const towards = linkByIndex(state, free.reachable ? free.device : undefined)
  throw await refusedRoute(state, { ...rest, source: packet.source ?? '' }, towards, decision)
}
