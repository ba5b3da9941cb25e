import { quote, rejected } from './failure.js'
import { IPv4Address } from './ipv4.js'
import { IPv6Address } from './ipv6.js'

/** An address of either family; `family` tells which. */
export type IPAddress = IPv4Address | IPv6Address

/** Whether a value is one, and not an object that has only the prototype of one. */
export function isIPAddress(value: unknown): value is IPAddress {
  return (value instanceof IPv4Address || value instanceof IPv6Address) && Object.hasOwn(value, 'value')
}

/**
 * Parses an address of either family: what has a colon is taken for IPv6.
 * @throws NfbridgeError NFB_INVALID_ADDRESS
 */
export function parseAddress(text: string, path?: string): IPAddress {
  if (typeof text !== 'string')
    throw rejected('NFB_INVALID_ADDRESS', 'address.parse', `${quote(text)} is no address`, path)
  return text.includes(':') ? IPv6Address.parse(text, path) : IPv4Address.parse(text, path)
}

/** From 4 or 16 bytes in network order. @throws NfbridgeError NFB_INVALID_ADDRESS for another length */
export function addressFromBytes(bytes: Uint8Array): IPAddress {
  return bytes.length === 16 ? IPv6Address.fromBytes(bytes) : IPv4Address.fromBytes(bytes)
}
