import { Cidr, type IPAddress, IPv4Address, IPv6Address, parseAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkString } from '../../input.js'
import type { EndpointOptions } from '../options.js'
import type { EndpointRecord, Family } from './records.js'

/** An address that was asked for, and the option that did. */
export interface AskedAddress {
  readonly address: IPAddress
  /** `address`, `addresses[2]`. */
  readonly property: string
}

/** The addresses of {@link EndpointOptions}, checked. */
export interface AskedAddresses {
  readonly addresses: readonly AskedAddress[]
  readonly linkLocal: readonly AskedAddress[]
}

/** As many of a kind: each is an element for every port of a link to its container. */
const MOST = 64

/** With the lengths of their prefixes on an interface (RFC 3927, RFC 4291 2.5.6). */
export const LINK_LOCAL: Readonly<Record<Family, Cidr>> = {
  4: Cidr.parse('169.254.0.0/16'),
  6: Cidr.parse('fe80::/64'),
}

/** Which of them interfaces have, in words: see {@link isHost}. */
const INTERFACES = {
  4: 'from 169.254.1.0 to 169.254.254.255 (RFC 3927 reserves the first and the last 256 of 169.254.0.0/16)',
  6: 'of fe80::/64, without fe80:: itself, which is that of any router',
} as const

/** Whether an address is one that each link has for itself. */
export function isLinkLocal(address: IPAddress): boolean {
  return LINK_LOCAL[address.family].contains(address)
}

/** The length of the prefix of link-local addresses. */
export function linkLocalPrefixLength(family: Family): number {
  return LINK_LOCAL[family].prefixLength
}

/** @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT */
export function parseAskedAddresses(
  options: EndpointOptions,
  operation: string,
  path: string,
): AskedAddresses {
  const at = (property: string): string => joinPath(path, property)
  const one = (
    property: 'address' | 'ipv6Address',
    parse: (text: string, path: string) => IPAddress,
  ): AskedAddress[] => {
    const value = options[property]
    if (value === undefined) return []
    return [{ address: parse(checkString(value, operation, at(property)), at(property)), property }]
  }
  const single = [
    ...one('address', (text, where) => IPv4Address.parse(text, where)),
    ...one('ipv6Address', (text, where) => IPv6Address.parse(text, where)),
  ]
  const several = parseList(options.addresses, 'addresses', operation, path)
  if (options.addresses !== undefined && single[0]) {
    const message = `"addresses" has all of them; leave out "${single[0].property}"`
    throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message, path: at('addresses') })
  }
  const linkLocal = parseList(options.linkLocalAddresses, 'linkLocalAddresses', operation, path)
  for (const { address, property } of linkLocal) {
    const { family } = address
    if (isLinkLocal(address) && isHost(address)) continue
    const message = `${address} is no link-local address of an interface; they are ${INTERFACES[family]}`
    throw new NfbridgeError({ code: 'NFB_INVALID_ADDRESS', operation, message, path: at(property) })
  }
  return { addresses: [...single, ...several], linkLocal }
}

/** The first and the last 256 of IPv4's are reserved (RFC 3927, 2.1); the first of IPv6's is that of any router (RFC 4291, 2.6.1). */
function isHost(address: IPAddress): boolean {
  const { bytes } = address
  if (address.family === 4) return bytes[2] !== 0 && bytes[2] !== 0xff
  return bytes.subarray(8).some((byte) => byte !== 0)
}

function parseList(
  given: readonly string[] | undefined,
  name: 'addresses' | 'linkLocalAddresses',
  operation: string,
  path: string,
): AskedAddress[] {
  const refuse = (message: string, property: string): NfbridgeError =>
    new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message,
      path: joinPath(path, property),
    })
  const seen = new Set<string>()
  const list = checkArray(given ?? [], operation, joinPath(path, name))
  if (list.length > MOST) throw refuse(`at most ${MOST} addresses are taken`, name)
  return list.map((text, index) => {
    const property = joinPath(name, index)
    const where = joinPath(path, property)
    const address = parseAddress(checkString(text, operation, where), where)
    if (seen.has(address.toString())) throw refuse(`${address} is there twice`, property)
    seen.add(address.toString())
    return { address, property }
  })
}

/** What a former endpoint had that was asked for: it asks again when it starts. */
export function askedBefore({
  ipv4,
  ipv6,
  fixed,
  further = [],
  linkLocal = [],
}: EndpointRecord): AskedAddresses {
  return {
    addresses: [
      ...(ipv4 && fixed.ipv4 ? [{ address: ipv4, property: 'address' }] : []),
      ...(ipv6 && fixed.ipv6 ? [{ address: ipv6, property: 'ipv6Address' }] : []),
      ...further.map((address) => ({ address, property: 'addresses' })),
    ],
    linkLocal: linkLocal.map((address) => ({ address, property: 'linkLocalAddresses' })),
  }
}
