/** Numbers of the kernel's interface: linux/netfilter.h, linux/netfilter/nf_tables.h, nf_nat.h, nfnetlink.h. */
import type {
  CtDirection,
  Family,
  FibFlag,
  FibResult,
  FlowtableFlag,
  Hook,
  PayloadBase,
  QueueFlag,
  SetOperation,
  TunnelFlag,
} from '../model/index.js'

/** NFPROTO_* */
export const familyNumbers: { readonly [F in Family]: number } = {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
}

/** Hook numbers: NF_INET_*, of which NF_ARP_* and NF_NETDEV_* differ. */
const inetHooks: { readonly [H in Hook]?: number } = {
  prerouting: 0,
  input: 1,
  forward: 2,
  output: 3,
  postrouting: 4,
}
export const hookNumbers: { readonly [F in Family]: { readonly [H in Hook]?: number } } = {
  ip: inetHooks,
  ip6: inetHooks,
  inet: { ...inetHooks, ingress: 5 },
  bridge: inetHooks,
  arp: { input: 0, output: 1, forward: 2 },
  netdev: { ingress: 0, egress: 1 },
}

/** Verdicts: NF_DROP, NF_ACCEPT and enum nft_verdicts, as unsigned 32 bits are read as signed. */
export const Verdicts = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const

/** enum nft_payload_bases */
export const payloadBases: { readonly [B in PayloadBase]: number } = { ll: 0, nh: 1, th: 2, ih: 3 }

/** Where offsets of headers count from: `tun` is the header of a tunnel, which only expressions that look into it have. */
export type HeaderBase = PayloadBase | 'tun'

export const headerBases: { readonly [B in HeaderBase]: number } = { ...payloadBases, tun: 4 }

/** enum nft_cmp_ops */
export const CmpOps = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const

/** enum nft_range_ops */
export const RangeOps = { eq: 0, neq: 1 } as const

/** enum nft_bitwise_ops */
export const BitwiseOps = { bool: 0, lshift: 1, rshift: 2, and: 3, or: 4, xor: 5 } as const

/** enum nft_byteorder_ops */
export const ByteorderOps = { ntoh: 0, hton: 1 } as const

/** NFT_LOOKUP_F_INV */
export const LOOKUP_INVERTED = 1

/** enum nft_registers: where verdicts go. */
export const VERDICT_REGISTER = 0

/** enum nft_set_flags */
export const SetFlags = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  dynamic: 0x20,
  object: 0x40,
  concat: 0x80,
  /** Elements have several statements of their own. */
  expressions: 0x100,
} as const

/** enum nft_set_policies */
export const SetPolicies = { performance: 0, memory: 1 } as const

/** enum nft_set_elem_flags */
export const ElementFlags = { intervalEnd: 1, catchall: 2 } as const

/** enum nft_table_flags */
export const TableFlags = { dormant: 1, owner: 2, persist: 4 } as const

/** enum nft_chain_flags (NFT_CHAIN_*): of a chain with a hook, and those of the model. */
export const CHAIN_BASE = 1
export const ChainFlags = { offload: 2, binding: 4 } as const

/** enum nft_nat_types */
export const NatTypes = { snat: 0, dnat: 1 } as const

/** NF_NAT_RANGE_* */
export const NatFlags = {
  protoSpecified: 0x2,
  random: 0x4,
  persistent: 0x8,
  'fully-random': 0x10,
  netmap: 0x40,
} as const

/** enum nft_reject_types */
export const RejectTypes = { icmp: 0, 'tcp reset': 1, icmpx: 2 } as const

/** enum nft_limit_type and NFT_LIMIT_F_INV */
export const LimitTypes = { packets: 0, bytes: 1 } as const
export const LIMIT_INVERTED = 1

/** NF_LOG_* (nf_log.h) and the levels of syslog; `audit` is NFT_LOGLEVEL_AUDIT. */
export const LogFlags = {
  'tcp sequence': 0x01,
  'tcp options': 0x02,
  'ip options': 0x04,
  skuid: 0x08,
  ether: 0x20,
  all: 0x2f,
} as const
export const LogLevels = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
  audit: 8,
} as const

/** enum nft_fib_result and nft_fib_flags */
export const fibResults: { readonly [R in Exclude<FibResult, 'check'>]: number } = {
  oif: 1,
  oifname: 2,
  type: 3,
}
export const fibFlags: { readonly [F in FibFlag]: number } = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 }
export const FIB_PRESENT = 32

/** enum ip_conntrack_dir */
export const ctDirections: { readonly [D in CtDirection]: number } = { original: 0, reply: 1 }

/** NFT_OBJECT_* */
export const ObjectTypes: {
  readonly counter: 1
  readonly quota: 2
  readonly 'ct helper': 3
  readonly limit: 4
  readonly tunnel: 6
  readonly 'ct timeout': 7
  readonly secmark: 8
  readonly 'ct expectation': 9
  readonly synproxy: 10
} = {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  tunnel: 6,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
}

/** NFT_QUOTA_F_INV and, told by the kernel, NFT_QUOTA_F_DEPLETED */
export const QUOTA_INVERTED = 1
export const QUOTA_DEPLETED = 2

/** NFT_CONNLIMIT_F_INV */
export const CONNLIMIT_INVERTED = 1

/** NF_SYNPROXY_OPT_* (nf_synproxy.h) */
export const SynproxyFlags = { mss: 1, wscale: 2, 'sack-perm': 4, timestamp: 8 } as const

/** NFT_TUNNEL_F_* */
export const TunnelFlags: { readonly [F in TunnelFlag]: number } = {
  'zero-csum-tx': 1,
  'dont-fragment': 2,
  'seq-number': 4,
}

/** NFTA_TUNNEL_KEY_OPTS_*, and the attributes in each of them */
export const TunnelOptions = { vxlan: 1, erspan: 2, geneve: 3 } as const
export const VxlanOptions = { gbp: 1 } as const
export const ErspanOptions = { version: 1, index: 2, hwid: 3, direction: 4 } as const
export const GeneveOptions = { class: 1, type: 2, data: 3 } as const

/** NFT_QUEUE_FLAG_* */
export const QueueFlags: { readonly [F in QueueFlag]: number } = { bypass: 1, fanout: 2 }

/** enum nft_dynset_ops and NFT_DYNSET_F_EXPR */
export const DynsetOps: { readonly [O in SetOperation]: number } = { add: 0, update: 1, delete: 2 }
export const DYNSET_EXPRESSIONS = 2

/** enum nft_payload_csum_types and NFT_PAYLOAD_L4CSUM_PSEUDOHDR */
export const ChecksumTypes = { none: 0, inet: 1, sctp: 2 } as const
export const CHECKSUM_PSEUDO_HEADER = 1

/** enum nft_flowtable_flags */
export const FlowtableFlags: { readonly [F in FlowtableFlag]: number } = { offload: 1, counter: 2 }

/** User data types: libnftnl's NFTNL_UDATA_*. */
export const UserdataTypes = {
  ruleComment: 0,
  tableComment: 0,
  chainComment: 0,
  objectComment: 0,
  setKeyByteOrder: 0,
  setDataByteOrder: 1,
  setMergeElements: 2,
  setKeyTypeof: 3,
  setDataTypeof: 4,
  setDataInterval: 6,
  setComment: 7,
  elementComment: 0,
  elementFlags: 1,
} as const

/** NFTNL_SET_ELEM_F_INTERVAL_OPEN: an interval without an end. */
export const ELEMENT_INTERVAL_OPEN = 1

/** NFT_USERDATA_MAXLEN, NFT_NAME_MAXLEN (with its NUL), IFNAMSIZ, NF_LOG_PREFIXLEN. */
export const USERDATA_MAX = 256
export const NAME_MAX = 255
export const COMMENT_MAX = 128
export const LOG_PREFIX_MAX = 127
