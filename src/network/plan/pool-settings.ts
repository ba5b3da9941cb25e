import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import { checkArray, checkObject, checkString } from '../../input.js'
import type { NetworkOptions, PoolOptions } from '../options.js'
import { isHostAddress } from './address-pool.js'
import { CREATE, refuseNetwork } from './network-refusal.js'

/** {@link PoolOptions}, checked; the gateway may still be chosen. */
export interface PoolSettings {
  readonly subnet: Cidr
  readonly gateway: IPAddress | undefined
  readonly range: Cidr | undefined
  readonly exclude: readonly Cidr[]
  /** Where it stands in the caller's input: `pools[1]`, or empty. */
  readonly path: string
}

const PARTS = ['gateway', 'range', 'exclude'] as const

/** The pools that `pools`, or `subnet` and what belongs to it, ask for; none leaves the choice to us. */
export function parsePools(options: NetworkOptions): PoolSettings[] {
  const { subnet, gateway, range, exclude, pools } = options
  if (pools === undefined) {
    if (subnet !== undefined) return [parsePool({ subnet, gateway, range, exclude }, '')]
    const stray = PARTS.find((part) => options[part] !== undefined)
    if (stray === undefined) return []
    throw refuseNetwork('NFB_INVALID_ARGUMENT', `"${stray}" is given without its subnet`, stray)
  }
  const rival = (['subnet', ...PARTS] as const).find((part) => options[part] !== undefined)
  if (rival !== undefined) {
    throw refuseNetwork(
      'NFB_SETTING_CONFLICT',
      `"${rival}" and "pools" exclude each other; put it into a pool`,
      rival,
    )
  }
  const parsed = checkArray(pools, CREATE, 'pools').map((pool, index) => {
    const path = joinPath('pools', index)
    return parsePool(checkObject(pool, ['subnet', ...PARTS], CREATE, path), path)
  })
  for (const [index, pool] of parsed.entries()) {
    const other = parsed.slice(0, index).find((each) => each.subnet.overlaps(pool.subnet))
    if (other === undefined) continue
    const message = `${pool.subnet} overlaps ${other.subnet} at ${other.path}, of the same network`
    throw refuseNetwork('NFB_POOL_OVERLAP', message, joinPath(pool.path, 'subnet'))
  }
  return parsed
}

function parsePool({ subnet: text, gateway, range, exclude }: PoolOptions, path: string): PoolSettings {
  const at = (property: string): string => joinPath(path, property)
  const subnet = parseSubnet(checkString(text, CREATE, at('subnet')), at('subnet'))
  return {
    subnet,
    gateway: gateway === undefined ? undefined : parseGateway(gateway, subnet, at('gateway')),
    range: range === undefined ? undefined : parseRange(range, subnet, at('range')),
    exclude: checkArray(exclude ?? [], CREATE, at('exclude')).map((each, index) =>
      parseExcluded(each, subnet, joinPath(at('exclude'), index)),
    ),
    path,
  }
}

/** "This network", loopback, multicast and reserved (RFC 6890); the same in IPv6, and link-local (RFC 4291). */
const NO_POOLS = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '::/8', 'fe80::/10', 'ff00::/8']

/** A pool has room for two interfaces at least. */
export const LONGEST_PREFIX = { 4: 31, 6: 127 } as const

function parseSubnet(text: string, path: string): Cidr {
  const subnet = Cidr.parse(text, path)
  const longest = LONGEST_PREFIX[subnet.family]
  if (subnet.prefixLength < 8 || subnet.prefixLength > longest) {
    throw refuseNetwork('NFB_INVALID_ADDRESS', `${subnet}: a pool has a prefix of 8 to ${longest} bits`, path)
  }
  const special = NO_POOLS.map((each) => Cidr.parse(each)).find((reserved) => reserved.overlaps(subnet))
  if (special) {
    throw refuseNetwork(
      'NFB_INVALID_ADDRESS',
      `${subnet}: addresses of ${special} are not for containers`,
      path,
    )
  }
  return subnet
}

function parseGateway(text: string, subnet: Cidr, path: string): IPAddress {
  const gateway = parseAddress(checkString(text, CREATE, path), path)
  if (isHostAddress(subnet, gateway)) return gateway
  throw outside(`${gateway} is no address for an interface in ${subnet}`, path)
}

function parseRange(text: string, subnet: Cidr, path: string): Cidr {
  const range = Cidr.parse(checkString(text, CREATE, path), path)
  if (subnet.contains(range.network) && range.prefixLength >= subnet.prefixLength) return range
  throw outside(`the range ${range} is not within ${subnet}`, path)
}

/** An address or a subnet. */
function parseExcluded(text: string, subnet: Cidr, path: string): Cidr {
  const written = checkString(text, CREATE, path)
  const excluded = written.includes('/') ? Cidr.parse(written, path) : single(parseAddress(written, path))
  if (excluded.overlaps(subnet)) return excluded
  throw outside(`${text} is not in ${subnet}, there is nothing to exclude`, path)
}

function single(address: IPAddress): Cidr {
  return Cidr.of(address, address.family === 4 ? 32 : 128)
}

function outside(message: string, path: string): Error {
  return refuseNetwork('NFB_ADDRESS_OUTSIDE_POOL', message, path)
}
