/** The packet's connection: `match.ct.state`. */
import type { CtDirection, CtKey } from '../model/index.js'
import { AddressField, Field, FlagField } from './field.js'
import type * as values from './values.js'

/** Rules may write it, see {@link mangle}. */
export interface WrittenCt<K extends CtKey> {
  readonly expression: { readonly ct: { readonly key: K } }
}

export interface CtDirectionFields {
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

export interface CtFields {
  readonly state: FlagField<values.CtState>
  readonly status: FlagField<values.CtStatus>
  readonly direction: Field<CtDirection>
  readonly mark: Field<number> & WrittenCt<'mark'>
  /** Bits by their numbers, 0 to 127. */
  readonly label: FlagField<number> & WrittenCt<'label'>
  /** Seconds. */
  readonly expiration: Field<number>
  readonly helper: Field<string>
  readonly l3proto: Field<values.NetfilterProtocol>
  readonly protocol: Field<values.InetProtocol | number>
  readonly zone: Field<number> & WrittenCt<'zone'>
  readonly id: Field<number>
  readonly packets: Field<number>
  readonly bytes: Field<number>
  readonly avgpkt: Field<number>
  /** As the first packet had it. */
  readonly original: CtDirectionFields
  /** As answers have it. */
  readonly reply: CtDirectionFields
}

export const ct: CtFields = {
  state: new FlagField({ ct: { key: 'state' } }),
  status: new FlagField({ ct: { key: 'status' } }),
  direction: new Field({ ct: { key: 'direction' } }),
  mark: new Field({ ct: { key: 'mark' } }),
  label: new FlagField({ ct: { key: 'label' } }),
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
