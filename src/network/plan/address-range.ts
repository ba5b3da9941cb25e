import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'

/** Consecutive addresses of one family, both ends included. */
export interface AddressRange {
  readonly first: IPAddress
  readonly last: IPAddress
}

/** All addresses of a network. */
export function rangeOf(network: Cidr): AddressRange {
  return { first: network.network, last: network.addressAt(network.size - 1n) }
}

/**
 * A network, `10.88.5.0/24`, or two ends, `10.88.5.10-10.88.5.99` (netavark's `lease_range`, CNI's `rangeStart` and `rangeEnd`).
 * @returns undefined where the ends are of two families or in the wrong order
 * @throws NfbridgeError NFB_INVALID_ADDRESS
 */
export function parseRange(text: string, path?: string): AddressRange | undefined {
  const [from = '', to, ...others] = text.split('-')
  if (to === undefined || others.length > 0) return rangeOf(Cidr.parse(text, path))
  const [first, last] = [parseAddress(from.trim(), path), parseAddress(to.trim(), path)]
  return first.family === last.family && BigInt(first.value) <= BigInt(last.value)
    ? { first, last }
    : undefined
}

/** As {@link parseRange} reads it: the network where it is one. */
export function rangeText({ first, last }: AddressRange): string {
  const size = BigInt(last.value) - BigInt(first.value) + 1n
  const bits = size.toString(2).length - 1
  const longest = first.family === 4 ? 32 : 128
  if (size === 1n << BigInt(bits)) {
    const network = Cidr.of(first, longest - bits)
    if (network.network.equals(first)) return network.toString()
  }
  return `${first}-${last}`
}

/** Whether a range lies within a network. */
export function isWithin({ first, last }: AddressRange, network: Cidr): boolean {
  return network.contains(first) && network.contains(last)
}
