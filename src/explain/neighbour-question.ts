/** How a bridge's neighbours find each other: the hooks that ARP and neighbour discovery pass, question and answer. */
import { IPv6Address } from '../address/index.js'
import type { Hook } from '../nft/index.js'
import type { Link } from '../rtnl/index.js'
import type { Layer } from './catalog.js'
import { type Packet, type PacketConnection, PROTOCOL_NUMBERS } from './packet.js'
import type { NamespaceState } from './state.js'

/** An interface of a machine and the host's end of it. */
export interface Attachment {
  readonly machine: NamespaceState
  readonly device: Link
  readonly port: Link
}

/** One of two who ask and answer: on a port of the bridge, or the host itself by the bridge. */
export interface Neighbour {
  readonly address: string
  /** Undefined for the host. */
  readonly attachment?: Attachment
}

/** Where both are. */
export interface Segment {
  readonly host: NamespaceState
  readonly bridge: Link
  /** Whether IPv6's hooks see what the bridge passes on. */
  readonly filtered: boolean
}

/** One hook that a message passes. */
export interface HookPass {
  readonly state: NamespaceState
  readonly layer: Layer
  readonly hook: Hook
  readonly packet: Packet
}

const SOLICITATION = 135
const ADVERTISEMENT = 136

/** The hooks that a question for an address passes, and then its answer. */
export function neighbourPasses(segment: Segment, asker: Neighbour, asked: Neighbour): HookPass[] {
  const messages = asked.address.includes(':')
    ? [
        solicitation(SOLICITATION, asker, asked, segment, solicitedNode(asked.address)),
        solicitation(ADVERTISEMENT, asked, asker, segment, asker.address),
      ]
    : [arp('request', asker, asked, segment), arp('reply', asked, asker, segment)]
  const [question, answer] = messages
  return [
    ...(question ? passes(question, asker.attachment, asked.attachment, segment) : []),
    ...(answer ? passes(answer, asked.attachment, asker.attachment, segment) : []),
  ]
}

function macOf({ attachment }: Neighbour, { bridge }: Segment): string | undefined {
  return (attachment?.device ?? bridge).mac?.toString()
}

function arp(operation: 'request' | 'reply', from: Neighbour, to: Neighbour, segment: Segment): Packet {
  const mac = macOf(from, segment)
  return {
    family: 'arp',
    ...(mac !== undefined && {
      etherSource: mac,
      arp: { operation, senderMac: mac, senderAddress: from.address, targetAddress: to.address },
    }),
    source: from.address,
    destination: to.address,
    protocol: 0,
    mark: 0,
  }
}

/** Neighbour discovery (RFC 4861), which connection tracking leaves alone (nf_conntrack_proto_icmpv6.c). */
function solicitation(
  type: typeof SOLICITATION | typeof ADVERTISEMENT,
  from: Neighbour,
  to: Neighbour,
  segment: Segment,
  destination: string,
): Packet {
  const mac = macOf(from, segment)
  const tuple = { source: from.address, destination, protocol: PROTOCOL_NUMBERS.icmpv6 }
  const connection: PacketConnection = {
    state: 'untracked',
    status: 0,
    direction: 'original',
    original: tuple,
    reply: tuple,
    mark: 0,
  }
  return {
    family: 'ip6',
    ...tuple,
    ...(mac !== undefined && { etherSource: mac }),
    icmpType: type,
    icmpCode: 0,
    neighbourTarget: type === SOLICITATION ? to.address : from.address,
    mark: 0,
    connection,
  }
}

/** ff02::1:ff00:0/104 with the last three bytes of the address (RFC 4291 2.7.1). */
function solicitedNode(address: string): string {
  const low = IPv6Address.parse(address).value & 0xffffffn
  return IPv6Address.fromBigInt((0xff0200000000000000000001ff000000n & ~0xffffffn) | low).toString()
}

/** From one machine to another, or between one and the host. */
function passes(
  message: Packet,
  from: Attachment | undefined,
  to: Attachment | undefined,
  { host, bridge, filtered }: Segment,
): HookPass[] {
  const found: HookPass[] = []
  const add = (state: NamespaceState, layer: Layer, hook: Hook, packet: Packet): void => {
    found.push({ state, layer, hook, packet })
  }
  const own = message.family === 'arp' ? 'arp' : 'ip6'
  const seen = own === 'ip6' && filtered
  const incoming = from && { inputDevice: from.port, inputBridge: bridge }
  const outgoing = to && { outputDevice: to.port, outputBridge: bridge }
  if (from) {
    add(from.machine, own, 'output', { ...message, outputDevice: from.device })
    if (own === 'ip6') add(from.machine, own, 'postrouting', { ...message, outputDevice: from.device })
    add(host, 'bridge', 'prerouting', { ...message, ...incoming })
    if (own === 'ip6' && (seen || !to)) add(host, own, 'prerouting', { ...message, inputDevice: bridge })
  } else {
    add(host, own, 'output', { ...message, outputDevice: bridge })
    if (own === 'ip6') add(host, own, 'postrouting', { ...message, outputDevice: bridge })
    add(host, 'bridge', 'output', { ...message, ...outgoing })
  }
  if (from && to) {
    add(host, 'bridge', 'forward', { ...message, ...incoming, ...outgoing })
    if (seen) add(host, own, 'forward', { ...message, inputDevice: bridge, outputDevice: bridge })
    if (seen) add(host, own, 'postrouting', { ...message, outputDevice: bridge })
  }
  if (to) {
    add(host, 'bridge', 'postrouting', { ...message, ...incoming, ...outgoing })
    if (own === 'ip6') add(to.machine, own, 'prerouting', { ...message, inputDevice: to.device })
    add(to.machine, own, 'input', { ...message, inputDevice: to.device })
  } else {
    add(host, 'bridge', 'input', { ...message, ...incoming })
    add(host, own, 'input', { ...message, inputDevice: bridge })
  }
  return found
}
