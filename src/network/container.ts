import { NfbridgeError } from '../errors.js'
import { checkString } from '../input.js'
import type { NamespaceSource } from '../netns/index.js'
import { readInput, readProperty } from '../read-input.js'
import { applyPlan, withdrawPlan } from './apply/change.js'
import { Forwarding } from './apply/forwarding.js'
import type { HostContext } from './apply/host-context.js'
import { isIPv6Off, withIPv6Of } from './apply/ipv6-inside.js'
import { type Held, processAt, rememberedSource, type Source, withHeld, withPlaces } from './apply/places.js'
import { helpersOf, refuseSharedAddresses, requireHelpers, withFreePorts } from './apply/publishing.js'
import { requireForPublications } from './apply/require-forwarding.js'
import type { Places } from './apply/stations.js'
import { besideOthers } from './apply/taken-links.js'
import { type Link, linksOf } from './container-link.js'
import type {
  BandwidthOptions,
  ConnectOptions,
  ContainerUpdate,
  ExposeOption,
  LinkOption,
  PublishOption,
  StartOptions,
} from './options.js'
import { planBandwidth } from './plan/bandwidth.js'
import {
  type ConnectSettings,
  parseConnectOptions,
  parseExposed,
  parseLink,
  parseStartOptions,
  parseUnlink,
} from './plan/container-settings.js'
import { planDetach } from './plan/detach.js'
import { parseBandwidth } from './plan/endpoint-settings.js'
import { linkLocalAddresses, poolEndpoints } from './plan/endpoints.js'
import { planExpose, planUnexpose } from './plan/expose.js'
import { type HostsLine, hostsLines, hostsText } from './plan/hosts-lines.js'
import { planConnect, planDisconnect, planStart, planStop } from './plan/lifecycle.js'
import { planLink, planUnlink } from './plan/link.js'
import { linkVariables } from './plan/link-variables.js'
import type { Plan } from './plan/plan.js'
import { planPublish, planUnpublish } from './plan/publish.js'
import { parsePublished } from './plan/publish-settings.js'
import {
  type ContainerRecord,
  type EndpointRecord,
  endpointOn,
  familiesOf,
  type NetworkRecord,
  portText,
  publishedText,
  shortId,
} from './plan/records.js'
import type { Registry } from './plan/registry.js'
import { planRename } from './plan/rename.js'
import type { TakenLinks } from './plan/taken-links.js'
import { planContainerUpdate } from './plan/update.js'

/** What a call takes one by one, or as the list that an option takes. */
export type OneOrMore<T> = T | readonly T[]

type PlanOfContainer = (registry: Registry, container: ContainerRecord) => Plan

/** A container's place on one network. */
export interface ContainerAddress {
  readonly network: string
  /** `172.17.0.2`; undefined on a network without IPv4. */
  readonly ipv4: string | undefined
  /** Undefined on a network without IPv6. */
  readonly ipv6: string | undefined
  /** Every address of a pool, these first. */
  readonly addresses: readonly string[]
  /** Every link-local address: that of IPv6 that its MAC gives, and those that it was given. */
  readonly linkLocalAddresses: readonly string[]
  readonly mac: string
  /** Name of its interface, in the container. */
  readonly interfaceName: string
  /** Name of the interface's other end, on the host. */
  readonly hostInterface: string
}

/** A container. The object is a handle: two of the same container are equal in all they do. */
export class Container {
  /** The full id. */
  readonly id: string
  readonly #context: HostContext

  /** @internal */
  constructor(context: HostContext, id: string) {
    this.#context = context
    this.id = id
  }

  /** The first 12 characters of the id. */
  get shortId(): string {
    return shortId(this.id)
  }

  get name(): string {
    return this.#record('Container.name').name
  }

  get hostname(): string {
    return this.#record('Container.hostname').hostname
  }

  /** What follows the host name in its full name; undefined: nothing does but what the host name has itself. */
  get domainname(): string | undefined {
    return this.#record('Container.domainname').domainname
  }

  /** The labels that it was attached with, or got by {@link update}: a copy. */
  get labels(): Record<string, string> {
    return { ...this.#record('Container.labels').labels }
  }

  /** `host`: it uses the host's network, and only its name is known here. */
  get state(): 'running' | 'stopped' | 'host' {
    return this.#record('Container.state').state
  }

  /** Names of its networks, in the order in which it was connected. */
  get networks(): string[] {
    return this.#record('Container.networks').endpoints.map(({ network }) => network)
  }

  /** Name of the first of its networks. @throws NfbridgeError NFB_NOT_FOUND when it is on none */
  get network(): string {
    return this.#first('Container.network').network
  }

  /**
   * Its address on the first of its networks: `172.17.0.2`; that of IPv6 where it has no other. Of a stopped container, the
   * one that it had, which others may have meanwhile.
   */
  get address(): string {
    const { ipv4, ipv6 } = this.#first('Container.address')
    return String(ipv4 ?? ipv6)
  }

  /** Its IPv6 address on the first of its networks that gave it one; undefined: none did. */
  get ipv6Address(): string | undefined {
    const { endpoints } = this.#record('Container.ipv6Address')
    return endpoints.find(({ ipv6 }) => ipv6 !== undefined)?.ipv6?.toString()
  }

  get mac(): string {
    return this.#first('Container.mac').mac.toString()
  }

  /** Name of its interface on the first of its networks, in the container. */
  get interfaceName(): string {
    return this.#first('Container.interfaceName').interfaceName
  }

  /** Name of that interface's other end, on the host. */
  get hostInterface(): string {
    return this.#first('Container.hostInterface').hostInterface
  }

  /** `80/tcp`, one text for each port. */
  get exposed(): string[] {
    return this.#record('Container.exposed').exposed.map(portText)
  }

  /** `8080:80/tcp`, `[2001:db8::1]:8000-8009:80-89/udp`: as they were resolved. */
  get published(): string[] {
    return this.#record('Container.published').published.map(publishedText)
  }

  get links(): Link[] {
    return linksOf(this.#context.registry, this.#record('Container.links'))
  }

  /** The lines of the container's hosts file that its links give: alias, host name, name and further names of each server. */
  get hosts(): HostsLine[] {
    return hostsLines(this.#context.registry, this.#record('Container.hosts'))
  }

  /**
   * The text of its hosts file: localhost, `addHosts`, the servers that it is linked to, and itself. In `hostsFile` it stands between two
   * comments, beside the lines of others.
   */
  get hostsText(): string {
    return hostsText(this.#context.registry, this.#record('Container.hostsText'))
  }

  /** Docker's variables for its links: `DB_PORT=tcp://172.17.0.2:80`, `DB_PORT_80_TCP_ADDR`, `DB_NAME` … */
  get linkVariables(): Record<string, string> {
    return linkVariables(this.#context.registry, this.#record('Container.linkVariables'))
  }

  /** Its place on a network; undefined where it is not on it. */
  addressOn(network: string | { readonly name: string }): ContainerAddress | undefined {
    const operation = 'Container.addressOn'
    const endpoint = endpointOn(this.#record(operation), nameOf(network, operation))
    if (!endpoint) return undefined
    const { ipv4, ipv6, mac, interfaceName, hostInterface } = endpoint
    return {
      network: endpoint.network,
      ipv4: ipv4?.toString(),
      ipv6: ipv6?.toString(),
      addresses: poolEndpoints(endpoint).map(({ address }) => address.toString()),
      linkLocalAddresses: linkLocalAddresses(endpoint).map(String),
      mac: mac.toString(),
      interfaceName,
      hostInterface,
    }
  }

  /**
   * Puts the container on one more network, while it runs or for when it starts.
   * @throws NfbridgeError as `Network.attach`; NFB_INVALID_ARGUMENT when it does not know its namespace: see
   * {@link ConnectOptions.netns}
   */
  connect(network: string | { readonly name: string }, options: ConnectOptions = {}): Promise<void> {
    const operation = 'Container.connect'
    return this.#context.operate(operation, async () => {
      const { registry } = this.#context
      const parsed = parseConnectOptions(readInput(options, operation, ''))
      const container = this.#record(operation)
      const record = this.#network(nameOf(network, operation), operation)
      const apply = (settings: ConnectSettings, places: Places, taken?: TakenLinks): Promise<void> =>
        applyPlan(this.#context, planConnect(registry, container, record, settings, taken), operation, places)
      if (container.state !== 'running') {
        // It has no namespace, and what changes is for when it starts.
        await apply({ ...parsed, netnsProcess: processAt(parsed.netns) }, new Map())
        if (parsed.netns !== undefined) this.#context.namespaces.keep(container.id, parsed.netns)
        return
      }
      await this.#withHeld(this.#placeOf(container, parsed.netns), async (held) => {
        const settings = await withIPv6Of(record, { ...parsed, netnsProcess: held?.process }, held?.namespace)
        await besideOthers(this.#context, [held?.namespace], (taken) =>
          this.#withPlace(container, held, operation, (places) => apply(settings, places, taken)),
        )
      })
    })
  }

  /**
   * Takes the container off one of its networks, and its links there; its default route goes by the next of them. What was
   * published by this network is published by another one that can.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_CLOSED
   */
  disconnect(network: string | { readonly name: string }): Promise<void> {
    const operation = 'Container.disconnect'
    return this.#withdraw(operation, (registry, container) =>
      planDisconnect(registry, container, this.#network(nameOf(network, operation), operation)),
    )
  }

  /**
   * The container stopped: its interfaces go, with every element that names them and every connection. It stays known: name,
   * links, networks and publications come back when it starts. Works as well when its namespace is gone already; one that is
   * stopped already stays so.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_SETTING_CONFLICT (it uses the host's network), NFB_CLOSED
   */
  stop(): Promise<void> {
    return this.#withdraw('Container.stop', (registry, container) => planStop(registry, [container]))
  }

  /**
   * The container started again: on all its networks, perhaps with other addresses; links from and to it work at once.
   * @throws NfbridgeError as `Network.attach`; NFB_INVALID_ARGUMENT when it does not know its namespace: see
   * {@link StartOptions.netns}
   */
  start(options: StartOptions = {}): Promise<void> {
    const operation = 'Container.start'
    return this.#context.operate(operation, async () => {
      const { registry } = this.#context
      const netns = parseStartOptions(readInput(options, operation, ''))
      const container = this.#record(operation)
      const wantsIPv6 = container.endpoints.some(({ network }) => {
        const record = registry.network(network)
        return record !== undefined && familiesOf(record).includes(6)
      })
      await this.#withHeld(this.#placeOf(container, netns), async (held) => {
        const ipv6Off = wantsIPv6 && (await isIPv6Off(held?.namespace))
        await besideOthers(this.#context, [held?.namespace], (taken) =>
          withFreePorts(
            this.#context.kernel,
            container.published.map((port) => ({ port, choice: port.chosenOf, path: '' })),
            (ports) => planStart(registry, container, ports, netns, ipv6Off, taken, held?.process),
            (plan) =>
              this.#withPlace(container, held, operation, (places) =>
                applyPlan(this.#context, plan, operation, places),
              ),
          ),
        )
      })
    })
  }

  /**
   * Gives the container another name, in whatever state it is. Links from and to it stay, under their aliases; its host name stays, too.
   * The name in the hosts files of those that are linked to it is the new one.
   * @throws NfbridgeError NFB_NAME_TAKEN, NFB_INVALID_NAME, NFB_INVALID_ARGUMENT, NFB_NOT_FOUND, NFB_CLOSED
   */
  rename(name: string): Promise<void> {
    return this.#change('Container.rename', (registry, container) =>
      planRename(registry, container, readInput(name, 'Container.rename', 'name')),
    )
  }

  /**
   * Changes the container's labels, and how many connections it may have, in whatever state it is. What it has by then is not counted any
   * more when the number changes.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NOT_FOUND, NFB_CLOSED
   */
  update(update: ContainerUpdate): Promise<void> {
    return this.#change('Container.update', (_, container) =>
      planContainerUpdate(container, readInput(update, 'Container.update', '')),
    )
  }

  /**
   * Opens further ports of this container to the containers that are linked to it.
   * @throws NfbridgeError NFB_INVALID_PORT, NFB_CLOSED
   */
  expose(...ports: readonly OneOrMore<ExposeOption>[]): Promise<void> {
    return this.#change('Container.expose', (registry, container) =>
      planExpose(registry, container, parseExposed(flat(ports, 'Container.expose'), 'ports')),
    )
  }

  /**
   * Takes exposed ports back: connections by links that only they allowed stop. Published ports stay open to links.
   * @throws NfbridgeError NFB_NOT_FOUND (a port that is not exposed), NFB_INVALID_PORT, NFB_CLOSED
   */
  unexpose(...ports: readonly OneOrMore<ExposeOption>[]): Promise<void> {
    return this.#change('Container.unexpose', (registry, container) =>
      planUnexpose(registry, container, parseExposed(flat(ports, 'Container.unexpose'), 'ports')),
    )
  }

  /**
   * Lets this container reach the exposed and published ports of another one on every network that both are on, and nothing
   * else; one way, and not further. Connections are answered by connection tracking, or statelessly where the network says so.
   * @returns the link as it stands
   * @throws NfbridgeError NFB_NOT_FOUND (also for a host name), NFB_LINK_REFUSED (itself, no network in common, stopped, the
   * host's network), NFB_NAME_TAKEN (the alias), NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_CLOSED
   */
  link(option: LinkOption): Promise<Link> {
    const operation = 'Container.link'
    return this.#context.operate(operation, async () => {
      const requested = parseLink(readInput(option, operation, 'link'), 'link')
      const client = this.#record(operation)
      const former = new Set(client.links.map(({ alias }) => alias))
      await applyPlan(this.#context, planLink(this.#context.registry, client, requested), operation)
      const link = this.links.find(({ alias }) => !former.has(alias))
      if (link) return link
      throw new NfbridgeError({ code: 'NFB_INTERNAL', operation, message: 'the link is gone' })
    })
  }

  /**
   * Takes back the link with an alias or, where none has it, the links to the server with a name, id or short id; or what `link`
   * was given or returned. New connections and open ones stop, those that something else allows go on.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_CLOSED
   */
  unlink(reference: LinkOption): Promise<void> {
    const operation = 'Container.unlink'
    return this.#change(operation, (registry, container) =>
      planUnlink(registry, container, parseUnlink(readInput(reference, operation, 'reference'))),
    )
  }

  /**
   * Lets ports of the host lead to ports of this one: from outside, from the host, and from containers. No other process can
   * take them meanwhile.
   * @returns the publications as they were resolved, with the ports that were chosen: `32768:80/tcp`
   * @throws NfbridgeError NFB_PORT_TAKEN naming who has it, NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_SETTING_CONFLICT (no
   * rules, or no network that is open to outside), NFB_CLOSED
   */
  publish(...ports: readonly OneOrMore<PublishOption>[]): Promise<string[]> {
    const operation = 'Container.publish'
    return this.#context.operate(operation, async () => {
      const { registry, settings } = this.#context
      const requested = parsePublished(flat(ports, operation), 'ports')
      const container = this.#record(operation)
      await refuseSharedAddresses(this.#context.kernel, requested, operation)
      await requireHelpers(this.#context.kernel, helpersOf(requested), operation)
      const networks = container.endpoints.flatMap((each) => registry.network(each.network) ?? [])
      await requireForPublications(this.#context, requested, Forwarding.families(networks), operation)
      const { published } = await withFreePorts(
        this.#context.kernel,
        requested,
        (facts) => planPublish(registry, container, requested, settings.firewall, facts),
        (plan) => applyPlan(this.#context, plan, operation),
      )
      return published.map(publishedText)
    })
  }

  /**
   * Takes publications back: new connections and open ones through them stop.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_CLOSED
   */
  unpublish(...ports: readonly OneOrMore<PublishOption>[]): Promise<void> {
    return this.#change('Container.unpublish', (registry, container) =>
      planUnpublish(registry, container, parsePublished(flat(ports, 'Container.unpublish'), 'ports')),
    )
  }

  /**
   * Sets the container's limits, on one network or on each that it is on, while it runs; a direction that is left out has
   * none any more.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NOT_FOUND (it is not on the network), NFB_NOT_SUPPORTED, NFB_CLOSED
   */
  setBandwidth(bandwidth: BandwidthOptions, network?: string | { readonly name: string }): Promise<void> {
    const operation = 'Container.setBandwidth'
    return this.#change(operation, (registry, container) => {
      const settings = parseBandwidth(readInput(bandwidth, operation, 'bandwidth'), operation, 'bandwidth')
      const name = network === undefined ? undefined : nameOf(network, operation)
      return planBandwidth(registry, container, name, settings)
    })
  }

  /**
   * Forgets the container, on all its networks: its interfaces, in one transaction every element that names it, the links to
   * it, and the connections that they allowed. Works as well when the container's namespace is gone already.
   * @throws NfbridgeError NFB_NOT_FOUND when it is detached already; NFB_CLOSED
   */
  detach(): Promise<void> {
    return this.#withdraw('Container.detach', (registry, container) => planDetach(registry, [container]))
  }

  /** A change by which no interface comes or goes. */
  #change(operation: string, plan: PlanOfContainer): Promise<void> {
    return this.#context.operate(operation, () =>
      applyPlan(this.#context, plan(this.#context.registry, this.#record(operation)), operation),
    )
  }

  /** A change by which interfaces go. */
  #withdraw(operation: string, plan: PlanOfContainer): Promise<void> {
    return this.#context.operate(operation, () =>
      withdrawPlan(this.#context, plan(this.#context.registry, this.#record(operation)), operation),
    )
  }

  /** Work with the container in its namespace. */
  async #withPlace(
    container: ContainerRecord,
    held: Held | undefined,
    operation: string,
    work: (places: Places) => Promise<void>,
  ): Promise<void> {
    if (held === undefined) {
      throw new NfbridgeError({
        code: 'NFB_INVALID_ARGUMENT',
        operation,
        message: `the namespace of ${container.name} was given by no path and no Namespace that is open: give it again`,
        path: 'netns',
      })
    }
    await withPlaces(this.#context, [{ id: container.id, held, path: '' }], operation, work)
  }

  /** Where its namespace is; undefined where that is not known any more. */
  #placeOf(container: ContainerRecord, given: NamespaceSource | undefined): Source | undefined {
    const netns = given ?? this.#context.namespaces.find(container.id)
    return netns === undefined ? rememberedSource(container) : { netns }
  }

  #withHeld(source: Source | undefined, work: (held: Held | undefined) => Promise<void>): Promise<void> {
    return withHeld(source ? [source] : [], ([held]) => work(held))
  }

  #network(name: string, operation: string): NetworkRecord {
    const record = this.#context.registry.network(name)
    if (record) return record
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation,
      message: `there is no network "${name}"`,
      path: 'network',
    })
  }

  #first(operation: string): EndpointRecord {
    const { endpoints, name, state } = this.#record(operation)
    const [first] = endpoints
    if (first) return first
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation,
      message: `"${name}" ${state === 'host' ? "uses the host's network" : 'is on no network'}`,
    })
  }

  #record(operation: string): ContainerRecord {
    const record = this.#context.registry.container(this.id)
    if (record) return record
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation,
      message: `the container ${this.shortId} is not attached (any more)`,
    })
  }
}

/** The arguments of a call that takes one after the other, or lists of them. */
function flat<T extends object | string | number>(given: readonly OneOrMore<T>[], operation: string): T[] {
  return readInput(given, operation, 'ports').flatMap((each) => (isList(each) ? each : [each]))
}

function isList<T>(value: OneOrMore<T>): value is readonly T[] {
  return Array.isArray(value)
}

function nameOf(network: string | { readonly name: string }, operation: string): string {
  const given = readInput(network, operation, 'network')
  const name =
    typeof given === 'object' && given !== null ? readProperty(given, 'name', operation, 'network') : given
  return checkString(name, operation, 'network')
}
