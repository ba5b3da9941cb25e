import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import { joinPath } from '../../errors.js'
import { checkArray, checkBoolean, checkObject, checkOneOf, checkString } from '../../input.js'
import type { GatewayMode, NetworkOptions } from '../options.js'
import { CREATE, refuseNetwork } from './network-refusal.js'
import type { Family, FamilyRecord } from './records.js'

const MODES: readonly GatewayMode[] = ['nat', 'nat-unprotected', 'routed', 'isolated']

/** How a network meets the outside in both families: gateway modes and masquerading. */
export interface FamilySettings {
  readonly ipv4: FamilyRecord
  readonly ipv6: FamilyRecord
}

/** What of the options concerns the way out and in, checked against the families that the network has. */
export function parseFamilies(options: NetworkOptions, families: readonly Family[]): FamilySettings {
  const modes = parseModes(options, families)
  const translating = families.filter((family) => !options.internal && translates(modes[family]))
  const { masquerade, except, snat } = parseMasquerade(options, families, translating)
  const record = (family: Family): FamilyRecord => ({
    mode: modes[family],
    // Where there is no way out, or one under the container's own address, there is nothing to translate.
    masquerade: masquerade && translating.includes(family),
    snat: snat.find((address) => address.family === family),
    except: except.filter((subnet) => subnet.family === family),
  })
  return { ipv4: record(4), ipv6: record(6) }
}

function translates(mode: GatewayMode): boolean {
  return mode === 'nat' || mode === 'nat-unprotected'
}

function parseModes(
  options: NetworkOptions,
  families: readonly Family[],
): Readonly<Record<Family, GatewayMode>> {
  const { gatewayMode: given } = options
  const path = 'gatewayMode'
  const modes: Record<Family, GatewayMode> = { 4: 'nat', 6: 'nat' }
  if (typeof given === 'object' && given !== null) {
    checkObject(given, ['ipv4', 'ipv6'], CREATE, path)
    for (const [family, property] of [
      [4, 'ipv4'],
      [6, 'ipv6'],
    ] as const) {
      const mode = given[property]
      if (mode === undefined) continue
      const at = joinPath(path, property)
      modes[family] = checkMode(mode, options, at)
      if (families.includes(family)) continue
      throw refuseNetwork(
        'NFB_SETTING_CONFLICT',
        `the network has no IPv${family} addresses to apply "${mode}" to`,
        at,
      )
    }
  } else if (given !== undefined) {
    const mode = checkMode(given, options, path)
    return { 4: mode, 6: mode }
  }
  return modes
}

function checkMode(given: GatewayMode, { internal }: NetworkOptions, path: string): GatewayMode {
  const mode = checkOneOf(given, MODES, CREATE, path)
  if (!internal || (mode !== 'routed' && mode !== 'nat-unprotected')) return mode
  const message = `an internal network has no way in, and "${mode}" is one; leave out one of the two`
  throw refuseNetwork('NFB_SETTING_CONFLICT', message, path)
}

/** Masquerading as it was asked for, of both families. */
interface Masquerade {
  readonly masquerade: boolean
  readonly except: readonly Cidr[]
  readonly snat: readonly IPAddress[]
}

function parseMasquerade(
  { masquerade: given, internal }: NetworkOptions,
  families: readonly Family[],
  translating: readonly Family[],
): Masquerade {
  const path = 'masquerade'
  if (given === undefined) return { masquerade: true, except: [], snat: [] }
  if (typeof given !== 'object' || given === null) {
    return { masquerade: checkBoolean(given, CREATE, path), except: [], snat: [] }
  }
  checkObject(given, ['except', 'snat'], CREATE, path)
  const conflict = (message: string, at: string): Error => refuseNetwork('NFB_SETTING_CONFLICT', message, at)
  if (translating.length === 0) {
    const reason = internal
      ? 'an internal network has no way out'
      : 'the gateway mode translates no addresses'
    throw conflict(`${reason}, there is nothing to masquerade; leave "masquerade" out`, path)
  }
  const except = checkArray(given.except ?? [], CREATE, joinPath(path, 'except')).map((text, index) => {
    const at = joinPath(joinPath(path, 'except'), index)
    const subnet = Cidr.parse(checkString(text, CREATE, at), at)
    if (translating.includes(subnet.family)) return subnet
    throw conflict(`${subnet} is IPv${subnet.family}, of which the network translates no addresses`, at)
  })
  const snat: IPAddress[] = []
  for (const [text, at] of listed(given.snat, joinPath(path, 'snat'))) {
    const address = parseAddress(checkString(text, CREATE, at), at)
    if (!families.includes(address.family)) {
      throw conflict(`${address} is IPv${address.family}, of which the network has no addresses`, at)
    }
    if (!translating.includes(address.family)) {
      throw conflict(`the gateway mode of IPv${address.family} translates no addresses to ${address}`, at)
    }
    const other = snat.find(({ family }) => family === address.family)
    if (other)
      throw conflict(`there is one address for each family, and ${other} is IPv${other.family} too`, at)
    snat.push(checkUnicast(address, at))
  }
  return { masquerade: true, except: outermost(except), snat }
}

/** Without those that lie within others: a set of intervals takes no address twice. */
function outermost(subnets: readonly Cidr[]): Cidr[] {
  const wideFirst = subnets.toSorted((one, other) => one.prefixLength - other.prefixLength)
  return wideFirst.filter(
    (subnet, index) => !wideFirst.slice(0, index).some((wider) => wider.overlaps(subnet)),
  )
}

/** One text or several, each with its place. */
function listed(given: string | readonly string[] | undefined, path: string): [text: string, path: string][] {
  if (given === undefined) return []
  if (typeof given === 'string') return [[given, path]]
  return checkArray(given, CREATE, path).map((text, index) => [text, joinPath(path, index)])
}

/** Unspecified, loopback, multicast and reserved addresses: nobody could answer to them. */
const NO_SOURCES = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/127', 'ff00::/8'].map((text) =>
  Cidr.parse(text),
)

function checkUnicast(address: IPAddress, path: string): IPAddress {
  const special = NO_SOURCES.find((subnet) => subnet.contains(address))
  if (!special) return address
  throw refuseNetwork('NFB_INVALID_ADDRESS', `${address}: nobody can answer to addresses of ${special}`, path)
}
