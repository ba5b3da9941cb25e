/** Addresses of options: 16 bytes, of which IPv4 has the first four (union nf_inet_addr). */
import { addressFromBytes, parseAddress } from '../../address/index.js'
import { InvalidValue, quote } from '../datatype/index.js'
import type { Expression } from '../model/index.js'
import type { XtFamily } from './codec.js'

const lengthOf = (family: XtFamily): number => (family === 'ip' ? 4 : 16)

export function addressText(bytes: Uint8Array, family: XtFamily): string {
  return addressFromBytes(bytes.slice(0, lengthOf(family))).toString()
}

export function addressBytes(text: string, family: XtFamily): Uint8Array {
  const { bytes } = parseAddress(text)
  if (bytes.length !== lengthOf(family))
    throw new InvalidValue(`${quote(text)} is no address of family ${family}`)
  const all = new Uint8Array(16)
  all.set(bytes)
  return all
}

/** The bits of a mask that is a prefix; undefined for others. */
function prefixLength(mask: Uint8Array): number | undefined {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** All bits, behind the address as well: so iptables writes the mask of a single one. */
const whole = new Uint8Array(16).fill(0xff)

/** `10.0.0.0/8`, or with a mask that is no prefix `10.0.0.1/255.0.0.255`; a single address stands alone. */
export function maskedText(address: Uint8Array, mask: Uint8Array, family: XtFamily): string {
  const length = lengthOf(family)
  const bits = prefixLength(mask.slice(0, length))
  const text = addressText(address, family)
  if (bits === length * 8) return mask.every((byte) => byte === 0xff) ? text : `${text}/${bits}`
  return `${text}/${bits ?? addressText(mask, family)}`
}

export function maskedBytes(
  text: string,
  family: XtFamily,
): { readonly address: Uint8Array; readonly mask: Uint8Array } {
  const [address = '', mask] = text.split('/')
  return { address: addressBytes(address, family), mask: maskBytes(mask, family) }
}

function maskBytes(mask: string | undefined, family: XtFamily): Uint8Array {
  if (mask !== undefined && !/^\d+$/.test(mask)) return addressBytes(mask, family)
  if (mask === undefined) return whole
  const most = lengthOf(family) * 8
  const length = Number(mask)
  if (length > most) throw new InvalidValue(`${quote(mask)} is no length of a prefix of family ${family}`)
  const bytes = new Uint8Array(16)
  for (let bit = 0; bit < length; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return bytes
}

/** As an expression of nft; undefined for a mask that is no prefix. */
export function maskedExpression(text: string): Expression | undefined {
  const [address = '', mask] = text.split('/')
  if (mask === undefined) return address
  return /^\d+$/.test(mask) ? { prefix: { addr: address, len: Number(mask) } } : undefined
}
