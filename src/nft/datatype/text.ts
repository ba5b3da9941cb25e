import type { DatatypeName, Immediate } from '../model/index.js'
import type { Datatype } from './datatype.js'
import { encodeText } from './encode-text.js'
import { InvalidValue, quote } from './invalid-value.js'

const decoder = new TextDecoder()

/** `eth\\*` is the name that ends in a star; without the backslash, the star stands for whatever follows. */
function literal(value: string): string {
  if (value.endsWith('\\*')) return `${value.slice(0, -2)}*`
  if (!value.endsWith('*')) return value
  throw new InvalidValue(
    `${quote(value)} stands for every name that begins so, and one is expected here: a set or map of such names has ` +
      `flags: ['interval'], and the name that ends in a star is ${quote(`${value.slice(0, -1)}\\*`)}`,
  )
}

/**
 * A type whose values are text, filled up with zero bytes to the length of what they are compared with. A star at the end
 * is read and written with a backslash before it, wherever it stands.
 */
function textType(name: DatatypeName, id: number, bits: number, title: string): Datatype {
  const check = (value: Immediate, length: number): string => {
    if (typeof value !== 'string' || value === '')
      throw new InvalidValue(`${quote(value)} is no ${title}: text is expected`, 'NFB_INVALID_NAME')
    const text = literal(value)
    if (text.length >= length)
      throw new InvalidValue(
        `${quote(value)} is too long for ${title}: at most ${length - 1} bytes`,
        'NFB_INVALID_NAME',
      )
    return text
  }
  return {
    name,
    id,
    bits,
    order: 'host',
    bitmask: false,
    text: true,
    write(value, target, offset, length) {
      const text = check(value, length)
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index)
        if (code === 0 || code > 126) {
          writeEncoded(text, target, offset, length, title)
          return
        }
        target[offset + index] = code
      }
      target.fill(0, offset + text.length, offset + length)
    },
    read(bytes, offset, length) {
      const field = bytes.subarray(offset, offset + length)
      const end = field.indexOf(0)
      const text = decoder.decode(end < 0 ? field : field.subarray(0, end))
      return text.endsWith('*') ? `${text.slice(0, -1)}\\*` : text
    },
  }
}

function writeEncoded(text: string, target: Uint8Array, offset: number, length: number, title: string): void {
  const encoded = encodeText(text)
  if (encoded.includes(0)) throw new InvalidValue(`${quote(text)} is no ${title}: it contains a zero byte`)
  if (encoded.length >= length)
    throw new InvalidValue(
      `${quote(text)} is too long for ${title}: at most ${length - 1} bytes`,
      'NFB_INVALID_NAME',
    )
  target.set(encoded, offset)
  target.fill(0, offset + encoded.length, offset + length)
}

/** ifname: the name of an interface, at most 15 bytes (IFNAMSIZ). */
export const interfaceNameType: Datatype = textType('ifname', 41, 128, 'interface name')

/** string: text of whatever length its field has. */
export const stringType: Datatype = textType('string', 5, 0, 'text')
