/** One connection of the kernel's connection tracking table. */
import type { CtCountersRecord, CtEntryRecord } from '../native/records.js'
import type { TransportProtocol } from './protocol.js'
import { type ConnectionFlag, type ConnectionState, connectionState, statusFlags } from './status.js'
import { type Tuple, tupleFromRecord } from './tuple.js'

/** Packets and bytes of one direction, where the kernel counts them (`net.netfilter.nf_conntrack_acct`). */
export interface DirectionCounters {
  readonly packets: number
  readonly bytes: number
}

/** A connection as the kernel tracks it. `reply` differs from the reverse of `original` where it is translated. */
export interface ConntrackEntry {
  /** The packets of the one who began. */
  readonly original: Tuple
  /** The packets that answer, as they come in: with translation, to and from the translated addresses. */
  readonly reply: Tuple
  readonly protocol: TransportProtocol
  /** Of a connection that a helper expected: the packets of the one who began the connection that named it. */
  readonly master?: Tuple
  /** For tcp, sctp and dccp. */
  readonly state?: ConnectionState
  /** The flags that are set. */
  readonly status: readonly ConnectionFlag[]
  /** The connection's mark; 0 where the kernel has none. */
  readonly mark: number
  /** Seconds until it is forgotten, if no packet comes; 0 where the kernel does not say. */
  readonly timeout: number
  /** Tells this connection from a later one of the same addresses and ports, in all but rare cases. */
  readonly id: number
  /** 0 is the default zone. */
  readonly zone: number
  readonly counters?: { readonly original: DirectionCounters; readonly reply: DirectionCounters }
}

/** The entry that a message tells of; undefined for one that lacks the tuples, which no kernel sends. */
export function entryFromRecord(record: CtEntryRecord): ConntrackEntry | undefined {
  const original = tupleFromRecord(record.tupleOrig)
  const reply = tupleFromRecord(record.tupleReply)
  if (!original || !reply) return undefined
  const state = stateFromRecord(record)
  const master = tupleFromRecord(record.tupleMaster)
  const counters = countersFromRecord(record)
  return {
    original,
    reply,
    protocol: original.protocol,
    ...(master && { master }),
    ...(state !== undefined && { state }),
    status: statusFlags(record.status ?? 0),
    mark: record.mark ?? 0,
    timeout: record.timeout ?? 0,
    id: record.id ?? 0,
    zone: record.zone ?? 0,
    ...(counters && { counters }),
  }
}

function stateFromRecord(record: CtEntryRecord): ConnectionState | undefined {
  const { tcp, sctp, dccp } = record.protoinfo ?? {}
  if (tcp?.state !== undefined) return connectionState('tcp', tcp.state)
  if (sctp?.state !== undefined) return connectionState('sctp', sctp.state)
  if (dccp?.state !== undefined) return connectionState('dccp', dccp.state)
  return undefined
}

function countersFromRecord(record: CtEntryRecord): ConntrackEntry['counters'] {
  const { countersOrig, countersReply } = record
  if (!countersOrig || !countersReply) return undefined
  return {
    original: directionCounters(countersOrig),
    reply: directionCounters(countersReply),
  }
}

/** As numbers, as all counters of the library are, which JSON has. */
function directionCounters({ packets = 0n, bytes = 0n }: CtCountersRecord): DirectionCounters {
  return { packets: Number(packets), bytes: Number(bytes) }
}
