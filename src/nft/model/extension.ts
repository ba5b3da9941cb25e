/** Headers and options behind the fixed headers: IPv6 extension headers, TCP and IPv4 options, SCTP chunks. */

/** The fields of each IPv6 extension header (`man nft`, EXTENSION HEADER EXPRESSIONS). */
export interface ExtensionHeaderFields {
  hbh: 'nexthdr' | 'hdrlength'
  rt: 'nexthdr' | 'hdrlength' | 'type' | 'seg-left'
  rt0: 'addr[1]' | 'addr[2]'
  rt2: 'addr'
  srh: 'last-entry' | 'flags' | 'tag' | 'sid[1]' | 'sid[2]'
  frag: 'nexthdr' | 'reserved' | 'frag-off' | 'reserved2' | 'more-fragments' | 'id'
  dst: 'nexthdr' | 'hdrlength'
  mh: 'nexthdr' | 'hdrlength' | 'type' | 'reserved' | 'checksum'
}

/** The fields of each TCP option, beside `length`, which all but `eol` and `nop` have. */
export interface TcpOptionFields {
  eol: never
  nop: never
  maxseg: 'length' | 'size'
  window: 'length' | 'count'
  'sack-perm': 'length'
  /** The first of up to four blocks; the others are `sack1` to `sack3`. */
  sack: 'length' | 'left' | 'right'
  sack0: 'length' | 'left' | 'right'
  sack1: 'left' | 'right'
  sack2: 'left' | 'right'
  sack3: 'left' | 'right'
  timestamp: 'length' | 'tsval' | 'tsecr'
  md5sig: 'length'
  mptcp: 'length' | 'subtype'
  fastopen: 'length'
}

/** The fields of each IPv4 option. */
export interface IpOptionFields {
  lsrr: 'type' | 'length' | 'ptr' | 'addr'
  ra: 'type' | 'length' | 'value'
  rr: 'type' | 'length' | 'ptr' | 'addr'
  ssrr: 'type' | 'length' | 'ptr' | 'addr'
}

export type ChunkField = 'type' | 'flags' | 'length'
export type InitField = 'init-tag' | 'a-rwnd' | 'num-outbound-streams' | 'num-inbound-streams' | 'initial-tsn'

/** The fields of each SCTP chunk. */
export interface SctpChunkFields {
  data: ChunkField | 'tsn' | 'stream' | 'ssn' | 'ppid'
  init: ChunkField | InitField
  'init-ack': ChunkField | InitField
  sack: ChunkField | 'cum-tsn-ack' | 'a-rwnd' | 'num-gap-ack-blocks' | 'num-dup-tsns'
  heartbeat: ChunkField
  'heartbeat-ack': ChunkField
  abort: ChunkField
  shutdown: ChunkField | 'cum-tsn-ack'
  'shutdown-ack': ChunkField
  error: ChunkField
  'cookie-echo': ChunkField
  'cookie-ack': ChunkField
  ecne: ChunkField | 'lowest-tsn'
  cwr: ChunkField | 'lowest-tsn'
  'shutdown-complete': ChunkField
  'asconf-ack': ChunkField | 'seqno'
  'forward-tsn': ChunkField | 'new-cum-tsn'
  asconf: ChunkField | 'seqno'
}

/** A field of one of the headers or options of a table; without `field` the question whether there is such a one. */
export type ExtensionReference<Fields> = {
  [N in keyof Fields]: { readonly name: N; readonly field?: Fields[N] }
}[keyof Fields]

/** The routing header of type 0, whose address libnftables' JSON takes by its number, from 1. */
export interface RoutingAddressReference {
  readonly name: 'rt0'
  readonly field: 'addr'
  readonly offset: 1 | 2
}

/** Any bits of a TCP option: `base` is its kind, `offset` and `len` in bits. With 8 bits at 0 and a boolean: is it there? */
export interface RawTcpOptionReference {
  readonly base: number
  readonly offset: number
  readonly len: number
}

/** A field of an IPv6 extension header: `{ exthdr: { name: 'frag', field: 'more-fragments' } }`. */
export interface ExtensionHeaderExpression {
  readonly exthdr: ExtensionReference<ExtensionHeaderFields> | RoutingAddressReference
}

/** A field of a TCP option: `{ 'tcp option': { name: 'maxseg', field: 'size' } }`. */
export interface TcpOptionExpression {
  readonly 'tcp option': ExtensionReference<TcpOptionFields> | RawTcpOptionReference
}

/** A field of an IPv4 option: `{ 'ip option': { name: 'rr', field: 'ptr' } }`. */
export interface IpOptionExpression {
  readonly 'ip option': ExtensionReference<IpOptionFields>
}

/** A field of an SCTP chunk: `{ 'sctp chunk': { name: 'data', field: 'tsn' } }`. */
export interface SctpChunkExpression {
  readonly 'sctp chunk': ExtensionReference<SctpChunkFields>
}

export type ExtensionExpression =
  | ExtensionHeaderExpression
  | TcpOptionExpression
  | IpOptionExpression
  | SctpChunkExpression
