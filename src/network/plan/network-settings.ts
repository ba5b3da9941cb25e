import { type IPAddress, parseAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import {
  checkArray,
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  checkPath,
  checkString,
} from '../../input.js'
// Not from the folder's index, which loads the addon: parsing and planning need none.
import type {
  BridgeNetfilter,
  ChangedNamespace,
  ExistingRules,
  ForwardPolicy,
  HelperName,
  HostOptions,
  Isolation,
  LinkMode,
  NetworkOptions,
  OffloadOption,
} from '../options.js'
import { DEFAULT_TABLE } from '../rules/names.js'
import { type AdvertiseRecord, parseAdvertise } from './advertise.js'
import type { DefaultPool } from './default-pools.js'
import { type FamilySettings, parseFamilies } from './family-settings.js'
import { parseHelpers } from './helpers.js'
import { checkTableName, firstGroup } from './host-name.js'
import { checkNameInRules, checkNewName } from './interface-names.js'
import { type Labelled, parseLabels } from './labels.js'
import { LARGEST_MTU, smallestMtu } from './mtu.js'
import { checkConflicts } from './network-conflicts.js'
import { CREATE, refuseNetwork } from './network-refusal.js'
import { type PoolSettings, parseDefaultPools, parsePools } from './pool-settings.js'
import { checkHostAddress, LOOPBACK6, LOOPBACK6_IS_DEAD } from './publish-settings.js'
import type { Family } from './records.js'
import { METRICS, parseRoutes, type StaticRoute } from './static-route.js'

/** {@link HostOptions}, checked and with their defaults. */
export interface HostSettings {
  /** Of the tables. */
  readonly name: string
  readonly ipForward: boolean
  readonly forwardPolicy: ForwardPolicy
  readonly bridgeNetfilter: BridgeNetfilter
  readonly offload: OffloadOption
  readonly firewall: boolean
  readonly existingRules: ExistingRules
  readonly hostBinding: IPAddress | undefined
  readonly defaultPools: readonly DefaultPool[]
  readonly state: string | undefined
  /** Milliseconds. */
  readonly wait: number
  readonly netnsChanged: ChangedNamespace
}

/** {@link NetworkOptions}, checked; pools may still be chosen. */
export interface NetworkSettings extends FamilySettings, Labelled {
  readonly name: string
  /** Those of which containers get addresses; one without a pool gets a default one. */
  readonly families: readonly Family[]
  readonly pools: readonly PoolSettings[]
  /** Those of the host, that the others are chosen from; none: Docker's. */
  readonly defaultPools: readonly DefaultPool[]
  readonly icc: boolean
  readonly internal: boolean
  readonly isolation: Isolation
  readonly trustedInterfaces: readonly string[]
  readonly allowDirectRouting: boolean
  readonly hostBinding: IPAddress | undefined
  readonly helpers: readonly HelperName[]
  readonly linkMode: LinkMode
  /** Undefined: where a bridge is adopted. */
  readonly tracking: boolean | undefined
  readonly mtu: number | undefined
  readonly routes: readonly StaticRoute[]
  readonly defaultRoute: boolean
  readonly metric: number | undefined
  readonly advertise?: AdvertiseRecord
  readonly adopt: boolean
  /** How many bridges the network lies over. */
  readonly bridges: number
  /** Of the interface groups that the host has. */
  readonly firstGroup: number
}

const OPEN = 'BridgeHost.open'
/** A day. */
const LONGEST_WAIT_MS = 86_400_000

export function parseHostOptions(options: HostOptions): HostSettings {
  checkObject(
    options,
    [
      'name',
      'netns',
      'ipForward',
      'forwardPolicy',
      'bridgeNetfilter',
      'offload',
      'firewall',
      'existingRules',
      'hostBinding',
      'defaultPools',
      'state',
      'wait',
      'netnsChanged',
    ],
    OPEN,
    '',
  )
  const { ipForward = true, forwardPolicy = 'auto', firewall = true, existingRules = 'keep' } = options
  const state = options.state === undefined ? undefined : checkPath(options.state, OPEN, 'state')
  const refuse = (code: 'NFB_INVALID_ARGUMENT' | 'NFB_SETTING_CONFLICT', message: string, path: string) =>
    new NfbridgeError({ code, operation: OPEN, message, path })
  const settings: HostSettings = {
    name: checkTableName(checkString(options.name ?? DEFAULT_TABLE, OPEN, 'name'), OPEN),
    ipForward: checkBoolean(ipForward, OPEN, 'ipForward'),
    forwardPolicy: checkOneOf(forwardPolicy, ['auto', 'drop', 'accept', 'leave'], OPEN, 'forwardPolicy'),
    bridgeNetfilter: checkOneOf(
      options.bridgeNetfilter ?? 'leave',
      ['leave', 'off'],
      OPEN,
      'bridgeNetfilter',
    ),
    offload: checkOneOf(options.offload ?? 'auto', ['auto', true, false], OPEN, 'offload'),
    firewall: checkBoolean(firewall, OPEN, 'firewall'),
    existingRules: checkOneOf(existingRules, ['keep', 'flush'], OPEN, 'existingRules'),
    hostBinding: parseHostBinding(options.hostBinding, OPEN),
    defaultPools: parseDefaultPools(options.defaultPools ?? [], OPEN),
    state,
    wait: checkInteger(options.wait ?? 0, [0, LONGEST_WAIT_MS], OPEN, 'wait'),
    netnsChanged: checkOneOf(options.netnsChanged ?? 'refuse', ['refuse', 'accept'], OPEN, 'netnsChanged'),
  }
  if (settings.firewall) return settings
  if (settings.forwardPolicy === 'drop') {
    const message = `forwardPolicy: 'drop' is a rule, and firewall: false makes none; leave out one of the two`
    throw refuse('NFB_SETTING_CONFLICT', message, 'forwardPolicy')
  }
  if (settings.existingRules === 'flush') {
    const message = `existingRules: 'flush' changes rules, and firewall: false touches none; leave out one of the two`
    throw refuse('NFB_SETTING_CONFLICT', message, 'existingRules')
  }
  if (settings.bridgeNetfilter === 'off') {
    const message = `bridgeNetfilter: 'off' is about which frames pass rules, and firewall: false makes none; leave out one of the two`
    throw refuse('NFB_SETTING_CONFLICT', message, 'bridgeNetfilter')
  }
  if (settings.offload === true) {
    const message = `offload: true needs a rule that adds connections to a flowtable, and firewall: false makes none; leave out one of the two`
    throw refuse('NFB_SETTING_CONFLICT', message, 'offload')
  }
  return settings
}

const OPTIONS: readonly (keyof NetworkOptions)[] = [
  'name',
  'routes',
  'defaultRoute',
  'defaultGateway',
  'metric',
  'advertise',
  'subnet',
  'gateway',
  'range',
  'exclude',
  'pools',
  'ipv4',
  'ipv6',
  'icc',
  'internal',
  'isolation',
  'gatewayMode',
  'masquerade',
  'trustedInterfaces',
  'allowDirectRouting',
  'hostBinding',
  'helpers',
  'linkMode',
  'tracking',
  'mtu',
  'adopt',
  'labels',
  'bridges',
]

export function parseNetworkOptions(options: NetworkOptions, host: HostSettings): NetworkSettings {
  checkObject(options, OPTIONS, CREATE, '')
  const flag = (
    property: 'icc' | 'internal' | 'allowDirectRouting' | 'adopt' | 'defaultRoute',
    otherwise: boolean,
  ): boolean => checkBoolean(options[property] ?? otherwise, CREATE, property)
  const name = parseName(options.name)
  const internal = flag('internal', false)
  const pools = parsePools(options)
  const families = parseWanted(options, pools)
  const settings: NetworkSettings = {
    name,
    families,
    pools,
    defaultPools: host.defaultPools,
    ...parseFamilies(options, families),
    icc: flag('icc', true),
    internal,
    isolation: checkOneOf(options.isolation ?? 'default', ['none', 'default', 'strict'], CREATE, 'isolation'),
    trustedInterfaces: parseInterfaces(options.trustedInterfaces ?? []),
    allowDirectRouting: flag('allowDirectRouting', false),
    hostBinding: parseHostBinding(options.hostBinding, CREATE) ?? host.hostBinding,
    helpers: parseHelpers(options.helpers ?? [], CREATE, 'helpers'),
    linkMode: checkOneOf(options.linkMode ?? 'stateful', ['stateful', 'stateless'], CREATE, 'linkMode'),
    tracking: options.tracking === undefined ? undefined : checkBoolean(options.tracking, CREATE, 'tracking'),
    mtu: options.mtu === undefined ? undefined : parseMtu(options.mtu, families),
    routes: parseRoutes(options.routes ?? [], CREATE, 'routes'),
    defaultRoute: flag('defaultRoute', true),
    metric:
      options.metric === undefined ? undefined : checkInteger(options.metric, METRICS, CREATE, 'metric'),
    ...parseAdvertise(options.advertise, CREATE),
    adopt: flag('adopt', false),
    bridges: checkInteger(options.bridges ?? 1, [1, 64], CREATE, 'bridges'),
    firstGroup: firstGroup(host.name),
    ...parseLabels(options.labels, CREATE),
  }
  checkConflicts(settings, options, host.firewall)
  return settings
}

function parseName(given: string): string {
  const name = checkNewName(checkString(given, CREATE, 'name'), CREATE, 'name')
  return checkNameInRules(name, CREATE, 'name')
}

/** The families that containers get addresses of: IPv4 unless it is declined, IPv6 if it is asked for, be it by a pool. */
function parseWanted({ ipv4, ipv6 }: NetworkOptions, pools: readonly PoolSettings[]): Family[] {
  const given = (family: Family): PoolSettings | undefined =>
    pools.find(({ subnet }) => subnet.family === family)
  const wanted = {
    4: ipv4 === undefined || checkBoolean(ipv4, CREATE, 'ipv4'),
    6: ipv6 === undefined ? given(6) !== undefined : checkBoolean(ipv6, CREATE, 'ipv6'),
  }
  for (const family of [4, 6] as const) {
    const pool = given(family)
    if (wanted[family] || !pool) continue
    const message = `${pool.subnet} is a pool of IPv${family}, and ipv${family}: false wants none`
    throw refuseNetwork('NFB_SETTING_CONFLICT', message, joinPath(pool.path, 'subnet'))
  }
  const families = ([4, 6] as const).filter((family) => wanted[family])
  if (families.length > 0) return families
  const message = 'a network without IPv4 has IPv6 addresses, or it has none; add ipv6: true'
  throw refuseNetwork('NFB_SETTING_CONFLICT', message, 'ipv4')
}

/** An address that ports may be published on. */
function parseHostBinding(given: string | undefined, operation: string): IPAddress | undefined {
  if (given === undefined) return undefined
  const path = 'hostBinding'
  const address = parseAddress(checkString(given, operation, path), path)
  checkHostAddress(address, operation, path)
  if (address.equals(LOOPBACK6))
    throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message: LOOPBACK6_IS_DEAD, path })
  return address
}

function parseInterfaces(given: readonly string[]): string[] {
  const path = 'trustedInterfaces'
  const names = checkArray(given, CREATE, path).map((name, index) => {
    const at = joinPath(path, index)
    return checkNameInRules(checkString(name, CREATE, at), CREATE, at)
  })
  return [...new Set(names)]
}

function parseMtu(mtu: number, families: readonly Family[]): number {
  return checkInteger(mtu, [smallestMtu(families), LARGEST_MTU], CREATE, 'mtu')
}
