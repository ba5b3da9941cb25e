import { IPv4Address, IPv6Address, MacAddress } from '../../address/index.js'
import type { Immediate } from '../model/index.js'
import { parseInteger } from './byte-order.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, parseWith, quote } from './invalid-value.js'

/** Parses `a.b.c.d` into its 32 bits, or gives -1: elements are the hot path, and most are IPv4 addresses. */
function parseIPv4(text: string): number {
  let value = 0
  let octet = -1
  let octets = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (octet < 0) return -1
      value = value * 256 + octet
      octet = -1
      if (++octets > 3) return -1
    } else if (code < 48 || code > 57 || octet === 0) {
      return -1
    } else {
      octet = (octet < 0 ? 0 : octet * 10) + code - 48
      if (octet > 255) return -1
    }
  }
  return octets === 3 && octet >= 0 ? value * 256 + octet : -1
}

function requireText(value: Immediate, what: string): string {
  if (typeof value === 'string') return value
  throw new InvalidValue(`${quote(value)} is no ${what}: text is expected`, 'NFB_INVALID_ADDRESS')
}

/** An address as text, also as masks are written in nft's JSON: `"0xffff0000"`. */
function ipv4Number(value: Immediate): number {
  const number = typeof value === 'string' && value.startsWith('0x') ? parseInteger(value) : undefined
  if (typeof number === 'number' && number <= 0xffffffff) return number
  const text = requireText(value, 'IPv4 address')
  const quick = parseIPv4(text)
  return quick >= 0 ? quick : parseWith(() => IPv4Address.parse(text).value)
}

/** ipv4_addr */
export const ipv4Type: Datatype = {
  name: 'ipv4_addr',
  id: 7,
  bits: 32,
  order: 'big',
  bitmask: false,
  text: false,
  parse: ipv4Number,
  write(value, target, offset) {
    const number = ipv4Number(value)
    target[offset] = number >>> 24
    target[offset + 1] = (number >>> 16) & 255
    target[offset + 2] = (number >>> 8) & 255
    target[offset + 3] = number & 255
  },
  read(bytes, offset) {
    return `${bytes[offset] ?? 0}.${bytes[offset + 1] ?? 0}.${bytes[offset + 2] ?? 0}.${bytes[offset + 3] ?? 0}`
  },
}

/** ipv6_addr */
export const ipv6Type: Datatype = {
  name: 'ipv6_addr',
  id: 8,
  bits: 128,
  order: 'big',
  bitmask: false,
  text: false,
  write(value, target, offset) {
    const text = requireText(value, 'IPv6 address')
    target.set(
      parseWith(() => IPv6Address.parse(text).bytes),
      offset,
    )
  },
  read(bytes, offset) {
    return IPv6Address.fromBytes(bytes.subarray(offset, offset + 16)).toString()
  },
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  return code >= 65 && code <= 70 ? code - 55 : -1
}

/** ether_addr */
export const etherAddressType: Datatype = {
  name: 'ether_addr',
  id: 9,
  bits: 48,
  order: 'big',
  bitmask: false,
  text: false,
  write(value, target, offset) {
    const text = requireText(value, 'MAC address')
    for (let index = 0; index < 6; index++) {
      const high = hexDigit(text.charCodeAt(index * 3))
      const low = hexDigit(text.charCodeAt(index * 3 + 1))
      if (high < 0 || low < 0 || text.length !== 17 || (index < 5 && text.charCodeAt(index * 3 + 2) !== 58)) {
        target.set(
          parseWith(() => MacAddress.parse(text).bytes),
          offset,
        )
        return
      }
      target[offset + index] = high * 16 + low
    }
  },
  read(bytes, offset) {
    return formatLinkLayer(bytes.subarray(offset, offset + 6))
  },
}

/** ll_addr: a link layer address of whatever length its link has. */
export const linkLayerAddressType: Datatype = {
  name: 'll_addr',
  id: 6,
  bits: 0,
  order: 'big',
  bitmask: false,
  text: false,
  write(value, target, offset, length) {
    const text = requireText(value, 'link layer address')
    const parts = text.split(':')
    if (parts.length !== length || !parts.every((part) => /^[0-9a-fA-F]{2}$/.test(part)))
      throw new InvalidValue(
        `${quote(value)} is no link layer address of ${length} bytes`,
        'NFB_INVALID_ADDRESS',
      )
    for (const [index, part] of parts.entries()) target[offset + index] = Number.parseInt(part, 16)
  },
  read(bytes, offset, length) {
    return formatLinkLayer(bytes.subarray(offset, offset + length))
  },
}

function formatLinkLayer(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
