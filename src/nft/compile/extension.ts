/** `exthdr`, `tcp option`, `ip option`, `sctp chunk`: what stands behind the fixed headers, wherever it is. */
import {
  type Datatype,
  datatype,
  type Extension,
  type ExtensionKind,
  extensionOps,
  extensions,
  fieldType,
  InvalidValue,
  quote,
} from '../datatype/index.js'
import { EXTHDR_PRESENT } from '../kernel/load-constants.js'
import type { ExtensionExpression } from '../model/index.js'
import { requireNetworkProtocol } from './dependency.js'
import type { ValueOperand } from './operand.js'
import { bitField } from './payload.js'
import type { RuleContext } from './rule-context.js'

const networks = { exthdr: 'ip6', 'ip option': 'ip' } as const

/** What an extension's expression refers to, unchecked. */
interface Reference {
  readonly name?: unknown
  readonly field?: unknown
  readonly offset?: unknown
  readonly base?: unknown
  readonly len?: unknown
}

function referenceOf(expression: ExtensionExpression): readonly [ExtensionKind, Reference] {
  if ('exthdr' in expression) return ['exthdr', expression.exthdr]
  if ('tcp option' in expression) return ['tcp option', expression['tcp option']]
  if ('ip option' in expression) return ['ip option', expression['ip option']]
  return ['sctp chunk', expression['sctp chunk']]
}

/** The operand of a field, or of the question whether the extension is there; dependencies are emitted. */
export function extensionOperand(context: RuleContext, expression: ExtensionExpression): ValueOperand {
  const [kind, reference] = referenceOf(expression)
  if (kind === 'exthdr' || kind === 'ip option') requireNetworkProtocol(context, networks[kind])
  if (kind === 'tcp option' && reference.base !== undefined) return rawOption(reference)
  const { name } = reference
  const extension: Extension | undefined =
    typeof name === 'string' && Object.hasOwn(extensions[kind], name) ? extensions[kind][name] : undefined
  if (extension === undefined)
    throw new InvalidValue(
      `${quote(name)} is no ${kind} that is known: ${Object.keys(extensions[kind]).join(', ')}`,
    )
  if (reference.field === undefined) return presence(kind, extension.type)
  const field = typeof reference.field === 'string' ? fieldName(reference.field, reference.offset) : ''
  const found = Object.hasOwn(extension.fields, field) ? extension.fields[field] : undefined
  if (found === undefined)
    throw new InvalidValue(`the ${kind} ${quote(name)} has no field ${quote(reference.field)}`)
  return extensionField(kind, extension.type, found.offset, found.bits, fieldType(found))
}

/** libnftables' JSON numbers the addresses of the routing header of type 0 beside the field's name. */
function fieldName(field: string, offset: unknown): string {
  return offset === undefined ? field : `${field}[${String(offset)}]`
}

/** Whether the extension is there: its first byte, with the flag that asks for that. */
function presence(kind: ExtensionKind, type: number): ValueOperand {
  const operand = extensionField(kind, type, 0, 8, datatype('boolean'))
  return {
    ...operand,
    source: { kind: 'load', load: loader(kind, type, 0, 1, EXTHDR_PRESENT) },
  }
}

function loader(
  kind: ExtensionKind,
  type: number,
  offset: number,
  len: number,
  flags: number,
): Extract<ValueOperand['source'], { readonly kind: 'load' }>['load'] {
  const data = { type, offset, len, op: extensionOps[kind], ...(flags === 0 ? {} : { flags }) }
  return (dreg) => ({ name: 'exthdr', data: { dreg, ...data } })
}

function extensionField(
  kind: ExtensionKind,
  type: number,
  offset: number,
  bits: number,
  valueType: Datatype,
): ValueOperand {
  return bitField(offset, bits, valueType, (first, length) => ({
    kind: 'load',
    load: loader(kind, type, first, length, 0),
  }))
}

/** Any bits of an option by its kind. */
function rawOption({ base, offset, len }: Reference): ValueOperand {
  const isNumber = (value: unknown, highest: number): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highest
  if (!isNumber(base, 255) || !isNumber(offset, 255 * 8) || !isNumber(len, 128) || len === 0)
    throw new InvalidValue(
      `base is the kind of an option, offset and len are bits of it, len from 1 to 128: ${quote({ base, offset, len })}`,
    )
  return extensionField('tcp option', base, offset, len, datatype('integer'))
}

/** The operand that asks whether the extension is there, for the way in which JSON says that of unknown TCP options. */
export function optionPresence(expression: ExtensionExpression): ValueOperand | undefined {
  const [, { base, offset, len }] = referenceOf(expression)
  if (typeof base !== 'number' || offset !== 0 || len !== 8) return undefined
  return presence('tcp option', base)
}
