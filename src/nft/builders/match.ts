/** `match.ip.saddr.eq('10.0.0.1')`: matches with completion, checked by the compiler. */
import { headers } from '../datatype/index.js'
import type {
  CtDirection,
  Expression,
  FibFlag,
  FibResult,
  Immediate,
  MetaKey,
  PayloadBase,
  PayloadFields,
  PayloadProtocol,
} from '../model/index.js'
import {
  AddressField,
  Concatenation,
  expressionOf,
  FibField,
  Field,
  FlagField,
  type Operand,
} from './field.js'
import type * as values from './values.js'

/** Fields that have names for their values, or are no plain numbers. */
interface SpecialFields {
  'ether type': Field<values.EtherType | number>
  'vlan type': Field<values.EtherType | number>
  'ether saddr': Field<string>
  'ether daddr': Field<string>
  'arp ptype': Field<values.EtherType | number>
  'arp operation': Field<values.ArpOperation | number>
  'arp saddr ether': Field<string>
  'arp daddr ether': Field<string>
  'arp saddr ip': AddressField
  'arp daddr ip': AddressField
  'ip saddr': AddressField
  'ip daddr': AddressField
  'ip6 saddr': AddressField
  'ip6 daddr': AddressField
  'ip protocol': Field<values.InetProtocol | number>
  'ip6 nexthdr': Field<values.InetProtocol | number>
  'ah nexthdr': Field<values.InetProtocol | number>
  'comp nexthdr': Field<values.InetProtocol | number>
  'ip dscp': Field<string | number>
  'ip6 dscp': Field<string | number>
  'ip ecn': Field<string | number>
  'ip6 ecn': Field<string | number>
  'icmp type': Field<values.IcmpType | number>
  'icmp code': Field<string | number>
  'icmpv6 type': Field<values.Icmpv6Type | number>
  'icmpv6 code': Field<string | number>
  'igmp type': Field<values.IgmpType | number>
  'tcp flags': FlagField<values.TcpFlag>
  'dccp type': Field<string | number>
}

/** The builder of a header's field. */
type FieldOf<P extends string, F extends string> = `${P} ${F}` extends keyof SpecialFields
  ? SpecialFields[`${P} ${F}`]
  : Field<number>

type Headers = { readonly [P in PayloadProtocol]: { readonly [F in PayloadFields[P]]: FieldOf<P, F> } }

const addressTypes: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr'])

function fieldOf(type: string, expression: Expression): Field<Immediate> | FlagField<Immediate> {
  if (addressTypes.has(type)) return new AddressField(expression)
  return type === 'tcp_flag' ? new FlagField(expression) : new Field(expression)
}

function headerFields(protocol: PayloadProtocol): object {
  return Object.fromEntries(
    Object.entries(headers[protocol].fields).map(([field, { type }]) => [
      field,
      // A pair of a header and one of its fields, from the table of both.
      fieldOf(type, { payload: { protocol, field } } as Expression),
    ]),
  )
}

// The table of headers has every protocol and field of the model: its own type says so.
const headerBuilders = Object.fromEntries(
  Object.keys(headers).map((protocol) => [protocol, headerFields(protocol as PayloadProtocol)]),
) as Headers

interface SpecialMeta {
  iifname: Field<string>
  oifname: Field<string>
  ibrname: Field<string>
  obrname: Field<string>
  ibridgename: Field<string>
  obridgename: Field<string>
  ibriport: Field<string>
  obriport: Field<string>
  iifkind: Field<string>
  oifkind: Field<string>
  sdifname: Field<string>
  iif: Field<number | 'lo'>
  oif: Field<number | 'lo'>
  sdif: Field<number | 'lo'>
  protocol: Field<values.EtherType | number>
  ibrvproto: Field<values.EtherType | number>
  nfproto: Field<values.NetfilterProtocol>
  l4proto: Field<values.InetProtocol | number>
  pkttype: Field<values.PacketType>
  priority: Field<string | number>
}

type MetaFields = {
  readonly [K in MetaKey]: K extends keyof SpecialMeta ? SpecialMeta[K] : Field<number>
}

const metaNames: { readonly [K in MetaKey]: true } = {
  length: true,
  protocol: true,
  priority: true,
  random: true,
  mark: true,
  iif: true,
  iifname: true,
  iiftype: true,
  oif: true,
  oifname: true,
  oiftype: true,
  skuid: true,
  skgid: true,
  nftrace: true,
  rtclassid: true,
  ibrname: true,
  obrname: true,
  ibridgename: true,
  obridgename: true,
  ibriport: true,
  obriport: true,
  ibrpvid: true,
  ibrvproto: true,
  pkttype: true,
  cpu: true,
  iifgroup: true,
  oifgroup: true,
  cgroup: true,
  nfproto: true,
  l4proto: true,
  iifkind: true,
  oifkind: true,
  sdif: true,
  sdifname: true,
}

// One entry for each key of the model: `metaNames` is checked for that.
const metaBuilders = Object.fromEntries(
  Object.keys(metaNames).map((key) => [key, new Field({ meta: { key: key as MetaKey } })]),
) as MetaFields

interface CtDirectionFields {
  readonly ip: { readonly saddr: AddressField; readonly daddr: AddressField }
  readonly ip6: { readonly saddr: AddressField; readonly daddr: AddressField }
  readonly protoSrc: Field<number>
  readonly protoDst: Field<number>
  readonly packets: Field<number>
  readonly bytes: Field<number>
  readonly zone: Field<number>
}

function ctDirection(dir: CtDirection): CtDirectionFields {
  return {
    ip: {
      saddr: new AddressField({ ct: { key: 'ip saddr', dir } }),
      daddr: new AddressField({ ct: { key: 'ip daddr', dir } }),
    },
    ip6: {
      saddr: new AddressField({ ct: { key: 'ip6 saddr', dir } }),
      daddr: new AddressField({ ct: { key: 'ip6 daddr', dir } }),
    },
    protoSrc: new Field({ ct: { key: 'proto-src', dir } }),
    protoDst: new Field({ ct: { key: 'proto-dst', dir } }),
    packets: new Field({ ct: { key: 'packets', dir } }),
    bytes: new Field({ ct: { key: 'bytes', dir } }),
    zone: new Field({ ct: { key: 'zone', dir } }),
  }
}

interface CtFields {
  readonly state: FlagField<values.CtState>
  readonly status: FlagField<values.CtStatus>
  readonly direction: Field<CtDirection>
  readonly mark: Field<number>
  /** Seconds. */
  readonly expiration: Field<number>
  readonly helper: Field<string>
  readonly l3proto: Field<values.NetfilterProtocol>
  readonly protocol: Field<values.InetProtocol | number>
  readonly zone: Field<number>
  readonly id: Field<number>
  readonly packets: Field<number>
  readonly bytes: Field<number>
  readonly avgpkt: Field<number>
  /** As the first packet had it. */
  readonly original: CtDirectionFields
  /** As answers have it. */
  readonly reply: CtDirectionFields
}

const ct: CtFields = {
  state: new FlagField({ ct: { key: 'state' } }),
  status: new FlagField({ ct: { key: 'status' } }),
  direction: new Field({ ct: { key: 'direction' } }),
  mark: new Field({ ct: { key: 'mark' } }),
  expiration: new Field({ ct: { key: 'expiration' } }),
  helper: new Field({ ct: { key: 'helper' } }),
  l3proto: new Field({ ct: { key: 'l3proto' } }),
  protocol: new Field({ ct: { key: 'protocol' } }),
  zone: new Field({ ct: { key: 'zone' } }),
  id: new Field({ ct: { key: 'id' } }),
  packets: new Field({ ct: { key: 'packets' } }),
  bytes: new Field({ ct: { key: 'bytes' } }),
  avgpkt: new Field({ ct: { key: 'avgpkt' } }),
  original: ctDirection('original'),
  reply: ctDirection('reply'),
}

/** What the routing table says: `match.fib.type('daddr').eq('local')`, `match.fib.oif('saddr', 'iif').missing()`. */
interface FibFields {
  type(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<values.FibAddressType>
  oif(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<number>
  oifname(...flags: readonly [FibFlag, ...FibFlag[]]): FibField<string>
}

function fib(result: FibResult, flags: readonly FibFlag[]): Expression {
  return { fib: { result, flags } }
}

/** Everything that rules can ask a packet for. */
export interface Match extends Headers {
  readonly meta: MetaFields
  readonly ct: CtFields
  readonly fib: FibFields
  readonly iif: MetaFields['iif']
  readonly iifname: MetaFields['iifname']
  readonly oif: MetaFields['oif']
  readonly oifname: MetaFields['oifname']
  /** Any bits of the packet, `offset` and `len` in bits: `match.raw('nh', 96, 32)`. */
  raw(base: PayloadBase, offset: number, len: number): Field<number>
}

export const match: Match = {
  ...headerBuilders,
  meta: metaBuilders,
  ct,
  fib: {
    type: (...flags) => new FibField(fib('type', flags)),
    oif: (...flags) => new FibField(fib('oif', flags)),
    oifname: (...flags) => new FibField(fib('oifname', flags)),
  },
  iif: metaBuilders.iif,
  iifname: metaBuilders.iifname,
  oif: metaBuilders.oif,
  oifname: metaBuilders.oifname,
  raw: (base, offset, len) => new Field({ payload: { base, offset, len } }),
}

/** Joins fields: `concat(match.ip.saddr, match.tcp.dport).inSet('allowed')`. */
export function concat(...fields: readonly [Operand, Operand, ...Operand[]]): Concatenation {
  return new Concatenation({ concat: fields.map(expressionOf) })
}
