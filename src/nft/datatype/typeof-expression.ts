/**
 * The expressions that sets can be declared by (`typeof ip saddr . vlan id`): the type of what they give, and what nft
 * notes of them in the set's user data. nft 1.0.6 lists a set by the expression that is noted.
 */
import type { Expression } from '../model/index.js'
import { extensionOps, extensions } from './extensions.js'
import { type HeaderField, headers } from './headers.js'
import { InvalidValue, quote } from './invalid-value.js'
import { ctKeys, metaKeys, type RegisterKey, rtKeys, socketKeys, xfrmKeys } from './keys.js'
import { datatype } from './registry.js'
import { tunnelNamed, tunnels } from './tunnels.js'
import { computedExpression, computedField } from './typeof-computed.js'
import {
  Expressions,
  type KnownExpression,
  NO_DIRECTION,
  type Noted,
  type TypeofField,
  word,
} from './typeof-note.js'

/** enum proto_desc_id of nftables (include/proto.h) */
const protocolIds = {
  ah: 1,
  esp: 2,
  comp: 3,
  icmp: 4,
  igmp: 5,
  udp: 6,
  udplite: 7,
  tcp: 8,
  dccp: 9,
  sctp: 10,
  th: 11,
  ip: 12,
  ip6: 13,
  icmpv6: 14,
  arp: 15,
  vlan: 16,
  ether: 17,
  vxlan: 18,
  geneve: 19,
  gre: 20,
} as const

/** nft's numbers of fields, where they are not those of our order, counted from 1. */
const payloadNumbers: ReadonlyMap<string, number> = new Map([
  ['icmp gateway', 6],
  ['icmp mtu', 7],
  ['igmp checksum', 2],
  ['igmp mrt', 3],
  ['vlan id', 4],
  ['vlan type', 5],
  ['gre version', 1],
  ['gre flags', 2],
  ['vxlan vni', 1],
  ['vxlan flags', 2],
  ['geneve vni', 1],
  ['geneve type', 2],
])

/** NFTNL_UDATA_SET_KEY_PAYLOAD_INNER_DESC */
const TUNNEL = 5

function* payloads(): Generator<KnownExpression> {
  for (const [protocol, header] of entries(headers))
    for (const [index, [field, { bits, type, unlisted }]] of Object.entries<HeaderField>(
      header.fields,
    ).entries()) {
      const number = payloadNumbers.get(`${protocol} ${field}`) ?? index + 1
      const length = type === 'integer' ? word(4, bits) : []
      yield known(
        { payload: header.base === 'tun' ? { tunnel: protocol, protocol, field } : { protocol, field } },
        { type: datatype(type), length: bytesOf(bits), order: 'big' },
        unlisted
          ? undefined
          : {
              kind: Expressions.payload,
              data: [
                ...word(0, protocolIds[protocol]),
                ...word(1, number),
                ...length,
                ...(header.base === 'tun' ? word(TUNNEL, protocolIds[protocol]) : []),
              ],
            },
      )
    }
}

/** enum exthdr_desc_id of nftables (include/exthdr.h); of the others the number on the wire. */
const headerIds: ReadonlyMap<string, number> = new Map([
  ['hbh', 1],
  ['rt', 2],
  ['rt0', 3],
  ['srh', 5],
  ['frag', 6],
  ['dst', 7],
  ['mh', 8],
])
const ipOptionFields = ['type', 'length', 'value', 'ptr', 'addr']

function* extensionFields(): Generator<KnownExpression> {
  for (const [kind, table] of entries(extensions))
    for (const [name, { type: onWire, fields }] of Object.entries(table))
      for (const [index, [field, { offset, bits, type }]] of Object.entries(fields).entries()) {
        const op = extensionOps[kind]
        const id = kind === 'exthdr' ? headerIds.get(name) : onWire
        const numbers = {
          // A reserved field comes first.
          exthdr: name === 'rt0' ? index + 2 : index + 1,
          'tcp option': field === 'length' ? 1 : 2 + Math.floor((offset - 16) / 32),
          'ip option': ipOptionFields.indexOf(field) + 1,
          'sctp chunk': index,
        }
        const told = op === 0 ? [] : word(2, op)
        yield known(
          { [kind]: { name, field } },
          { type: datatype(type), length: bytesOf(bits), order: 'big' },
          // nft 1.0.6 ends when it is to note an expression of a header that has no number.
          id === undefined
            ? undefined
            : { kind: Expressions.exthdr, data: [...word(1, numbers[kind]), ...told, ...word(0, id)] },
        )
      }
}

function* keys(): Generator<KnownExpression> {
  for (const key of metaKeys)
    yield ofKey(
      { meta: { key: key.name } },
      key,
      later.has(key.name) ? undefined : Expressions.meta,
      word(0, key.number),
    )
  for (const key of ctKeys)
    for (const [dir, number] of directionsOf(key.name)) {
      const said = { key: key.name, ...(dir !== undefined && { dir }) }
      const kind = unlisted.has(key.name) ? undefined : Expressions.ct
      yield ofKey({ ct: said }, key, kind, [...word(0, key.number), ...word(1, number)])
    }
  for (const key of rtKeys) {
    const [family, name] = key.name.includes(' ') ? key.name.split(' ') : [undefined, key.name]
    const rt = { key: name, ...(family !== undefined && { family }) }
    yield ofKey({ rt }, key, Expressions.rt, word(0, key.number))
  }
  // The note of a control group does not tell its level.
  for (const key of socketKeys)
    if (key.name !== 'cgroupv2')
      yield ofKey({ socket: { key: key.name } }, key, Expressions.socket, word(0, key.number))
  for (const key of xfrmKeys) {
    const [family, name] = key.name.includes(' ') ? key.name.split(' ') : [undefined, key.name]
    for (const [number, dir] of ['in', 'out'].entries())
      yield ofKey(
        { ipsec: { key: name, dir, ...(family !== undefined && { family }) } },
        key,
        Expressions.ipsec,
        [...word(0, key.number), ...word(1, 0), ...word(2, number)],
      )
  }
  yield known(
    { osf: { key: 'name' } },
    { type: datatype('string'), length: 16, order: 'host' },
    { kind: Expressions.osf, data: [] },
  )
}

/** nft 1.0.6 knows no type of ports, and ends when it lists a set that is declared by labels. */
const unlisted: ReadonlySet<string> = new Set(['proto-src', 'proto-dst', 'label'])

/** Keys of later versions, of a type that has a length: nft 1.0.6 lists and reads such sets by their types. */
const later: ReadonlySet<string> = new Set(['ibrhwaddr'])

type Direction = readonly [dir: 'original' | 'reply' | undefined, number: number]

const eitherKeys: ReadonlySet<string> = new Set(['l3proto', 'protocol', 'zone', 'packets', 'bytes', 'avgpkt'])
const bothDirections: readonly Direction[] = [
  ['original', 0],
  ['reply', 1],
]

/** The older keys of addresses have no type of their own. */
function directionsOf(key: string): readonly Direction[] {
  if (key === 'saddr' || key === 'daddr') return []
  if (key.includes(' ') || key.startsWith('proto-')) return bothDirections
  const none: Direction = [undefined, NO_DIRECTION]
  return eitherKeys.has(key) ? [none, ...bothDirections] : [none]
}

function ofKey(
  expression: object,
  { type, length, order }: RegisterKey<string>,
  kind: number | undefined,
  data: readonly number[],
): KnownExpression {
  return known(
    expression,
    { type: datatype(type), length, order },
    kind === undefined ? undefined : { kind, data },
  )
}

function known(
  expression: object,
  field: Omit<TypeofField, 'noted'>,
  noted: Noted | undefined,
): KnownExpression {
  return { ...field, expression: named(expression), ...(noted && { noted }) }
}

/** What is made of the names in the tables is an expression of the model. */
function named(expression: object): Expression {
  return expression as Expression
}

function bytesOf(bits: number): number {
  return Math.ceil(bits / 8)
}

function entries<Name extends string, Value>(table: { readonly [N in Name]: Value }): [Name, Value][] {
  return Object.entries(table) as [Name, Value][]
}

interface Tables {
  readonly byExpression: ReadonlyMap<string, KnownExpression>
  readonly byNote: ReadonlyMap<string, KnownExpression>
}

let tables: Tables | undefined

/** Made when it is asked for first: few sets are declared so. */
function allKnown(): Tables {
  if (tables !== undefined) return tables
  const byExpression = new Map<string, KnownExpression>()
  const byNote = new Map<string, KnownExpression>()
  for (const each of [...payloads(), ...extensionFields(), ...keys()]) {
    byExpression.set(canonical(each.expression), each)
    // Of two names for one thing, the first is listed.
    const note = each.noted && noteKey(each.noted)
    if (note !== undefined && !byNote.has(note)) byNote.set(note, each)
  }
  tables = { byExpression, byNote }
  return tables
}

function noteKey({ kind, data }: Noted): string {
  return `${kind}: ${data.join(' ')}`
}

/** Alike for expressions that say the same: by sorted names, without what is the default. */
function canonical(expression: unknown): string {
  return JSON.stringify(expression, (name, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const said: { [key: string]: unknown } = { ...value }
    if (name === 'ct' && said.family !== undefined) {
      said.key = `${String(said.family)} ${String(said.key)}`
      delete said.family
    }
    // The note tells neither which of them, nor how.
    if (name === 'osf') return { key: 'name' }
    if (said.spnum === 0) delete said.spnum
    return Object.fromEntries(Object.entries(said).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}

/**
 * What an expression gives. @throws InvalidValue for one by which no set is declared
 */
export function typeofField(expression: Expression): TypeofField {
  const found =
    allKnown().byExpression.get(canonical(expression)) ??
    tunneledField(expression) ??
    computedField(expression)
  if (found === undefined)
    throw new InvalidValue(
      `${quote(expression)} is no expression by which a set can be declared: a field of the packet, a key of meta, ct and the like is expected`,
    )
  return found
}

/** Every expression that has no numbers of its own, and is noted. */
export function knownExpressions(): readonly Expression[] {
  return [...allKnown().byNote.values()].map(({ expression }) => expression)
}

/** The expression of a note, with what it gives. */
export function notedExpression(noted: Noted): KnownExpression | undefined {
  return allKnown().byNote.get(noteKey(noted)) ?? tunneledExpression(noted) ?? computedExpression(noted)
}

/** A field of a packet in a tunnel: that of a packet, with the tunnel. */
function tunneledField(expression: Expression): TypeofField | undefined {
  if (typeof expression !== 'object' || !('payload' in expression) || 'base' in expression.payload)
    return undefined
  const { tunnel, ...payload } = expression.payload
  if (tunnel === undefined) return undefined
  const field = allKnown().byExpression.get(canonical({ payload }))
  if (field?.noted === undefined) return undefined
  const { kind, data } = field.noted
  return { ...field, noted: { kind, data: [...data, ...word(TUNNEL, tunnelNamed(tunnel).noted)] } }
}

function tunneledExpression({ kind, data }: Noted): KnownExpression | undefined {
  for (const { name, noted } of Object.values(tunnels)) {
    const mark = word(TUNNEL, noted)
    const rest = data.slice(0, -mark.length)
    if (kind !== Expressions.payload || !mark.every((byte, index) => data[rest.length + index] === byte))
      continue
    const found = allKnown().byNote.get(noteKey({ kind, data: rest }))?.expression
    if (found === undefined || typeof found !== 'object' || !('payload' in found)) return undefined
    const expression = named({ payload: { tunnel: name, ...found.payload } })
    return { ...typeofField(expression), expression }
  }
  return undefined
}
