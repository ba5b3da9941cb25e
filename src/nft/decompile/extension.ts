/** Extension headers, options and chunks: which field the bytes are that an `exthdr` expression finds. */
import type { ExprExthdrRecord } from '../../native/records.js'
import {
  datatype,
  type ExtensionKind,
  extensionOps,
  extensions,
  type HeaderField,
} from '../datatype/index.js'
import { EXTHDR_PRESENT } from '../kernel/load-constants.js'
import type { Expression, PayloadProtocol, TcpOptionFields } from '../model/index.js'
import { load } from './load.js'
import type { Part } from './operand.js'
import type { RuleState } from './rule-state.js'
import type { ExtensionValue } from './value.js'

const kinds: ReadonlyMap<number, ExtensionKind> = new Map(
  (Object.entries(extensionOps) as [ExtensionKind, number][]).map(([kind, op]) => [op, kind]),
)

/** The network header that must be there for the extension to be. */
function networkOf(kind: ExtensionKind): PayloadProtocol | undefined {
  if (kind === 'exthdr') return 'ip6'
  return kind === 'ip option' ? 'ip' : undefined
}

/** An expression of the model, from names of the tables that the model's types name as well. */
function expressionOf(kind: ExtensionKind, reference: object): Expression {
  return { [kind]: reference } as Expression
}

/** False for what is not understood: it writes, or it looks for something that has no name. */
export function readExthdr(state: RuleState, record: ExprExthdrRecord): boolean {
  // Without the attribute it is an IPv6 extension header, as in the days before there were others.
  const { dreg, type = 0, offset, len, flags = 0, op = 0, sreg } = record
  const extension = kinds.get(op)
  if (dreg === undefined && sreg === undefined) return readReset(state, record)
  if (sreg !== undefined || extension === undefined || offset === undefined || !len) return false
  if (flags === 0) return load(state, dreg, { kind: 'extension', extension, type, offset }, len)
  if (flags !== EXTHDR_PRESENT || offset !== 0 || len !== 1) return false
  const name = Object.entries(extensions[extension]).find(([, each]) => each.type === type)?.[0]
  if (name === undefined && extension !== 'tcp option') return false
  const reference = name === undefined ? { base: type, offset: 0, len: 8 } : { name }
  const value = {
    kind: 'key',
    expression: expressionOf(extension, reference),
    type: datatype('boolean'),
    order: 'host',
    header: networkOf(extension),
  } as const
  return load(state, dreg, value, 1)
}

/** `reset tcp option`: of it the kernel lists a place and a length of nothing. */
function readReset(
  state: RuleState,
  { type, op, offset = 0, len = 0, flags = 0 }: ExprExthdrRecord,
): boolean {
  if (op !== extensionOps['tcp option'] || offset !== 0 || len !== 0 || flags !== 0) return false
  const names = Object.keys(extensions['tcp option']) as (keyof TcpOptionFields)[]
  const name = names.find((each) => extensions['tcp option'][each]?.type === type)
  if (name === undefined && type === undefined) return false
  const option = name === undefined ? { base: type ?? 0, offset: 0, len: 0 } : { name }
  state.say({ reset: { 'tcp option': option } })
  return true
}

function findField(
  { extension, type }: ExtensionValue,
  test: (field: HeaderField) => boolean,
): { readonly name: string; readonly field: string; readonly found: HeaderField } | undefined {
  for (const [name, each] of Object.entries(extensions[extension])) {
    if (each.type !== type) continue
    for (const [field, found] of Object.entries(each.fields)) if (test(found)) return { name, field, found }
  }
  return undefined
}

/**
 * The field that is these bits of what was loaded, counted from its beginning.
 * @param bits the bits of the field; the bytes that were loaded may be more
 */
export function extensionField(
  value: ExtensionValue,
  first: number,
  bits: number,
  length: number,
): Part | undefined {
  const start = value.offset * 8 + first
  const known = findField(value, (each) => each.offset === start && each.bits === bits)
  if (!known) return undefined
  return {
    expression: expressionOf(value.extension, { name: known.name, field: known.field }),
    type: datatype(known.found.type),
    order: 'big',
    length,
    shift: length * 8 - first - bits,
    fieldBits: bits,
    header: networkOf(value.extension),
  }
}

/** All the bytes that were loaded: a field, or any bits of a TCP option. */
export function extensionPart(value: ExtensionValue, length: number): Part | undefined {
  const known = extensionField(value, 0, length * 8, length)
  if (known || value.extension !== 'tcp option') return known
  const { type: base, offset } = value
  return {
    expression: expressionOf('tcp option', { base, offset: offset * 8, len: length * 8 }),
    type: datatype('integer'),
    order: 'big',
    length,
    shift: 0,
  }
}
