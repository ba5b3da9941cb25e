/** Holes that are known, and open: each has its reason, and goes from here with its fix. */
import { isAnswerOfHost, isForwarded, isHonest, isPeer } from './allowed.js'
import type { Event } from './event.js'
import type { Frame } from './frame.js'

export interface Known {
  readonly name: string
  readonly reason: string
  /** Whether it is what arrived. */
  readonly is?: (event: Event) => boolean
  /** Whether a frame opens it for others, and would have it found in whatever is sent: such frames are not sent. */
  readonly opens?: (frame: Frame) => boolean
  /** Whether it is a line of what changed in the host's tables, as `changeText` has it. */
  readonly changes?: (line: string) => boolean
}

/** IP addresses of the sender's own network, and of all. */
const NEAR = new Set([
  'own',
  'link-local',
  'bridge',
  'bridge-link-local',
  'unused',
  'all',
  'routers',
  'group',
  'subnet-all',
])

function isForGroup({ ethernet }: Frame): boolean {
  const to = ethernet?.destination ?? ''
  return ['broadcast', 'all-nodes', 'ipv4-group'].includes(to) || to.startsWith('group-')
}

function isWithinNetwork({ sender, place }: Event): boolean {
  return sender.on !== undefined && place.kind === 'station' && place.station.on?.kind === sender.on.kind
}

export const known: readonly Known[] = [
  {
    name: 'broadcast-confirms',
    reason:
      'br_netfilter confirms the connection of an IP packet in a frame to a broadcast or group MAC, whatever address the packet is for (br_nf_local_in, kernels from 6.8): its other end may then answer, and both speak, isolated or internal as their networks may be',
    opens: (frame) => {
      const { packet } = frame
      return isForGroup(frame) && 'payload' in packet && !NEAR.has(packet.destination ?? 'bridge')
    },
  },
  {
    name: 'somebody-elses-mac',
    reason:
      'links are told by addresses, and open connections of tracked networks as well: two containers that work together pass packets that bear the address of a third (docs/communication.md)',
    is: (event) => {
      const { sender, place, ip } = event
      if (sender.on === undefined || place.kind !== 'station' || place.station.on?.kind !== sender.on.kind)
        return false
      const { ipv4, ipv6 } = place.station
      return isHonest(event) && ip !== undefined && ip.destination !== ipv4 && ip.destination !== ipv6
    },
  },
  {
    name: 'peer-to-internal',
    reason:
      "another host's containers (addPeer) reach networks that are internal or isolated, too, by their containers' own addresses",
    is: (event) => {
      const { sender, place, sentIp } = event
      if (sender.name !== 'outside' || place.kind !== 'station' || place.station.on?.kind.wayOut !== false)
        return false
      return isForwarded(event) && isPeer(sentIp?.source ?? '')
    },
  },
  {
    name: 'fragment-as-question',
    reason:
      'of a later fragment of IPv4, `th dport` reads the payload: one that begins with a linked port passes as a question or an answer, wherever in the datagram it belongs',
    is: (event) => {
      const { ip } = event
      return (
        ip?.family === 4 &&
        ip.fragmentOffset > 0 &&
        ip.fragmentOffset < 48 &&
        isHonest(event) &&
        isWithinNetwork(event)
      )
    },
  },
  {
    name: 'answers-from-isolated',
    reason:
      'the host has no route to a network of gateway mode isolated: who sends to an address of it sends outward, and a container there that has the address may answer, as the other end of that connection',
    is: (event) =>
      event.sender.on?.kind.gateway === false &&
      isForwarded(event) &&
      isHonest(event) &&
      event.place.kind === 'station' &&
      event.place.station.on !== undefined,
  },
  {
    name: 'discovery-mac',
    reason:
      'the MAC in an option of neighbour discovery is not compared with the container’s: the host puts it into its table, for the container’s own address',
    changes: (line) => /^(new|gone): neighbour (fe80|fd00):\S+ MAC on /.test(line),
  },
  {
    name: 'answers-to-isolated',
    reason:
      'the host has no route to a network of gateway mode isolated: its ICMP errors for what comes from there leave by the default route, and quote it',
    is: (event) => event.sender.on?.kind.name === 'isolated' && isAnswerOfHost(event),
  },
  {
    name: 'answers-to-forged',
    reason:
      'the host itself is reached from outside under a container’s address, and answers that container: only what is forwarded is judged by its source',
    is: (event) => event.sender.on === undefined && isAnswerOfHost(event),
  },
]

export function isKnown(event: Event): boolean {
  return known.some(({ is }) => is?.(event))
}

export function opensKnownHole(frame: Frame): boolean {
  return known.some(({ opens }) => opens?.(frame))
}

export function isKnownChange(line: string): boolean {
  return known.some(({ changes }) => changes?.(line))
}
