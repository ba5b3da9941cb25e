/**
 * What nft notes of a set that is declared by `typeof`: the expression that its keys come from. Types without a length of
 * their own need it; without it nft 1.0.6 ends when it lists such a set.
 */
import type { KeyField } from './concatenation.js'
import { headers } from './headers.js'
import { ctKeys, metaKeys } from './keys.js'
import {
  concatNote,
  Expressions,
  emptyNote,
  NO_DIRECTION,
  type Noted,
  verdictNote,
  word,
} from './typeof-note.js'

/** PROTO_BASE_NETWORK_HDR of nftables, which counts bases from 1. */
const NETWORK_HEADER = 2

/** What is noted of a set's key, and of what a map gives. */
export interface NotedTypes {
  readonly key: Uint8Array | undefined
  readonly data: Uint8Array | undefined
}

/**
 * Expressions of the same types, lengths and orders as the fields have. Nothing where each type says its own length, and none
 * needs to be noted; nor where nft has no such expression.
 * @param data undefined for sets, and for maps of named objects
 */
export function notedTypes(
  key: readonly KeyField[],
  data: readonly KeyField[] | 'verdict' | undefined,
): NotedTypes {
  const given = data === undefined || data === 'verdict' ? [] : data
  // nft takes a map's key and data from expressions, or neither.
  if ([...key, ...given].every(({ type, noted }) => type.bits !== 0 && noted === undefined))
    return { key: undefined, data: undefined }
  return { key: noteOf(key), data: data === 'verdict' ? verdictNote : data && noteOf(data) }
}

/** Each field's own expression, where all have one. */
function noteOf(fields: readonly KeyField[]): Uint8Array | undefined {
  const known = fields.map(({ noted }) => noted).filter((each) => each !== undefined)
  if (known.length === fields.length) return concatNote(known)
  const alike = fields.map(notedField).filter((each) => each !== undefined)
  return alike.length === fields.length ? concatNote(alike) : undefined
}

/** What nft 1.0.6 notes of a concatenation that was declared by its types: nothing of its parts. */
export function isEmptyNote(bytes: Uint8Array): boolean {
  return bytes.length === emptyNote.length && emptyNote.every((byte, index) => bytes[index] === byte)
}

function notedField({ type, length, order }: KeyField): Noted | undefined {
  if (type.name === 'integer' && order === 'big') return packetBits(length)
  const fits = (key: { readonly type: string; readonly length: number; readonly order: string }): boolean =>
    key.type === type.name && key.length === length && (type.bits !== 0 || type.text || key.order === order)
  const header = type.bits === 0 ? undefined : headerField(type.name)
  if (header !== undefined) return header
  const meta = metaKeys.find(fits)
  if (meta !== undefined) return { kind: Expressions.meta, data: word(0, meta.number) }
  const ct = ctKeys.find(fits)
  return ct && { kind: Expressions.ct, data: [...word(0, ct.number), ...word(1, NO_DIRECTION)] }
}

function packetBits(length: number): Noted {
  const data = [
    ...word(0, 0),
    ...word(1, 0),
    ...word(2, NETWORK_HEADER),
    ...word(3, 0),
    ...word(4, length * 8),
  ]
  return { kind: Expressions.payload, data }
}

/** enum proto_desc_id of nftables (include/proto.h), of headers whose fields it numbers in the order of ours, from 1. */
const protocolIds = {
  ether: 17,
  ip: 12,
  ip6: 13,
  th: 11,
  tcp: 8,
  icmp: 4,
  icmpv6: 14,
  igmp: 5,
  dccp: 9,
  arp: 15,
} as const

function headerField(type: string): Noted | undefined {
  for (const [protocol, id] of Object.entries(protocolIds)) {
    const header = Object.entries(headers).find(([name]) => name === protocol)?.[1]
    const index = Object.values(header?.fields ?? {}).findIndex((field) => field.type === type)
    if (index >= 0) return { kind: Expressions.payload, data: [...word(0, id), ...word(1, index + 1)] }
  }
  return undefined
}
