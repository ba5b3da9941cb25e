/** Which connections are meant: tested by the kernel where it can, and once more here. */

import { Cidr, type IPAddress, IPv4Address } from '../address/index.js'
import { checkArray, checkObject, show } from '../input.js'
import type { CtEntryRecord } from '../native/records.js'
import type { ConntrackEntry } from './entry.js'
import { protocolName, protocolNumber, type TransportProtocol } from './protocol.js'
import { type ConnectionFlag, isFlag } from './status.js'
import { invalid, nfprotoIpv4, nfprotoIpv6, type Tuple, tupleToRecord } from './tuple.js'

/** Ports from the first to the last. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** What one direction must have; what is left out may be anything. */
export interface TupleFilter {
  readonly source?: IPAddress | Cidr
  readonly destination?: IPAddress | Cidr
  readonly sourcePort?: number | PortRange
  readonly destinationPort?: number | PortRange
}

/** Which connections: all that is given must hold. `{}` means every connection. */
export interface ConntrackFilter {
  readonly family?: 4 | 6
  readonly protocol?: TransportProtocol
  readonly original?: TupleFilter
  readonly reply?: TupleFilter
  /** The connection that named this one to a helper; one that nobody named has none, and is not meant. */
  readonly master?: TupleFilter
  /** An address, wherever it stands: source or destination of either direction. */
  readonly address?: IPAddress
  readonly zone?: number
  /** The whole mark, or the bits of it that `mask` has. */
  readonly mark?: number | { readonly value: number; readonly mask: number }
  /** Flags that it has, and flags that it has not. */
  readonly status?: { readonly has?: readonly ConnectionFlag[]; readonly lacks?: readonly ConnectionFlag[] }
  /** That the answers come from the port that was asked for, translated or not. */
  readonly portKept?: true
}

/** Connections that one of the filters means, and none of `unless`. */
export interface ConnectionSelection {
  readonly filters: readonly ConntrackFilter[]
  readonly unless?: readonly ConntrackFilter[]
}

/** The properties of {@link ConntrackFilter}. */
export const FILTER_PROPERTIES: readonly string[] = [
  'family',
  'protocol',
  'original',
  'reply',
  'master',
  'address',
  'zone',
  'mark',
  'status',
  'portKept',
] satisfies (keyof ConntrackFilter)[]
const TUPLES = ['original', 'reply', 'master'] as const
const TUPLE_PROPERTIES: readonly string[] = [
  'source',
  'destination',
  'sourcePort',
  'destinationPort',
] satisfies (keyof TupleFilter)[]

/** CTA_FILTER_F_* (net/netfilter/nf_internals.h, kernel 5.8): which values of a tuple are compared. */
const compare = {
  source: 1 << 0,
  destination: 1 << 1,
  protocol: 1 << 3,
  sourcePort: 1 << 4,
  destinationPort: 1 << 5,
}

/** @throws NfbridgeError NFB_INVALID_ARGUMENT for a filter that contradicts itself or has values out of range */
export function checkFilter(filter: ConntrackFilter): void {
  checkObject(filter, FILTER_PROPERTIES, 'conntrack.list', 'filter')
  for (const part of TUPLES) {
    const tuple = filter[part]
    if (tuple) checkObject(tuple, TUPLE_PROPERTIES, 'conntrack.list', `filter.${part}`)
  }
  if (filter.status) checkStatus(filter.status)
  const families = new Set<4 | 6>()
  for (const value of [
    filter.original?.source,
    filter.original?.destination,
    filter.reply?.source,
    filter.reply?.destination,
    filter.master?.source,
    filter.master?.destination,
    filter.address,
  ])
    if (value) families.add(value.family)
  if (filter.family !== undefined) families.add(filter.family)
  // NAT64 aside, which the kernel's connection tracking does not do, a connection has one family.
  if (families.size > 1) throw invalid('the filter names addresses of both families', 'filter')
  if (filter.protocol !== undefined && protocolNumber(filter.protocol) === undefined)
    throw invalid(`${show(filter.protocol)} is no transport protocol`, 'filter.protocol')
  unsigned(filter.zone, 0xffff, 'filter.zone')
  if (typeof filter.mark === 'object') {
    checkObject(filter.mark, ['value', 'mask'], 'conntrack.list', 'filter.mark')
    unsigned(filter.mark.value, 0xffffffff, 'filter.mark.value')
    unsigned(filter.mark.mask, 0xffffffff, 'filter.mark.mask')
  } else unsigned(filter.mark, 0xffffffff, 'filter.mark')
  for (const part of TUPLES)
    for (const port of ['sourcePort', 'destinationPort'] as const) {
      const value = filter[part]?.[port]
      const path = `filter.${part}.${port}`
      if (typeof value !== 'object') unsigned(value, 0xffff, path)
      else {
        checkObject(value, ['first', 'last'], 'conntrack.list', path)
        unsigned(value.first, 0xffff, `${path}.first`)
        unsigned(value.last, 0xffff, `${path}.last`)
        if (value.first === undefined || value.last === undefined || value.first > value.last)
          throw invalid('a range of ports has a first and a last port', path)
      }
    }
}

function checkStatus(status: NonNullable<ConntrackFilter['status']>): void {
  checkObject(status, ['has', 'lacks'], 'conntrack.list', 'filter.status')
  for (const part of ['has', 'lacks'] as const)
    for (const flag of checkArray(status[part] ?? [], 'conntrack.list', `filter.status.${part}`))
      if (!isFlag(flag)) throw invalid(`${show(flag)} is no flag of a connection`, `filter.status.${part}`)
}

function unsigned(value: number | undefined, highest: number, path: string): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= highest)) return
  throw invalid(`${value} is no whole number from 0 to ${highest}`, path)
}

/**
 * The filters whose results together are what `filter` means: an address that may stand in four places is four
 * dumps, each filtered in the kernel, which costs far less than to copy a large table out.
 */
export function alternatives(filter: ConntrackFilter): ConntrackFilter[] {
  const { address, ...rest } = filter
  if (!address || !kernelCompares(address)) return [filter]
  const places: ConntrackFilter[] = []
  for (const direction of ['original', 'reply'] as const)
    for (const end of ['source', 'destination'] as const) {
      const given = rest[direction]?.[end]
      if (given && !covers(given, address)) continue
      places.push({ ...rest, [direction]: { ...rest[direction], [end]: address } })
    }
  return places
}

/** The filter as the attributes of a dump request. Kernels that do not know an attribute send more than asked for. */
export function filterToRecord(filter: ConntrackFilter): CtEntryRecord {
  const family = familyOf(filter)
  const original = tupleFilter(filter, 'original', family)
  const reply = tupleFilter(filter, 'reply', family)
  const mark = typeof filter.mark === 'number' ? { value: filter.mark, mask: 0xffffffff } : filter.mark
  return {
    family: family === undefined ? 0 : family === 4 ? nfprotoIpv4 : nfprotoIpv6,
    // The kernel compares the whole value with the bits under the mask.
    ...(mark && { mark: (mark.value & mark.mask) >>> 0, markMask: mark.mask }),
    ...(filter.zone !== undefined && { zone: filter.zone }),
    ...(original && { tupleOrig: tupleToRecord(original.tuple, 'filter.original') }),
    ...(reply && { tupleReply: tupleToRecord(reply.tuple, 'filter.reply') }),
    ...((original || reply) && {
      filter: {
        ...(original && { origFlags: original.flags }),
        ...(reply && { replyFlags: reply.flags }),
      },
    }),
  }
}

/** The kernel compares exact values, ports only together with the protocol, and all that only within one family. */
function tupleFilter(
  filter: ConntrackFilter,
  direction: 'original' | 'reply',
  family: 4 | 6 | undefined,
): { tuple: Partial<Tuple>; flags: number } | undefined {
  if (family === undefined) return undefined
  const { source, destination, ...ports } = filter[direction] ?? {}
  const { sourcePort, destinationPort } = exactPorts(ports)
  const number = filter.protocol === undefined ? undefined : protocolNumber(filter.protocol)
  const hasPort = number !== undefined && hasPorts.has(number)
  // The protocol is the same both ways: the original direction tests it for both.
  const withProtocol =
    number !== undefined &&
    (direction === 'original' || sourcePort !== undefined || destinationPort !== undefined)
  const tuple: Partial<Tuple> = {
    ...(source && kernelCompares(source) && { source }),
    ...(destination && kernelCompares(destination) && { destination }),
    ...(withProtocol && { protocol: protocolName(number) }),
    ...(hasPort && sourcePort !== undefined && { sourcePort }),
    ...(hasPort && destinationPort !== undefined && { destinationPort }),
  }
  let flags = 0
  for (const [name, flag] of Object.entries(compare)) if (name in tuple) flags |= flag
  return flags === 0 ? undefined : { tuple, flags }
}

/**
 * Whether the kernel can test it: exact addresses of IPv4. Of IPv6 it tests the opposite (`ctnetlink_filter_match_tuple`
 * takes `ipv6_addr_cmp` for a test of equality; seen up to Linux 6.18), so that a filter would hide what is looked for.
 */
function kernelCompares(address: IPAddress | Cidr): address is IPv4Address {
  return address instanceof IPv4Address
}

/** The kernel compares a port, and no range. */
function exactPorts({ sourcePort, destinationPort }: TupleFilter): {
  sourcePort?: number
  destinationPort?: number
} {
  return {
    ...(typeof sourcePort === 'number' && { sourcePort }),
    ...(typeof destinationPort === 'number' && { destinationPort }),
  }
}

/**
 * Whether the kernel tests all of a filter. Only such a filter, and one that names an address, may be sent with a deletion: of
 * what it does not test the kernel would delete everything, and a kernel before 6.12 takes a filter's address for a
 * connection that lacks its protocol, and refuses it.
 */
export function isKernelFilter(filter: ConntrackFilter): boolean {
  const { family, protocol, original = {}, reply = {}, ...rest } = filter
  if (Object.values(rest).some((value) => value !== undefined)) return false
  const addresses = [original.source, original.destination, reply.source, reply.destination].filter(
    (address) => address !== undefined,
  )
  const ports = [
    original.sourcePort,
    original.destinationPort,
    reply.sourcePort,
    reply.destinationPort,
  ].filter((port) => port !== undefined)
  const number = protocol === undefined ? undefined : protocolNumber(protocol)
  return (
    family !== 6 &&
    addresses.length > 0 &&
    addresses.every(kernelCompares) &&
    ports.every((port) => typeof port === 'number') &&
    (ports.length === 0 || (number !== undefined && hasPorts.has(number)))
  )
}

const hasPorts: ReadonlySet<number> = new Set([6, 17, 33, 132, 136])

/** The family that a filter names, or that of its addresses. */
export function familyOf(filter: ConntrackFilter): 4 | 6 | undefined {
  return (
    filter.family ??
    filter.original?.source?.family ??
    filter.original?.destination?.family ??
    filter.reply?.source?.family ??
    filter.reply?.destination?.family ??
    filter.master?.source?.family ??
    filter.master?.destination?.family ??
    filter.address?.family
  )
}

/** Whether an entry is meant: what the kernel may not have tested. */
export function matches(entry: ConntrackEntry, filter: ConntrackFilter): boolean {
  const { original, reply } = entry
  if (filter.family !== undefined && original.source.family !== filter.family) return false
  if (filter.protocol !== undefined && protocolNumber(filter.protocol) !== protocolNumber(entry.protocol))
    return false
  if (filter.zone !== undefined && entry.zone !== filter.zone) return false
  if (typeof filter.mark === 'number' && entry.mark !== filter.mark) return false
  if (typeof filter.mark === 'object' && ((entry.mark ^ filter.mark.value) & filter.mark.mask) !== 0)
    return false
  const { address } = filter
  if (
    address &&
    ![original.source, original.destination, reply.source, reply.destination].some((each) =>
      each.equals(address),
    )
  )
    return false
  const { has = [], lacks = [] } = filter.status ?? {}
  if (!has.every((flag) => entry.status.includes(flag))) return false
  if (lacks.some((flag) => entry.status.includes(flag))) return false
  if (filter.portKept && reply.sourcePort !== original.destinationPort) return false
  if (filter.master && !(entry.master && tupleMatches(entry.master, filter.master))) return false
  return tupleMatches(original, filter.original) && tupleMatches(reply, filter.reply)
}

/** Whether one of several selections means an entry. */
export function isSelected(entry: ConntrackEntry, selections: readonly ConnectionSelection[]): boolean {
  return selections.some(
    ({ filters, unless = [] }) =>
      filters.some((filter) => matches(entry, filter)) && !unless.some((filter) => matches(entry, filter)),
  )
}

function tupleMatches(tuple: Tuple, filter: TupleFilter = {}): boolean {
  if (filter.source && !covers(filter.source, tuple.source)) return false
  if (filter.destination && !covers(filter.destination, tuple.destination)) return false
  return (
    portMatches(tuple.sourcePort, filter.sourcePort) &&
    portMatches(tuple.destinationPort, filter.destinationPort)
  )
}

function portMatches(port: number | undefined, wanted: number | PortRange | undefined): boolean {
  if (typeof wanted !== 'object') return wanted === undefined || port === wanted
  return port !== undefined && port >= wanted.first && port <= wanted.last
}

function covers(given: IPAddress | Cidr, address: IPAddress): boolean {
  return given instanceof Cidr ? given.contains(address) : given.equals(address)
}
