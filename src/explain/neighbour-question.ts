/** How a bridge's neighbours find each other: the hooks that ARP and neighbour discovery pass, question and answer. */
import { IPv6Address, MacAddress } from '../address/index.js'
import type { Hook } from '../nft/index.js'
import type { Link } from '../rtnl/index.js'
import type { Layer } from './catalog.js'
import { type Packet, PROTOCOL_NUMBERS, untracked } from './packet.js'
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
interface Segment {
  readonly host: NamespaceState
  readonly bridge: Link
  /** Whether IPv6's hooks see what the bridge passes on. */
  readonly filtered: boolean
}

/** One hook that a message passes. */
interface HookPass {
  readonly state: NamespaceState
  readonly layer: Layer
  readonly hook: Hook
  readonly packet: Packet
}

const SOLICITATION = 135
const ADVERTISEMENT = 136
/** Bytes behind the Ethernet header: of ARP for IPv4, and of a message of neighbour discovery with the sender's MAC address. */
const ARP_LENGTH = 28
const DISCOVERY_LENGTH = 72

/** The hooks that a question for an address passes, and then its answer. */
export function neighbourPasses(segment: Segment, asker: Neighbour, asked: Neighbour): HookPass[] {
  const { question, answer } = exchange(asker, asked, macOf(asker, segment), macOf(asked, segment))
  return [
    ...passes(question, asker.attachment, asked.attachment, segment),
    ...passes(answer, asked.attachment, asker.attachment, segment),
  ]
}

/** The question for the address of one, and the other's answer to it. */
function exchange(
  asker: { readonly address: string },
  asked: { readonly address: string },
  askerMac: string | undefined,
  askedMac: string | undefined,
): { readonly question: Packet; readonly answer: Packet } {
  const six = asked.address.includes(':')
  const question = six
    ? solicitation(
        SOLICITATION,
        asker,
        asked,
        askerMac,
        IPv6Address.parse(asked.address).solicitedNode.toString(),
      )
    : arp('request', asker, asked, askerMac, NOBODY)
  const answer = six
    ? solicitation(ADVERTISEMENT, asked, asker, askedMac, asker.address)
    : arp('reply', asked, asker, askedMac, askerMac)
  const everybody = six
    ? MacAddress.ofMulticast(IPv6Address.parse(question.destination)).toString()
    : BROADCAST
  return {
    question: { ...question, etherDestination: everybody },
    answer: { ...answer, ...(askerMac !== undefined && { etherDestination: askerMac }) },
  }
}

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
/** A question says so of the MAC address that it asks for. */
const NOBODY = '00:00:00:00:00:00'

/** One end of a link that is no bridge's; without a state it is somebody outside. */
export interface LinkEnd {
  readonly address: string
  readonly state?: NamespaceState
  readonly device?: Link
}

/** The hooks that question and answer pass on a link between two. */
export function linkPasses(asker: LinkEnd, asked: LinkEnd): HookPass[] {
  const mac = ({ device }: LinkEnd): string | undefined => device?.mac?.toString()
  const { question, answer } = exchange(asker, asked, mac(asker), mac(asked))
  return [...between(question, asker, asked), ...between(answer, asked, asker)]
}

function between(message: Packet, from: LinkEnd, to: LinkEnd): HookPass[] {
  const six = message.family === 'ip6'
  const layer = six ? 'ip6' : 'arp'
  const out = from.state &&
    from.device && { state: from.state, packet: { ...message, outputDevice: from.device } }
  const into = to.state && to.device && { state: to.state, packet: { ...message, inputDevice: to.device } }
  return [
    ...(out
      ? (['output', ...(six ? ['postrouting' as const] : [])] as const).map(
          (hook) => ({ ...out, layer, hook }) as const,
        )
      : []),
    ...(into
      ? ([...(six ? ['prerouting' as const] : []), 'input'] as const).map(
          (hook) => ({ ...into, layer, hook }) as const,
        )
      : []),
  ]
}

function macOf({ attachment }: Neighbour, { bridge }: Segment): string | undefined {
  return (attachment?.device ?? bridge).mac?.toString()
}

function arp(
  operation: 'request' | 'reply',
  from: { readonly address: string },
  to: { readonly address: string },
  mac: string | undefined,
  targetMac: string | undefined,
): Packet {
  return {
    family: 'arp',
    length: ARP_LENGTH,
    ...(mac !== undefined && {
      etherSource: mac,
      arp: {
        operation,
        senderMac: mac,
        senderAddress: from.address,
        ...(targetMac !== undefined && { targetMac }),
        targetAddress: to.address,
      },
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
  from: { readonly address: string },
  to: { readonly address: string },
  mac: string | undefined,
  destination: string,
): Packet {
  const tuple = { source: from.address, destination, protocol: PROTOCOL_NUMBERS.icmpv6 }
  return {
    family: 'ip6',
    ...tuple,
    ...(mac !== undefined && { etherSource: mac }),
    length: DISCOVERY_LENGTH,
    icmpType: type,
    icmpCode: 0,
    discovery: {
      kind: type === SOLICITATION ? 'solicitation' : 'advertisement',
      target: type === SOLICITATION ? to.address : from.address,
      ...(mac !== undefined && { mac }),
    },
    mark: 0,
    connection: untracked(tuple),
  }
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
