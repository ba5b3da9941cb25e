/** Cables between namespaces: veth pairs, with addresses and routes at both ends. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Namespace } from 'nfbridge'
import { applyInNamespace, Rtnl, type RtnlOperation } from 'nfbridge/rtnl'

/** For an interface that never comes up. */
const LIMIT_MS = 60_000

/** A route at one end of a cable; `default`, or a network such as `172.17.0.0/16`. */
export interface CableRoute {
  readonly destination: string
  readonly gateway: string
}

/** What is in a namespace: a machine. */
export interface Placed {
  readonly namespace: Namespace
}

/** One end of a cable. */
export interface CableEnd {
  /** A machine, or anything else that has a namespace. */
  readonly machine: Placed
  /** The interface's name, up to 15 bytes. */
  readonly interface: string
  /** One or several, with their prefix lengths: `203.0.113.1/24`. IPv6 addresses are usable at once. */
  readonly address?: string | readonly string[]
  readonly routes?: readonly CableRoute[]
}

/** A network between two machines, of the addresses for documentation (RFC 5737, RFC 3849). */
export interface DocumentedNetwork {
  /** Name of the interface at both ends. */
  readonly link: string
  readonly hostAddress: string
  readonly outsideAddress: string
  readonly prefixLength: number
  readonly hostAddress6: string
  readonly outsideAddress6: string
  readonly prefixLength6: number
}

/** The network between a host and the world outside (TEST-NET-3). */
export const outsideNetwork = {
  link: 'uplink',
  hostAddress: '203.0.113.1',
  outsideAddress: '203.0.113.2',
  prefixLength: 24,
  hostAddress6: '2001:db8:113::1',
  outsideAddress6: '2001:db8:113::2',
  prefixLength6: 64,
} as const satisfies DocumentedNetwork

/** A second one, to a machine that is no router (TEST-NET-2). */
export const sideNetwork = {
  link: 'side',
  hostAddress: '198.51.100.1',
  outsideAddress: '198.51.100.2',
  prefixLength: 24,
  hostAddress6: '2001:db8:198::1',
  outsideAddress6: '2001:db8:198::2',
  prefixLength6: 64,
} as const satisfies DocumentedNetwork

/** The network between two hosts (TEST-NET-1). */
export const hostsNetwork = {
  link: 'between',
  hostAddress: '192.0.2.1',
  outsideAddress: '192.0.2.2',
  prefixLength: 24,
  hostAddress6: '2001:db8:192::1',
  outsideAddress6: '2001:db8:192::2',
  prefixLength6: 64,
} as const satisfies DocumentedNetwork

/** Joins two namespaces by a veth pair; resolves when both ends carry packets. */
export async function connect(one: CableEnd, other: CableEnd): Promise<void> {
  const peer = { name: other.interface, netns: other.machine.namespace }
  await applyInNamespace(one.machine.namespace, [
    { kind: 'link', action: 'create', link: { kind: 'veth', name: one.interface, peer } },
  ])
  await Promise.all([configure(one), configure(other)])
  await Promise.all([one, other].map((end) => untilRunning(end.machine, end.interface)))
}

/**
 * Joins a host and an outside machine: the host is 203.0.113.1/24, the outside machine 203.0.113.2/24, both by a link
 * called `uplink`, and the host's default route leads outside.
 * @param outsideRoutes what the outside machine reaches through the host, such as `172.17.0.0/16`; nothing by default
 */
export function connectOutside(
  host: Placed,
  outside: Placed,
  outsideRoutes: readonly string[] = [],
): Promise<void> {
  const { link, hostAddress, outsideAddress, prefixLength } = outsideNetwork
  return connect(
    {
      machine: host,
      interface: link,
      address: `${hostAddress}/${prefixLength}`,
      routes: [{ destination: 'default', gateway: outsideAddress }],
    },
    {
      machine: outside,
      interface: link,
      address: `${outsideAddress}/${prefixLength}`,
      routes: outsideRoutes.map((destination) => ({ destination, gateway: hostAddress })),
    },
  )
}

/**
 * Joins two machines by one of the documented networks.
 * @param options.routes what each end reaches through the other: `default` (both families), or networks
 */
export function connectBy(
  { link, ...of }: DocumentedNetwork,
  host: Placed,
  other: Placed,
  options: {
    readonly ipv6?: boolean
    readonly hostRoutes?: readonly string[]
    readonly otherRoutes?: readonly string[]
  } = {},
): Promise<void> {
  const { ipv6 = false, hostRoutes = [], otherRoutes = [] } = options
  const end = (machine: Placed, address: string, address6: string): CableEnd => ({
    machine,
    interface: link,
    address: [`${address}/${of.prefixLength}`, ...(ipv6 ? [`${address6}/${of.prefixLength6}`] : [])],
  })
  const routes = (destinations: readonly string[], gateway: string, gateway6: string): CableRoute[] =>
    destinations.flatMap((destination) => [
      ...(destination.includes(':') ? [] : [{ destination, gateway }]),
      ...(ipv6 && (destination.includes(':') || destination === 'default')
        ? [{ destination, gateway: gateway6 }]
        : []),
    ])
  return connect(
    {
      ...end(host, of.hostAddress, of.hostAddress6),
      routes: routes(hostRoutes, of.outsideAddress, of.outsideAddress6),
    },
    {
      ...end(other, of.outsideAddress, of.outsideAddress6),
      routes: routes(otherRoutes, of.hostAddress, of.hostAddress6),
    },
  )
}

/** A route in a namespace that is wired already. */
export function addRoute({ namespace }: Placed, route: CableRoute): Promise<void> {
  return applyInNamespace(namespace, [{ kind: 'route', action: 'add', route }])
}

/** Another address on an interface of a namespace. */
export function addAddress({ namespace }: Placed, device: string, address: string): Promise<void> {
  return applyInNamespace(namespace, [addressOperation(device, address)])
}

/** A new namespace's loopback is down; without it a machine does not reach its own addresses. */
export function bringUpLoopback({ namespace }: Placed): Promise<void> {
  return applyInNamespace(namespace, [{ kind: 'link', action: 'change', link: { device: 'lo', up: true } }])
}

function configure({ machine, interface: device, address = [], routes = [] }: CableEnd): Promise<void> {
  return applyInNamespace(machine.namespace, [
    { kind: 'link', action: 'change', link: { device, up: true } },
    ...[address].flat().map((one) => addressOperation(device, one)),
    ...routes.map((route): RtnlOperation => ({ kind: 'route', action: 'add', route })),
  ])
}

/**
 * Waits until an interface carries packets. The kernel activates an interface that got its carrier a little later, in a work queue (net/core/link_watch.c); and
 * it listens for neighbours that ask for a new IPv6 address only when its local route is there (addrconf_dad_work). A packet
 * before that is lost without a word, and TCP tries again only after a second.
 */
export async function untilRunning({ namespace }: Placed, device: string): Promise<void> {
  const rtnl = await Rtnl.open({ netns: namespace })
  const running = async (): Promise<boolean> => {
    if ((await rtnl.links.get(device)).state !== 'up') return false
    const addresses = await rtnl.addresses.list({ device, family: 6 })
    if (addresses.length === 0) return true
    const routes = await rtnl.routes.list({ table: 'local', family: 6 })
    const local = new Set(routes.map(({ destination }) => String(destination.address)))
    return addresses.every(({ scope, address }) => scope !== 'universe' || local.has(String(address.address)))
  }
  try {
    const deadline = performance.now() + LIMIT_MS
    while (!(await running())) {
      if (performance.now() > deadline) throw new Error(`${device} is not ready after ${LIMIT_MS / 1000} s`)
      await sleep(1)
    }
  } finally {
    rtnl.close()
  }
}

function addressOperation(device: string, address: string): RtnlOperation {
  const ofFamily = address.includes(':') ? { address, duplicateDetection: false } : { address }
  return { kind: 'address', action: 'add', address: { device, ...ofFamily } }
}
