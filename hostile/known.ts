/** Holes that are known, and open: each has its reason, and goes from here with its fix. */
import { isAnswerOfHost, isHonest } from './allowed.js'
import type { Event } from './event.js'
import type { Frame } from './frame.js'

export interface Known {
  readonly name: string
  readonly reason: string
  is(event: Event): boolean
}

/** ICMPv6 that connection tracking does not look at: discovery of neighbours, of who listens to a group, of multicast routers. */
const UNTRACKED = new Set([130, 131, 132, 133, 134, 135, 136, 137, 143, 151, 152, 153])

/** Or what may be it, behind a header that only connection tracking reads past: authentication, mobility. */
function isUntracked({ ip }: Event): boolean {
  if (ip?.family !== 6) return false
  return ip.protocol === 58 ? UNTRACKED.has(ip.payload[0] ?? -1) : ip.protocol === 51 || ip.protocol === 135
}

export const known: readonly Known[] = [
  {
    name: 'link-local-groups',
    reason:
      'the kernel hands frames to 01:80:c2:00:00:0x to the host on the port itself, past the rules of the bridge, while the port has no group_fwd_mask',
    is: ({ sent }) => sent.destination.startsWith('01:80:c2:00:00:0'),
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
    name: 'untracked-outward',
    reason:
      'ICMPv6 that connection tracking leaves alone is not translated, and leaves under the container’s own address',
    is: (event) => {
      const { sender, place } = event
      if (sender.on?.kind.wayOut !== true || place.kind !== 'station' || place.station.on !== undefined)
        return false
      return isUntracked(event) && isHonest(event)
    },
  },
  {
    name: 'invalid-to-host',
    reason:
      'what connection tracking calls invalid has no direction, and passes the rule that keeps networks without a way out from the host’s other addresses',
    is: (event) => event.sender.on?.kind.wayOut === false && event.place.kind === 'socket' && isHonest(event),
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
const FOR_ALL = new Set(['broadcast', 'all-nodes', 'ipv4-group'])

/**
 * Frames that open a hole for others, which would then be found in whatever is sent: they are not sent. br_netfilter confirms the connection of an IP
 * packet in a frame to a broadcast or group MAC, whatever address the packet is for (br_nf_local_in, kernels from 6.8): its other end may then
 * answer, and both speak, isolated or internal as their networks may be. It needs net.bridge.bridge-nf-call-iptables, or a network that is tracked.
 */
export function opensKnownHole({ ethernet, packet }: Frame): boolean {
  if (!FOR_ALL.has(ethernet?.destination ?? '') || (packet.kind !== 'ipv4' && packet.kind !== 'ipv6'))
    return false
  return !NEAR.has(packet.destination ?? 'bridge')
}
