import { MacAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkBoolean, checkInteger, checkObject, checkString } from '../../input.js'
import type { BandwidthLimit, BandwidthOptions, EndpointOptions } from '../options.js'
import { type AskedAddress, parseAskedAddresses } from './asked-addresses.js'
import { parseEndpointSysctls, type WithSysctls } from './endpoint-sysctls.js'
import { checkHostName } from './identity.js'
import { checkNameInRules, checkNewName } from './interface-names.js'
import { LARGEST_MTU, smallestMtu } from './mtu.js'
import { METRICS, parseRoutes, type StaticRoute } from './static-route.js'

/** One direction's limit as it was asked for: bits per second, bytes. */
export interface LimitSettings {
  readonly rate: number
  readonly burst: number | undefined
}

/** {@link BandwidthOptions}, checked. */
export interface BandwidthSettings {
  readonly ingress: LimitSettings | undefined
  readonly egress: LimitSettings | undefined
}

/** {@link EndpointOptions}, checked; what has a default may still be chosen. */
export interface EndpointSettings extends WithSysctls {
  /** Where it stands in the caller's input: `containers[3]`, or empty. */
  readonly path: string
  /** Of pools; the first of a family is the one that it sends from. */
  readonly addresses: readonly AskedAddress[]
  readonly linkLocal: readonly AskedAddress[]
  readonly mac: MacAddress | undefined
  readonly interfaceName: string | undefined
  readonly hostInterfaceName: string | undefined
  readonly mtu: number | undefined
  readonly aliases: readonly string[]
  readonly priority: number
  /** Undefined: the network's, or by priority. */
  readonly metric: number | undefined
  /** Undefined: as the network says. */
  readonly defaultRoute: boolean | undefined
  readonly routes: readonly StaticRoute[]
  readonly bandwidth: BandwidthSettings
  readonly allowForgedSource: boolean
  /** The container has IPv6 turned off, and gets no IPv6 address on any network: its namespace tells, not the options. */
  readonly ipv6Off: boolean
}

/** The properties of {@link EndpointOptions}. */
export const ENDPOINT_PROPERTIES: readonly string[] = [
  'address',
  'ipv6Address',
  'addresses',
  'linkLocalAddresses',
  'mac',
  'interfaceName',
  'hostInterfaceName',
  'mtu',
  'sysctls',
  'aliases',
  'priority',
  'metric',
  'defaultRoute',
  'routes',
  'bandwidth',
  'allowForgedSource',
]

/** @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_NAME, NFB_INVALID_ARGUMENT */
export function parseEndpointOptions(
  options: EndpointOptions,
  operation: string,
  path: string,
): EndpointSettings {
  const at = (property: string): string => joinPath(path, property)
  const text = <T>(
    property: 'mac' | 'interfaceName' | 'hostInterfaceName',
    parse: (text: string, path: string) => T,
  ): T | undefined => {
    const value = options[property]
    return value === undefined ? undefined : parse(checkString(value, operation, at(property)), at(property))
  }
  const interfaceName = (value: string, where: string): string => checkNewName(value, operation, where)
  const { mtu, aliases = [], priority, metric, defaultRoute, routes, bandwidth, allowForgedSource } = options
  if (priority !== undefined && metric !== undefined) {
    const message = 'a metric says what a priority would choose; leave out one of the two'
    throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message, path: at('metric') })
  }
  return {
    path,
    ...parseAskedAddresses(options, operation, path),
    mac: text('mac', (value, where) => MacAddress.parseUnicast(value, where)),
    interfaceName: text('interfaceName', interfaceName),
    hostInterfaceName: text('hostInterfaceName', (value, where) =>
      checkNameInRules(interfaceName(value, where), operation, where),
    ),
    mtu:
      mtu === undefined ? undefined : checkInteger(mtu, [smallestMtu([]), LARGEST_MTU], operation, at('mtu')),
    ...parseEndpointSysctls(options.sysctls, operation, at('sysctls')),
    aliases: parseAliases(aliases, operation, at('aliases')),
    priority: priority === undefined ? 0 : checkInteger(priority, [-1000, 1000], operation, at('priority')),
    metric: metric === undefined ? undefined : checkInteger(metric, METRICS, operation, at('metric')),
    defaultRoute:
      defaultRoute === undefined ? undefined : checkBoolean(defaultRoute, operation, at('defaultRoute')),
    routes: parseRoutes(routes ?? [], operation, at('routes')),
    bandwidth: parseBandwidth(bandwidth ?? {}, operation, at('bandwidth')),
    allowForgedSource:
      allowForgedSource !== undefined && checkBoolean(allowForgedSource, operation, at('allowForgedSource')),
    ipv6Off: false,
  }
}

function parseAliases(aliases: readonly string[], operation: string, path: string): string[] {
  return checkArray(aliases, operation, path).map((alias, index) => {
    const at = joinPath(path, index)
    return checkHostName(checkString(alias, operation, at), at)
  })
}

/** @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function parseBandwidth(
  options: BandwidthOptions,
  operation: string,
  path: string,
): BandwidthSettings {
  checkObject(options, ['ingress', 'egress'], operation, path)
  const limit = (direction: 'ingress' | 'egress'): LimitSettings | undefined => {
    const given = options[direction]
    return given === undefined ? undefined : parseLimit(given, operation, joinPath(path, direction))
  }
  return { ingress: limit('ingress'), egress: limit('egress') }
}

/** The kernel counts rates in bytes per second (TCA_TBF_RATE64) and bursts in 32 bits (TCA_TBF_BURST). */
function parseLimit(limit: BandwidthLimit, operation: string, path: string): LimitSettings {
  checkObject(limit, ['rate', 'burst'], operation, path)
  const { rate, burst } = limit
  return {
    rate: checkInteger(rate, [8, Number.MAX_SAFE_INTEGER], operation, joinPath(path, 'rate')),
    burst:
      burst === undefined
        ? undefined
        : checkInteger(burst, [1, 0xffff_ffff], operation, joinPath(path, 'burst')),
  }
}
