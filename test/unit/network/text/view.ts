/** Hosts as planning sees them, made by hand: what `inspect` and `toText` are tested with. */

import {
  Cidr,
  type IPAddress,
  IPv4Address,
  IPv6Address,
  MacAddress,
  parseAddress,
} from '../../../../src/address/index.js'
import { rangeOf } from '../../../../src/network/plan/address-range.js'
import type {
  ContainerRecord,
  EndpointRecord,
  FamilyRecord,
  HostPolicyRecord,
  NetworkRecord,
  PeerRecord,
  PoolRecord,
} from '../../../../src/network/plan/records.js'
import type { NetworkView } from '../../../../src/network/plan/view.js'

const nat: FamilyRecord = { mode: 'nat', masquerade: true, snat: undefined, except: [] }

export function pool(subnet: string, bridge: string, gateway?: string): PoolRecord {
  const cidr = Cidr.parse(subnet)
  return {
    bridge,
    subnet: cidr,
    gateway: gateway === undefined ? undefined : parseAddress(gateway),
    range: rangeOf(cidr),
    exclude: [],
    names: {},
  }
}

export function network(
  name: string,
  pools: readonly PoolRecord[],
  more: Partial<NetworkRecord> = {},
): NetworkRecord {
  return {
    name,
    bridges: [name],
    pools,
    ipv4: nat,
    ipv6: nat,
    icc: true,
    internal: false,
    isolation: 'default',
    trustedInterfaces: [],
    allowDirectRouting: false,
    hostBinding: undefined,
    helpers: [],
    linkMode: 'stateful',
    tracking: false,
    mtu: undefined,
    adopted: false,
    group: 1,
    ...more,
  }
}

export const family = (more: Partial<FamilyRecord>): FamilyRecord => ({ ...nat, ...more })

/** An endpoint by its addresses: `endpoint('docker0', '172.17.0.2', 'fd00::2')`. */
export function endpoint(on: string, ...addresses: readonly string[]): EndpointRecord {
  const parsed: IPAddress[] = addresses.map((address) => parseAddress(address))
  return {
    network: on,
    bridge: on,
    ipv4: parsed.find((address) => address instanceof IPv4Address),
    ipv6: parsed.find((address) => address instanceof IPv6Address),
    fixed: { ipv4: false, ipv6: false, mac: false },
    mac: MacAddress.parse('02:42:ac:11:00:02'),
    hostInterface: 'veth0123456789a',
    interfaceName: 'eth0',
    index: 7,
    hostIndex: 70_000,
    aliases: [],
    priority: 0,
    metric: 64_000,
    ingress: undefined,
    egress: undefined,
    allowForgedSource: false,
  }
}

export function container(
  name: string,
  endpoints: readonly EndpointRecord[],
  more: Partial<ContainerRecord> = {},
): ContainerRecord {
  const id = Buffer.from(name.padEnd(6, '.')).toString('hex').padEnd(64, '0')
  return {
    id,
    name,
    hostname: id.slice(0, 12),
    state: 'running',
    netns: undefined,
    endpoints,
    exposed: [],
    published: [],
    links: [],
    domainname: undefined,
    addHosts: [],
    hostsFile: undefined,
    ...more,
  }
}

export function view(parts: {
  readonly networks?: readonly NetworkRecord[]
  readonly containers?: readonly ContainerRecord[]
  readonly peers?: readonly PeerRecord[]
  readonly policy?: HostPolicyRecord
}): NetworkView {
  const {
    networks = [],
    containers = [],
    peers = [],
    policy = { drop: [], acceptDirect: false, userRules: false },
  } = parts
  return {
    networks,
    containers,
    peers,
    policy,
    network: (name) => networks.find((each) => each.name === name),
    container: (id) => containers.find((each) => each.id === id),
    peer: (subnet) => peers.find((each) => each.subnet.toString() === subnet),
  }
}
