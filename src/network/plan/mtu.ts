import type { IPAddress } from '../../address/index.js'
import type { Route } from '../../rtnl/route.js'
import type { Refuse } from './claims.js'
import { type HostRouting, ownWayOut } from './host-routing.js'
import type { Family, NetworkRecord, PoolRecord } from './records.js'

/** How packets leave the host. */
export interface WaysOut {
  /** The route that the kernel takes to somebody outside, with all of its nexthops; none where nobody is reached. */
  readonly routes: Readonly<Partial<Record<Family, Route>>>
  /** Who that is. */
  readonly strangers: Readonly<Record<Family, IPAddress>>
  /** MTU of each interface by its index, in each family: that of IPv6 may be smaller (RFC 4861, 4.6.4). */
  readonly linkMtus: Readonly<Record<Family, ReadonlyMap<number, number>>>
}

/** What an interface has unless it is told otherwise. */
const ETHERNET_MTU = 1500

export const LARGEST_MTU = 65_535

/** In bytes: what every host takes at least, 576 with IPv4 (RFC 791, 3.1), and what every link must carry with IPv6 (RFC 8200, 5). */
export function smallestMtu(families: readonly Family[]): number {
  return families.includes(6) ? 1280 : 576
}

/**
 * The MTU of an interface in a container, as it was asked for. The host's end keeps that of the bridge, which takes the least of its
 * ports' for its own.
 */
export function endpointMtu(
  mtu: number | undefined,
  network: Pick<NetworkRecord, 'name' | 'mtu'>,
  families: readonly Family[],
  refuse: Refuse,
): { readonly mtu?: number } {
  if (mtu === undefined) return {}
  const most = network.mtu ?? ETHERNET_MTU
  if (mtu > most) {
    throw refuse(
      'NFB_SETTING_CONFLICT',
      `the MTU of ${network.name} is ${most}: nothing larger passes its bridge`,
      'mtu',
    )
  }
  if (mtu < smallestMtu(families)) {
    const message = `${network.name} has IPv6 addresses, and with less than ${smallestMtu(families)} there is no IPv6`
    throw refuse('NFB_SETTING_CONFLICT', message, 'mtu')
  }
  return { mtu }
}

/**
 * The MTU of the way out of a network's pools, so that nothing is fragmented there: the smallest of all families and nexthops;
 * undefined where it is what interfaces have anyway, or where there is no way out.
 */
export function defaultMtu(
  pools: readonly Pick<PoolRecord, 'subnet'>[],
  routing: HostRouting,
  out: WaysOut,
): number | undefined {
  const families = [...new Set(pools.map(({ subnet }) => subnet.family))]
  const mtus = pools.flatMap(({ subnet }) => {
    const { family } = subnet
    const route = ownWayOut(routing, subnet, out.strangers[family]) ?? out.routes[family]
    return route ? routeMtus(route, out.linkMtus[family]) : []
  })
  if (mtus.length === 0) return undefined
  const mtu = Math.min(Math.max(Math.min(...mtus), smallestMtu(families)), LARGEST_MTU)
  return mtu === ETHERNET_MTU ? undefined : mtu
}

/** That of the route itself, where it has one, or those of the interfaces that it leads to. */
function routeMtus({ mtu, device, nexthops }: Route, linkMtus: ReadonlyMap<number, number>): number[] {
  if (mtu !== undefined && mtu > 0) return [mtu]
  const devices = nexthops ? nexthops.map((each) => each.device) : device === undefined ? [] : [device]
  return devices.flatMap((each) => linkMtus.get(each) ?? [])
}
