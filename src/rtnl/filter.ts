import { checkInteger, checkObject } from '../input.js'
import type { FilterActionRecord, FilterRecord } from '../native/records.js'
import { selects } from '../native/select.js'
import { nameOf, numberOf } from './numbers.js'
import { TC_PARENTS } from './qdisc.js'
import { compact, type Device, type ResolveDevice } from './values.js'

/** ETH_P_* of linux/if_ether.h. */
const PROTOCOLS = { all: 0x0003, ip: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const

/** Which packets a filter sees, by their EtherType. */
export type FilterProtocol = keyof typeof PROTOCOLS | number

/** A filter that sends the packets that it sees out of another link instead (tc-mirred(8)). It matches all of them. */
export interface FilterSpec {
  readonly device: Device
  /** Default `ingress`: it needs the queueing discipline `ingress` on the link. A number is a discipline's handle. */
  readonly parent?: 'ingress' | number
  /** 1 to 65535; lower is asked first. One filter for each priority. */
  readonly priority: number
  /** Default `all`. */
  readonly protocol?: FilterProtocol
  /** The link that the packets leave by, such as an `ifb`, whose queueing discipline then holds them back. */
  readonly redirect: Device
}

/** Which filters to delete: all of a priority. */
export interface FilterSelector {
  readonly device: Device
  readonly parent?: 'ingress' | number
  readonly priority: number
}

/** A filter as the kernel describes it (RTM_NEWTFILTER). */
export interface Filter {
  /** Index of the link. */
  readonly device: number
  /** `u32`, `matchall`, `bpf` … */
  readonly kind: string
  /** `ingress`, or the handle of the queueing discipline or class that it hangs on. */
  readonly parent: 'ingress' | number
  readonly priority: number
  readonly protocol: FilterProtocol
  readonly handle: number
  /** Index of the link that packets are redirected to, where that is its first action. */
  readonly redirect?: number
  /** All that the kernel said. */
  readonly record: FilterRecord
}

/** The properties by their attributes, for the paths of errors. */
export const FILTER_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['ifindex', 'device'],
  ['info', 'priority'],
  ['options', ''],
])

/** The handle of the ingress discipline, which its filters name as their parent. */
const INGRESS = 0xffff0000

/** The first node that u32 gives to a filter itself: a second filter of the same priority is refused with it. */
const U32_NODE = 0x800

/** The record that adds a filter. */
export function filterRecord(
  spec: FilterSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): FilterRecord {
  checkObject(spec, ['device', 'parent', 'priority', 'protocol', 'redirect'], operation, path)
  const protocol = checkInteger(
    numberOf(PROTOCOLS, spec.protocol ?? 'all', operation, `${path}.protocol`),
    [1, 0xffff],
    operation,
    `${path}.protocol`,
  )
  return {
    ...place(spec, protocol, operation, path, resolve),
    handle: U32_NODE,
    kind: 'u32',
    options: {
      sel: matchAll(),
      act: { first: redirectAction(resolve(spec.redirect, `${path}.redirect`)) },
    },
  }
}

/** The record that says which filters are meant. */
export function filterSelectorRecord(
  selector: FilterSelector,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): FilterRecord {
  checkObject(selector, ['device', 'parent', 'priority'], operation, path)
  return place(selector, 0, operation, path, resolve)
}

/** What a listing is asked for with: the filters of one link and parent. */
export function filterListRecord(ifindex: number, parent: 'ingress' | number): FilterRecord {
  return { ifindex, parent: parentNumber(parent) }
}

/** Undefined for what u32 lists beside its filters: its hash tables, and each priority by itself. */
export function readFilter(record: FilterRecord): Filter | undefined {
  const handle = record.handle ?? 0
  const action = firstAction(record)
  if (handle === 0 || (selects(record, 'kind', 'u32') && record.options?.sel === undefined)) return undefined
  const info = record.info ?? 0
  const parent = record.parent ?? 0
  return compact<Filter>({
    device: record.ifindex ?? 0,
    kind: record.kind ?? '',
    parent: parent === INGRESS || parent === TC_PARENTS.ingress ? 'ingress' : parent,
    priority: info >>> 16,
    protocol: nameOf(PROTOCOLS, swap(info & 0xffff)),
    handle,
    redirect: action && readRedirect(action),
    record,
  })
}

function place(
  { device, parent, priority }: FilterSelector,
  protocol: number,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): FilterRecord {
  checkInteger(priority, [1, 0xffff], operation, `${path}.priority`)
  if (parent !== undefined && parent !== 'ingress')
    checkInteger(parent, [1, 2 ** 32 - 1], operation, `${path}.parent`)
  return {
    ifindex: resolve(device, `${path}.device`),
    parent: parentNumber(parent ?? 'ingress'),
    // TC_H_MAKE(priority << 16, htons(protocol))
    info: priority * 2 ** 16 + swap(protocol),
  }
}

function parentNumber(parent: 'ingress' | number): number {
  return parent === 'ingress' ? INGRESS : parent
}

/** Between the host's byte order and the network's. */
function swap(half: number): number {
  return ((half & 0xff) << 8) | (half >> 8)
}

/** struct tc_u32_sel with one key, `match u32 0 0`: no bit is looked at. TC_U32_TERMINAL makes it match at all. */
function matchAll(): Uint8Array {
  const bytes = new Uint8Array(16 + 16)
  bytes[0] = 1 // flags: TC_U32_TERMINAL
  bytes[2] = 1 // nkeys
  return bytes
}

/** struct tc_mirred: index, capab, action, refcnt, bindcnt, eaction, ifindex. */
const MIRRED = { size: 28, action: 8, eaction: 20, ifindex: 24 } as const
/** TC_ACT_STOLEN: the packet is gone from here. */
const STOLEN = 4
/** TCA_EGRESS_REDIR of linux/tc_act/tc_mirred.h. */
const EGRESS_REDIRECT = 1

function redirectAction(ifindex: number): FilterActionRecord {
  const parms = new DataView(new ArrayBuffer(MIRRED.size))
  parms.setInt32(MIRRED.action, STOLEN, true)
  parms.setInt32(MIRRED.eaction, EGRESS_REDIRECT, true)
  parms.setUint32(MIRRED.ifindex, ifindex, true)
  return { kind: 'mirred', options: { parms: new Uint8Array(parms.buffer) } }
}

function firstAction(record: FilterRecord): FilterActionRecord | undefined {
  if (selects(record, 'kind', 'u32')) return record.options?.act?.first
  return selects(record, 'kind', 'matchall') ? record.options?.act?.first : undefined
}

function readRedirect(action: FilterActionRecord): number | undefined {
  const parms = selects(action, 'kind', 'mirred') ? action.options?.parms : undefined
  if (parms === undefined || parms.length < MIRRED.size) return undefined
  const view = new DataView(parms.buffer, parms.byteOffset, parms.byteLength)
  if (view.getInt32(MIRRED.eaction, true) !== EGRESS_REDIRECT) return undefined
  return view.getUint32(MIRRED.ifindex, true)
}
