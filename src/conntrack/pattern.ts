/** What the addon compares connections with where it lists them: the words of `native/netlink/connections.h`. */
import { Cidr, type IPAddress } from '../address/index.js'
import {
  type ConnectionSelection,
  type ConntrackFilter,
  familyOf,
  type PortRange,
  type TupleFilter,
} from './filter.js'
import { protocolNumber } from './protocol.js'
import { statusMask } from './status.js'
import { nfprotoIpv4, nfprotoIpv6 } from './tuple.js'

const whatever = 0xffffffff
const portKept = 1
const hasMaster = 2

/** The selections as the addon reads them. */
export function patternWords(selections: readonly ConnectionSelection[]): Uint32Array {
  const words: number[] = []
  for (const { filters, unless = [] } of selections) {
    const [any, none] = [filters.flatMap(places), unless.flatMap(places)]
    words.push(any.length, none.length)
    for (const filter of [...any, ...none]) pushPattern(words, filter)
  }
  return Uint32Array.from(words)
}

/** An address that may stand in four places is four patterns. */
function places({ address, ...rest }: ConntrackFilter): ConntrackFilter[] {
  if (!address) return [rest]
  return (['original', 'reply'] as const).flatMap((direction) =>
    (['source', 'destination'] as const).flatMap((end) => {
      const given = rest[direction]?.[end]
      const covered = !given || (given instanceof Cidr ? given.contains(address) : given.equals(address))
      return covered ? [{ ...rest, [direction]: { ...rest[direction], [end]: address } }] : []
    }),
  )
}

function pushPattern(words: number[], filter: ConntrackFilter): void {
  const family = familyOf(filter)
  const mark = typeof filter.mark === 'number' ? { value: filter.mark, mask: whatever } : filter.mark
  const has = statusMask(filter.status?.has ?? [])
  const lacks = statusMask(filter.status?.lacks ?? [])
  words.push(
    family === undefined ? whatever : family === 4 ? nfprotoIpv4 : nfprotoIpv6,
    filter.protocol === undefined ? whatever : (protocolNumber(filter.protocol) ?? whatever),
    filter.zone ?? whatever,
    mark?.value ?? 0,
    mark?.mask ?? 0,
    has,
    has | lacks,
    (filter.portKept ? portKept : 0) | (filter.master ? hasMaster : 0),
  )
  for (const tuple of [filter.original, filter.reply, filter.master]) pushTuple(words, tuple ?? {})
}

function pushTuple(words: number[], { source, destination, sourcePort, destinationPort }: TupleFilter): void {
  for (const end of [source, destination]) pushAddress(words, end)
  for (const ports of [sourcePort, destinationPort]) pushPorts(words, ports)
}

function pushAddress(words: number[], given: IPAddress | Cidr | undefined): void {
  const bytes = new Uint8Array(16)
  if (given) bytes.set(given instanceof Cidr ? given.address.bytes : given.bytes)
  const length = given instanceof Cidr ? given.prefixLength : given && given.bytes.length * 8
  words.push(length ?? whatever, ...new Uint32Array(bytes.buffer))
}

function pushPorts(words: number[], ports: number | PortRange | undefined): void {
  const range = typeof ports === 'number' ? { first: ports, last: ports } : ports
  words.push(range?.first ?? whatever, range?.last ?? 0)
}
