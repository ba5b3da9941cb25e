/** The host's tables, which nothing that is sent may change: what is not as it was, is told in lines. */
import type { Conntrack } from 'nfbridge/conntrack'
import { Rtnl } from 'nfbridge/rtnl'
import { isForMany, isOfNetwork } from './allowed.js'
import { FIXED_ADDRESSES } from './roles.js'
import type { World } from './world.js'

/** Lines that tell of one state; of two states of one world, those that differ are what changed. */
export type Tables = ReadonlySet<string>

/** Of an interface, what router advertisements and redirects write, and what makes it heed them. */
const SETTINGS = {
  ipv4: ['forwarding', 'accept_redirects', 'accept_source_route', 'rp_filter', 'route_localnet'],
  ipv6: ['forwarding', 'accept_ra', 'accept_redirects', 'hop_limit', 'mtu', 'disable_ipv6'],
} as const

export async function readTables(world: World): Promise<Tables> {
  const rtnl = await Rtnl.open({ netns: world.host })
  const lines: string[] = []
  const device = (index: number | undefined): string =>
    world.devices.get(index ?? 0)?.name ?? `interface ${index}`
  try {
    for (const { device: index, address, mac, state, proxy } of await rtnl.neighbours.list()) {
      // Groups have an entry without a question, and who was asked for in vain one without a MAC.
      if (state === 'noarp' || mac === undefined) continue
      if (state === 'permanent') lines.push(`permanent neighbour ${address} ${mac} on ${device(index)}`)
      const line = `neighbour ${address} ${mac} on ${device(index)}${proxy ? ' (proxy)' : ''}`
      if (!mayBeNeighbour(world, device(index), String(address), String(mac))) lines.push(line)
    }
    for (const { device: index, mac, state } of await rtnl.fdb.list())
      lines.push(`forwarding ${mac} on ${device(index)}, ${state}`)
    for (const { device: index, address } of await rtnl.addresses.list())
      lines.push(`address ${address} on ${device(index)}`)
    for (const { destination, gateway, device: index, table } of await rtnl.routes.list())
      lines.push(`route ${destination} via ${gateway} on ${device(index)} in ${table}`)
    for (const [name, addresses] of Object.entries(FIXED_ADDRESSES))
      for (const destination of name === 'mapped' ? [] : addresses) {
        const way = await rtnl.routes.lookup({ destination })
        lines.push(
          `way to ${destination} ${way.reachable ? `via ${way.gateway} on ${device(way.device)}` : way.reason}`,
        )
      }
  } finally {
    rtnl.close()
  }
  return new Set([...lines, ...(await settings(world))])
}

/** A neighbour of a link tells itself where it is; on a bridge each has the MAC that it was given. */
function mayBeNeighbour({ stations }: World, device: string, address: string, mac: string): boolean {
  return [...stations.values()].some(
    ({ hostDevice, on, ipv4, ipv6, linkLocal, ...station }) =>
      hostDevice === device &&
      (on === undefined || (station.mac === mac && [ipv4, ipv6, linkLocal].includes(address))),
  )
}

async function settings({ host, devices }: World): Promise<string[]> {
  const names = ['all', 'default', ...[...devices.values()].map(({ name }) => name)]
  const lines: Promise<string>[] = []
  for (const name of names)
    for (const family of ['ipv4', 'ipv6'] as const)
      for (const setting of SETTINGS[family]) {
        const key = `net.${family}.conf.${name}.${setting}`
        lines.push(
          host.readSysctl(key).then(
            (value) => `${key} ${value}`,
            () => `${key} missing`,
          ),
        )
      }
  return Promise.all(lines)
}

/** Connections that nobody may have, while only containers send: begun by who is named in them, and with whom that one may not speak. */
export async function wrongConnections(world: World, connections: Conntrack): Promise<string[]> {
  const stations = new Map(
    [...world.stations.values()].flatMap((station) =>
      [station.ipv4, station.ipv6, station.linkLocal].map((address) => [address, station] as const),
    ),
  )
  const ofHost = new Set([
    ...[...world.devices.values()].flatMap(({ addresses }) => addresses),
    // The host itself tells which groups it is in.
    '0.0.0.0',
    '::',
  ])
  const found = (await connections.list()).flatMap(({ original, protocol }) => {
    const [source, destination] = [String(original.source), String(original.destination)]
    const from = stations.get(source)
    if (from === undefined) return ofHost.has(source) ? [] : [`connection of ${protocol} from ${source}`]
    if (from.on === undefined || from.on.kind.wayOut) return []
    const isNear =
      destination.startsWith('fe80:') ||
      isForMany(destination) ||
      isOfNetwork(from, destination) ||
      ofHost.has(destination)
    return isNear
      ? []
      : [`connection of ${protocol} from a container of ${from.on.kind.name} to ${destination}`]
  })
  return [...new Set(found)]
}

export function changes(before: Tables, after: Tables): string[] {
  return [
    ...[...after].filter((line) => !before.has(line)).map((line) => `new: ${line}`),
    ...[...before].filter((line) => !after.has(line)).map((line) => `gone: ${line}`),
  ]
}
