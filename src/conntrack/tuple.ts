/** One direction of a connection: the five values that the kernel finds it by. */
import { addressFromBytes, type IPAddress } from '../address/index.js'
import { NfbridgeError } from '../errors.js'
import { show } from '../input.js'
import type { CtTupleProtoRecord, CtTupleRecord } from '../native/records.js'
import { protocolName, protocolNumber, type TransportProtocol } from './protocol.js'

/** The part of an ICMP or ICMPv6 message that takes the place of ports. */
export interface IcmpIdentity {
  readonly type: number
  readonly code: number
  readonly id: number
}

/**
 * The packets of one direction. Ports for tcp, udp, udplite, sctp, dccp; `icmp` for icmp and icmpv6; neither for
 * other protocols. (GRE keeps its two call ids in the ports.)
 */
export interface Tuple {
  readonly source: IPAddress
  readonly destination: IPAddress
  readonly protocol: TransportProtocol
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly icmp?: IcmpIdentity
  /** The zone of this direction alone, for connections whose directions are in different zones. */
  readonly zone?: number
}

/** The families as nfnetlink names them (`NFPROTO_*`, linux/netfilter.h). */
export const nfprotoIpv4 = 2
export const nfprotoIpv6 = 10

export function familyOf(address: IPAddress): number {
  return address.family === 4 ? nfprotoIpv4 : nfprotoIpv6
}

/** A tuple as it came from the kernel; undefined when it lacks what every tuple has. */
export function tupleFromRecord(record: CtTupleRecord | undefined): Tuple | undefined {
  const source = record?.ip?.v4Src ?? record?.ip?.v6Src
  const destination = record?.ip?.v4Dst ?? record?.ip?.v6Dst
  const proto = record?.proto
  if (!record || !source || !destination || proto?.num === undefined) return undefined
  const icmp = icmpIdentity(proto)
  return {
    source: addressFromBytes(source),
    destination: addressFromBytes(destination),
    protocol: protocolName(proto.num),
    ...(proto.srcPort !== undefined && { sourcePort: proto.srcPort }),
    ...(proto.dstPort !== undefined && { destinationPort: proto.dstPort }),
    ...(icmp && { icmp }),
    ...(record.zone !== undefined && { zone: record.zone }),
  }
}

function icmpIdentity(proto: CtTupleProtoRecord): IcmpIdentity | undefined {
  if (proto.icmpType !== undefined)
    return { type: proto.icmpType, code: proto.icmpCode ?? 0, id: proto.icmpId ?? 0 }
  if (proto.icmpv6Type !== undefined)
    return { type: proto.icmpv6Type, code: proto.icmpv6Code ?? 0, id: proto.icmpv6Id ?? 0 }
  return undefined
}

/** Some or all values of a tuple, for messages: what is left out is not written. */
export function tupleToRecord(tuple: Partial<Tuple>, path: string): CtTupleRecord {
  const { source, destination } = tuple
  if (source && destination && source.family !== destination.family)
    throw invalid(`${source} and ${destination} are of different families`, path)
  const proto = protoToRecord(tuple, path)
  return {
    ...((source || destination) && {
      ip: {
        ...(source && (source.family === 4 ? { v4Src: source.bytes } : { v6Src: source.bytes })),
        ...(destination &&
          (destination.family === 4 ? { v4Dst: destination.bytes } : { v6Dst: destination.bytes })),
      },
    }),
    ...(proto && { proto }),
    ...(tuple.zone !== undefined && { zone: tuple.zone }),
  }
}

function protoToRecord(tuple: Partial<Tuple>, path: string): CtTupleProtoRecord | undefined {
  if (tuple.protocol === undefined) return undefined
  const num = protocolNumber(tuple.protocol)
  if (num === undefined) throw invalid(`${show(tuple.protocol)} is no transport protocol`, `${path}.protocol`)
  return {
    num,
    ...(tuple.sourcePort !== undefined && { srcPort: port(tuple.sourcePort, `${path}.sourcePort`) }),
    ...(tuple.destinationPort !== undefined && {
      dstPort: port(tuple.destinationPort, `${path}.destinationPort`),
    }),
    ...(tuple.icmp &&
      (num === 58
        ? { icmpv6Type: tuple.icmp.type, icmpv6Code: tuple.icmp.code, icmpv6Id: tuple.icmp.id }
        : { icmpType: tuple.icmp.type, icmpCode: tuple.icmp.code, icmpId: tuple.icmp.id })),
  }
}

/** A port of a connection may be 0, unlike one that is published. */
function port(value: number, path: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 65535) return value
  throw new NfbridgeError({
    code: 'NFB_INVALID_PORT',
    operation: 'conntrack',
    message: `${value} is no port`,
    path,
  })
}

export function invalid(message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation: 'conntrack', message, path })
}
