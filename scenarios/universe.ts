/** Every pair of machines of a stage, with every address, port and family: what there is to probe. */
import { hostsNetwork, outsideNetwork, sideNetwork } from '../lab/wiring.js'
import { containerEndpoints, networkGateways } from './facts.js'
import type { Family, TargetName } from './matrix.js'
import { defaultPorts, ownHostPorts } from './scenario.js'
import type { HostMachine, HostName, World } from './world.js'

/** A machine that probes and is probed. */
export interface Party {
  readonly name: string
  readonly kind: 'container' | 'host' | 'outside'
  /** The machine that it is on, for a container; itself for a host. */
  readonly host: HostMachine | undefined
  /** Whose container it is, where several hosts share the machine. */
  readonly place: HostName | undefined
  readonly addresses: readonly PartyAddress[]
}

export interface PartyAddress {
  readonly address: string
  readonly family: Family
  /** Name of the network, `uplink`, `side`, `between` or `lo`. */
  readonly at: string
  /** Whether it is a bridge's. */
  readonly isGateway?: boolean
}

/** An attempt to be made. */
export interface Attempt {
  readonly from: Party
  readonly target: TargetName
  readonly family: Family
  /** `80/tcp` or `icmp`. */
  readonly port: string
  readonly sourcePort?: number
}

function familyOfAddress(address: string): Family {
  return address.includes(':') ? 6 : 4
}

/** All machines that have a place at the moment: containers that run, hosts, and who is outside. */
export function parties(world: World): Party[] {
  const { scenario, ipv6 } = world
  const both = (at: string, address: string, address6: string): PartyAddress[] => [
    { address, family: 4, at },
    ...(ipv6 ? [{ address: address6, family: 6 as const, at }] : []),
  ]
  const found: Party[] = []
  for (const { name, at, bridgeHost, setup } of world.hosts.values()) {
    for (const container of Object.keys(setup.containers ?? {})) {
      const addresses = containerEndpoints(bridgeHost, container).flatMap(({ network, addresses: own }) =>
        own.map((address): PartyAddress => ({ address, family: familyOfAddress(address), at: network })),
      )
      if (addresses.length > 0)
        found.push({ name: container, kind: 'container', host: at, place: name, addresses })
    }
    if (name === 'beside') continue
    const gateways = [...world.hosts.values()]
      .filter((each) => each.at === at)
      .flatMap((each) => networkGateways(each.bridgeHost))
      .map(
        ({ network, address }): PartyAddress => ({
          address,
          family: familyOfAddress(address),
          at: network,
          isGateway: true,
        }),
      )
    const own =
      name === 'host'
        ? [
            ...both(outsideNetwork.link, outsideNetwork.hostAddress, outsideNetwork.hostAddress6),
            ...(setup.addresses ?? []).map((text): PartyAddress => {
              const [address = ''] = text.split('/')
              return { address, family: familyOfAddress(address), at: address }
            }),
            ...(scenario.side
              ? both(sideNetwork.link, sideNetwork.hostAddress, sideNetwork.hostAddress6)
              : []),
            ...(scenario.second
              ? both(hostsNetwork.link, hostsNetwork.hostAddress, hostsNetwork.hostAddress6)
              : []),
          ]
        : both(hostsNetwork.link, hostsNetwork.outsideAddress, hostsNetwork.outsideAddress6)
    found.push({ name, kind: 'host', host: name, place: name, addresses: [...own, ...gateways] })
  }
  const { link, outsideAddress, outsideAddress6 } = outsideNetwork
  found.push({
    name: 'outside',
    kind: 'outside',
    host: undefined,
    place: undefined,
    addresses: both(link, outsideAddress, outsideAddress6),
  })
  if (scenario.side) {
    const { link: at, outsideAddress: address, outsideAddress6: address6 } = sideNetwork
    found.push({
      name: 'side',
      kind: 'outside',
      host: undefined,
      place: undefined,
      addresses: both(at, address, address6),
    })
  }
  return found
}

/** Everything that can be probed; nobody probes itself, unless by a port of the host. */
export function attempts(world: World, all: readonly Party[]): Attempt[] {
  const { scenario } = world
  const ports = scenario.ports ?? defaultPorts
  const published = scenario.hostPorts ?? []
  const found: Attempt[] = []
  const add = (
    from: Party,
    target: TargetName,
    family: Family,
    probed: readonly string[],
    sourcePort?: number,
  ): void => {
    // Who has no address of the family can't send, which says nothing about rules.
    if (!from.addresses.some((address) => address.family === family)) return
    for (const port of probed) {
      found.push({ from, target, family, port, ...(sourcePort !== undefined && { sourcePort }) })
    }
  }
  for (const from of all) {
    for (const to of all) {
      if (!isPair(from, to, scenario.transit ?? false)) continue
      const isHost = to.kind === 'host'
      for (const known of to.addresses.filter((one) => isKnown(from, to, one))) {
        const { address, family, at } = known
        const target = { machine: to.name, at, container: to.kind === 'container', address }
        const own = from === to ? [] : isHost ? ownHostPorts : ports
        add(from, target, family, isHost && to.name === 'host' ? [...own, ...published] : own)
      }
    }
    if (from.name === 'host') {
      add(from, { machine: 'host', at: 'lo', container: false, address: '127.0.0.1' }, 4, published)
      if (world.ipv6) add(from, { machine: 'host', at: 'lo', container: false, address: '::1' }, 6, published)
    }
    for (const { address, name = address, from: senders, ports: probed, sourcePort } of scenario.targets ??
      []) {
      if (!senders.includes(from.name)) continue
      const target = { machine: name, at: name, container: false, address }
      add(from, target, familyOfAddress(address), probed, sourcePort)
    }
  }
  return found
}

function isPair(from: Party, to: Party, transit: boolean): boolean {
  if (from === to) return from.kind === 'host'
  if (from.kind === 'outside') return to.kind === 'outside' ? transit : to.host === 'host'
  if (to.kind === 'outside') return from.host === 'host'
  return true
}

/** Another host is known by the link between the two alone. */
function isKnown(from: Party, to: Party, { at }: PartyAddress): boolean {
  return to.kind !== 'host' || from.host === to.host || from.kind === 'outside' || at === hostsNetwork.link
}
