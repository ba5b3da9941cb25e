import { Cidr, IPv4Address, IPv6Address, MacAddress, parseAddress } from '../../../src/address/index.js'
import type { HostOptions, NetworkOptions } from '../../../src/network/options.js'
import { type HostFacts, planNetwork } from '../../../src/network/plan/network.js'
import { parseHostOptions, parseNetworkOptions } from '../../../src/network/plan/network-settings.js'
import type {
  ContainerRecord,
  EndpointRecord,
  NetworkRecord,
  PeerRecord,
} from '../../../src/network/plan/records.js'
import { type NetworkView, withChange } from '../../../src/network/plan/view.js'
import type { Route } from '../../../src/rtnl/index.js'

const EMPTY: NetworkView = {
  network: () => undefined,
  container: () => undefined,
  peer: () => undefined,
  networks: [],
  containers: [],
  peers: [],
  policy: { drop: [], acceptDirect: false, userRules: false },
}

/** A view of what is given, without a registry and its indexes. */
export function viewOf(
  networks: readonly NetworkRecord[],
  peers: readonly PeerRecord[] = [],
  containers: readonly ContainerRecord[] = [],
): NetworkView {
  return withChange(EMPTY, {
    networks: new Map(networks.map((each) => [each.name, each])),
    peers: new Map(peers.map((each) => [each.subnet.toString(), each])),
    containers: new Map(containers.map((each) => [each.id, each])),
  })
}

/** A host whose table `main` has routes to these destinations, by an interface of this MTU. */
export function hostFacts(destinations: readonly string[] = [], mtu: number | undefined = 1500): HostFacts {
  const routes = destinations.map((each) => hostRoute(each))
  const outgoing = mtu === undefined ? {} : { 4: hostRoute('0.0.0.0/0'), 6: hostRoute('::/0') }
  const linkMtus = new Map(mtu === undefined ? [] : [[UPLINK, mtu]])
  return {
    routing: { rules: [], routes, addresses: [] },
    out: {
      routes: outgoing,
      strangers: { 4: parseAddress('198.51.100.77'), 6: parseAddress('2001:db8:77::77') },
      linkMtus: { 4: linkMtus, 6: linkMtus },
    },
    bridgeAddresses: [],
  }
}

const UPLINK = 2

/** A route as the kernel tells of it. */
export function hostRoute(destination: string, more: Partial<Route> = {}): Route {
  const network = Cidr.parse(destination)
  return {
    family: network.family,
    destination: network,
    table: 'main',
    scope: 'universe',
    type: 'unicast',
    protocol: 'static',
    onlink: false,
    device: UPLINK,
    record: {},
    ...more,
  }
}

/** A host with nothing but a network card of the usual MTU. */
export const BARE: HostFacts = hostFacts()

/** Parses and plans a network. */
export function plan(
  options: NetworkOptions,
  view: NetworkView = viewOf([]),
  facts: HostFacts = BARE,
  host: HostOptions = {},
): NetworkRecord {
  return planNetwork(view, parseNetworkOptions(options, parseHostOptions(host)), facts)
}

/** The pools of a network in words: `docker0 172.17.0.0/16 172.17.0.1`. */
export function poolTexts({ pools }: NetworkRecord): string[] {
  return pools.map(({ bridge, subnet, gateway }) => `${bridge} ${subnet} ${gateway ?? 'none'}`)
}

export function peer(subnet: string, via: string): PeerRecord {
  return { subnet: Cidr.parse(subnet), via: parseAddress(via), device: undefined }
}

/** A container with endpoints on networks and links to servers, by id. */
export function container(
  id: string,
  networks: readonly string[],
  servers: readonly string[] = [],
): ContainerRecord {
  return {
    id,
    name: id,
    hostname: id,
    state: 'running',
    netns: undefined,
    endpoints: networks.map((network, index) => endpoint(network, index)),
    exposed: [],
    published: [],
    links: servers.map((server) => ({ server, alias: server })),
    domainname: undefined,
    addHosts: [],
    hostsFile: undefined,
  }
}

function endpoint(network: string, index: number): EndpointRecord {
  return {
    network,
    bridge: network,
    ipv4: IPv4Address.parse('172.17.0.2'),
    ipv6: IPv6Address.parse('fd00::2'),
    fixed: { ipv4: false, ipv6: false, mac: false },
    mac: MacAddress.parse('02:42:ac:11:00:02'),
    hostInterface: `veth${index}`,
    interfaceName: `eth${index}`,
    index: index + 1,
    hostIndex: 65_536 + 2 * index,
    aliases: [],
    priority: 0,
    metric: index,
    ingress: undefined,
    egress: undefined,
    allowForgedSource: false,
  }
}
