/** What the kernel knows about a connection: its flags and, for some protocols, a state. */

/** `IPS_*` of linux/netfilter/nf_conntrack_common.h, by bit; the first six and `dying` under nft's names. */
const statusBits = [
  'expected',
  'seen-reply',
  'assured',
  'confirmed',
  'snat',
  'dnat',
  'seq-adjust',
  'snat-done',
  'dnat-done',
  'dying',
  'fixed-timeout',
  'template',
  'nat-clash',
  'helper',
  'offload',
  'hw-offload',
] as const

/**
 * A flag of a connection. `seen-reply`: packets went both ways; `assured`: it is not the first to go when the table
 * is full; `snat`, `dnat`: its packets are rewritten; `offload`: a flow table forwards it.
 */
export type ConnectionFlag = (typeof statusBits)[number]

/** Whether a value is the name of a flag. */
export function isFlag(value: unknown): value is ConnectionFlag {
  return statusBits.some((flag) => flag === value)
}

/** The bits of some flags. */
export function statusMask(flags: readonly ConnectionFlag[]): number {
  return flags.reduce((mask, flag) => mask | (1 << statusBits.indexOf(flag)), 0)
}

/** The names of the bits that are set; bits that are newer than this library are left out. */
export function statusFlags(status: number): ConnectionFlag[] {
  return statusBits.filter((_, bit) => (status >>> bit) & 1)
}

/** `enum tcp_conntrack`, named as in nft's timeout policies. */
const tcpStates = [
  'none',
  'syn_sent',
  'syn_recv',
  'established',
  'fin_wait',
  'close_wait',
  'last_ack',
  'time_wait',
  'close',
  'syn_sent2',
] as const

/** `enum sctp_conntrack`. */
const sctpStates = [
  'none',
  'closed',
  'cookie_wait',
  'cookie_echoed',
  'established',
  'shutdown_sent',
  'shutdown_recd',
  'shutdown_ack_sent',
  'heartbeat_sent',
  'heartbeat_acked',
] as const

/** `enum ct_dccp_states`. */
const dccpStates = [
  'none',
  'request',
  'respond',
  'partopen',
  'open',
  'closereq',
  'closing',
  'timewait',
  'ignore',
  'invalid',
] as const

/** The state of a TCP, SCTP or DCCP connection; a number where it is newer than this library. */
export type ConnectionState =
  | (typeof tcpStates)[number]
  | (typeof sctpStates)[number]
  | (typeof dccpStates)[number]
  | number

const states = { tcp: tcpStates, sctp: sctpStates, dccp: dccpStates } as const

export function connectionState(protocol: 'tcp' | 'sctp' | 'dccp', value: number): ConnectionState {
  return states[protocol][value] ?? value
}
