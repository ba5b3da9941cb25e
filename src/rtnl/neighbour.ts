import type { IPAddress, MacAddress } from '../address/index.js'
import { checkObject } from '../input.js'
import type { NeighbourRecord } from '../native/records.js'
import { Family, NEIGHBOUR_STATES, NeighbourFlag, nameOf, numberOf } from './numbers.js'
import {
  compact,
  type Device,
  familyNumber,
  type ResolveDevice,
  readAddress,
  readMac,
  toAddress,
  toMac,
} from './values.js'

/** NUD_* of linux/neighbour.h; a number where several bits are set. */
export type NeighbourState = keyof typeof NEIGHBOUR_STATES | number

/** A neighbour (ARP, neighbour discovery) to add or to delete. */
export interface NeighbourSpec {
  readonly device: Device
  readonly address: IPAddress | string
  /** Needed to add one, unless `proxy`. */
  readonly mac?: MacAddress | string
  /** Default `permanent`. */
  readonly state?: NeighbourState
  /** Answer for this address on the link. */
  readonly proxy?: boolean
  /** IPv6: the neighbour is a router. */
  readonly router?: boolean
}

/** A neighbour as the kernel describes it (RTM_NEWNEIGH). */
export interface Neighbour {
  readonly family: 4 | 6
  readonly device: number
  readonly address: IPAddress
  readonly mac?: MacAddress
  readonly state: NeighbourState
  readonly proxy: boolean
  readonly router: boolean
  /** All that the kernel said. */
  readonly record: NeighbourRecord
}

/** An entry of a bridge's forwarding database to add or to delete. */
export interface FdbSpec {
  /** The port that frames to `mac` leave by, or the bridge itself. */
  readonly device: Device
  readonly mac: MacAddress | string
  readonly vlan?: number
  /**
   * `permanent`: a local address, not forwarded to; `static`: forwarded to and kept; `dynamic`: forwarded to and
   * forgotten when it ages. Default `static`.
   */
  readonly state?: FdbState
  /** Whether it belongs in the bridge's table (NTF_MASTER, the default) or in the device's own (NTF_SELF). */
  readonly table?: 'master' | 'self'
  /** It does not move to another port when its address is seen there. */
  readonly sticky?: boolean
}

export type FdbState = 'permanent' | 'static' | 'dynamic'

/** An entry of a bridge's forwarding database, as the kernel describes it (RTM_NEWNEIGH of AF_BRIDGE). */
export interface FdbEntry {
  /** Index of the port, or of the bridge. */
  readonly device: number
  readonly mac: MacAddress
  readonly vlan?: number
  /** Index of the bridge, when the entry is in a bridge's table. */
  readonly master?: number
  readonly state: FdbState
  readonly sticky: boolean
  /** All flags (NTF_* in linux/neighbour.h). */
  readonly flags: number
  readonly record: NeighbourRecord
}

/** The properties by their attributes, for the paths of errors. */
export const NEIGHBOUR_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['ifindex', 'device'],
  ['dst', 'address'],
  ['lladdr', 'mac'],
])

const NAMES = [
  'device',
  'address',
  'mac',
  'state',
  'proxy',
  'router',
] as const satisfies readonly (keyof NeighbourSpec)[]
const FDB_NAMES = [
  'device',
  'mac',
  'vlan',
  'state',
  'table',
  'sticky',
] as const satisfies readonly (keyof FdbSpec)[]

const FDB_STATES = {
  permanent: NEIGHBOUR_STATES.permanent,
  static: NEIGHBOUR_STATES.noarp,
  dynamic: NEIGHBOUR_STATES.reachable,
} as const

/** The record that adds a neighbour, or deletes it. */
export function neighbourRecord(
  spec: NeighbourSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): NeighbourRecord {
  checkObject(spec, NAMES, operation, path)
  const address = toAddress(spec.address, `${path}.address`)
  return compact<NeighbourRecord>({
    family: familyNumber(address.family),
    ifindex: resolve(spec.device, `${path}.device`),
    state: numberOf(NEIGHBOUR_STATES, spec.state ?? 'permanent', operation, `${path}.state`),
    flags: (spec.proxy ? NeighbourFlag.proxy : 0) | (spec.router ? NeighbourFlag.router : 0),
    dst: address.bytes,
    lladdr: spec.mac === undefined ? undefined : toMac(spec.mac, `${path}.mac`).bytes,
  })
}

/** Undefined for a neighbour of another family than IPv4 and IPv6. */
export function readNeighbour(record: NeighbourRecord): Neighbour | undefined {
  const address = readAddress(record.dst)
  if (address === undefined || record.family === Family.bridge) return undefined
  const flags = record.flags ?? 0
  return compact<Neighbour>({
    family: address.family,
    device: record.ifindex ?? 0,
    address,
    mac: readMac(record.lladdr),
    state: nameOf(NEIGHBOUR_STATES, record.state ?? 0),
    proxy: (flags & NeighbourFlag.proxy) !== 0,
    router: (flags & NeighbourFlag.router) !== 0,
    record,
  })
}

/** The record that adds an entry of a forwarding database, or deletes it. */
export function fdbRecord(
  spec: FdbSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): NeighbourRecord {
  checkObject(spec, FDB_NAMES, operation, path)
  return compact<NeighbourRecord>({
    family: Family.bridge,
    ifindex: resolve(spec.device, `${path}.device`),
    state: numberOf(FDB_STATES, spec.state ?? 'static', operation, `${path}.state`),
    flags:
      (spec.table === 'self' ? NeighbourFlag.self : NeighbourFlag.master) |
      (spec.sticky ? NeighbourFlag.sticky : 0),
    lladdr: toMac(spec.mac, `${path}.mac`).bytes,
    vlan: spec.vlan,
  })
}

/** Undefined for what is no entry of a forwarding database of Ethernet. */
export function readFdbEntry(record: NeighbourRecord): FdbEntry | undefined {
  const mac = readMac(record.lladdr)
  if (record.family !== Family.bridge || mac === undefined) return undefined
  const state = record.state ?? 0
  return compact<FdbEntry>({
    device: record.ifindex ?? 0,
    mac,
    vlan: record.vlan,
    master: record.master,
    state:
      (state & NEIGHBOUR_STATES.permanent) !== 0
        ? 'permanent'
        : (state & NEIGHBOUR_STATES.noarp) !== 0
          ? 'static'
          : 'dynamic',
    sticky: ((record.flags ?? 0) & NeighbourFlag.sticky) !== 0,
    flags: record.flags ?? 0,
    record,
  })
}
