import { Cidr, IPv4Address } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { hostRange } from './address-pool.js'
import type { NetworkSettings } from './network-settings.js'
import type { NetworkRecord } from './records.js'
import type { Registry } from './registry.js'

/** The network that containers get when none is named, as Docker has it. */
export const DEFAULT_NETWORK = { name: 'docker0', subnet: '172.17.0.0/16' } as const

/** Docker's default address pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on. */
function* defaultSubnets(): Generator<Cidr> {
  for (let second = 17; second <= 31; second += 1) yield Cidr.parse(`172.${second}.0.0/16`)
  for (let third = 0; third < 256; third += 16) yield Cidr.parse(`192.168.${third}.0/20`)
}

/** Interface groups of our containers' host ends start here: far from what people number by hand. */
const FIRST_GROUP = 0x6e660000

/**
 * Chooses what was left open (pool, gateway, group) and refuses what collides with another network, or with one that an
 * interface of the host is in: it would lose its way there.
 */
export function planNetwork(
  registry: Registry,
  settings: NetworkSettings,
  occupied: readonly Cidr[],
): NetworkRecord {
  const refuse = (
    code: 'NFB_NAME_TAKEN' | 'NFB_POOL_OVERLAP' | 'NFB_POOL_FULL',
    message: string,
    path: string,
  ) => new NfbridgeError({ code, operation: 'BridgeHost.createNetwork', message, path })
  const networks = [...registry.networks]
  if (registry.network(settings.name)) {
    throw refuse('NFB_NAME_TAKEN', `there is a network "${settings.name}" already`, 'name')
  }
  /** Who has a part of a pool, in words. */
  const holder = (subnet: Cidr): string | undefined => {
    const network = networks.find((each) => each.subnet.overlaps(subnet))
    if (network) return `${network.subnet} of ${network.name}`
    const taken = occupied.find((each) => each.overlaps(subnet))
    return taken && `${taken}, in which the host has an address`
  }
  const other = settings.subnet && holder(settings.subnet)
  if (other) throw refuse('NFB_POOL_OVERLAP', `${settings.subnet} overlaps ${other}`, 'subnet')
  const subnet = settings.subnet ?? [...defaultSubnets()].find((candidate) => !holder(candidate))
  if (!subnet) throw refuse('NFB_POOL_FULL', 'every default pool is in use; give a subnet', 'subnet')
  const groups = new Set(networks.map(({ group }) => group))
  let group = FIRST_GROUP
  while (groups.has(group)) group += 1
  const { name, icc, mtu } = settings
  return { name, subnet, gateway: settings.gateway ?? firstAddress(subnet), icc, mtu, group }
}

function firstAddress(subnet: Cidr): IPv4Address {
  return IPv4Address.fromNumber(hostRange(subnet)[0])
}
