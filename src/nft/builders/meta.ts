/** What the kernel knows about a packet beside its bytes: `match.meta.l4proto`. */
import { metaKeys } from '../datatype/index.js'
import type { MetaKey } from '../model/index.js'
import { Field } from './field.js'
import type * as values from './values.js'

export interface SpecialMeta {
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
  /** Bridge tables: the address of the bridge that the frame came to. */
  ibrhwaddr: Field<string>
  iif: Field<number | 'lo'>
  oif: Field<number | 'lo'>
  sdif: Field<number | 'lo'>
  protocol: Field<values.EtherType | number>
  ibrvproto: Field<values.EtherType | number>
  nfproto: Field<values.NetfilterProtocol>
  l4proto: Field<values.InetProtocol | number>
  pkttype: Field<values.PacketType>
  priority: Field<string | number>
  /** Local time, `'2026-11-23 10:00:00'`, or seconds since 1970. */
  time: Field<string | number>
  day: Field<values.Weekday | number>
  /** Local time, `'18:30'`, or its second of the day. */
  hour: Field<string | number>
  ipsec: Field<boolean>
  secpath: Field<boolean>
}

/** The keys that rules may write, see {@link mangle}. */
export type WritableMetaKey = 'mark' | 'priority' | 'nftrace' | 'pkttype' | 'secmark' | 'broute'

export type MetaFields = {
  readonly [K in MetaKey]: (K extends keyof SpecialMeta ? SpecialMeta[K] : Field<number>) &
    (K extends WritableMetaKey ? { readonly expression: { readonly meta: { readonly key: K } } } : unknown)
}

// The table has every key of the model: a unit test compares them.
export const metaBuilders: MetaFields = Object.fromEntries(
  metaKeys.map(({ name }) => [name, new Field({ meta: { key: name } })]),
) as MetaFields
