/**
 * What may arrive where, by docs/senders.md, docs/networks.md, docs/communication.md and docs/security.md, in words of its own: nothing of it is read from the
 * product's rules or its plan. What arrives and has no allowance is a failure.
 */
import { addressText } from '../lab/raw-socket.js'
import { macText } from './bytes.js'
import type { Event } from './event.js'
import { type IpHeaders, portsOf, readIp } from './headers.js'
import { EXPOSED } from './networks.js'
import { PEER_SUBNET, type Station } from './world.js'

export interface Allowance {
  readonly name: string
  readonly reason: string
  holds(event: Event): boolean
}

const NEIGHBOUR_SOLICITATION = 135
const NEIGHBOUR_ADVERTISEMENT = 136
const ROUTER_ADVERTISEMENT = 134
const REDIRECT = 137
const ICMP = 1
const ICMP6 = 58
const TCP = 6
const UDP = 17

/** What {@link senders.md} lets a container send at all: its own MAC, one of its own addresses, IP and ARP alone, nothing of a router. */
export function isHonest({ sender, sent, sentIp }: Event): boolean {
  if (sent.tagged || sent.source !== sender.mac) return false
  if (sent.type === 0x0806) return isHonestArp(sender, sent.packet)
  if (sentIp === undefined || !ownAddresses(sender).includes(sentIp.source)) return false
  const type = icmp6Type(sentIp)
  if (type === ROUTER_ADVERTISEMENT || type === REDIRECT) return false
  return (
    type !== NEIGHBOUR_ADVERTISEMENT ||
    ownAddresses(sender).includes(addressText(sentIp.payload.subarray(8, 24)))
  )
}

function isHonestArp(sender: Station, arp: Uint8Array): boolean {
  return (
    arp.length >= 18 &&
    macText(arp.subarray(8, 14)) === sender.mac &&
    addressText(arp.subarray(14, 18)) === sender.ipv4
  )
}

function ownAddresses({ ipv4, ipv6, linkLocal }: Station): readonly string[] {
  return [ipv4, ipv6, linkLocal]
}

function icmp6Type({ family, protocol, fragmentOffset, payload }: IpHeaders): number | undefined {
  return family === 6 && protocol === ICMP6 && fragmentOffset === 0 ? payload[0] : undefined
}

/** For a group, or for everybody. */
export function isForMany(address: string): boolean {
  return address.includes(':') ? address.startsWith('ff') : /^(22[4-9]|23\d|255)\./.test(address)
}

/** To all of the sender's own network, or of all that hear it. */
function isForAll({ ip, sender }: Event): boolean {
  const to = ip?.destination ?? ''
  return isForMany(to) || to === '0.0.0.0' || to === sender.ipv4.replace(/\d+$/, '255')
}

function isHostAddress({ world }: Event, address: string): boolean {
  return [...world.devices.values()].some(
    ({ name, addresses }) => name !== 'lo' && addresses.includes(address),
  )
}

function cameByItsOwnBridge({ sender, place }: Event): boolean {
  return place.kind !== 'station' && place.device === sender.hostDevice
}

/** The container that it arrived at. */
function receiver({ place }: Event): Station | undefined {
  return place.kind === 'station' && place.station.on !== undefined ? place.station : undefined
}

/** Straight over the bridge: still under the sender's MAC. */
function isBridged({ sender, frame, place }: Event): boolean {
  return (
    place.kind === 'station' && place.station.hostDevice === sender.hostDevice && frame?.source === sender.mac
  )
}

/** Forwarded by the host: under the MAC of the interface that the station hangs on. */
export function isForwarded({ place, frame }: Event): boolean {
  if (place.kind !== 'station' || frame?.source !== place.station.hostMac) return false
  // Beyond the host a neighbour tells by itself under which MAC it wants to be reached.
  return place.station.on === undefined || frame.destination === place.station.mac
}

function isAddressedTo({ frame }: Event, station: Station): boolean {
  return (
    frame?.destination === station.mac ||
    (Number.parseInt(frame?.destination.slice(0, 2) ?? '', 16) & 1) === 1
  )
}

function isSameNetwork({ sender }: Event, to: Station): boolean {
  return sender.on !== undefined && sender.on.kind === to.on?.kind
}

function isExposed({ protocol }: IpHeaders, port: number | undefined): boolean {
  return (protocol === TCP && port === EXPOSED.tcp) || (protocol === UDP && port === EXPOSED.udp)
}

function isTo({ ip }: Event, station: Station): boolean {
  return ip?.destination === station.ipv4 || ip?.destination === station.ipv6
}

function isFrom({ ip }: Event, station: Station): boolean {
  return ip?.source === station.ipv4 || ip?.source === station.ipv6
}

/** Of the sender's links: `evil` is a client of `server`, and `client` one of `evil`. */
function isServerOf(sender: Station, station: Station): boolean {
  return sender.on?.member === 'evil' && station.on?.member === 'server'
}

function isClientOf(sender: Station, station: Station): boolean {
  return sender.on?.member === 'evil' && station.on?.member === 'client'
}

/** A question of a link, as it arrives. */
function isQuestion(event: Event, to: Station): boolean {
  const { sender, ip, ports } = event
  return (
    ip !== undefined &&
    isServerOf(sender, to) &&
    isTo(event, to) &&
    isFrom(event, sender) &&
    isExposed(ip, ports?.destination)
  )
}

/** Of TCP what does not begin anything. Nobody asked over UDP, since only `evil` speaks. */
function isAnswer(event: Event, to: Station): boolean {
  const { sender, ip, ports } = event
  if (ip === undefined || !isClientOf(sender, to) || !isTo(event, to) || !isFrom(event, sender)) return false
  if (ip.protocol !== TCP || ports?.source !== EXPOSED.tcp || ip.payload.length < 14) return false
  const flags = ip.payload[13] ?? 0
  return (flags & 0x12) !== 0x02
}

/** Of a datagram between linked ends: from a server behind everything that could be taken for its flags, which its client does not ask for. */
function isLaterFragment(event: Event, to: Station): boolean {
  const { sender, ip } = event
  if (ip === undefined || !isTo(event, to) || !isFrom(event, sender)) return false
  return isServerOf(sender, to) ? ip.fragmentOffset > 0 : isClientOf(sender, to) && ip.fragmentOffset >= 48
}

const ERRORS: Readonly<Record<4 | 6, readonly number[]>> = { 4: [3, 11, 12], 6: [1, 2, 3, 4] }

/** From a server to its client, about what that client asked it. */
function isErrorAboutLink(event: Event, to: Station): boolean {
  const { sender, ip } = event
  if (ip === undefined || !isClientOf(sender, to) || !isTo(event, to) || ip.fragmentOffset > 0) return false
  if (ip.protocol !== (ip.family === 4 ? ICMP : ICMP6) || !ERRORS[ip.family].includes(ip.payload[0] ?? -1))
    return false
  const quoted = readIp(ip.payload.subarray(8), ip.family)
  if (quoted === undefined || !ownAddresses(to).includes(quoted.source)) return false
  return ownAddresses(sender).includes(quoted.destination) && isExposed(quoted, portsOf(quoted)?.destination)
}

function isIcmp({ family, protocol }: IpHeaders): boolean {
  return protocol === (family === 4 ? ICMP : ICMP6)
}

/** A port that the host publishes for the server that it arrived at, asked for by an address of the host. */
function isPublished(event: Event, to: Station): boolean {
  const { ip, ports, sentIp, sentPorts } = event
  if (ip === undefined || to.on?.member !== 'server' || !to.on.kind.published || !isTo(event, to))
    return false
  if (!isExposed(ip, ports?.destination) || sentIp === undefined) return false
  // Fragments that the host put together have the ports of the first, wherever the mark was.
  const asked = sentPorts === undefined || sentPorts.destination === to.on.publishes
  return asked && isHostAddress(event, sentIp.destination)
}

/** What a network lets in by its containers' own addresses. */
function isDirect(event: Event, to: Station): boolean {
  const { ip, ports } = event
  if (ip === undefined || to.on === undefined || !isTo(event, to)) return false
  if (to.on.kind.inward === 'all') return true
  if (to.on.kind.inward === 'nothing') return false
  // The number of either family's ICMP.
  return (
    ip.protocol === ICMP ||
    ip.protocol === ICMP6 ||
    (to.on.member === 'server' && isExposed(ip, ports?.destination))
  )
}

/** Whether one network's containers may address another's: the table of docs/networks.md. */
function mayReach(from: Station, to: Station): boolean {
  const [one, other] = [from.on?.kind.isolation, to.on?.kind.isolation]
  if (one === 'strict' || other === 'strict') return false
  return one === 'none' || other === 'none'
}

function isStrict(from: Station, to: Station): boolean {
  return from.on?.kind.isolation === 'strict' || to.on?.kind.isolation === 'strict'
}

/** A question for the address of who gets it, or an answer: with the padding of Ethernet's shortest frame, and nothing more. */
function isExactArp({ sent: { type, packet } }: Event, to: Station): boolean {
  if (type !== 0x0806 || packet.length > 46) return false
  const about = addressText(packet.subarray(24, 28))
  return packet[4] === 6 && packet[5] === 4 && packet[6] === 0 && (packet[7] === 2 || about === to.ipv4)
}

function isDiscovery({ ip }: Event): boolean {
  const type = ip && icmp6Type(ip)
  return type === NEIGHBOUR_SOLICITATION || type === NEIGHBOUR_ADVERTISEMENT
}

/** A solicitation or advertisement with no option but that of the MAC. */
function isExactDiscovery(event: Event): boolean {
  return isDiscovery(event) && event.sent.packet.length <= 72
}

const ofContainers: readonly Allowance[] = [
  {
    name: 'stack-by-bridge',
    reason: 'what a container may send reaches the host by its bridge, where the rules of IP judge it',
    holds: (event) => event.place.kind === 'stack' && cameByItsOwnBridge(event),
  },
  {
    name: 'own-gateway',
    reason:
      "a container reaches its bridge's own addresses, and the host hears what is for all on that bridge",
    holds: (event) => {
      const kind = event.sender.on?.kind
      if (event.place.kind !== 'socket' || !cameByItsOwnBridge(event) || kind?.gateway !== true) return false
      const { addresses } = event.world.device(event.sender.hostDevice)
      if (addresses.includes(event.ip?.destination ?? '')) return true
      // Of an internal network, what finds the bridge's address.
      return isForAll(event) && (kind.wayOut || isDiscovery(event))
    },
  },
  {
    name: 'host-address',
    reason: 'a network with a way out reaches the host by any of its addresses but the loopback ones',
    holds: (event) =>
      event.place.kind === 'socket' &&
      cameByItsOwnBridge(event) &&
      event.sender.on?.kind.wayOut === true &&
      isHostAddress(event, event.ip?.destination ?? ''),
  },
  {
    name: 'neighbour',
    reason:
      'with icc: true containers of a bridge reach each other by everything honest that is for them or for all',
    holds: (event) => {
      const to = receiver(event)
      return to?.on?.kind.open === true && isBridged(event) && isAddressedTo(event, to)
    },
  },
  {
    name: 'address-resolution',
    reason:
      'ARP and neighbour discovery of exact sizes pass on every network, or nobody would find a linked server',
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || !isBridged(event) || !isAddressedTo(event, to)) return false
      return isExactArp(event, to) || isExactDiscovery(event)
    },
  },
  {
    name: 'link',
    reason: 'a link lets its client ask on the exposed ports, its server answer there, and nothing else',
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || !isSameNetwork(event, to)) return false
      if (!(isBridged(event) ? isAddressedTo(event, to) : isForwarded(event))) return false
      return (
        isQuestion(event, to) ||
        isAnswer(event, to) ||
        isLaterFragment(event, to) ||
        isErrorAboutLink(event, to)
      )
    },
  },
  {
    name: 'neighbour-by-gateway',
    reason: 'with icc: true a container may send by the host what it may send straight',
    holds: (event) => {
      const to = receiver(event)
      return to?.on?.kind.open === true && isSameNetwork(event, to) && isForwarded(event) && isTo(event, to)
    },
  },
  {
    name: 'published-port',
    reason: 'ports that the host publishes are reached from every network that has a way out',
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || event.sender.on?.kind.wayOut !== true) return false
      // Where br_netfilter shows frames to the translation, it is the bridge that passes them on.
      return (isForwarded(event) || isBridged(event)) && isPublished(event, to)
    },
  },
  {
    name: 'other-network',
    reason: 'isolation and gateway mode say which other networks reach a container by its own address',
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || isSameNetwork(event, to) || !isForwarded(event) || !isTo(event, to))
        return false
      if (event.sender.on?.kind.wayOut !== true || to.on?.kind.wayOut !== true) return false
      return mayReach(event.sender, to) || (!isStrict(event.sender, to) && isDirect(event, to))
    },
  },
  {
    name: 'outward',
    reason:
      'a network with a way out reaches what is beyond the host, under the address that its gateway mode says',
    holds: (event) => {
      const { place, sender, ip } = event
      if (place.kind !== 'station' || place.station.on !== undefined || !isForwarded(event)) return false
      if (sender.on?.kind.wayOut !== true || ip === undefined) return false
      const own = sender.on.kind.outward === 'own' || isPeer(ip.destination)
      const { addresses } = event.world.device(place.station.hostDevice)
      return own ? ip.source === sender.ipv4 || ip.source === sender.ipv6 : addresses.includes(ip.source)
    },
  },
]

/** What tells of an error, and quotes what was sent. */
const ERRORS_OF_HOST: Readonly<Record<4 | 6, readonly number[]>> = { 4: [3, 5, 11, 12], 6: [1, 2, 3, 4, 137] }
const REPLIES: Readonly<Record<4 | 6, readonly number[]>> = { 4: [0, 14], 6: [129] }

export function isErrorOfHost(event: Event): boolean {
  return isIcmpOfHost(event, ERRORS_OF_HOST)
}

function isAnswerOfHost(event: Event): boolean {
  return isErrorOfHost(event) || isIcmpOfHost(event, REPLIES)
}

function isIcmpOfHost(event: Event, types: Readonly<Record<4 | 6, readonly number[]>>): boolean {
  const { ip, sentIp } = event
  if (ip === undefined || !isIcmp(ip) || !types[ip.family].includes(ip.payload[0] ?? -1)) return false
  return isHostAddress(event, ip.source) && ip.destination === sentIp?.source
}

/** What is told of is judged where it arrived. */
function isErrorOfContainer({ world, place, ip, sentIp }: Event): boolean {
  if (place.kind === 'station' || ip === undefined || !isIcmp(ip)) return false
  if (!ERRORS[ip.family].includes(ip.payload[0] ?? -1) || ip.destination !== sentIp?.source) return false
  return [...world.stations.values()].some(
    (station) =>
      station.on !== undefined &&
      station.hostDevice === place.device &&
      ownAddresses(station).includes(ip.source),
  )
}

export function isPeer(address: string): boolean {
  return address.startsWith(PEER_SUBNET.replace(/\d+\/\d+$/, ''))
}

/** An address of the network that a container is on. */
export function isOfNetwork({ ipv4, ipv6 }: Station, address: string): boolean {
  return address.startsWith(ipv4.replace(/\d+$/, '')) || address.startsWith(ipv6.replace(/[^:]*$/, ''))
}

/** An address that only containers of this host have. */
function isOfPools({ world }: Event, address: string): boolean {
  return [...world.stations.values()].some(
    (station) => station.on !== undefined && isOfNetwork(station, address),
  )
}

function hasForgedSource(event: Event): boolean {
  const source = event.sentIp?.source ?? ''
  return isOfPools(event, source) || source.startsWith('127.') || source === '::1'
}

const ofOutside: readonly Allowance[] = [
  {
    name: 'stack-by-link',
    reason: 'whatever is sent on a link of the host reaches the host by that link',
    holds: (event) => event.place.kind === 'stack' && cameByItsOwnBridge(event),
  },
  {
    name: 'host',
    reason:
      'the host is reached by all of its addresses but the loopback ones: who may is its own rules’ business',
    holds: (event) =>
      event.place.kind === 'socket' &&
      cameByItsOwnBridge(event) &&
      (isHostAddress(event, event.ip?.destination ?? '') || isForAll(event)),
  },
  {
    name: 'answer',
    reason: 'the host answers who seems to have asked, wherever the way there leads: that is its own routing',
    holds: (event) =>
      isAnswerOfHost(event) &&
      !hasForgedSource(event) &&
      (event.place.kind !== 'station' || event.place.station.on === undefined),
  },
  {
    name: 'error-of-container',
    reason:
      'who was reached tells what it could not read, by its bridge, whose rules judge that: the host itself, where it seems to have asked',
    holds: isErrorOfContainer,
  },
  {
    name: 'host-to-itself',
    reason:
      'under an address of the host somebody seems to be the host, which then answers itself; it also tells itself whom it could not answer',
    holds: (event) => {
      const { place, ip } = event
      if (place.kind === 'station' || ip === undefined || !isHostAddress(event, ip.source)) return false
      return place.device === 'lo' || (place.kind === 'socket' && isHostAddress(event, ip.destination))
    },
  },
  {
    name: 'published-from-outside',
    reason: 'published ports are there for those outside',
    holds: (event) => {
      const to = receiver(event)
      return to !== undefined && isForwarded(event) && !hasForgedSource(event) && isPublished(event, to)
    },
  },
  {
    name: 'direct-from-outside',
    reason: 'the gateway mode says what reaches a container by its own address from outside',
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || to.on?.kind.wayOut !== true || !isForwarded(event) || hasForgedSource(event))
        return false
      return isDirect(event, to)
    },
  },
  {
    name: 'peer',
    reason: "another host's containers reach ours by the way that leads back to them",
    holds: (event) => {
      const to = receiver(event)
      if (to === undefined || to.on?.kind.wayOut !== true || !isForwarded(event) || !isTo(event, to))
        return false
      return event.sender.name === 'outside' && isPeer(event.ip?.source ?? '')
    },
  },
]

/** Why it may not arrive there; undefined: it may. */
export function judge(event: Event): string | undefined {
  const fromContainer = event.sender.on !== undefined
  if (fromContainer && !isHonest(event)) return 'it is nothing that a container may send'
  const allowances = fromContainer ? ofContainers : ofOutside
  if (allowances.some((allowance) => allowance.holds(event))) return undefined
  return 'nothing allows it there'
}

export const allowances: readonly Allowance[] = [...ofContainers, ...ofOutside]
