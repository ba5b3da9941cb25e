import type { DatatypeName, Immediate } from '../model/index.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A type whose values are text, filled up with zero bytes to the length of what they are compared with. */
function textType(name: DatatypeName, id: number, bits: number, title: string): Datatype {
  const check = (value: Immediate, length: number): string => {
    if (typeof value !== 'string' || value === '')
      throw new InvalidValue(`${quote(value)} is no ${title}: text is expected`, 'NFB_INVALID_NAME')
    if (value.length >= length)
      throw new InvalidValue(
        `${quote(value)} is too long for ${title}: at most ${length - 1} bytes`,
        'NFB_INVALID_NAME',
      )
    return value
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
      return decoder.decode(end < 0 ? field : field.subarray(0, end))
    },
  }
}

function writeEncoded(text: string, target: Uint8Array, offset: number, length: number, title: string): void {
  const encoded = encoder.encode(text)
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
