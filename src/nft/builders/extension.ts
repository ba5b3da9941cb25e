/** Extension headers and options: `match.exthdr.frag.id`, `match.tcpOption.maxseg.size`, `match.exthdr.frag.exists()`. */
import { extensions } from '../datatype/index.js'
import type {
  Expression,
  ExtensionHeaderFields,
  Immediate,
  IpOptionFields,
  MatchStatement,
  SctpChunkFields,
  TcpOptionExpression,
  TcpOptionFields,
} from '../model/index.js'
import { AddressField, Field } from './field.js'

export type AddressName = 'addr' | 'addr[1]' | 'addr[2]' | 'sid[1]' | 'sid[2]'

/** Whether the packet has one at all. */
export interface Presence {
  exists(): MatchStatement
  missing(): MatchStatement
}

/** The fields of the headers of one kind. */
export type Extensions<Fields, Written = unknown> = {
  readonly [N in keyof Fields]: Presence & {
    readonly [F in Extract<Fields[N], string>]: (F extends AddressName
      ? AddressField
      : F extends 'nexthdr'
        ? Field<string | number>
        : Field<number>) &
      Written
  }
}

export interface ExtensionBuilders {
  readonly exthdr: Extensions<ExtensionHeaderFields>
  /** Rules may write fields of two or four bytes: `mangle(match.tcpOption.maxseg.size, match.rt.mtu)`. */
  readonly tcpOption: Extensions<TcpOptionFields, { readonly expression: TcpOptionExpression }>
  readonly ipOption: Extensions<IpOptionFields>
  readonly sctpChunk: Extensions<SctpChunkFields>
}

function presence(left: Expression): Presence {
  return {
    exists: () => ({ match: { op: '==', left, right: true } }),
    missing: () => ({ match: { op: '==', left, right: false } }),
  }
}

function fieldsOf(kind: keyof typeof extensions): object {
  // The table of extensions is that of the model: its type says so.
  const reference = (name: string, field?: string): Expression =>
    ({ [kind]: field === undefined ? { name } : { name, field } }) as object as Expression
  return Object.fromEntries(
    Object.entries(extensions[kind]).map(([name, { fields }]) => [
      name,
      {
        ...presence(reference(name)),
        ...Object.fromEntries(
          Object.entries(fields).map(([field, { type }]): [string, Field<Immediate> | AddressField] => [
            field,
            type === 'ipv4_addr' || type === 'ipv6_addr'
              ? new AddressField(reference(name, field))
              : new Field(reference(name, field)),
          ]),
        ),
      },
    ]),
  )
}

export const extensionBuilders: ExtensionBuilders = {
  exthdr: fieldsOf('exthdr') as ExtensionBuilders['exthdr'],
  tcpOption: fieldsOf('tcp option') as ExtensionBuilders['tcpOption'],
  ipOption: fieldsOf('ip option') as ExtensionBuilders['ipOption'],
  sctpChunk: fieldsOf('sctp chunk') as ExtensionBuilders['sctpChunk'],
}
