import { type IPAddress, protocolNumbers } from '../address/index.js'
import { NfbridgeError } from '../errors.js'
import { checkBoolean, checkInteger, checkObject } from '../input.js'
import type { RouteRecord } from '../native/records.js'
import { RouteFlag } from './numbers.js'
import { type Route, type RouteTable, type RouteType, readRoute } from './route.js'
import { compact, type Device, familyNumber, toAddress } from './values.js'

/** A packet whose way through the routing tables and the routing rules is asked for. */
export interface RouteLookup {
  readonly destination: IPAddress | string
  /** The packet's source address. Without it the kernel chooses one, which is then in the answer. */
  readonly source?: IPAddress | string
  /**
   * The link that the packet comes in by: the answer is the decision for a packet that is received (forwarded, or
   * delivered here), with the checks of its source. Without it: for a packet that this namespace sends itself.
   */
  readonly inputDevice?: Device
  /** The link that a packet of this namespace is bound to. */
  readonly outputDevice?: Device
  /** The packet's mark, for rules that look at it. */
  readonly mark?: number
  /** For rules that look at ports. */
  readonly protocol?: 'tcp' | 'udp'
  readonly sourcePort?: number
  readonly destinationPort?: number
  /**
   * Whether the answer is the route as it stands in its table, with its destination and all of its nexthops, instead of what it
   * makes of this packet (`ip route get fibmatch`). Default: false.
   */
  readonly wholeRoute?: boolean
}

/** The packet finds its way. */
export interface RouteFound {
  readonly reachable: true
  /** `unicast`: it leaves by {@link device}; `local`: it is delivered here; `broadcast`, `multicast`, `anycast`. */
  readonly type: RouteType
  readonly device?: number
  readonly gateway?: IPAddress
  /** The source address that the kernel chose or found acceptable. Absent where it has none to say. */
  readonly source?: IPAddress
  /** The table that decided. IPv4 has `local` in `main` until the namespace has rules of its own. */
  readonly table: RouteTable
  /** All of the answer; its destination is the address that was asked for, not that of the route, unless `wholeRoute`. */
  readonly route: Route
}

/**
 * Why there is no way. `no-route`: no table has one; `unreachable`, `prohibit`, `throw`: a route of that type matches
 * (`unreachable` is also said of a packet from elsewhere when the input link does not forward); `invalid`: a blackhole
 * route matches, or an address is one that no such packet may have (a martian, or a source that the strict check of
 * rp_filter does not expect there): the kernel answers all of these with EINVAL.
 */
export type RouteRefusal = 'no-route' | 'unreachable' | 'prohibit' | 'throw' | 'invalid'

/** The packet does not find its way. */
export interface RouteRefused {
  readonly reachable: false
  readonly reason: RouteRefusal
  /** The kernel's answer: `ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, `EINVAL` … */
  readonly errno: string
}

export type RouteDecision = RouteFound | RouteRefused

/** What fib_props (net/ipv4/fib_semantics.c), ip6_rt_type_to_error (net/ipv6/route.c) and fib_validate_source say. */
const REFUSALS: ReadonlyMap<string, RouteRefusal> = new Map([
  ['ENETUNREACH', 'no-route'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EACCES', 'prohibit'],
  ['EAGAIN', 'throw'],
  ['EXDEV', 'invalid'], // rp_filter, before Linux 6.13
  ['EINVAL', 'invalid'],
])

const NAMES = [
  'destination',
  'source',
  'inputDevice',
  'outputDevice',
  'mark',
  'protocol',
  'sourcePort',
  'destinationPort',
  'wholeRoute',
] as const satisfies readonly (keyof RouteLookup)[]

/** Finds the index of a link that may be given by its name. */
type FindIndex = (device: Device, path: string) => Promise<number>

/** The record that asks for the decision (`inet_rtm_getroute` in net/ipv4/route.c, `inet6_rtm_getroute`). */
export async function lookupRecord(
  lookup: RouteLookup,
  operation: string,
  find: FindIndex,
): Promise<RouteRecord> {
  checkObject(lookup, NAMES, operation, '')
  const destination = toAddress(lookup.destination, 'destination')
  const source = lookup.source === undefined ? undefined : toAddress(lookup.source, 'source')
  if (source !== undefined && source.family !== destination.family)
    throw invalid('source and destination are of one family', operation, 'source')
  if (lookup.inputDevice !== undefined && lookup.outputDevice !== undefined)
    throw invalid('a packet that comes in is not bound to a link to leave by', operation, 'outputDevice')
  const withPorts = lookup.sourcePort !== undefined || lookup.destinationPort !== undefined
  if (withPorts && lookup.protocol === undefined)
    throw invalid('ports need a protocol, tcp or udp', operation, 'protocol')
  if (lookup.protocol !== undefined && lookup.protocol !== 'tcp' && lookup.protocol !== 'udp')
    throw invalid('a protocol is tcp or udp', operation, 'protocol')
  const port = (value: number | undefined, path: string): number | undefined =>
    value === undefined ? undefined : checkInteger(value, [1, 65535], operation, path)
  const bits = destination.bytes.length * 8
  return compact<RouteRecord>({
    family: familyNumber(destination.family),
    dstLen: bits,
    srcLen: source === undefined ? undefined : bits,
    // Otherwise IPv4 says `main` whatever it was; IPv6 refuses the flag and says the table anyway.
    flags:
      (destination.family === 4 ? RouteFlag.lookupTable : 0) |
      (lookup.wholeRoute !== undefined && checkBoolean(lookup.wholeRoute, operation, 'wholeRoute')
        ? RouteFlag.fibMatch
        : 0),
    dst: destination.bytes,
    src: source?.bytes,
    iif: lookup.inputDevice === undefined ? undefined : await find(lookup.inputDevice, 'inputDevice'),
    oif: lookup.outputDevice === undefined ? undefined : await find(lookup.outputDevice, 'outputDevice'),
    mark:
      lookup.mark === undefined ? undefined : checkInteger(lookup.mark, [0, 2 ** 32 - 1], operation, 'mark'),
    ipProto: lookup.protocol === undefined ? undefined : protocolNumbers[lookup.protocol],
    sport: port(lookup.sourcePort, 'sourcePort'),
    dport: port(lookup.destinationPort, 'destinationPort'),
  })
}

/** The decision in the kernel's answer. */
export function readDecision(record: RouteRecord): RouteFound | undefined {
  const route = readRoute(record)
  if (route === undefined) return undefined
  return compact<RouteFound>({
    reachable: true,
    type: route.type,
    device: route.device,
    gateway: route.gateway,
    source: route.source,
    table: route.table,
    route,
  })
}

/** An error that is an answer: the packet is refused. Undefined for one that says the question was wrong. */
export function readRefusal(error: unknown): RouteRefused | undefined {
  if (!(error instanceof NfbridgeError) || error.errno === undefined) return undefined
  // What is wrong with the request itself comes with words of the kernel; a refusal has none.
  if (error.kernelMessage !== undefined) return undefined
  const reason = REFUSALS.get(error.errno)
  return reason === undefined ? undefined : { reachable: false, reason, errno: error.errno }
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
