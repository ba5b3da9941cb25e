/** The tests that naming a header implies: is it there at all? nft's `payload_gen_dependency` (src/payload.c). */
import {
  headers,
  InvalidValue,
  keyLayout,
  quote,
  type Tunnel,
  transportHeaders,
  writeNumber,
} from '../datatype/index.js'
import { payloadBases } from '../kernel/constants.js'
import type { PayloadProtocol } from '../model/index.js'
import { anonymousSet } from './anonymous-set.js'
import { insideOf, loadPayload, requireMeta, requirePayload } from './emit.js'
import { networkNumbers, vlanTypeOffset } from './protocols.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

const META_PROTOCOL = 1
const META_IIFTYPE = 8
const META_NFPROTO = 15
const META_L4PROTO = 16
const ETHER_TYPE_OFFSET = 12
const ETH_P_8021Q = 0x8100

const transportNumbers: ReadonlyMap<PayloadProtocol, number> = new Map(
  [...transportHeaders].map(([number, header]) => [header, number]),
)

function bytes(value: number, length: number, order: 'big' | 'host'): Uint8Array {
  const result = new Uint8Array(length)
  writeNumber(value, result, 0, length, order)
  return result
}

/** Emits what is needed for fields of `header` to mean what they say, unless it is known already. */
export function requireHeader(context: RuleContext, header: PayloadProtocol): void {
  switch (headers[header].base) {
    case 'll':
      requireLink(context, header)
      return
    case 'tun':
      throw new InvalidValue(`fields of ${header} name the tunnel, too: { tunnel: ${quote(header)}, … }`)
    case 'nh':
      if (header === 'ip' || header === 'ip6' || header === 'arp') requireNetwork(context, header)
      return
    default:
      requireTransport(context, header)
  }
}

function requireLink(context: RuleContext, header: PayloadProtocol): void {
  const { protocols } = context
  if (protocols.tunnel?.frames === false)
    throw new InvalidValue(`${protocols.tunnel.name} carries packets without a header of ${header}`)
  if (protocols.link === undefined || protocols.link === 'inet' || protocols.link === 'netdev') {
    // What a tunnel for frames carries is known to be one.
    if (protocols.tunnel === undefined) requireMeta(context, META_IIFTYPE, bytes(1, 2, 'host'))
    protocols.link = 'ether'
  }
  if (header === 'vlan' && protocols.link === 'ether') {
    requirePayload(context, payloadBases.ll, ETHER_TYPE_OFFSET, bytes(ETH_P_8021Q, 2, 'big'), true)
    protocols.learnTag()
  }
}

function requireNetwork(context: RuleContext, header: 'ip' | 'ip6' | 'arp'): void {
  const { protocols } = context
  if (protocols.network === header) return
  if (protocols.network !== undefined) throw protocols.conflict(header, protocols.network)
  const viaSkb = protocols.family === 'bridge' && header !== 'arp'
  requireNetworkBelow(context, header, viaSkb, true)
}

/**
 * @param viaSkb ask the kernel for the protocol, which sees through VLAN tags, where the header could be read
 * @param isNamed a field of the header is what needs it
 */
function requireNetworkBelow(
  context: RuleContext,
  header: 'ip' | 'ip6' | 'arp',
  viaSkb: boolean,
  isNamed: boolean,
): void {
  const { protocols } = context
  const numbers = networkNumbers[header]
  const etherType = bytes(numbers.ether, 2, 'big')
  if (protocols.link === 'inet') {
    if (header === 'arp') throw protocols.conflict(header, 'inet')
    requireMeta(context, META_NFPROTO, bytes(numbers.nfproto, 1, 'host'))
  } else if (protocols.link === 'netdev' || (protocols.link === 'ether' && viaSkb)) {
    // In the frame of a tunnel nft asks the header for what ICMP needs.
    if (protocols.tunnel?.frames === true && !isNamed)
      requirePayload(context, payloadBases.ll, ETHER_TYPE_OFFSET, etherType, true)
    else requireMeta(context, META_PROTOCOL, etherType)
  } else if (protocols.link === 'ether') {
    requirePayload(context, payloadBases.ll, ETHER_TYPE_OFFSET, etherType, true)
  } else if (protocols.link === 'vlan') {
    requirePayload(context, payloadBases.ll, vlanTypeOffset(protocols.tags), etherType, true)
  } else {
    throw new InvalidValue(`${header} cannot be told apart in a table of family ${context.family}`)
  }
  protocols.network = header
}

function requireTransport(context: RuleContext, header: PayloadProtocol): void {
  // `th` is the ports of whatever protocol there is: the caller vouches for it.
  if (header === 'th') return
  const { protocols } = context
  if (protocols.transport === header) return
  if (protocols.transport !== undefined) throw protocols.conflict(header, protocols.transport)
  if (protocols.network === 'arp' || protocols.network === 'other')
    throw protocols.conflict(header, protocols.network === 'arp' ? 'arp' : 'the network protocol')
  if (protocols.network === undefined) {
    if (header === 'icmp' || header === 'igmp') requireNetworkBelow(context, 'ip', false, false)
    else if (header === 'icmpv6') requireNetworkBelow(context, 'ip6', false, false)
  }
  const number = transportNumbers.get(header)
  if (number === undefined) return
  requireMeta(context, META_L4PROTO, bytes(number, 1, 'host'))
  protocols.transport = header
}

/** Emits what is needed for the packet to be one of a tunnel: that GRE carries it. What UDP carries, its port says. */
export function requireTunnel(context: RuleContext, { name, transport }: Tunnel): void {
  if (transport === 'gre') requireTransport(context, 'gre')
  else if (context.protocols.transport !== transport)
    throw new InvalidValue(`${name} comes after a match of ${transport}, by the port of the tunnel`)
}

/** Puts tests of the packet that a tunnel carries, which `build` emits, into the rule; returns what it built. */
export function emitInside<T>(context: RuleContext, tunnel: Tunnel, build: (inside: RuleContext) => T): T {
  const inside = context.inside(tunnel)
  const built = build(inside)
  const emitted = inside.out.splice(0)
  inside.candidates.length = 0
  for (const each of emitted)
    context.out.push(each.name === 'payload' || each.name === 'meta' ? insideOf(tunnel, each) : each)
  return built
}

/** A match on the network's or transport's protocol for statements that need one (reject, NAT). */
export function requireNetworkProtocol(context: RuleContext, header: 'ip' | 'ip6'): void {
  requireNetwork(context, header)
}

export function requireTcp(context: RuleContext): void {
  requireTransport(context, 'tcp')
}

interface IcmpDependency {
  /** The message types that have the field; the first stands for all. */
  readonly types: readonly [number, ...number[]]
}

/** Fields that only some ICMP messages have (nft's `enum icmp_hdr_field_type`). */
const icmpFields: { readonly [key: string]: IcmpDependency } = {
  'icmp id': { types: [8, 0] },
  'icmp sequence': { types: [8, 0] },
  'icmp gateway': { types: [5] },
  'icmp mtu': { types: [3] },
  'icmpv6 parameter-problem': { types: [4] },
  'icmpv6 mtu': { types: [2] },
  'icmpv6 id': { types: [128, 129] },
  'icmpv6 sequence': { types: [128, 129] },
  'icmpv6 max-delay': { types: [130] },
  'icmpv6 taddr': { types: [130, 131, 132, 135, 136, 137] },
  'icmpv6 daddr': { types: [137] },
}

/** Emits the test of the ICMP type without which a field would be read from a message that has none. */
export function requireIcmpType(context: RuleContext, header: 'icmp' | 'icmpv6', field: string): void {
  const dependency = icmpFields[`${header} ${field}`]
  if (dependency === undefined) return
  const { protocols } = context
  const { types } = dependency
  if (protocols.icmpTypes !== undefined) {
    const other = protocols.icmpTypes.find((type) => !types.includes(type))
    if (other === undefined) return
    throw new InvalidValue(`${header} ${field} does not exist in messages of type ${other}`)
  }
  if (types.length === 1) {
    requirePayload(context, payloadBases.th, 0, bytes(types[0], 1, 'big'), false)
  } else {
    const key = keyLayout(header === 'icmp' ? 'icmp_type' : 'icmpv6_type')
    const set = anonymousSet(context, { key, data: undefined, interval: false, shift: 0 }, types)
    loadPayload(context.out, 0, payloadBases.th, 0, 1)
    context.out.push({ name: 'lookup', data: { ...set, sreg: register(0) } })
  }
  protocols.icmpTypes = types
}
