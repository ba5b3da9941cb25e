import { formatRange, type IPAddress, type PortRange } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { Claims } from './claims.js'
import { eachFamily, translates } from './endpoints.js'
import type { PortFacts } from './host-ports.js'
import { clientPairs } from './link.js'
import { containerLabel, type Plan } from './plan.js'
import { LOOPBACK6, LOOPBACK6_IS_DEAD, type RequestedPublication, requestText } from './publish-settings.js'
import {
  addressOf,
  byMetric,
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familyOf,
  isForHostAlone,
  type PortChoice,
  type PublishedPort,
  publishedFamilies,
  publishedText,
} from './records.js'
import type { Registry } from './registry.js'
import type { NetworkView } from './view.js'

/** A publication to resolve; the path is undefined where it comes from no input. */
type Wanted = Omit<RequestedPublication, 'path'> & { readonly path: string | undefined }

type Refusal = (message: string) => NfbridgeError

/**
 * Publications with the address that they are on: where none was given, that of the network that they come by.
 */
export function withHostBinding<R extends { readonly port: PublishedPort }>(
  view: NetworkView,
  container: ContainerRecord,
  requested: readonly R[],
): R[] {
  const hostBinding = hostBindingOf(view, container)
  if (!hostBinding) return [...requested]
  return requested.map((each) =>
    each.port.hostAddress ? each : { ...each, port: { ...each.port, hostAddress: hostBinding } },
  )
}

/** That of the first network, by its default routes, that translates. */
function hostBindingOf(view: NetworkView, { endpoints }: ContainerRecord): IPAddress | undefined {
  const network = byMetric(endpoints).find(({ network }) =>
    eachFamily.some((family) => translates(view, network, family)),
  )?.network
  return network === undefined ? undefined : view.network(network)?.hostBinding
}

/** Refuses publications where no rules are made, or where no network of the container takes them. */
export function checkPublishable(
  view: NetworkView,
  container: ContainerRecord,
  requested: readonly RequestedPublication[],
  firewall: boolean,
  operation: string,
): void {
  for (const { port, path } of requested) {
    const message = firewall
      ? untakenBecause(view, container, port)
      : 'a published port needs rules, and firewall: false makes none; open the host with firewall: true'
    if (message === undefined) continue
    throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message, path })
  }
}

/** Keeps the ports that a call asks for from being chosen for others of it. */
export function reservePublications(
  claims: Claims,
  container: ContainerRecord,
  requested: readonly RequestedPublication[],
): void {
  for (const { port, choice } of requested) {
    if (choice === undefined) claims.reservedPorts.mark('take', container.id, port)
  }
}

/**
 * Resolves publications of one container: ports are chosen where none was given. Refuses a host port that somebody has,
 * standing or in the same call.
 */
export function claimPublications(
  claims: Claims,
  view: NetworkView,
  container: ContainerRecord,
  requested: readonly Wanted[],
  facts: PortFacts,
  operation: string,
): PublishedPort[] {
  return requested.map(({ port, choice, path }) => {
    const refuse: Refusal = (message) =>
      new NfbridgeError({ code: 'NFB_PORT_TAKEN', operation, message, path })
    // One that was chosen before, of a container that starts again, is chosen again if it is still to be had.
    const lost = holderOf(claims, port) !== undefined || includesTaken(facts.taken, port)
    const of = choice ?? (lost ? port.chosenOf : undefined)
    const resolved = of === undefined ? port : chooseHostPorts(claims, port, of, facts, refuse)
    const holder = holderOf(claims, resolved)
    if (holder !== undefined) {
      const message = `port ${hostText(resolved)} is published by ${holderText(claims, view, container, holder)}`
      throw refuse(message)
    }
    claims.hostPorts.mark('take', container.id, resolved)
    return resolved
  })
}

/** Adds publications to a container. @returns also the publications as they came to be, in the order of the request */
export function planPublish(
  registry: Registry,
  container: ContainerRecord,
  asked: readonly RequestedPublication[],
  firewall: boolean,
  facts: PortFacts,
): Plan & { readonly published: readonly PublishedPort[] } {
  const operation = 'Container.publish'
  const requested = withHostBinding(registry, container, asked)
  checkPublishable(registry, container, requested, firewall, operation)
  const claims = new Claims(registry)
  // What a stopped container has is nobody's until it starts; it must not take it twice itself.
  if (container.state !== 'running') {
    for (const port of container.published) claims.hostPorts.mark('take', container.id, port)
  }
  reservePublications(claims, container, requested)
  const published = claimPublications(claims, registry, container, requested, facts, operation)
  return { ...publicationChange(registry, container, [...container.published, ...published]), published }
}

/**
 * Takes publications back; one that does not stand is an error. One without a host port stands for all of its ports, one with a
 * range that a port was chosen of for that port.
 */
export function planUnpublish(
  registry: Registry,
  container: ContainerRecord,
  requested: readonly RequestedPublication[],
): Plan {
  const standing = new StandingPublications(container.published)
  const bound = withHostBinding(registry, container, requested)
  for (const [index, request] of requested.entries()) {
    // One that stands as it is written goes before what it would be with the network's address.
    if (standing.take(request) || standing.take(bound[index] ?? request)) continue
    const stands = container.published.map(publishedText).join(', ')
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation: 'Container.unpublish',
      message: `${containerLabel(container)} has no publication ${requestText(request)}; what it has: ${stands || 'none'}`,
      path: request.path,
    })
  }
  return publicationChange(registry, container, standing.left)
}

/** The publications of a container, by the texts that a request may name them by. */
class StandingPublications {
  readonly #left: Set<PublishedPort>
  readonly #byName = new Map<string, Set<PublishedPort>>()

  constructor(published: readonly PublishedPort[]) {
    this.#left = new Set(published)
    for (const port of published) {
      for (const name of namesOf(port)) {
        const named = this.#byName.get(name)
        if (named) named.add(port)
        else this.#byName.set(name, new Set([port]))
      }
    }
  }

  get left(): PublishedPort[] {
    return [...this.#left]
  }

  /** Takes all that a request names. @returns whether it named one */
  take(request: RequestedPublication): boolean {
    const named = [...(this.#byName.get(requestName(request)) ?? [])]
    for (const port of named) {
      this.#left.delete(port)
      for (const name of namesOf(port)) this.#byName.get(name)?.delete(port)
    }
    return named.length > 0
  }
}

/** By its own ports, and where they were chosen also by what they were chosen of. */
function namesOf(port: PublishedPort): string[] {
  const own = requestName({ port, choice: undefined })
  return port.chosenOf === undefined ? [own] : [own, requestName({ port, choice: port.chosenOf })]
}

function requestName(request: Pick<RequestedPublication, 'port' | 'choice'>): string {
  return `${request.choice === undefined ? 'ports' : 'choice'} ${requestText(request)}`
}

/** Why no network of a container takes a publication; undefined: one does. */
function untakenBecause(
  view: NetworkView,
  container: ContainerRecord,
  published: PublishedPort,
): string | undefined {
  const { hostAddress } = published
  if (container.state === 'host') {
    return `${containerLabel(container)} uses the host's network: its ports are the host's own`
  }
  if (hostAddress?.equals(LOOPBACK6)) return LOOPBACK6_IS_DEAD
  const families = publishedFamilies(published)
  const takes = (endpoint: EndpointRecord, family: Family): boolean => {
    if (!addressOf(endpoint, family)) return false
    const network = view.network(endpoint.network)
    if (!network || network.internal) return false
    if (translates(view, network.name, family)) return true
    return familyOf(network, family).mode === 'routed' && !isForHostAlone(published)
  }
  if (container.endpoints.some((endpoint) => families.some((family) => takes(endpoint, family))))
    return undefined
  const networks = container.endpoints.map(({ network }) => network).join(', ')
  const alone = isForHostAlone(published) ? `, and for ${hostAddress} none that is routed` : ''
  const address = hostAddress ? `no IPv${hostAddress.family} address` : 'no address'
  return (
    `no network of ${containerLabel(container)} takes published ports: ${networks || 'it is on none'}; ` +
    `one that is internal or isolated does not, nor one where it has ${address}${alone}`
  )
}

/**
 * As many consecutive ports of the host as the container's, that nobody has; the same for both families. Of the dynamic ones
 * those behind what was chosen last, so that a port that became free is not somebody else's at once.
 */
function chooseHostPorts(
  claims: Claims,
  port: PublishedPort,
  of: PortChoice,
  facts: PortFacts,
  refuse: Refusal,
): PublishedPort {
  const { first, last } = of === 'dynamic' ? facts.dynamic : of
  const next = claims.hostPorts.nextDynamic ?? claims.registry.nextDynamicPort ?? first
  const from = of === 'dynamic' && next >= first && next <= last ? next : first
  const span = port.containerPorts.last - port.containerPorts.first
  const count = last - first + 1
  // A call only takes ports: what was not free for one publication is not for the next that is chosen alike.
  const like = `${hostText({ ...port, hostPorts: { first, last } })} ${span} ${from}`
  for (let step = claims.passedOver.get(like) ?? 0; step < count; step += 1) {
    const candidate = first + ((from - first + step) % count)
    if (candidate + span > last) continue
    const hostPorts: PortRange = { first: candidate, last: candidate + span }
    const resolved: PublishedPort = { ...port, hostPorts, chosenOf: of }
    if (holderOf(claims, resolved) !== undefined || claims.reservedPorts.holderOf(resolved)) continue
    if (of === 'dynamic' && facts.reserved.some((range) => overlap(range, hostPorts))) continue
    if (includesTaken(facts.taken, resolved)) continue
    claims.passedOver.set(like, step + 1)
    return resolved
  }
  throw refuse(
    span === 0
      ? `of the ports ${first} to ${last} none is free; give another port of the host`
      : `of the ports ${first} to ${last} no ${span + 1} together are free; give the ports of the host`,
  )
}

function overlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last
}

function holderOf(claims: Claims, port: PublishedPort): string | undefined {
  return claims.registry.holderOf(port) ?? claims.hostPorts.holderOf(port)
}

function includesTaken(taken: ReadonlySet<string>, { protocol, hostPorts }: PublishedPort): boolean {
  for (let port = hostPorts.first; port <= hostPorts.last; port += 1) {
    if (taken.has(`${protocol}/${port}`)) return true
  }
  return false
}

/** `8080/tcp`, `127.0.0.1:8080/tcp`, `[::]:8080-8089/udp`. */
function hostText({ hostAddress, hostPorts, protocol }: PublishedPort): string {
  const ports = `${formatRange(hostPorts)}/${protocol}`
  if (!hostAddress) return ports
  return `${hostAddress.family === 6 ? `[${hostAddress}]` : hostAddress}:${ports}`
}

function holderText(claims: Claims, view: NetworkView, container: ContainerRecord, holder: string): string {
  if (holder === container.id) return 'this container itself'
  const other = view.container(holder)
  if (!other) return 'another container'
  return claims.registry.container(holder)
    ? containerLabel(other)
    : `${containerLabel(other)}, of the same call`
}

/** Published ports are open to the container's clients too, so every link to it is touched. */
function publicationChange(
  registry: Registry,
  container: ContainerRecord,
  published: readonly PublishedPort[],
): Plan {
  return {
    change: { containers: new Map([[container.id, { ...container, published }]]) },
    touched: { containers: [container.id], pairs: clientPairs(registry, container) },
  }
}
