/** What a change takes back, as facts that a record had and has not any more: for when the records themselves cannot be written. */
import { createHash } from 'node:crypto'
import {
  type ContainerRecord,
  type EndpointRecord,
  type LinkRecord,
  type NetworkRecord,
  type PeerRecord,
  portText,
  publishedText,
} from './records.js'
import type { NetworkView, ViewChange } from './view.js'

/** A digest of 32 hexadecimal digits: as long for each, and as an IPv6 address an element of a set. */
export type Fact = string

/** Records by what they are kept under. */
export interface Records {
  readonly networks: readonly NetworkRecord[]
  readonly containers: readonly ContainerRecord[]
  readonly peers: readonly PeerRecord[]
}

/**
 * The facts that hold before a change and not after it. That nothing else changes is not said: see {@link withoutRevoked} of a record and
 * compare.
 */
export function revokedBy(before: NetworkView, change: ViewChange): Set<Fact> {
  const revoked = new Set<Fact>()
  const collect = (had: readonly Fact[], has: readonly Fact[]): void => {
    const now = new Set(has)
    for (const fact of had) if (!now.has(fact)) revoked.add(fact)
  }
  for (const [name, network] of change.networks ?? [])
    collect(networkFacts(before.network(name)), networkFacts(network))
  for (const [id, container] of change.containers ?? []) {
    // Who is gone is gone with all that it had.
    const former = before.container(id)
    if (former && !container) revoked.add(containerFact(former))
    else collect(containerFacts(former), containerFacts(container))
  }
  for (const [subnet, peer] of change.peers ?? []) {
    const former = before.peer(subnet)
    if (former && !peer) revoked.add(peerFact(former))
  }
  return revoked
}

/** The records as they are without what was revoked. */
export function withoutRevoked(
  { networks, containers, peers }: Records,
  revoked: ReadonlySet<Fact>,
): Records {
  return {
    networks: networks.flatMap((network) => networkWithout(network, revoked) ?? []),
    containers: containers.flatMap((container) => containerWithout(container, revoked) ?? []),
    peers: peers.filter((peer) => !revoked.has(peerFact(peer))),
  }
}

export function networkWithout(
  network: NetworkRecord,
  revoked: ReadonlySet<Fact>,
): NetworkRecord | undefined {
  if (revoked.has(networkFact(network))) return undefined
  return network.icc && revoked.has(iccFact(network)) ? { ...network, icc: false } : network
}

export function containerWithout(
  container: ContainerRecord,
  revoked: ReadonlySet<Fact>,
): ContainerRecord | undefined {
  if (revoked.has(containerFact(container))) return undefined
  const stays = <T>(parts: readonly T[], factOf: (container: ContainerRecord, part: T) => Fact): T[] =>
    parts.filter((part) => !revoked.has(factOf(container, part)))
  return {
    ...container,
    state: container.state === 'running' && revoked.has(runningFact(container)) ? 'stopped' : container.state,
    endpoints: stays(container.endpoints, endpointFact),
    exposed: stays(container.exposed, exposedFact),
    published: stays(container.published, publishedFact),
    links: stays(container.links, linkFact),
  }
}

function networkFacts(network: NetworkRecord | undefined): Fact[] {
  if (!network) return []
  return [networkFact(network), ...(network.icc ? [iccFact(network)] : [])]
}

function containerFacts(container: ContainerRecord | undefined): Fact[] {
  if (!container) return []
  return [
    containerFact(container),
    ...(container.state === 'running' ? [runningFact(container)] : []),
    ...container.endpoints.map((endpoint) => endpointFact(container, endpoint)),
    ...container.exposed.map((port) => exposedFact(container, port)),
    ...container.published.map((port) => publishedFact(container, port)),
    ...container.links.map((link) => linkFact(container, link)),
  ]
}

const networkFact = ({ name }: NetworkRecord): Fact => factOf('network', name)
const iccFact = ({ name }: NetworkRecord): Fact => factOf('icc', name)
const peerFact = ({ subnet }: PeerRecord): Fact => factOf('peer', subnet.toString())
const containerFact = ({ id }: ContainerRecord): Fact => factOf('container', id)
const runningFact = ({ id }: ContainerRecord): Fact => factOf('running', id)
const endpointFact = ({ id }: ContainerRecord, { network }: EndpointRecord): Fact =>
  factOf('endpoint', id, network)
const exposedFact = ({ id }: ContainerRecord, port: ContainerRecord['exposed'][number]): Fact =>
  factOf('exposed', id, portText(port))
const publishedFact = ({ id }: ContainerRecord, port: ContainerRecord['published'][number]): Fact =>
  factOf('published', id, publishedText(port))
const linkFact = ({ id }: ContainerRecord, { server, alias }: LinkRecord): Fact =>
  factOf('link', id, server, alias)

function factOf(...parts: string[]): Fact {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
