/** Netlink attributes within bytes, for the few nests that the tables of the addon cannot describe. */
import { readNumber, writeNumber } from '../datatype/index.js'

const HEADER = 4
/** NLA_F_NESTED, and the bits that are the type. */
const NESTED = 0x8000
const TYPE = 0x3fff

export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

/** A number as an attribute, in the order of the network. */
export function numberAttribute(type: number, value: number, length: number): Attribute {
  const bytes = new Uint8Array(length)
  writeNumber(value, bytes, 0, length, 'big')
  return { type, value: bytes }
}

/** Attributes within one. */
export function nestAttribute(type: number, attributes: readonly Attribute[]): Attribute {
  return { type: type | NESTED, value: writeAttributes(attributes) }
}

export function writeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const bytes = new Uint8Array(attributes.reduce((sum, { value }) => sum + aligned(HEADER + value.length), 0))
  let at = 0
  for (const { type, value } of attributes) {
    writeNumber(HEADER + value.length, bytes, at, 2, 'host')
    writeNumber(type, bytes, at + 2, 2, 'host')
    bytes.set(value, at + HEADER)
    at += aligned(HEADER + value.length)
  }
  return bytes
}

/** Undefined when the bytes are no attributes. */
export function readAttributes(bytes: Uint8Array): Attribute[] | undefined {
  const attributes: Attribute[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER > bytes.length) return undefined
    const length = Number(readNumber(bytes, at, 2, 'host'))
    if (length < HEADER || at + length > bytes.length) return undefined
    const type = Number(readNumber(bytes, at + 2, 2, 'host')) & TYPE
    attributes.push({ type, value: bytes.subarray(at + HEADER, at + length) })
    at += aligned(length)
  }
  return attributes
}

/** The number that an attribute is. */
export function attributeNumber({ value }: Attribute): number {
  return Number(readNumber(value, 0, value.length, 'big'))
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
