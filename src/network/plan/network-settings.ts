import { Cidr, IPv4Address } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { checkBoolean, checkInteger, checkObject, checkString } from '../../input.js'
// Not from the folder's index, which loads the addon: parsing and planning need none.
import { checkInterfaceName } from '../../rtnl/names.js'
import type { HostOptions, NetworkOptions } from '../options.js'
import { hostRange } from './address-pool.js'

/** {@link HostOptions}, checked and with their defaults. */
export interface HostSettings {
  readonly ipForward: boolean
  readonly firewall: boolean
  readonly state: string | undefined
}

/** {@link NetworkOptions}, checked; the pool may still be chosen. */
export interface NetworkSettings {
  readonly name: string
  readonly subnet: Cidr | undefined
  readonly gateway: IPv4Address | undefined
  readonly icc: boolean
  readonly mtu: number | undefined
}

const OPEN = 'BridgeHost.open'
const CREATE = 'BridgeHost.createNetwork'

export function parseHostOptions(options: HostOptions): HostSettings {
  checkObject(options, ['netns', 'ipForward', 'firewall', 'state'], OPEN, '')
  const state = options.state === undefined ? undefined : checkString(options.state, OPEN, 'state')
  if (state === '') {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation: OPEN,
      message: 'the state directory has an empty path',
      path: 'state',
    })
  }
  return {
    ipForward: options.ipForward === undefined || checkBoolean(options.ipForward, OPEN, 'ipForward'),
    firewall: options.firewall === undefined || checkBoolean(options.firewall, OPEN, 'firewall'),
    state,
  }
}

export function parseNetworkOptions(options: NetworkOptions, host: HostSettings): NetworkSettings {
  checkObject(options, ['name', 'subnet', 'gateway', 'icc', 'mtu'], CREATE, '')
  const name = checkInterfaceName(checkString(options.name, CREATE, 'name'), CREATE, 'name')
  if (name === 'all' || name === 'default') {
    throw refuse('NFB_INVALID_NAME', `"${name}" stands for every interface below net.ipv4.conf`, 'name')
  }
  const icc = options.icc === undefined || checkBoolean(options.icc, CREATE, 'icc')
  if (!icc && !host.firewall) {
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation: CREATE,
      message: 'icc: false needs rules, and firewall: false makes none; open the host with firewall: true',
      path: 'icc',
    })
  }
  const subnet =
    options.subnet === undefined ? undefined : parseSubnet(checkString(options.subnet, CREATE, 'subnet'))
  return { name, subnet, gateway: parseGateway(options.gateway, subnet), icc, mtu: parseMtu(options.mtu) }
}

function parseSubnet(text: string): Cidr {
  const subnet = Cidr.parse(text, 'subnet')
  if (subnet.family !== 4) throw refuse('NFB_INVALID_ADDRESS', `${subnet} is IPv6; pools are IPv4`, 'subnet')
  if (subnet.prefixLength < 8 || subnet.prefixLength > 31) {
    throw refuse('NFB_INVALID_ADDRESS', `${subnet}: a pool has a prefix of 8 to 31 bits`, 'subnet')
  }
  const special = NO_POOLS.map((text) => Cidr.parse(text)).find((reserved) => reserved.overlaps(subnet))
  if (special)
    throw refuse('NFB_INVALID_ADDRESS', `${subnet}: addresses of ${special} are not for hosts`, 'subnet')
  return subnet
}

/** "This network", loopback, multicast and reserved (RFC 6890). */
const NO_POOLS = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4']

function parseGateway(text: string | undefined, subnet: Cidr | undefined): IPv4Address | undefined {
  if (text === undefined) return undefined
  const gateway = IPv4Address.parse(checkString(text, CREATE, 'gateway'), 'gateway')
  if (subnet === undefined) {
    throw refuse('NFB_INVALID_ARGUMENT', 'a gateway is given without its subnet', 'gateway')
  }
  const [first, last] = hostRange(subnet)
  if (gateway.value >= first && gateway.value <= last) return gateway
  throw refuse(
    'NFB_ADDRESS_OUTSIDE_POOL',
    `${gateway} is no address for an interface in ${subnet}`,
    'gateway',
  )
}

function parseMtu(mtu: number | undefined): number | undefined {
  return mtu === undefined ? undefined : checkInteger(mtu, [576, 65_535], CREATE, 'mtu')
}

function refuse(
  code: 'NFB_INVALID_ADDRESS' | 'NFB_INVALID_ARGUMENT' | 'NFB_INVALID_NAME' | 'NFB_ADDRESS_OUTSIDE_POOL',
  message: string,
  path: string,
): NfbridgeError {
  return new NfbridgeError({ code, operation: CREATE, message, path })
}
