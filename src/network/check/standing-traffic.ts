/** Connections that stand: what our networks are there for, as questions to the kernel's state. */
import { parseAddress } from '../../address/index.js'
import { linkByIndex, type NamespaceState, type PathQuestion, type Sender } from '../../explain/index.js'
import type { Address } from '../../rtnl/index.js'
import type { HostWorld } from '../explain/host-world.js'
import { eachFamily, familyEndpoints, publishingEndpoint } from '../plan/endpoints.js'
import {
  addressOf,
  byMetric,
  type ContainerRecord,
  endpointOn,
  type Family,
  familyOf,
  isForHostAlone,
  linkablePorts,
  type NetworkRecord,
  oneHostAddress,
  type PublishedPort,
  publishedFamilies,
  standingEndpoints,
} from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { neighbourIn, STRANGER } from './sample-addresses.js'
import { uplinks } from './uplinks.js'

/** A connection that has to come about. */
export interface StandingTraffic {
  /** What it is, in words: `what containers of docker0 send outward (IPv4)`. */
  readonly what: string
  readonly network: NetworkRecord
  readonly family: Family
  /** Names of the containers that have a part in it. */
  readonly containers: readonly string[]
  readonly question: PathQuestion
  /** Where it has to arrive: a container's name, or `outside`. */
  readonly target: string
  /** The host's address by which somebody outside asks. */
  readonly asked?: Address
}

/** So many containers, and published ports, are tried. */
export const MOST = 64

/** The standing connections of a host; a sample where there are many of one kind. */
export class StandingConnections {
  readonly #world: HostWorld
  readonly #registry: Registry
  readonly #firewall: boolean
  readonly #running: readonly ContainerRecord[]

  /** @param firewall whether ports are translated at all */
  constructor(world: HostWorld, registry: Registry, firewall: boolean) {
    this.#world = world
    this.#registry = registry
    this.#firewall = firewall
    this.#running = [...registry.containers].filter(({ state }) => state === 'running').slice(0, MOST)
  }

  async all(): Promise<StandingTraffic[]> {
    const found: StandingTraffic[] = []
    for (const container of this.#running) {
      found.push(...(await this.#outward(container)), ...(await this.#within(container)))
      found.push(...(await this.#linked(container)), ...(await this.#peers(container)))
    }
    let published = 0
    for (const container of this.#firewall ? this.#running : [])
      for (const port of container.published.slice(0, MOST - published)) {
        found.push(...(await this.#published(container, port)), ...(await this.#direct(container, port)))
        published += 1
      }
    return found
  }

  /** By the network that its default route is of. */
  async #outward(container: ContainerRecord): Promise<StandingTraffic[]> {
    const from = await this.#namespace(container)
    return eachFamily.flatMap((family) => {
      if (uplinks(this.#world.host, family).length === 0) return []
      const network = this.#wayOut(container, family)
      if (!network) return []
      return [
        {
          what: `what containers of ${network.name} send outward (IPv${family})`,
          network,
          family,
          containers: [container.name],
          question: { from, to: STRANGER[family], protocol: 'tcp', port: 443 },
          target: 'outside',
        },
      ]
    })
  }

  /** To the next container of each open network. */
  async #within(container: ContainerRecord): Promise<StandingTraffic[]> {
    const found: StandingTraffic[] = []
    for (const endpoint of standingEndpoints(container)) {
      const network = this.#registry.network(endpoint.network)
      const others = this.#running.filter((other) => endpointOn(other, endpoint.network))
      const other = others[(others.indexOf(container) + 1) % others.length]
      const there = other && endpointOn(other, endpoint.network)
      if (!network?.icc || !other || other === container || !there) continue
      for (const family of eachFamily) {
        const [source, to] = [addressOf(endpoint, family), addressOf(there, family)]
        if (!source || !to) continue
        const from = await this.#namespace(container, source.toString())
        found.push({
          what: `what containers of ${network.name} send to each other (IPv${family})`,
          network,
          family,
          containers: [container.name, other.name],
          question: { from, to: to.toString(), protocol: 'tcp', port: 80 },
          target: other.name,
        })
      }
    }
    return found
  }

  async #linked(client: ContainerRecord): Promise<StandingTraffic[]> {
    const found: StandingTraffic[] = []
    for (const { server: id } of client.links) {
      const server = this.#registry.container(id)
      const port = server && linkablePorts(server)[0]
      if (server?.state !== 'running' || !port) continue
      for (const endpoint of standingEndpoints(client)) {
        const [network, there] = [
          this.#registry.network(endpoint.network),
          endpointOn(server, endpoint.network),
        ]
        if (!network || !there) continue
        for (const family of eachFamily) {
          const [source, to] = [addressOf(endpoint, family), addressOf(there, family)]
          if (!source || !to) continue
          const from = await this.#namespace(client, source.toString())
          found.push({
            what: `the link of ${client.name} to ${server.name} (${port.port}/${port.protocol}, IPv${family})`,
            network,
            family,
            containers: [client.name, server.name],
            question: {
              from,
              to: to.toString(),
              protocol: port.protocol,
              port: port.port,
            },
            target: server.name,
          })
        }
      }
    }
    return found
  }

  /** From outside by each way in, from the host, from the container itself and from a neighbour. */
  async #published(container: ContainerRecord, port: PublishedPort): Promise<StandingTraffic[]> {
    const found: StandingTraffic[] = []
    for (const family of eachFamily) {
      const hostAddress = oneHostAddress(port)
      if (!publishedFamilies(port).includes(family)) continue
      const target = publishingEndpoint(this.#registry, container, family)
      const network = target && this.#registry.network(target.endpoint.network)
      if (!network) continue
      const name = `port ${port.hostPorts.first}/${port.protocol}, published by ${container.name} (IPv${family})`
      const ask = (from: Sender, to: string, who: string, asked?: Address): void => {
        found.push({
          what: `what ${who} for ${name}`,
          network,
          family,
          containers: [container.name],
          question: { from, to, protocol: port.protocol, port: port.hostPorts.first },
          target: container.name,
          ...(asked && { asked }),
        })
      }
      const { host } = this.#world
      const loopback = isForHostAlone(port)
      if (family === 4 && (loopback || !hostAddress))
        ask(
          { kind: 'namespace', state: host },
          hostAddress?.toString() ?? '127.0.0.1',
          'the host itself sends',
        )
      if (loopback) continue
      for (const asked of this.#addresses(family)) {
        const to = asked.address.address.toString()
        if (hostAddress && hostAddress.toString() !== to) continue
        const device = linkByIndex(host, asked.device)?.name ?? ''
        ask({ kind: 'namespace', state: host }, to, 'the host itself sends')
        ask(await this.#namespace(container), to, `${container.name} itself sends`)
        const neighbour = this.#running.find(
          (other) => other !== container && endpointOn(other, network.name),
        )
        if (neighbour) ask(await this.#namespace(neighbour), to, `${neighbour.name} sends`)
        const address = await this.#somebodyBeyond(asked, device, family)
        if (address !== undefined)
          ask({ kind: 'outside', address, device }, to, `comes in by ${device}`, asked)
      }
    }
    return found
  }

  /** By the container's own address, where that is open. */
  async #direct(container: ContainerRecord, port: PublishedPort): Promise<StandingTraffic[]> {
    return byMetric(standingEndpoints(container)).flatMap((endpoint) =>
      familyEndpoints(endpoint).flatMap(({ family, address }): StandingTraffic[] => {
        const network = this.#registry.network(endpoint.network)
        if (!network || network.internal || isForHostAlone(port)) return []
        if (!publishedFamilies(port).includes(family)) return []
        const { mode } = familyOf(network, family)
        const open = network.allowDirectRouting || mode === 'routed' || mode === 'nat-unprotected'
        if (!open || mode === 'isolated') return []
        const [device] = uplinks(this.#world.host, family)
        if (device === undefined) return []
        return [
          {
            what: `what comes in by ${device} for ${container.name}'s own address (IPv${family})`,
            network,
            family,
            containers: [container.name],
            question: {
              from: { kind: 'outside', address: STRANGER[family], device },
              to: address.toString(),
              protocol: port.protocol,
              port: port.containerPorts.first,
            },
            target: container.name,
          },
        ]
      }),
    )
  }

  /** To each peer's containers, and from them. */
  async #peers(container: ContainerRecord): Promise<StandingTraffic[]> {
    const found: StandingTraffic[] = []
    for (const { subnet } of this.#registry.peers) {
      const { family } = subnet
      const network = this.#wayOut(container, family)
      const endpoint = network && endpointOn(container, network.name)
      const own = endpoint && addressOf(endpoint, family)
      if (!network || !own) continue
      const there = neighbourIn(subnet) ?? subnet.network.toString()
      const about = { network, family, containers: [container.name] }
      found.push({
        ...about,
        what: `what containers of ${network.name} send to the peer ${subnet}`,
        question: { from: await this.#namespace(container), to: there, protocol: 'tcp', port: 80 },
        target: 'outside',
      })
      found.push({
        ...about,
        what: `what the peer ${subnet} sends to containers of ${network.name}`,
        question: {
          from: { kind: 'outside', address: there },
          to: own.toString(),
          protocol: 'tcp',
          port: 80,
        },
        target: container.name,
      })
    }
    return found
  }

  /** The network of the container's default route, if it lets anything out. */
  #wayOut(container: ContainerRecord, family: Family): NetworkRecord | undefined {
    for (const endpoint of byMetric(standingEndpoints(container))) {
      const network = this.#registry.network(endpoint.network)
      if (!network || network.internal || !addressOf(endpoint, family)) continue
      if (familyOf(network, family).mode !== 'isolated') return network
    }
    return undefined
  }

  /** The host's addresses that others ask for: neither of loopback nor of our bridges. */
  #addresses(family: Family): Address[] {
    const { host } = this.#world
    const ours = new Set([...this.#registry.networks].flatMap(({ bridges }) => bridges))
    return host.addresses.filter((each) => {
      const link = linkByIndex(host, each.device)
      const usable = each.family === family && each.scope === 'universe' && !each.tentative
      return usable && link !== undefined && link.name !== 'lo' && link.up && !ours.has(link.name)
    })
  }

  /** Somebody on the same network; not on a bridge of somebody else, whose machines are in namespaces that nobody named. */
  #neighbour({ device, address }: Address): string | undefined {
    if (linkByIndex(this.#world.host, device)?.kind === 'bridge') return undefined
    return neighbourIn(address, address.address)
  }

  /** Who asks for an address of the host's: somebody far away, where the host itself would answer by that link, else a neighbour. */
  async #somebodyBeyond(asked: Address, device: string, family: Family): Promise<string | undefined> {
    const { host } = this.#world
    const far = { destination: STRANGER[family], source: asked.address.address }
    const answer = await host.lookup(far)
    if (answer.reachable && answer.device === asked.device) return STRANGER[family]
    const near = this.#neighbour(asked)
    const back = near === undefined ? undefined : await host.lookup({ destination: near })
    return back?.reachable && linkByIndex(host, back.device)?.name === device && back.type === 'unicast'
      ? near
      : undefined
  }

  async #namespace(container: ContainerRecord, source?: string): Promise<Sender> {
    const state: NamespaceState = await this.#world.container(container)
    // An address that it has lost would be told as one of nobody's.
    const has =
      source !== undefined &&
      state.addresses.some(({ address }) => address.address.equals(parseAddress(source)))
    return { kind: 'namespace', state, ...(has && { source }) }
  }
}
