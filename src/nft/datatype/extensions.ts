/** Where the fields of extension headers, options and chunks lie: shared by the compiler and the decompiler. */
import type {
  DatatypeName,
  ExtensionHeaderFields,
  IpOptionFields,
  SctpChunkFields,
  TcpOptionFields,
} from '../model/index.js'
import type { Datatype, SymbolTable } from './datatype.js'
import type { HeaderField } from './headers.js'
import { integerType } from './integer.js'
import { datatype } from './registry.js'

/** What the kernel's `exthdr` expression looks for: NFT_EXTHDR_OP_*, by the name that expressions of the model have. */
export const extensionOps = { exthdr: 0, 'tcp option': 1, 'ip option': 2, 'sctp chunk': 3 } as const

/** How expressions call the kinds of extensions. */
export type ExtensionKind = keyof typeof extensionOps

/** A field of an extension. */
export interface ExtensionField extends HeaderField {
  /** Names of its values, beside those of its type, that are read and never shown. */
  readonly names?: SymbolTable
}

/** The type by which values of a field are read. */
export function fieldType({ type, names }: ExtensionField): Datatype {
  return names === undefined
    ? datatype(type)
    : integerType('integer', datatype('integer').id, 0, { aliases: names })
}

/** One header, option or chunk: its number, and its fields in the order in which listings look for them. */
export interface Extension {
  readonly type: number
  readonly fields: { readonly [field: string]: ExtensionField }
}

type ExtensionTable<Fields> = {
  readonly [N in keyof Fields]: {
    readonly type: number
    readonly fields: { readonly [F in Extract<Fields[N], string>]: ExtensionField }
  }
}

const at = (offset: number, bits: number, type: DatatypeName = 'integer'): HeaderField => ({
  offset,
  bits,
  type,
})

/** RFC 8684, as later versions of nft name them; nft 1.0.6 knows numbers only, which are what is listed. */
const mptcpSubtypes: SymbolTable = [
  ['mp-capable', 0],
  ['mp-join', 1],
  ['dss', 2],
  ['add-addr', 3],
  ['remove-addr', 4],
  ['mp-prio', 5],
  ['mp-fail', 6],
  ['mp-fastclose', 7],
  ['mp-tcprst', 8],
]

const IPPROTO_ROUTING = 43
const next = { nexthdr: at(0, 8, 'inet_proto'), hdrlength: at(8, 8) }

/**
 * nftables src/exthdr.c. Routing headers share a number: of what lies at one place the segment routing header is listed,
 * as nft does it.
 */
const extensionHeaders: ExtensionTable<ExtensionHeaderFields> = {
  hbh: { type: 0, fields: next },
  rt: { type: IPPROTO_ROUTING, fields: { ...next, type: at(16, 8), 'seg-left': at(24, 8) } },
  srh: {
    type: IPPROTO_ROUTING,
    fields: {
      'last-entry': at(32, 8),
      flags: at(40, 8),
      tag: at(48, 16),
      'sid[1]': at(64, 128, 'ipv6_addr'),
      'sid[2]': at(192, 128, 'ipv6_addr'),
    },
  },
  rt0: {
    type: IPPROTO_ROUTING,
    fields: { 'addr[1]': at(64, 128, 'ipv6_addr'), 'addr[2]': at(192, 128, 'ipv6_addr') },
  },
  rt2: { type: IPPROTO_ROUTING, fields: { addr: at(64, 128, 'ipv6_addr') } },
  frag: {
    type: 44,
    fields: {
      nexthdr: at(0, 8, 'inet_proto'),
      reserved: at(8, 8),
      'frag-off': at(16, 13),
      reserved2: at(29, 2),
      'more-fragments': at(31, 1),
      id: at(32, 32),
    },
  },
  dst: { type: 60, fields: next },
  mh: {
    type: 135,
    fields: { ...next, type: at(16, 8, 'mh_type'), reserved: at(24, 8), checksum: at(32, 16) },
  },
}

const TCPOPT_SACK = 5
const length = at(8, 8)
const block = (number: number): { readonly left: HeaderField; readonly right: HeaderField } => ({
  left: at(16 + number * 64, 32),
  right: at(48 + number * 64, 32),
})

/** nftables src/tcpopt.c; the kinds of IANA. */
const tcpOptions: ExtensionTable<TcpOptionFields> = {
  eol: { type: 0, fields: {} },
  nop: { type: 1, fields: {} },
  maxseg: { type: 2, fields: { length, size: at(16, 16) } },
  window: { type: 3, fields: { length, count: at(16, 8) } },
  'sack-perm': { type: 4, fields: { length } },
  sack: { type: TCPOPT_SACK, fields: { length, ...block(0) } },
  sack0: { type: TCPOPT_SACK, fields: { length, ...block(0) } },
  sack1: { type: TCPOPT_SACK, fields: block(1) },
  sack2: { type: TCPOPT_SACK, fields: block(2) },
  sack3: { type: TCPOPT_SACK, fields: block(3) },
  timestamp: { type: 8, fields: { length, tsval: at(16, 32), tsecr: at(48, 32) } },
  md5sig: { type: 19, fields: { length } },
  mptcp: { type: 30, fields: { length, subtype: { ...at(16, 4), names: mptcpSubtypes } } },
  fastopen: { type: 34, fields: { length } },
}

const option = { type: at(0, 8), length }
const route = { ...option, ptr: at(16, 8), addr: at(24, 32) }

/** nftables src/ipopt.c; the types of RFC 791 and RFC 2113, with the copied flag. */
const ipOptions: ExtensionTable<IpOptionFields> = {
  lsrr: { type: 131, fields: route },
  ra: { type: 148, fields: { ...option, value: at(16, 16) } },
  rr: { type: 7, fields: route },
  ssrr: { type: 137, fields: route },
}

const chunk = { type: at(0, 8), flags: at(8, 8), length: at(16, 16) }
const init = {
  ...chunk,
  'init-tag': at(32, 32),
  'a-rwnd': at(64, 32),
  'num-outbound-streams': at(96, 16),
  'num-inbound-streams': at(112, 16),
  'initial-tsn': at(128, 32),
}
const lowest = { ...chunk, 'lowest-tsn': at(32, 32) }
const sequence = { ...chunk, seqno: at(32, 32) }

/** nftables src/sctp_chunk.c; RFC 4960, RFC 5061, RFC 3758. */
const sctpChunks: ExtensionTable<SctpChunkFields> = {
  data: {
    type: 0,
    fields: { ...chunk, tsn: at(32, 32), stream: at(64, 16), ssn: at(80, 16), ppid: at(96, 32) },
  },
  init: { type: 1, fields: init },
  'init-ack': { type: 2, fields: init },
  sack: {
    type: 3,
    fields: {
      ...chunk,
      'cum-tsn-ack': at(32, 32),
      'a-rwnd': at(64, 32),
      'num-gap-ack-blocks': at(96, 16),
      'num-dup-tsns': at(112, 16),
    },
  },
  heartbeat: { type: 4, fields: chunk },
  'heartbeat-ack': { type: 5, fields: chunk },
  abort: { type: 6, fields: chunk },
  shutdown: { type: 7, fields: { ...chunk, 'cum-tsn-ack': at(32, 32) } },
  'shutdown-ack': { type: 8, fields: chunk },
  error: { type: 9, fields: chunk },
  'cookie-echo': { type: 10, fields: chunk },
  'cookie-ack': { type: 11, fields: chunk },
  ecne: { type: 12, fields: lowest },
  cwr: { type: 13, fields: lowest },
  'shutdown-complete': { type: 14, fields: chunk },
  'asconf-ack': { type: 128, fields: sequence },
  'forward-tsn': { type: 192, fields: { ...chunk, 'new-cum-tsn': at(32, 32) } },
  asconf: { type: 193, fields: sequence },
}

/** Every extension by its kind and name. */
export const extensions: { readonly [K in ExtensionKind]: { readonly [name: string]: Extension } } = {
  exthdr: { ...extensionHeaders },
  'tcp option': { ...tcpOptions },
  'ip option': { ...ipOptions },
  'sctp chunk': { ...sctpChunks },
}
