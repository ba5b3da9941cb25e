import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkInteger, checkObject, checkString } from '../../input.js'
import type { DefaultPoolOptions, NetworkOptions, PoolOptions } from '../options.js'
import { isHostAddress } from './address-pool.js'
import { type AddressRange, isWithin, parseRange } from './address-range.js'
import type { DefaultPool } from './default-pools.js'
import { CREATE, refuseNetwork } from './network-refusal.js'

/** {@link PoolOptions}, checked; the gateway may still be chosen. */
export interface PoolSettings {
  /** Of the unspecified address where the size alone was asked for: {@link isSizeAlone}. */
  readonly subnet: Cidr
  readonly gateway: IPAddress | undefined
  /** The containers' default route, where that is not the gateway. */
  readonly router: IPAddress | undefined
  readonly range: AddressRange | undefined
  readonly exclude: readonly Cidr[]
  /** What names the excluded ones have: Docker's auxiliary addresses. */
  readonly names: Readonly<Record<string, string>>
  /** Where it stands in the caller's input: `pools[1]`, or empty. */
  readonly path: string
}

const PARTS = ['gateway', 'defaultGateway', 'range', 'exclude'] as const

/** Of a pool, what is left open. */
export const NOTHING_CHOSEN = {
  gateway: undefined,
  router: undefined,
  range: undefined,
  exclude: [],
  names: {},
} as const

/** The pools that `pools`, or `subnet` and what belongs to it, ask for; none leaves the choice to us. */
export function parsePools(options: NetworkOptions): PoolSettings[] {
  const { subnet, gateway, defaultGateway, range, exclude, pools } = options
  if (pools === undefined) {
    if (subnet !== undefined) return [parsePool({ subnet, gateway, defaultGateway, range, exclude }, '')]
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
    const other = parsed
      .slice(0, index)
      .find((each) => !isSizeAlone(pool.subnet) && each.subnet.overlaps(pool.subnet))
    if (other === undefined) continue
    const message = `${pool.subnet} overlaps ${other.subnet} at ${other.path}, of the same network`
    throw refuseNetwork('NFB_POOL_OVERLAP', message, joinPath(pool.path, 'subnet'))
  }
  return parsed
}

/** Whether a subnet says how large it shall be and not where: `0.0.0.0/24`, `::/120`. */
export function isSizeAlone(subnet: Cidr): boolean {
  return BigInt(subnet.network.value) === 0n
}

function parsePool(pool: PoolOptions, path: string): PoolSettings {
  const { subnet: text, gateway, defaultGateway, range, exclude } = pool
  const at = (property: string): string => joinPath(path, property)
  const subnet = parseSubnet(checkString(text, CREATE, at('subnet')), at('subnet'))
  if (isSizeAlone(subnet)) {
    const stray = Object.entries({ gateway, defaultGateway, range, exclude }).find(
      ([, value]) => value !== undefined,
    )?.[0]
    if (stray === undefined) return { subnet, ...NOTHING_CHOSEN, path }
    const message = `"${stray}" is of a subnet, and ${subnet} is the size of one that is chosen`
    throw refuseNetwork('NFB_SETTING_CONFLICT', message, at(stray))
  }
  const excluded = parseExclude(exclude ?? [], subnet, at('exclude'))
  return {
    subnet,
    gateway: gateway === undefined ? undefined : parseGateway(gateway, subnet, at('gateway')),
    router:
      defaultGateway === undefined ? undefined : parseGateway(defaultGateway, subnet, at('defaultGateway')),
    range: range === undefined ? undefined : parseRangeWithin(range, subnet, at('range')),
    ...excluded,
    path,
  }
}

/** The `defaultPools` of a host. @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT */
export function parseDefaultPools(given: readonly DefaultPoolOptions[], operation: string): DefaultPool[] {
  return checkArray(given, operation, 'defaultPools').map((pool, index) => {
    const path = joinPath('defaultPools', index)
    checkObject(pool, ['base', 'size'], operation, path)
    const at = joinPath(path, 'base')
    const base = Cidr.parse(checkString(pool.base, operation, at), at)
    const special = NO_POOLS.map((each) => Cidr.parse(each)).find((reserved) => reserved.overlaps(base))
    if (special) {
      const message = `${base}: addresses of ${special} are not for containers`
      throw new NfbridgeError({ code: 'NFB_INVALID_ADDRESS', operation, message, path: at })
    }
    const sizes = [Math.max(base.prefixLength, 8), LONGEST_PREFIX[base.family]] as const
    return { base, size: checkInteger(pool.size, sizes, operation, joinPath(path, 'size')) }
  })
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
  if (special && !isSizeAlone(subnet)) {
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

function parseRangeWithin(text: string, subnet: Cidr, path: string): AddressRange {
  const range = parseRange(checkString(text, CREATE, path), path)
  if (range === undefined) {
    const message = `${text}: a range goes from a lower address to a higher one of the same family`
    throw refuseNetwork('NFB_INVALID_ADDRESS', message, path)
  }
  if (isWithin(range, subnet)) return range
  throw outside(`the range ${text} is not within ${subnet}`, path)
}

function isNamed(given: NonNullable<PoolOptions['exclude']>): given is Readonly<Record<string, string>> {
  return typeof given === 'object' && !Array.isArray(given)
}

/** A list, or by names. */
function parseExclude(
  given: NonNullable<PoolOptions['exclude']>,
  subnet: Cidr,
  path: string,
): Pick<PoolSettings, 'exclude' | 'names'> {
  if (!isNamed(given)) {
    const list = checkArray(given, CREATE, path)
    return {
      exclude: list.map((each, index) => parseExcluded(each, subnet, joinPath(path, index))),
      names: {},
    }
  }
  const entries = Object.entries(given).map(
    ([name, each]) => [name, parseExcluded(each, subnet, joinPath(path, name))] as const,
  )
  return {
    exclude: entries.map(([, excluded]) => excluded),
    names: Object.fromEntries(entries.map(([name, excluded]) => [name, excluded.toString()])),
  }
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
