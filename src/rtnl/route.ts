import { Cidr, type IPAddress, IPv4Address, IPv6Address } from '../address/index.js'
import { joinPath, NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { NexthopRecord, RouteRecord } from '../native/records.js'
import type { Scope } from './address.js'
import { nameOf, numberOf, ROUTE_PROTOCOLS, ROUTE_TABLES, ROUTE_TYPES, RouteFlag, SCOPES } from './numbers.js'
import {
  compact,
  type Device,
  familyNumber,
  type ResolveDevice,
  readAddress,
  toAddress,
  toNetwork,
} from './values.js'

export type RouteType = keyof typeof ROUTE_TYPES | number
export type RouteProtocol = keyof typeof ROUTE_PROTOCOLS | number
export type RouteTable = keyof typeof ROUTE_TABLES | number

/** One of several ways that a route may go. */
export interface NexthopSpec {
  readonly gateway?: IPAddress | string
  readonly device?: Device
  /** Its share of the traffic, 1 to 256. Default 1. */
  readonly weight?: number
  /** Take the gateway to be on the link although no address of ours says so. */
  readonly onlink?: boolean
}

/** A route to add or to delete. */
export interface RouteSpec {
  /** A network, or `default`, which takes its family from the gateway or from `family`. */
  readonly destination: Cidr | string
  /** Only for `default` where no gateway tells. Default 4. */
  readonly family?: 4 | 6
  readonly gateway?: IPAddress | string
  readonly device?: Device
  /** Several ways, instead of `gateway` and `device`. */
  readonly nexthops?: readonly NexthopSpec[]
  /** Lower is preferred. Default: the kernel's, 0 for IPv4 and 1024 for IPv6. */
  readonly metric?: number
  /** Default `main`. */
  readonly table?: RouteTable
  /** Default for IPv4: `universe` with a gateway, `link` without, `host` for local; deleting: any. */
  readonly scope?: Scope
  /** Default `unicast`. */
  readonly type?: RouteType
  /** Who made it. Default `static`; deleting: any. */
  readonly protocol?: RouteProtocol
  /** The source address that is preferred for what is sent by it. */
  readonly source?: IPAddress | string
  readonly onlink?: boolean
  readonly mtu?: number
}

export interface Nexthop {
  readonly gateway?: IPAddress
  readonly device: number
  readonly weight: number
  readonly onlink: boolean
}

/** A route as the kernel describes it (RTM_NEWROUTE). */
export interface Route {
  readonly family: 4 | 6
  /** A default route has the prefix length 0. */
  readonly destination: Cidr
  readonly gateway?: IPAddress
  readonly device?: number
  readonly nexthops?: readonly Nexthop[]
  readonly metric?: number
  readonly table: RouteTable
  readonly scope: Scope
  readonly type: RouteType
  readonly protocol: RouteProtocol
  readonly source?: IPAddress
  readonly onlink: boolean
  readonly mtu?: number
  /** All that the kernel said. */
  readonly record: RouteRecord
}

/** The properties by their attributes, for the paths of errors. */
export const ROUTE_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['dst', 'destination'],
  ['dstLen', 'destination'],
  ['oif', 'device'],
  ['via', 'gateway'],
  ['priority', 'metric'],
  ['rtaTable', 'table'],
  ['prefsrc', 'source'],
  ['multipath', 'nexthops'],
  ['metrics', 'mtu'],
])

export const NEXTHOP_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['ifindex', 'device'],
  ['hops', 'weight'],
  ['via', 'gateway'],
  ['flags', 'onlink'],
])

/** Tables from here on do not fit into the header's byte; RT_TABLE_COMPAT stands there instead. */
const FIRST_WIDE_TABLE = 256
const TABLE_COMPAT = 252

const NAMES = [
  'destination',
  'family',
  'gateway',
  'device',
  'nexthops',
  'metric',
  'table',
  'scope',
  'type',
  'protocol',
  'source',
  'onlink',
  'mtu',
] as const satisfies readonly (keyof RouteSpec)[]
const NEXTHOP_NAMES = [
  'gateway',
  'device',
  'weight',
  'onlink',
] as const satisfies readonly (keyof NexthopSpec)[]

/** The record that adds a route, or deletes it. */
export function routeRecord(
  spec: RouteSpec,
  direction: 'add' | 'delete',
  operation: string,
  path: string,
  resolve: ResolveDevice,
): RouteRecord {
  checkObject(spec, NAMES, operation, path)
  const gateway = spec.gateway === undefined ? undefined : toAddress(spec.gateway, `${path}.gateway`)
  const destination = destinationOf(spec, gateway, path)
  const family = destination.family
  const table = numberOf(ROUTE_TABLES, spec.table ?? 'main', operation, `${path}.table`)
  const type = numberOf(ROUTE_TYPES, spec.type ?? 'unicast', operation, `${path}.type`)
  if (spec.nexthops !== undefined && (spec.gateway !== undefined || spec.device !== undefined)) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: 'a route has either a gateway and a device, or nexthops',
      path: `${path}.nexthops`,
    })
  }
  const adding = direction === 'add'
  return compact<RouteRecord>({
    family: familyNumber(family),
    dstLen: destination.prefixLength,
    table: table < FIRST_WIDE_TABLE ? table : TABLE_COMPAT,
    protocol: numberOf(
      ROUTE_PROTOCOLS,
      spec.protocol ?? (adding ? 'static' : 'unspecified'),
      operation,
      `${path}.protocol`,
    ),
    scope: numberOf(
      SCOPES,
      spec.scope ?? (adding ? scopeOf(spec, family, type) : anyScope(family)),
      operation,
      `${path}.scope`,
    ),
    type: adding || spec.type !== undefined ? type : ROUTE_TYPES.unspecified,
    flags: spec.onlink ? RouteFlag.onlink : undefined,
    dst: destination.prefixLength === 0 ? undefined : destination.network.bytes,
    ...gatewayRecord(gateway, family),
    oif: spec.device === undefined ? undefined : resolve(spec.device, `${path}.device`),
    priority: spec.metric,
    rtaTable: table < FIRST_WIDE_TABLE ? undefined : table,
    prefsrc: spec.source === undefined ? undefined : toAddress(spec.source, `${path}.source`).bytes,
    multipath: spec.nexthops?.map((nexthop, index) =>
      nexthopRecord(nexthop, family, operation, joinPath(`${path}.nexthops`, index), resolve),
    ),
    metrics: spec.mtu === undefined ? undefined : { mtu: spec.mtu },
  })
}

export function readRoute(record: RouteRecord): Route | undefined {
  const family = record.family === 2 ? 4 : record.family === 10 ? 6 : undefined
  if (family === undefined) return undefined
  const destination = readAddress(record.dst) ?? anyAddress(family)
  return compact<Route>({
    family,
    destination: Cidr.of(destination, record.dstLen ?? 0),
    gateway: readAddress(record.gateway) ?? readVia(record.via),
    device: record.oif,
    nexthops: record.multipath?.map((nexthop) => readNexthop(nexthop)),
    metric: record.priority,
    table: nameOf(ROUTE_TABLES, record.rtaTable ?? record.table ?? 0),
    scope: nameOf(SCOPES, record.scope ?? 0),
    type: nameOf(ROUTE_TYPES, record.type ?? 0),
    protocol: nameOf(ROUTE_PROTOCOLS, record.protocol ?? 0),
    source: readAddress(record.prefsrc),
    onlink: ((record.flags ?? 0) & RouteFlag.onlink) !== 0,
    mtu: record.metrics?.mtu,
    record,
  })
}

function destinationOf(spec: RouteSpec, gateway: IPAddress | undefined, path: string): Cidr {
  if (spec.destination !== 'default') return toNetwork(spec.destination, `${path}.destination`)
  const first = spec.nexthops?.[0]?.gateway
  const hint = gateway ?? (first === undefined ? undefined : toAddress(first, `${path}.nexthops[0].gateway`))
  return Cidr.of(anyAddress(spec.family ?? hint?.family ?? 4), 0)
}

function anyAddress(family: 4 | 6): IPAddress {
  return family === 4 ? IPv4Address.fromNumber(0) : IPv6Address.fromBigInt(0n)
}

function scopeOf(spec: RouteSpec, family: 4 | 6, type: number): keyof typeof SCOPES {
  if (family === 6) return 'universe'
  if (type === ROUTE_TYPES.local) return 'host'
  if (type !== ROUTE_TYPES.unicast) return 'universe'
  const hops = spec.nexthops ?? [spec]
  return hops.some((hop) => hop.gateway !== undefined) ? 'universe' : 'link'
}

/** What matches a route of any scope: IPv6 has no scopes. */
function anyScope(family: 4 | 6): keyof typeof SCOPES {
  return family === 6 ? 'universe' : 'nowhere'
}

/** RTA_GATEWAY, or RTA_VIA for an IPv4 route by an IPv6 gateway (kernel 5.2). */
function gatewayRecord(
  gateway: IPAddress | undefined,
  family: 4 | 6,
): { readonly gateway?: Uint8Array; readonly via?: Uint8Array } {
  if (gateway === undefined) return {}
  if (gateway.family === family) return { gateway: gateway.bytes }
  const via = new Uint8Array(2 + gateway.bytes.length)
  via.set(new Uint8Array(Uint16Array.of(familyNumber(gateway.family)).buffer))
  via.set(gateway.bytes, 2)
  return { via }
}

/** struct rtvia: the family in the host's byte order, then the address. */
function readVia(via: Uint8Array | undefined): IPAddress | undefined {
  return via === undefined ? undefined : readAddress(via.slice(2))
}

function nexthopRecord(
  nexthop: NexthopSpec,
  family: 4 | 6,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): NexthopRecord {
  checkObject(nexthop, NEXTHOP_NAMES, operation, path)
  const gateway = nexthop.gateway === undefined ? undefined : toAddress(nexthop.gateway, `${path}.gateway`)
  return compact<NexthopRecord>({
    flags: nexthop.onlink ? RouteFlag.onlink : 0,
    hops: (nexthop.weight ?? 1) - 1,
    ifindex: nexthop.device === undefined ? 0 : resolve(nexthop.device, `${path}.device`),
    ...gatewayRecord(gateway, family),
  })
}

function readNexthop(record: NexthopRecord): Nexthop {
  return compact<Nexthop>({
    gateway: readAddress(record.gateway) ?? readVia(record.via),
    device: record.ifindex ?? 0,
    weight: (record.hops ?? 0) + 1,
    onlink: ((record.flags ?? 0) & RouteFlag.onlink) !== 0,
  })
}
