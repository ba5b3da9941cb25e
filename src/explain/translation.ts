/** Address translation as rules ask for it, and what it makes of a packet. */
import type { Expression, NatTarget, PortTarget } from '../nft/index.js'
import { isList } from './constant.js'
import { lookUpData, type Scope } from './expression.js'
import type { FoundElement } from './lookup.js'
import { CONNECTION_STATUS, type Packet, type PacketTuple, reversed } from './packet.js'

/** What a rule translates to; what is left out stays as it is. */
export interface Translation {
  readonly kind: 'source' | 'destination'
  readonly address?: string
  readonly port?: number
  /** The element of a map that said so. */
  readonly found?: FoundElement
  /** True where the rule names several addresses or ports, or where they are not known: the first is taken. */
  readonly vague?: boolean
}

/** What a `dnat` or `snat` says for this packet; undefined where a map has no such key, and the rule ends. */
export function natTranslation(
  kind: Translation['kind'],
  { family, addr, port }: NatTarget,
  scope: Scope,
): Translation | undefined {
  // In a table of both families a translation concerns the packets of its own (nft_nat_inet_eval).
  if (family !== undefined && family !== (scope.packet.family === 'ip6' ? 'ip6' : 'ip')) return undefined
  const address = addr === undefined ? undefined : targetOf(addr, scope)
  if (addr !== undefined && address === undefined) return undefined
  const separate = port === undefined ? undefined : targetOf(port, scope)
  if (port !== undefined && separate === undefined) return undefined
  const [first, second] = address?.fields ?? []
  const portText = separate?.fields[0] ?? second
  return {
    kind,
    ...(typeof first === 'string' && { address: first }),
    ...(typeof portText === 'number' && { port: portText }),
    ...(address?.found && { found: address.found }),
    ...((address?.vague || separate?.vague) && { vague: true }),
  }
}

/** What `masquerade` and `redirect` say for this packet. */
export function deviceTranslation(
  kind: Translation['kind'],
  target: PortTarget | null,
  scope: Scope,
): Translation | undefined {
  const { packet, environment } = scope
  const family = packet.family === 'ip6' ? 'ip6' : 'ip'
  const device = kind === 'source' ? packet.outputDevice : packet.inputDevice
  // What the host itself sends is redirected to its loopback address (net/netfilter/nf_nat_redirect.c).
  const address = device
    ? environment.deviceAddress(device, family, packet.nextHop ?? packet.destination)
    : family === 'ip'
      ? '127.0.0.1'
      : '::1'
  const port = target?.port === undefined ? undefined : targetOf(target.port, scope)
  if (target?.port !== undefined && port === undefined) return undefined
  const number = port?.fields[0]
  return {
    kind,
    ...(address !== undefined && { address }),
    ...(typeof number === 'number' && { port: number }),
    ...((address === undefined || port?.vague) && { vague: true }),
  }
}

interface Target {
  readonly fields: readonly (string | number | undefined)[]
  readonly found?: FoundElement
  readonly vague?: boolean
}

function targetOf(expression: Expression, scope: Scope): Target | undefined {
  if (typeof expression === 'object' && !isList(expression) && 'map' in expression) {
    const { key, data } = expression.map
    const found = lookUpData(key, data, scope, 'which element of the map')
    if (found?.data === undefined) return undefined
    return { ...fieldsOf(found.data), found }
  }
  return fieldsOf(expression)
}

function fieldsOf(data: object | string | number | boolean): Target {
  if (typeof data === 'string') return { fields: [data] }
  if (typeof data === 'number') return { fields: [data] }
  if (typeof data === 'boolean') return { fields: [undefined], vague: true }
  if ('concat' in data && Array.isArray(data.concat)) {
    const parts = data.concat.map((each: string | number | boolean | object) => fieldsOf(each))
    return {
      fields: parts.map(({ fields }) => fields[0]),
      ...(parts.some((each) => each.vague) && { vague: true }),
    }
  }
  if ('range' in data && Array.isArray(data.range)) return { ...fieldsOf(data.range[0]), vague: true }
  return { fields: [undefined], vague: true }
}

/** The packet after a translation, its connection knowing of it. */
export function translated(packet: Packet, { kind, address, port }: Translation): Packet {
  const moved: Packet =
    kind === 'source'
      ? {
          ...packet,
          ...(address !== undefined && { source: address }),
          ...(port !== undefined && { sourcePort: port }),
        }
      : {
          ...packet,
          ...(address !== undefined && { destination: address }),
          ...(port !== undefined && { destinationPort: port }),
        }
  const { connection } = packet
  if (connection === undefined) return moved
  const now: PacketTuple = {
    source: moved.source,
    destination: moved.destination,
    protocol: moved.protocol,
    ...(moved.sourcePort !== undefined && { sourcePort: moved.sourcePort }),
    ...(moved.destinationPort !== undefined && { destinationPort: moved.destinationPort }),
  }
  // The kernel sets the bit only where something changes (nf_nat_setup_info).
  const changed =
    moved.source !== packet.source ||
    moved.destination !== packet.destination ||
    moved.sourcePort !== packet.sourcePort ||
    moved.destinationPort !== packet.destinationPort
  const bit = kind === 'source' ? CONNECTION_STATUS.sourceTranslated : CONNECTION_STATUS.destinationTranslated
  return {
    ...moved,
    connection: {
      ...connection,
      reply: reversed(now),
      status: changed ? connection.status | bit : connection.status,
    },
  }
}

/** A packet of a connection that is known, as the translation of its first packet makes it. */
export function retranslated(packet: Packet, kind: Translation['kind']): Packet {
  const { connection } = packet
  if (connection === undefined) return packet
  // The other direction's tuple, turned around, is what the packet becomes.
  const target = reversed(connection.direction === 'original' ? connection.reply : connection.original)
  return kind === 'source'
    ? {
        ...packet,
        source: target.source,
        ...(target.sourcePort !== undefined && { sourcePort: target.sourcePort }),
      }
    : {
        ...packet,
        destination: target.destination,
        ...(target.destinationPort !== undefined && { destinationPort: target.destinationPort }),
      }
}

/** The packet, its connection decided about: translated or not, it stays so. */
export function settle(packet: Packet, kind: Translation['kind']): Packet {
  const { connection } = packet
  if (connection === undefined) return packet
  return { ...packet, connection: { ...connection, settled: [...(connection.settled ?? []), kind] } }
}
