import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import type { Link, Route } from '../../rtnl/index.js'
import type { WaysOut } from '../plan/mtu.js'
import type { HostFacts } from '../plan/network.js'
import type { Family } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { HostKernel } from './host-kernel.js'

/**
 * What planning a network must know of the host: where its packets go now, by rules and routes and by its own addresses.
 * @param adopted a bridge that is to be used: what leads to it is no obstacle
 */
export async function readFacts(
  kernel: HostKernel,
  { networks, peers }: NetworkView,
  adopted: string | undefined,
): Promise<HostFacts> {
  const [links, routes, rules, addresses, others] = await Promise.all([
    kernel.listLinks(),
    kernel.listRoutes(),
    kernel.listRoutingRules(),
    kernel.listAddresses(),
    kernel.otherHosts(),
  ])
  const ours = new Set([...networks].flatMap(({ bridges }) => bridges))
  if (adopted !== undefined) ours.add(adopted)
  const bridge = links.find(({ name }) => name === adopted)?.index
  const devices = new Set(links.flatMap(({ name, index }) => (ours.has(name) ? [index] : [])))
  const peerSubnets = new Set([...peers].map(({ subnet }) => subnet.toString()))
  const isOurs = ({ device, destination, table }: Route): boolean =>
    (device !== undefined && devices.has(device)) ||
    (table === 'main' && peerSubnets.has(destination.toString()))
  return {
    routing: {
      rules,
      routes: routes.filter((route) => !isOurs(route)),
      addresses: [
        ...addresses
          .filter(({ device }) => !devices.has(device))
          .map(({ address }) => Cidr.of(address.network, address.prefixLength)),
        // To bridges without an address there is no route.
        ...others.flatMap(({ pools }) => pools),
      ],
    },
    out: await readWaysOut(kernel, links, routes),
    bridgeAddresses: addresses.flatMap(({ device, scope, address }) =>
      device === bridge && scope === 'universe' ? [address] : [],
    ),
    bridgeMtu: links.find(({ index }) => index === bridge)?.mtu,
  }
}

/** Addresses for documentation and measurements (RFC 5737, RFC 2544, RFC 3849, RFC 9637, RFC 5180): they are asked about, not spoken to. */
const STRANGERS = {
  4: ['198.51.100.77', '203.0.113.77', '192.0.2.77', '198.18.77.77'],
  6: ['2001:db8:77::77', '3fff:77::77', '2001:2::77'],
} as const

/** As long as the prefix of what a route names is: shorter ones are default routes in other words. */
const NAMING = { 4: 8, 6: 4 } as const

/** What the kernel decides about packets to somebody outside: its rules, metrics and nexthops are all in that. */
async function readWaysOut(
  kernel: HostKernel,
  links: readonly Link[],
  routes: readonly Route[],
): Promise<WaysOut> {
  const ways: Partial<Record<Family, Route>> = {}
  const strangers = { 4: stranger(4, routes), 6: stranger(6, routes) } as const
  const mtus = new Map(links.map(({ index, mtu }) => [index, mtu]))
  const mtus6 = new Map(mtus)
  for (const family of [4, 6] as const) {
    if (family === 6 && !(await kernel.hasIPv6())) continue
    const decision = await kernel.lookupRoute({ destination: strangers[family], wholeRoute: true })
    if (!decision.reachable) continue
    ways[family] = decision.route
    if (family === 4) continue
    // What a router advertised, or somebody set.
    for (const { name, index } of links) {
      const { device, nexthops } = decision.route
      if (device !== index && !nexthops?.some((each) => each.device === index)) continue
      const own = await kernel.readSysctlIfThere(`net/ipv6/conf/${name}/mtu`)
      if (own !== undefined) mtus6.set(index, Number(own))
    }
  }
  return { routes: ways, strangers, linkMtus: { 4: mtus, 6: mtus6 } }
}

/** Somebody whom no route names, if there is one: what he gets goes the way of what goes anywhere. */
function stranger(family: Family, routes: readonly Route[]): IPAddress {
  const candidates = STRANGERS[family].map((text) => parseAddress(text))
  const isNamed = (address: IPAddress): boolean =>
    routes.some(
      ({ destination }) => destination.prefixLength >= NAMING[family] && destination.contains(address),
    )
  return candidates.find((each) => !isNamed(each)) ?? parseAddress(STRANGERS[family][0])
}
