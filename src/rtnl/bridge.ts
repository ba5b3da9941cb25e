import { checkObject } from '../input.js'
import type { BridgePortRecord, BridgeRecord } from '../native/records.js'
import { inverse, readNumbers, readSwitches, writeNumbers, writeSwitches } from './attributes.js'
import { nameOf, PORT_STATES } from './numbers.js'
import { compact } from './values.js'

/**
 * The settings of a bridge (IFLA_BR_* in linux/if_link.h). Times are in hundredths of a second, as the kernel and
 * `ip -j` have them. What is left out keeps the kernel's default (creating) or its value (changing).
 */
export interface BridgeOptions {
  /** The spanning tree protocol. Default false. */
  readonly stp?: boolean
  /** How long a port listens and learns before it forwards; the kernel takes 200 to 3000 when `stp` is on. Default 1500. */
  readonly forwardDelay?: number
  /** Default 200. */
  readonly helloTime?: number
  /** Default 2000. */
  readonly maxAge?: number
  /** How long a learnt MAC address is kept. Default 30000. */
  readonly ageingTime?: number
  /** The bridge's priority in the spanning tree. Default 32768. */
  readonly priority?: number
  /** Whether frames are filtered by VLAN. Default false. */
  readonly vlanFiltering?: boolean
  /** The VLAN of untagged frames; 0 for none. Default 1. */
  readonly vlanDefaultPvid?: number
  /** Which frames to reserved group addresses are forwarded all the same: a bit for each. Default 0. */
  readonly groupForwardMask?: number
  /** How many MAC addresses are learnt at most; 0 for any number. Default 0. Kernel 6.7; older ones pass over it. */
  readonly fdbMaxLearned?: number
  /** IGMP and MLD snooping. Default true. */
  readonly multicastSnooping?: boolean
  readonly multicastQuerier?: boolean
  /** Whether IPv4 traffic of this bridge passes the ip/inet hooks (br_netfilter), whatever the sysctl says. */
  readonly nfCallIptables?: boolean
  /** The same for IPv6. */
  readonly nfCallIp6tables?: boolean
  /** The same for ARP. */
  readonly nfCallArptables?: boolean
}

/** The settings of a bridge's port (IFLA_BRPORT_* in linux/if_link.h). */
export interface BridgePortOptions {
  /** Whether a frame may leave by the port it came from. Default false. */
  readonly hairpin?: boolean
  /** Isolated ports do not reach each other. Default false. */
  readonly isolated?: boolean
  /** Whether source addresses are learnt. Default true. */
  readonly learning?: boolean
  /** Whether frames to addresses that are not known are sent out here. Default true. */
  readonly unicastFlood?: boolean
  readonly multicastFlood?: boolean
  readonly broadcastFlood?: boolean
  /** Answer ARP and neighbour discovery for the port's neighbours. Default false. */
  readonly neighbourSuppress?: boolean
  readonly proxyArp?: boolean
  /**
   * Answer ARP for the addresses behind this port that the bridge has as neighbours, instead of sending the question out here
   * (`proxyarp_wifi`). Other broadcasts pass. Default false.
   */
  readonly proxyArpForPort?: boolean
  /** BPDU guard. */
  readonly guard?: boolean
  /** Whether the port may not become the root port. */
  readonly rootBlock?: boolean
  readonly fastLeave?: boolean
  readonly multicastToUnicast?: boolean
  /**
   * Which frames to link-local addresses are passed on like any other: bit N for 01:80:c2:00:00:0N. All others the bridge hands to the
   * port's own interface, where no rule of a bridge sees them. Not bit 1, of pause frames. Default 0.
   */
  readonly groupForwardMask?: number
  /** How many multicast groups are remembered behind it (kernel 6.3; an older one passes over it); 0: any number. Default 0. */
  readonly multicastMaxGroups?: number
  /** Only authenticated source addresses pass (kernel 5.18). */
  readonly locked?: boolean
  /** Cost in the spanning tree, 1 to 65535. */
  readonly cost?: number
  /** Priority in the spanning tree, 0 to 63. */
  readonly priority?: number
}

/** A port's settings and what the bridge made of it. */
export interface BridgePort extends BridgePortOptions {
  readonly state?: keyof typeof PORT_STATES | number
}

type Booleans<T> = { readonly [K in keyof T as T[K] extends boolean | undefined ? K : never]-?: true }
type Numbers<T> = { readonly [K in keyof T as T[K] extends number | undefined ? K : never]-?: true }
type NumericKey<R> = { [K in keyof R]-?: R[K] extends number | undefined ? K : never }[keyof R]

/** Property to attribute; one table for both directions, complete by its type. */
const BRIDGE_SWITCHES = {
  stp: 'stpState',
  vlanFiltering: 'vlanFiltering',
  multicastSnooping: 'mcastSnooping',
  multicastQuerier: 'mcastQuerier',
  nfCallIptables: 'nfCallIptables',
  nfCallIp6tables: 'nfCallIp6tables',
  nfCallArptables: 'nfCallArptables',
} as const satisfies { [K in keyof Booleans<BridgeOptions>]: NumericKey<BridgeRecord> }

const BRIDGE_NUMBERS = {
  forwardDelay: 'forwardDelay',
  helloTime: 'helloTime',
  maxAge: 'maxAge',
  ageingTime: 'ageingTime',
  priority: 'priority',
  vlanDefaultPvid: 'vlanDefaultPvid',
  groupForwardMask: 'groupFwdMask',
  fdbMaxLearned: 'fdbMaxLearned',
} as const satisfies { [K in keyof Numbers<BridgeOptions>]: NumericKey<BridgeRecord> }

const PORT_SWITCHES = {
  hairpin: 'mode',
  isolated: 'isolated',
  learning: 'learning',
  unicastFlood: 'unicastFlood',
  multicastFlood: 'mcastFlood',
  broadcastFlood: 'bcastFlood',
  neighbourSuppress: 'neighSuppress',
  proxyArp: 'proxyarp',
  proxyArpForPort: 'proxyarpWifi',
  guard: 'guard',
  rootBlock: 'protect',
  fastLeave: 'fastLeave',
  multicastToUnicast: 'mcastToUcast',
  locked: 'locked',
} as const satisfies { [K in keyof Booleans<BridgePortOptions>]: NumericKey<BridgePortRecord> }

const PORT_NUMBERS = {
  groupForwardMask: 'groupFwdMask',
  multicastMaxGroups: 'mcastMaxGroups',
  cost: 'cost',
  priority: 'priority',
} as const satisfies { [K in keyof Numbers<BridgePortOptions>]: NumericKey<BridgePortRecord> }

/** The caller's properties by the kernel's attributes, for the paths of errors. */
export const BRIDGE_PROPERTIES: ReadonlyMap<string, string> = inverse({
  ...BRIDGE_SWITCHES,
  ...BRIDGE_NUMBERS,
})
export const PORT_PROPERTIES: ReadonlyMap<string, string> = inverse({ ...PORT_SWITCHES, ...PORT_NUMBERS })

const BRIDGE_NAMES = [...Object.keys(BRIDGE_SWITCHES), ...Object.keys(BRIDGE_NUMBERS)]
const PORT_NAMES = [...Object.keys(PORT_SWITCHES), ...Object.keys(PORT_NUMBERS)]

export function bridgeRecord(options: BridgeOptions, operation: string, path: string): BridgeRecord {
  checkObject(options, BRIDGE_NAMES, operation, path)
  return { ...writeSwitches(BRIDGE_SWITCHES, options), ...writeNumbers(BRIDGE_NUMBERS, options) }
}

export function readBridge(record: BridgeRecord): BridgeOptions {
  return compact<BridgeOptions>({
    ...readSwitches(BRIDGE_SWITCHES, record),
    ...readNumbers(BRIDGE_NUMBERS, record),
  })
}

export function bridgePortRecord(
  options: BridgePortOptions,
  operation: string,
  path: string,
): BridgePortRecord {
  checkObject(options, PORT_NAMES, operation, path)
  return { ...writeSwitches(PORT_SWITCHES, options), ...writeNumbers(PORT_NUMBERS, options) }
}

export function readBridgePort(record: BridgePortRecord): BridgePort {
  return compact<BridgePort>({
    ...readSwitches(PORT_SWITCHES, record),
    ...readNumbers(PORT_NUMBERS, record),
    state: record.state === undefined ? undefined : nameOf(PORT_STATES, record.state),
  })
}
