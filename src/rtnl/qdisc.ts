import { NfbridgeError } from '../errors.js'
import { checkInteger, checkObject } from '../input.js'
import type { QdiscRecord, QdiscTbfRecord } from '../native/records.js'
import { selects } from '../native/select.js'
import { compact, type Device, type ResolveDevice } from './values.js'

/** TC_H_ROOT, TC_H_INGRESS of linux/pkt_sched.h: where a queueing discipline hangs. */
export const TC_PARENTS = { root: 0xffffffff, ingress: 0xfffffff1 } as const

/** Where a queueing discipline hangs: `root` for what leaves by the link, `ingress` for what comes in; a class else. */
export type QdiscParent = keyof typeof TC_PARENTS | number

/** A token bucket (tc-tbf(8)): what leaves by the link is held back to a rate. */
export interface TbfSpec {
  readonly kind: 'tbf'
  readonly device: Device
  /** Bits per second, 8 or more; frames count with their Ethernet header. */
  readonly rate: number
  /**
   * Bytes that may be sent at once after a pause. As much as the rate makes in a tick of the kernel's clock at least, and
   * no less than the longest frame, or nothing passes.
   */
  readonly burst: number
  /** How long a packet may wait, in milliseconds; what would wait longer is dropped. Default 50; not with `limit`. */
  readonly latency?: number
  /** Bytes that may wait, instead of `latency`. */
  readonly limit?: number
}

/** What filters of received packets hang on. It has no queue. */
export interface IngressSpec {
  readonly kind: 'ingress'
  readonly device: Device
}

/** Queues with the kernel's defaults: first in, first out, or fair with a bounded delay. */
export interface PlainQdiscSpec {
  readonly kind: 'pfifo' | 'bfifo' | 'fq_codel'
  readonly device: Device
}

/** A queueing discipline to add to a link, discriminated by `kind`. */
export type QdiscSpec = TbfSpec | IngressSpec | PlainQdiscSpec

/** Which one to delete: the link then has the kernel's default again. */
export interface QdiscSelector {
  readonly device: Device
  readonly parent: 'root' | 'ingress'
}

/** The settings of a token bucket. */
export interface Tbf {
  /** Bits per second. */
  readonly rate: number
  /** Bytes; as near as the kernel's unit of time lets it be told. */
  readonly burst: number
  /** Bytes that may wait. */
  readonly limit: number
}

/** A queueing discipline as the kernel describes it (RTM_NEWQDISC). */
export interface Qdisc {
  /** Index of the link. */
  readonly device: number
  readonly kind: string
  /** Its number, major in the upper and minor in the lower sixteen bits; 0 for those that nobody added. */
  readonly handle: number
  readonly parent: QdiscParent
  readonly tbf?: Tbf
  /** All that the kernel said. */
  readonly record: QdiscRecord
}

/** The properties by their attributes, for the paths of errors. */
export const QDISC_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['ifindex', 'device'],
  ['options', ''],
])

/** TC_H_MAKE(TC_H_INGRESS, 0): the one handle that the ingress discipline can have. */
const INGRESS_HANDLE = 0xffff0000
const MOST = 2 ** 32 - 1
const DEFAULT_LATENCY = 50

const COMMON = ['kind', 'device'] as const
const NAMES = { tbf: [...COMMON, 'rate', 'burst', 'latency', 'limit'], plain: COMMON } as const

/** The record that adds a queueing discipline. */
export function qdiscRecord(
  spec: QdiscSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): QdiscRecord {
  checkObject(spec, spec?.kind === 'tbf' ? NAMES.tbf : NAMES.plain, operation, path)
  const ifindex = resolve(spec.device, `${path}.device`)
  switch (spec.kind) {
    case 'tbf':
      return { ifindex, parent: TC_PARENTS.root, kind: 'tbf', options: tbfRecord(spec, operation, path) }
    case 'ingress':
      return { ifindex, parent: TC_PARENTS.ingress, handle: INGRESS_HANDLE, kind: 'ingress' }
    case 'pfifo':
    case 'bfifo':
    case 'fq_codel':
      return { ifindex, parent: TC_PARENTS.root, kind: spec.kind }
    default:
      throw invalid(
        'a queueing discipline that can be added is tbf, ingress, pfifo, bfifo or fq_codel',
        operation,
        `${path}.kind`,
      )
  }
}

/** The record that says which one is meant. */
export function qdiscSelectorRecord(
  selector: QdiscSelector,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): QdiscRecord {
  checkObject(selector, ['device', 'parent'], operation, path)
  if (selector.parent !== 'root' && selector.parent !== 'ingress')
    throw invalid('a queueing discipline is that of root or ingress', operation, `${path}.parent`)
  return { ifindex: resolve(selector.device, `${path}.device`), parent: TC_PARENTS[selector.parent] }
}

export function readQdisc(record: QdiscRecord): Qdisc {
  return compact<Qdisc>({
    device: record.ifindex ?? 0,
    kind: record.kind ?? '',
    handle: record.handle ?? 0,
    parent: readParent(record.parent ?? 0),
    tbf: selects(record, 'kind', 'tbf') ? readTbf(record.options ?? {}) : undefined,
    record,
  })
}

function readParent(parent: number): QdiscParent {
  if (parent === TC_PARENTS.root) return 'root'
  return parent === TC_PARENTS.ingress ? 'ingress' : parent
}

/**
 * struct tc_tbf_qopt: two struct tc_ratespec of twelve bytes (rate, peak rate), then limit, buffer and mtu. In a ratespec
 * the link layer is the second byte and the rate, in bytes per second, the last four.
 */
const TBF = { size: 36, linkLayer: 1, rate: 8, limit: 24, buffer: 28 } as const

/** TC_LINKLAYER_ETHERNET: the kernel counts bytes itself; without it, it wants a table from us. */
const LINKLAYER_ETHERNET = 1

/** PSCHED_SHIFT of net/pkt_sched.h: `buffer` is a time in units of 64 ns, that of sending `burst` bytes at the rate. */
const TICK = 64

function tbfRecord(spec: TbfSpec, operation: string, path: string): QdiscTbfRecord {
  const bits = checkInteger(spec.rate, [8, Number.MAX_SAFE_INTEGER], operation, `${path}.rate`)
  const burst = checkInteger(spec.burst, [1, MOST], operation, `${path}.burst`)
  if (spec.latency !== undefined && spec.limit !== undefined)
    throw invalid('what may wait is bounded by latency or by limit', operation, `${path}.limit`)
  const rate = Math.floor(bits / 8)
  const latency = checkInteger(spec.latency ?? DEFAULT_LATENCY, [1, MOST], operation, `${path}.latency`)
  const limit =
    spec.limit === undefined
      ? Math.floor((rate * latency) / 1000) + burst
      : checkInteger(spec.limit, [1, MOST], operation, `${path}.limit`)
  if (limit > MOST)
    throw invalid(
      'more than 4 GiB would wait: choose a shorter latency, or a limit',
      operation,
      `${path}.${spec.latency === undefined ? 'limit' : 'latency'}`,
    )
  const parms = new DataView(new ArrayBuffer(TBF.size))
  parms.setUint8(TBF.linkLayer, LINKLAYER_ETHERNET)
  parms.setUint32(TBF.rate, Math.min(rate, MOST), true)
  parms.setUint32(TBF.limit, limit, true)
  parms.setUint32(TBF.buffer, Math.min(Math.round((burst * 1e9) / rate / TICK), MOST), true)
  return compact<QdiscTbfRecord>({
    parms: new Uint8Array(parms.buffer),
    // In bytes, which the kernel prefers to the time above (Linux 3.13).
    burst,
    rate64: rate > MOST ? BigInt(rate) : undefined,
  })
}

function readTbf(record: QdiscTbfRecord): Tbf | undefined {
  const { parms } = record
  if (parms === undefined || parms.length < TBF.size) return undefined
  const view = new DataView(parms.buffer, parms.byteOffset, parms.byteLength)
  const rate = record.rate64 === undefined ? view.getUint32(TBF.rate, true) : Number(record.rate64)
  return {
    rate: rate * 8,
    burst: Math.round((view.getUint32(TBF.buffer, true) * TICK * rate) / 1e9),
    limit: view.getUint32(TBF.limit, true),
  }
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
