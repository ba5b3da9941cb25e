/** The fields of packet headers, `match.ip.saddr`, from the table that the compiler uses. */
import { headers } from '../datatype/index.js'
import type {
  Expression,
  Immediate,
  PayloadExpression,
  PayloadFields,
  PayloadProtocol,
  TunnelName,
} from '../model/index.js'
import { AddressField, Field, FlagField } from './field.js'
import type * as values from './values.js'

/** Fields that have names for their values, or are no plain numbers. */
export interface SpecialFields {
  'ether type': Field<values.EtherType | number>
  'vlan type': Field<values.EtherType | number>
  'ether saddr': Field<string>
  'ether daddr': Field<string>
  'arp ptype': Field<values.EtherType | number>
  'gre protocol': Field<values.EtherType | number>
  'geneve type': Field<values.EtherType | number>
  'arp operation': Field<values.ArpOperation | number>
  'arp saddr ether': Field<string>
  'arp daddr ether': Field<string>
  'arp saddr ip': AddressField
  'arp daddr ip': AddressField
  'ip saddr': AddressField
  'ip daddr': AddressField
  'ip6 saddr': AddressField
  'ip6 daddr': AddressField
  'icmpv6 taddr': AddressField
  'icmpv6 daddr': AddressField
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

/** The builder of a header's field. Rules may write them all ({@link mangle}). */
export type FieldOf<P extends string, F extends string> = (`${P} ${F}` extends keyof SpecialFields
  ? SpecialFields[`${P} ${F}`]
  : Field<number>) & { readonly expression: PayloadExpression }

export type Headers = { readonly [P in PayloadProtocol]: { readonly [F in PayloadFields[P]]: FieldOf<P, F> } }

const addressTypes: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr'])

function fieldOf(type: string, expression: Expression): Field<Immediate> | FlagField<Immediate> {
  if (addressTypes.has(type)) return new AddressField(expression)
  return type === 'tcp_flag' ? new FlagField(expression) : new Field(expression)
}

function headerFields(protocol: PayloadProtocol, tunnel: TunnelName | undefined): object {
  const within = headers[protocol].base === 'tun' ? { tunnel: protocol } : tunnel && { tunnel }
  return Object.fromEntries(
    Object.entries(headers[protocol].fields).map(([field, { type }]) => [
      field,
      // A pair of a header and one of its fields, from the table of both.
      fieldOf(type, { payload: { ...within, protocol, field } } as Expression),
    ]),
  )
}

/** The fields of the packet, or of that which a tunnel carries. */
export function headersIn(tunnel?: TunnelName): Headers {
  // The table of headers has every protocol and field of the model: its own type says so.
  return Object.fromEntries(
    Object.keys(headers).map((protocol) => [protocol, headerFields(protocol as PayloadProtocol, tunnel)]),
  ) as Headers
}
