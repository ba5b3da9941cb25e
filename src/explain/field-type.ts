/** Of which types the values of an expression are: constants beside it are read accordingly. */
import { ctKeys, datatype, headers, metaKeys, typeNames } from '../nft/datatype/index.js'
import type {
  CtReference,
  DatatypeName,
  Expression,
  NamedMap,
  NamedSet,
  PayloadReference,
  RawPayloadReference,
  SetType,
} from '../nft/index.js'
import { type FieldType, isList } from './constant.js'
import type { PacketFamily } from './packet.js'

/** The types of the fields of an expression; undefined where this folder does not know them. */
export function typesOf(
  expression: Expression,
  family: PacketFamily,
  setNamed: (name: string) => NamedSet | NamedMap | undefined,
): readonly FieldType[] | undefined {
  if (typeof expression !== 'object' || isList(expression)) return undefined
  if ('concat' in expression) {
    const fields: FieldType[] = []
    for (const each of expression.concat) {
      const types = typesOf(each, family, setNamed)
      if (types === undefined) return undefined
      fields.push(...types)
    }
    return fields
  }
  if ('payload' in expression) return only(payloadType(expression.payload))
  if ('meta' in expression) {
    const key = metaKeys.find(({ name }) => name === expression.meta.key)
    return key && [{ type: key.type, bits: key.length * 8 }]
  }
  if ('ct' in expression) return only(ctType(expression.ct, family))
  if ('fib' in expression) {
    const { result } = expression.fib
    if (result === 'type') return declaredTypes('fib_addrtype')
    return declaredTypes(result === 'oif' ? 'iface_index' : 'ifname')
  }
  if ('exthdr' in expression || 'sctp chunk' in expression) return [{ type: 'integer', bits: 32 }]
  if ('map' in expression) {
    const { data, type } = expression.map
    const given = type ?? (typeof data === 'string' ? mapTypes(setNamed(data)) : undefined)
    return given === undefined ? undefined : declaredTypes(given)
  }
  for (const operands of Object.values(operandsOf(expression))) {
    const [first] = operands
    return first === undefined ? undefined : typesOf(first, family, setNamed)
  }
  return undefined
}

/** The operands of a bit operation, by its operator. */
export function operandsOf(expression: object): { readonly [operator: string]: readonly Expression[] } {
  const found: { [operator: string]: readonly Expression[] } = {}
  if ('&' in expression || '|' in expression || '^' in expression || '<<' in expression || '>>' in expression)
    for (const [operator, operands] of Object.entries(expression))
      if (Array.isArray(operands)) found[operator] = operands
  return found
}

/** A declared type, or those of a concatenation. */
export function declaredTypes(declared: SetType): readonly FieldType[] {
  return typeNames(declared).map((type) => ({ type, bits: datatype(type).bits || 64 }))
}

function mapTypes(set: NamedSet | NamedMap | undefined): SetType | undefined {
  if (set === undefined || !('map' in set)) return undefined
  const { map } = set
  return typeof map === 'string' ? (isDatatype(map) ? map : undefined) : map
}

function isDatatype(name: string): name is DatatypeName {
  return ![
    'verdict',
    'counter',
    'quota',
    'limit',
    'ct helper',
    'ct timeout',
    'ct expectation',
    'secmark',
    'synproxy',
    'tunnel',
  ].includes(name)
}

function payloadType(reference: PayloadReference | RawPayloadReference): FieldType | undefined {
  if ('base' in reference) return { type: 'integer', bits: reference.len }
  const fields: { readonly [field: string]: FieldType } = headers[reference.protocol].fields
  return fields[reference.field]
}

function ctType({ key }: CtReference, family: PacketFamily): FieldType | undefined {
  if ((key === 'saddr' || key === 'daddr') && family === 'ip6') return { type: 'ipv6_addr', bits: 128 }
  const known = ctKeys.find(({ name }) => name === key)
  return known && { type: known.type, bits: known.length * 8 }
}

function only(type: FieldType | undefined): readonly FieldType[] | undefined {
  return type && [type]
}
