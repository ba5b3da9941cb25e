/** Values of registers as expressions of the model, with what is needed to read the constants beside them. */
import { type ByteOrder, type Datatype, datatype, type Tunnel } from '../datatype/index.js'
import type { BinaryOperator, Expression, PayloadProtocol } from '../model/index.js'
import { isZero, maskRange } from './bits.js'
import { readMask } from './constants.js'
import { extensionField, extensionPart } from './extension.js'
import { type FoundField, findField } from './fields.js'
import type { Protocols } from './protocols.js'
import type { CombinedValue, Loaded, PayloadValue, SwappedValue, Value } from './value.js'

/** One value in a register, named. */
export interface Part {
  readonly expression: Expression
  readonly type: Datatype
  readonly order: ByteOrder
  /** Bytes in the register. */
  readonly length: number
  /** How far the value is from the low end of its bytes: bit fields of headers are compared where they stand. */
  readonly shift: number
  /** Bits of the field that it is. */
  readonly fieldBits?: number | undefined
  /** A bit operation that is still to be said: `(x & mask) ^ xor`. */
  readonly bits?: { readonly mask: Uint8Array; readonly xor: Uint8Array } | undefined
  /** The tunnel whose packet, or header, it is of. */
  readonly tunnel?: Tunnel | undefined
  /** The header whose field it is. */
  readonly header?: PayloadProtocol | undefined
  readonly impliesIcmpType?: boolean | undefined
  /** What it was computed from. */
  readonly parts?: readonly Part[] | undefined
}

/** What a statement takes from registers: one value, or a concatenation. */
export interface Operand {
  readonly expression: Expression
  readonly parts: readonly Part[]
}

/** Values, one behind the other, as one operand; undefined where one of them cannot be named. */
export function operand(values: readonly Loaded[], protocols: Protocols): Operand | undefined {
  const parts: Part[] = []
  for (const { value, length } of values) {
    const part = partOf(value, length, protocols)
    if (!part) return undefined
    parts.push(part)
  }
  const [only] = parts
  if (only === undefined) return undefined
  return {
    expression: parts.length === 1 ? said(only) : { concat: parts.map(said) },
    parts,
  }
}

/** What the statement that uses an operand says about protocols. */
export function use(parts: readonly Part[], protocols: Protocols): void {
  for (const { header, impliesIcmpType, parts: inner, tunnel } of parts) {
    if (tunnel !== undefined) protocols.useTunnel(tunnel)
    if (header !== undefined) protocols.inside(tunnel).use(header, impliesIcmpType ?? false)
    if (inner !== undefined) use(inner, protocols)
  }
}

export function partOf(value: Value, length: number, protocols: Protocols): Part | undefined {
  switch (value.kind) {
    case 'payload':
      return payloadPart(value, length, protocols)
    case 'extension':
      return extensionPart(value, length)
    case 'key': {
      // nft has no words for it; what a comparison of it establishes is read there.
      if (value.tunnel !== undefined) return undefined
      const { expression, type, order, header, parts } = value
      return { expression, type, order, length, shift: 0, header, parts }
    }
    case 'bits':
      return bitsPart(value.of, value.mask, value.xor, length, protocols)
    case 'shifted':
      return shiftedPart(value.of, value.direction, value.bits, length, protocols)
    case 'swapped':
      return swappedPart(value, length, protocols)
    case 'widened':
      return widenedPart(partOf(value.of, value.length, protocols), length)
    case 'combined':
      return combinedPart(value, length, protocols)
    case 'mapped':
    case 'constant':
    case 'opaque':
      return undefined
  }
}

/** A number in the order of the machine, as one of more bytes. */
export function widenedPart(part: Part | undefined, length: number): Part | undefined {
  if (part?.shift !== 0 || part.type.text || (part.order === 'big' && part.length > 1)) return undefined
  return {
    ...part,
    expression: said(part),
    bits: undefined,
    type: datatype('integer'),
    order: 'host',
    length,
  }
}

function combinedPart(value: CombinedValue, length: number, protocols: Protocols): Part | undefined {
  const left = partOf(value.left, length, protocols)
  const narrow = partOf(value.right, value.rightLength, protocols)
  const right = value.rightLength < length ? widenedPart(narrow, length) : narrow
  if (!left || !right || left.shift !== 0 || right.shift !== 0 || left.length !== right.length)
    return undefined
  if (left.order !== right.order && length > 1) return undefined
  return {
    expression: binary(value.operator, said(left), said(right)),
    type: left.type,
    order: left.order,
    length,
    shift: 0,
    parts: [left, right],
  }
}

/**
 * Only a value as a whole has another byte order. What the kernel shifts word by word it turns round before and after.
 */
function swappedPart({ of, size }: SwappedValue, length: number, protocols: Protocols): Part | undefined {
  if (of.kind === 'shifted' && of.of.kind === 'swapped' && of.of.size === size)
    return shiftedInOrder(of.of.of, of.direction, of.bits, length, protocols)
  const part = size === length ? partOf(of, length, protocols) : undefined
  return part && swapped(part)
}

/** In the other byte order; the constants of a bit operation before are said in it, too. */
function swapped(part: Part): Part {
  const { bits } = part
  return {
    ...part,
    order: part.order === 'big' ? 'host' : 'big',
    ...(bits && { bits: { mask: bits.mask.toReversed(), xor: bits.xor.toReversed() } }),
  }
}

/** A field of a header that was loaded as it is. */
export function fieldPart(field: FoundField, length: number, shift = 0): Part {
  const { expression, type, header, impliesIcmpType, bits, tunnel } = field
  return { expression, type, order: 'big', length, shift, fieldBits: bits, header, impliesIcmpType, tunnel }
}

/** A field that is exactly these bytes, else the raw bytes, for which there are no words in a tunnel. */
function payloadPart(value: PayloadValue, length: number, protocols: Protocols): Part | undefined {
  const { base, tunnel } = value
  const bits = length * 8
  const offset = value.offset * 8
  const field = findField(value, protocols, (each) => each.offset === offset && each.bits === bits)
  if (field) return fieldPart(field, length)
  if (tunnel !== undefined || base === 'tun') return undefined
  return {
    expression: { payload: { base, offset, len: bits } },
    type: datatype('integer'),
    order: 'big',
    length,
    shift: 0,
  }
}

function bitsPart(
  of: Value,
  mask: Uint8Array,
  xor: Uint8Array,
  length: number,
  protocols: Protocols,
): Part | undefined {
  if (of.kind === 'payload' && xor.every((byte) => byte === 0)) {
    const run = maskRange(mask)
    const start = of.offset * 8 + (run?.offset ?? 0)
    // A field of whole bytes under a mask is a bit operation on the field, not a smaller field.
    const whole = findField(
      of,
      protocols,
      (each) => each.offset === of.offset * 8 && each.bits === length * 8,
    )
    const field =
      run && !whole
        ? findField(of, protocols, (each) => each.offset === start && each.bits === run.length)
        : undefined
    if (field && run) return fieldPart(field, length, length * 8 - run.offset - run.length)
  }
  if (of.kind === 'extension' && isZero(xor)) {
    const run = extensionField(of, 0, length * 8, length) ? undefined : maskRange(mask)
    const field = run && extensionField(of, run.offset, run.length, length)
    if (field) return field
  }
  const part = partOf(of, length, protocols)
  if (!part || part.bits || part.shift !== 0) return undefined
  return { ...part, bits: { mask, xor } }
}

/**
 * A shift of a number as the machine has it. Of several bytes as the packet has them it moves bits to where they don't
 * belong: nft 1.0.6 writes such rules, which are kept as they are.
 */
function shiftedPart(
  of: Value,
  direction: '<<' | '>>',
  bits: number,
  length: number,
  protocols: Protocols,
): Part | undefined {
  const part = partOf(of.kind === 'swapped' ? of.of : of, length, protocols)
  if (!part) return undefined
  // A bit field that is moved to the low end, as concatenations and named sets have it: one byte, the first of the word.
  if (direction === '>>' && bits === part.shift && bits > 0 && isTurned(part, of))
    return (part.fieldBits ?? length * 8) <= 8 ? { ...part, shift: 0, length: 1 } : undefined
  const turned = of.kind === 'swapped' ? swappedPart(of, length, protocols) : part
  if (turned?.shift !== 0 || (turned.order === 'big' && length > 1)) return undefined
  return { ...turned, expression: binary(direction, said(turned), bits), bits: undefined }
}

/** Whether the bytes of a field of the packet were turned round, as far as they have an order. */
function isTurned({ order, length }: Part, value: Value): boolean {
  return length === 1 || (order === 'big' && value.kind === 'swapped' && value.size === length)
}

/** A shift of what the packet has, in its order before and after. */
function shiftedInOrder(
  of: Value,
  direction: '<<' | '>>',
  bits: number,
  length: number,
  protocols: Protocols,
): Part | undefined {
  const part = partOf(of, length, protocols)
  if (part?.order !== 'big') return undefined
  const { shift, fieldBits } = part
  if (shift === 0) return { ...part, expression: binary(direction, said(part), bits), bits: undefined }
  if (fieldBits === undefined) return undefined
  // The field begins where its bytes do, in as many as it needs.
  const width = Math.ceil(fieldBits / 8)
  const by = shift - (length - width) * 8
  if ((direction === '>>' ? bits : -bits) !== by) return undefined
  return { ...part, shift: 0, length: width }
}

/** The part with the bit operation that is still to be said. */
export function said(part: Part): Expression {
  const { bits, expression } = part
  if (!bits) return expression
  const { mask, xor } = bits
  const kept = mask.map((byte, index) => byte | (xor[index] ?? 0))
  const isZero = xor.every((byte) => byte === 0)
  if (isZero) return binary('&', expression, constant(mask, part))
  // x | c is (x & ~c) ^ c
  if (mask.every((byte, index) => (byte & (xor[index] ?? 0)) === 0)) {
    const masked = kept.every((byte) => byte === 0xff)
      ? expression
      : binary('&', expression, constant(kept, part))
    return binary('|', masked, constant(xor, part))
  }
  const masked = mask.every((byte) => byte === 0xff)
    ? expression
    : binary('&', expression, constant(mask, part))
  return binary('^', masked, constant(xor, part))
}

function constant(bytes: Uint8Array, part: Part): Expression {
  return readMask(bytes, part)
}

export function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  switch (operator) {
    case '&':
      return { '&': [left, right] }
    case '|':
      return { '|': [left, right] }
    case '^':
      return { '^': [left, right] }
    case '<<':
      return { '<<': [left, right] }
    case '>>':
      return { '>>': [left, right] }
  }
}
