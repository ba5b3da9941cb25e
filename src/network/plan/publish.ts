import { formatRange, IPv6Address, type PortRange } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { Claims } from './claims.js'
import { eachFamily, translates } from './endpoints.js'
import { AUTOMATIC_PORTS } from './host-ports.js'
import { clientPairs } from './link.js'
import { containerLabel, type Plan } from './plan.js'
import type { RequestedPublication } from './publish-settings.js'
import {
  addressOf,
  type ContainerRecord,
  type EndpointRecord,
  type Family,
  familyOf,
  isForHostAlone,
  type PublishedPort,
  publishedText,
} from './records.js'
import type { Registry } from './registry.js'
import type { NetworkView } from './view.js'

/** A publication to resolve; the path is undefined where it comes from no input. */
type Wanted = Omit<RequestedPublication, 'path'> & { readonly path: string | undefined }

type Refusal = (message: string) => NfbridgeError

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

const LOOPBACK = IPv6Address.parse('::1')

/** Keeps the ports that a call asks for from being chosen for others of it. */
export function reservePublications(
  claims: Claims,
  container: ContainerRecord,
  requested: readonly RequestedPublication[],
): void {
  for (const { port, automatic } of requested) {
    if (!automatic) claims.reservedPorts.mark('take', container.id, port)
  }
}

/**
 * Resolves publications of one container: ports are chosen where none was given. Refuses a host port that somebody has,
 * standing or in the same call.
 * @param taken host ports that somebody else on this machine has, `tcp/49153`: they are not chosen
 */
export function claimPublications(
  claims: Claims,
  view: NetworkView,
  container: ContainerRecord,
  requested: readonly Wanted[],
  taken: ReadonlySet<string>,
  operation: string,
): PublishedPort[] {
  return requested.map(({ port, automatic, path }) => {
    const refuse: Refusal = (message) =>
      new NfbridgeError({ code: 'NFB_PORT_TAKEN', operation, message, path })
    // One that was chosen before, of a container that starts again, is chosen again if it is still to be had.
    const lost = port.automatic && (holderOf(claims, port) !== undefined || includesTaken(taken, port))
    const resolved = automatic || lost ? chooseHostPorts(claims, port, taken, refuse) : port
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
  requested: readonly RequestedPublication[],
  firewall: boolean,
  taken: ReadonlySet<string>,
): Plan & { readonly published: readonly PublishedPort[] } {
  const operation = 'Container.publish'
  checkPublishable(registry, container, requested, firewall, operation)
  const claims = new Claims(registry)
  // What a stopped container has is nobody's until it starts; it must not take it twice itself.
  if (container.state !== 'running') {
    for (const port of container.published) claims.hostPorts.mark('take', container.id, port)
  }
  reservePublications(claims, container, requested)
  const published = claimPublications(claims, registry, container, requested, taken, operation)
  return { ...publicationChange(registry, container, [...container.published, ...published]), published }
}

/** Takes publications back; one that does not stand is an error. One without a host port stands for all of its ports. */
export function planUnpublish(
  registry: Registry,
  container: ContainerRecord,
  requested: readonly RequestedPublication[],
): Plan {
  let standing = [...container.published]
  for (const { port, automatic, path } of requested) {
    const left = standing.filter((each) => !matches(each, port, automatic))
    if (left.length === standing.length) {
      throw new NfbridgeError({
        code: 'NFB_NOT_FOUND',
        operation: 'Container.unpublish',
        message: `${containerLabel(container)} has no publication ${publishedText(port)}`,
        path,
      })
    }
    standing = left
  }
  return publicationChange(registry, container, standing)
}

function matches(standing: PublishedPort, port: PublishedPort, automatic: boolean): boolean {
  const hostPorts = automatic ? standing.hostPorts : port.hostPorts
  return publishedText(standing) === publishedText({ ...port, hostPorts })
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
  if (hostAddress?.equals(LOOPBACK)) {
    return 'IPv6 leads nothing from ::1 to another machine (it has no route_localnet); publish on 127.0.0.1, or on another address'
  }
  const families = hostAddress ? [hostAddress.family] : eachFamily
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
 * As many consecutive ports of the host as the container's, that nobody has, from the dynamic range: behind those that were
 * chosen last, so that a port that became free is not somebody else's at once. The same for both families.
 */
function chooseHostPorts(
  claims: Claims,
  port: PublishedPort,
  taken: ReadonlySet<string>,
  refuse: Refusal,
): PublishedPort {
  const { first, last } = AUTOMATIC_PORTS
  const span = port.containerPorts.last - port.containerPorts.first
  const start = claims.hostPorts.nextAutomatic
  const from = start > first ? start : claims.registry.nextAutomaticPort
  const count = last - first + 1
  for (let step = 0; step < count; step += 1) {
    const candidate = first + ((from - first + step) % count)
    if (candidate + span > last) continue
    const hostPorts: PortRange = { first: candidate, last: candidate + span }
    const resolved: PublishedPort = { ...port, hostPorts, automatic: true }
    if (holderOf(claims, resolved) !== undefined || claims.reservedPorts.holderOf(resolved)) continue
    if (!includesTaken(taken, resolved)) return resolved
  }
  throw refuse(`of the ports ${first} to ${last} no ${span + 1} together are free; give the port of the host`)
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

function hostText({ hostAddress, hostPorts, protocol }: PublishedPort): string {
  const address = hostAddress?.toString() ?? '0.0.0.0'
  return `${hostAddress?.family === 6 ? `[${address}]` : address}:${formatRange(hostPorts)}/${protocol}`
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
