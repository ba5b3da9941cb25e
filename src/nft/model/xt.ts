/**
 * Matches and targets of xtables, as iptables-nft writes them into rules of nf_tables. The options are named as those of
 * `iptables-extensions(8)`.
 */

/** An option that is given as `! --option` tests the opposite. */
export interface XtInvertible {
  readonly inv?: true
}

/** From one to another, both included. */
export type XtRange = readonly [low: number, high: number]

export type XtAddressType =
  | 'UNSPEC'
  | 'UNICAST'
  | 'LOCAL'
  | 'BROADCAST'
  | 'ANYCAST'
  | 'MULTICAST'
  | 'BLACKHOLE'
  | 'UNREACHABLE'
  | 'PROHIBIT'
  | 'THROW'
  | 'NAT'
  | 'XRESOLVE'

export type XtCtState = 'INVALID' | 'ESTABLISHED' | 'RELATED' | 'NEW' | 'SNAT' | 'DNAT' | 'UNTRACKED'
export type XtCtStatus = 'EXPECTED' | 'SEEN_REPLY' | 'ASSURED' | 'CONFIRMED' | 'NONE'

export interface XtTypesTest extends XtInvertible {
  readonly value: readonly XtAddressType[]
}
export interface XtStatesTest extends XtInvertible {
  readonly value: readonly XtCtState[]
}
export interface XtStatusesTest extends XtInvertible {
  readonly value: readonly XtCtStatus[]
}
export interface XtNumberTest extends XtInvertible {
  readonly value: number
}
export interface XtTextTest extends XtInvertible {
  readonly value: string
}
export interface XtRangeTest extends XtInvertible {
  readonly value: XtRange
}
export interface XtAddressesTest extends XtInvertible {
  readonly value: readonly [low: string, high: string]
}
export interface XtMaskedTest extends XtInvertible {
  readonly value: readonly [value: number, mask: number]
}
export interface XtFlagsTest extends XtInvertible {
  readonly value: readonly [mask: number, set: number]
}

/** `-m addrtype` */
export interface XtAddrtype {
  readonly 'src-type'?: XtTypesTest
  readonly 'dst-type'?: XtTypesTest
  readonly 'limit-iface'?: 'in' | 'out'
}

/** `-m comment` */
export interface XtComment {
  readonly comment: string
}

/** `-m conntrack`, and `-m state` of later iptables (`alias`). Addresses are written with their mask. */
export interface XtConntrack {
  readonly ctstate?: XtStatesTest
  readonly ctproto?: XtNumberTest
  readonly ctorigsrc?: XtTextTest
  readonly ctorigdst?: XtTextTest
  readonly ctreplsrc?: XtTextTest
  readonly ctrepldst?: XtTextTest
  readonly ctorigsrcport?: XtRangeTest
  readonly ctorigdstport?: XtRangeTest
  readonly ctreplsrcport?: XtRangeTest
  readonly ctrepldstport?: XtRangeTest
  readonly ctstatus?: XtStatusesTest
  readonly ctexpire?: XtRangeTest
  readonly ctdir?: 'ORIGINAL' | 'REPLY'
  readonly alias?: true
}

/** `-m icmp`, `-m icmp6`: a type, and a range of codes; without a type any. */
export interface XtIcmp {
  readonly type?: number
  readonly code: XtRange
  readonly inv?: true
}

/** `-m iprange` */
export interface XtIprange {
  readonly 'src-range'?: XtAddressesTest
  readonly 'dst-range'?: XtAddressesTest
}

/** `-m limit`: one in each `average` ten thousandths of a second, after a `burst`. */
export interface XtLimit {
  readonly average: number
  readonly burst: number
}

/** `-m mac` */
export interface XtMac {
  readonly 'mac-source': XtTextTest
}

/** `-m mark`, `-m connmark` */
export interface XtMark {
  readonly mark: XtMaskedTest
}

/** `-m multiport`: `ports` are those of either side. */
export interface XtMultiport {
  readonly side: 'sports' | 'dports' | 'ports'
  readonly ports: readonly (number | XtRange)[]
  readonly inv?: true
}

/** `-m pkttype`, with the numbers of linux/if_packet.h. */
export interface XtPkttype {
  readonly 'pkt-type': XtNumberTest
}

/** `-m state` of earlier iptables */
export interface XtState {
  readonly state: readonly XtCtState[]
}

/** `-m tcp`; the flags by their bits: those that are looked at, and those of them that are set. */
export interface XtTcp {
  readonly sport?: XtRangeTest
  readonly dport?: XtRangeTest
  readonly 'tcp-flags'?: XtFlagsTest
  readonly 'tcp-option'?: XtNumberTest
}

/** `-m udp` */
export interface XtUdp {
  readonly sport?: XtRangeTest
  readonly dport?: XtRangeTest
}

/** `-j CONNMARK` */
export interface XtConnmarkTarget {
  readonly mode: 'set' | 'save' | 'restore'
  readonly ctmark: number
  readonly ctmask: number
  readonly nfmask: number
}

/** `-j CT`, and `-j NOTRACK` (`alias`) */
export interface XtCtTarget {
  readonly notrack?: true
  readonly alias?: true
  readonly zone?: number
  readonly helper?: string
  readonly timeout?: string
}

/** `-j LOG`; the flags by their bits. */
export interface XtLog {
  readonly level: number
  readonly flags: number
  readonly prefix: string
}

/** `-j MARK`: the bits of the mask are taken away, and those of the value turned. */
export interface XtMarkTarget {
  readonly 'set-xmark': readonly [value: number, mask: number]
}

export type XtNatFlag = 'random' | 'persistent' | 'random-fully'

/** `-j DNAT`, `SNAT`, `MASQUERADE`, `REDIRECT`, `NETMAP`: what it translates to. */
export interface XtNat {
  readonly address?: readonly [low: string, high: string]
  readonly port?: XtRange
  readonly flags?: readonly XtNatFlag[]
}

/** `-j REJECT` */
export interface XtReject {
  readonly 'reject-with': string
}

/** `-j TCPMSS`; no size: that of the path. */
export interface XtTcpmss {
  readonly 'set-mss'?: number
}

/** The options of each match that is understood. */
export interface XtMatches {
  addrtype: XtAddrtype
  comment: XtComment
  conntrack: XtConntrack
  connmark: XtMark
  icmp: XtIcmp
  icmp6: XtIcmp
  iprange: XtIprange
  limit: XtLimit
  mac: XtMac
  mark: XtMark
  multiport: XtMultiport
  pkttype: XtPkttype
  state: XtState
  tcp: XtTcp
  udp: XtUdp
}

/** The options of each target that is understood. */
export interface XtTargets {
  CONNMARK: XtConnmarkTarget
  CT: XtCtTarget
  DNAT: XtNat
  LOG: XtLog
  MARK: XtMarkTarget
  MASQUERADE: XtNat
  NETMAP: XtNat
  REDIRECT: XtNat
  REJECT: XtReject
  SNAT: XtNat
  TCPMSS: XtTcpmss
}

/** A match or target whose options are understood. */
export type XtDecoded =
  | {
      [N in keyof XtMatches]: {
        readonly type: 'match'
        readonly name: N
        readonly rev: number
        readonly options: XtMatches[N]
      }
    }[keyof XtMatches]
  | {
      [N in keyof XtTargets]: {
        readonly type: 'target'
        readonly name: N
        readonly rev: number
        readonly options: XtTargets[N]
      }
    }[keyof XtTargets]

/** Any other: its revision, and what it was told, in hexadecimal. nft's JSON says neither; without them it is not added. */
export interface XtRaw {
  readonly type: 'match' | 'target'
  readonly name: string
  readonly rev?: number
  readonly info?: string
}

/** A match or target of xtables: `{ xt: { type: 'match', name: 'mark', rev: 1, options: { mark: { value: [1, 255] } } } }`. */
export interface XtStatement {
  readonly xt: XtDecoded | XtRaw
}
