/** What the names in frames stand for: one station's view of the world. */
import { addressBytes } from '../lab/raw-socket.js'
import { outsideNetwork, sideNetwork } from '../lab/wiring.js'
import { macBytes } from './bytes.js'
import type { Names } from './encode.js'
import type { Station, World } from './world.js'

/** MACs that are nobody's or everybody's. */
export const FIXED_MACS: Readonly<Record<string, string>> = {
  zero: '00:00:00:00:00:00',
  unknown: '02:00:00:00:00:99',
  broadcast: 'ff:ff:ff:ff:ff:ff',
  'all-nodes': '33:33:00:00:00:01',
  'ipv4-group': '01:00:5e:00:00:01',
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [
      `group-0${index.toString(16)}`,
      `01:80:c2:00:00:0${index.toString(16)}`,
    ]),
  ),
}

/** Addresses by family: IPv4, IPv6. */
export const FIXED_ADDRESSES: Readonly<Record<string, readonly [string, string]>> = {
  uplink: [outsideNetwork.hostAddress, outsideNetwork.hostAddress6],
  'side-link': [sideNetwork.hostAddress, sideNetwork.hostAddress6],
  loopback: ['127.0.0.1', '::1'],
  any: ['0.0.0.0', '::'],
  all: ['255.255.255.255', 'ff02::1'],
  routers: ['224.0.0.2', 'ff02::2'],
  group: ['224.0.0.251', 'ff02::fb'],
  reserved: ['240.0.0.1', '3fff::1'],
  mapped: ['0.0.0.1', '::ffff:cb00:7101'],
  peer: ['172.31.0.5', 'fd00:31::5'],
  public: ['192.88.99.77', '2600::1'],
  prefix: ['198.18.0.0', '2001:db8:bad::'],
}

/** Addresses and MACs that depend on who sends. */
export const OWN_ROLES = ['own', 'link-local', 'bridge', 'bridge-link-local', 'unused', 'subnet-all'] as const
export const OWN_MACS = ['own', 'bridge', 'port'] as const

export function namesOf(world: World, sender: Station): Names {
  // Who is beyond the host has no neighbours of its own there: it means those of the first network.
  const near = sender.on ?? [...world.stations.values()][0]?.on
  const station = (role: string): Station | undefined =>
    world.stations.get(role) ?? world.stations.get(`${role}@${near?.kind.name}`)
  const mac = (role: string): string => {
    switch (role) {
      case 'own':
        return sender.mac
      case 'bridge':
        return sender.hostMac
      case 'port':
        return sender.on?.portMac ?? sender.hostMac
      default:
        return FIXED_MACS[role] ?? station(role)?.mac ?? missing(role)
    }
  }
  const address = (role: string, family: 4 | 6): string => {
    const fixed = FIXED_ADDRESSES[role]
    if (fixed) return fixed[family === 4 ? 0 : 1]
    switch (role) {
      case 'own':
        return family === 4 ? sender.ipv4 : sender.ipv6
      case 'link-local':
        return family === 4 ? '169.254.0.9' : sender.linkLocal
      case 'unused':
        return sameNetwork(sender, family, 200)
      case 'subnet-all':
        return family === 4 ? sameNetwork(sender, 4, 255) : 'ff02::1'
      case 'bridge':
        return hostAddress(world, sender, family)
      case 'bridge-link-local':
        return family === 4
          ? hostAddress(world, sender, 4)
          : (world.device(sender.hostDevice).addresses.find((one) => one.startsWith('fe80:')) ?? 'fe80::1')
    }
    const [who = '', at] = role.split('@')
    const other = who === 'bridge' ? world.stations.get(`evil@${at}`) : station(role)
    if (!other) return missing(role)
    if (who === 'bridge') return hostAddress(world, other, family)
    return family === 4 ? other.ipv4 : other.ipv6
  }
  return {
    mac: (role) => macBytes(mac(role)),
    address: (role, family) => [...addressBytes(address(role, family))],
  }
}

function missing(role: string): never {
  throw new Error(`nobody is called ${role}`)
}

/** Of the interface of the host that the station's frames come in by; where it has none, the first of the subnet. */
function hostAddress(world: World, { hostDevice, ...station }: Station, family: 4 | 6): string {
  const { addresses } = world.device(hostDevice)
  const found = addresses.find((one) => one.includes(':') === (family === 6) && !one.startsWith('fe80:'))
  return found ?? sameNetwork(station, family, 1)
}

function sameNetwork({ ipv4, ipv6 }: Pick<Station, 'ipv4' | 'ipv6'>, family: 4 | 6, last: number): string {
  return family === 4 ? ipv4.replace(/\d+$/, String(last)) : ipv6.replace(/[0-9a-f]*$/, last.toString(16))
}
