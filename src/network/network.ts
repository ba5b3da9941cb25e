import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkString } from '../input.js'
import { readInput } from '../read-input.js'
import { requireBridgeNetfilter, trackingNeed } from './apply/bridge-netfilter.js'
import { applyPlan, withdrawPlan } from './apply/change.js'
import { destroyNetwork } from './apply/destroy.js'
import type { HostContext } from './apply/host-context.js'
import { withIPv6Of } from './apply/ipv6-inside.js'
import { withHeld, withPlaces } from './apply/places.js'
import { helpersOf, refuseSharedAddresses, requireHelpers, withFreePorts } from './apply/publishing.js'
import { requireForPublications } from './apply/require-forwarding.js'
import { withRealHostsFiles } from './apply/shared-hosts-files.js'
import { besideOthers } from './apply/taken-links.js'
import { Container } from './container.js'
import type { ContainerOptions, NetworkUpdate } from './options.js'
import { planAttach } from './plan/attach.js'
import { parseContainerOptions } from './plan/container-settings.js'
import { planDetach } from './plan/detach.js'
import { planDisconnect } from './plan/lifecycle.js'
import { type ContainerRecord, endpointOn, familiesOf, type NetworkRecord } from './plan/records.js'
import { planUpdate } from './plan/update.js'

/** A bridge network. The object is a handle: two of the same network are equal in all they do. */
export class Network {
  readonly name: string
  readonly #context: HostContext

  /** @internal */
  constructor(context: HostContext, name: string) {
    this.#context = context
    this.name = name
  }

  /** The first pool, that of IPv4 where there is one: `172.17.0.0/16`. */
  get subnet(): string {
    return this.#firstPool('Network.subnet').subnet.toString()
  }

  /** Every pool, in the order in which they are used; with several bridges, the parts of each. */
  get subnets(): string[] {
    return this.#record('Network.subnets').pools.map(({ subnet }) => subnet.toString())
  }

  /** The bridge's own address in {@link subnet}. @throws NfbridgeError NFB_NOT_FOUND on an isolated bridge, which has none */
  get gateway(): string {
    const { gateway } = this.#firstPool('Network.gateway')
    if (gateway) return gateway.toString()
    throw this.#notFound('Network.gateway', `the bridge of "${this.name}" is isolated and has no address`)
  }

  /** The bridges' own addresses, one for each pool that has one. */
  get gateways(): string[] {
    const { pools } = this.#record('Network.gateways')
    return pools.flatMap(({ gateway }) => (gateway ? [gateway.toString()] : []))
  }

  /** Names of its bridges; the first is the network's. */
  get bridges(): string[] {
    return [...this.#record('Network.bridges').bridges]
  }

  /** Whether its containers reach each other unlinked. */
  get icc(): boolean {
    return this.#record('Network.icc').icc
  }

  /** Whether what passes between its containers is judged with connection tracking. */
  get tracking(): boolean {
    return this.#record('Network.tracking').tracking
  }

  /** Whether it has no way out and none in. */
  get internal(): boolean {
    return this.#record('Network.internal').internal
  }

  /** MTU of its bridges and of the containers' interfaces; undefined: the kernel's, 1500. */
  get mtu(): number | undefined {
    return this.#record('Network.mtu').mtu
  }

  /** The labels that it was made with, or got by {@link update}: a copy. */
  get labels(): Record<string, string> {
    return { ...this.#record('Network.labels').labels }
  }

  /** What is attached to it or connected with it, stopped containers included. */
  get containers(): Container[] {
    const { registry } = this.#context
    return registry.containersOf(this.name).map(({ id }) => new Container(this.#context, id))
  }

  /** A container of this network, by name, full id or short id. */
  container(reference: string): Container | undefined {
    const record = this.#context.registry.find(reference)
    return record && endpointOn(record, this.name) ? new Container(this.#context, record.id) : undefined
  }

  /**
   * Gives a container its interface, addresses, default route, links and published ports.
   * @throws NfbridgeError NFB_INVALID_… for the option that its path names; NFB_NAME_TAKEN, NFB_ADDRESS_TAKEN,
   * NFB_ADDRESS_OUTSIDE_POOL, NFB_POOL_FULL, NFB_BRIDGE_FULL, NFB_PORT_TAKEN, NFB_NOT_FOUND and NFB_LINK_REFUSED (links),
   * NFB_NAMESPACE_GONE, NFB_SETTING_CONFLICT (published ports without rules, or on a network that is closed), NFB_EXISTS
   * (the interface's name is taken in the container), NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async attach(options: ContainerOptions): Promise<Container> {
    const [container] = await this.#attach(
      () => [readInput(options, ATTACH, '')],
      () => '',
    )
    if (container) return container
    throw new NfbridgeError({ code: 'NFB_INTERNAL', operation: ATTACH, message: 'nothing was attached' })
  }

  /**
   * The same for many containers in one call: one transaction, one send for all interfaces. All are attached, or none.
   * @returns in the order of the input
   * @throws NfbridgeError as {@link attach}, with paths such as `containers[3].expose[0]`
   */
  attachAll(containers: readonly ContainerOptions[]): Promise<Container[]> {
    return this.#attach(
      () => readInput(containers, ATTACH, 'containers'),
      (index) => joinPath('containers', index),
    )
  }

  /** Takes one container off this network: detached where it is on no other, or else disconnected. */
  async detach(reference: string | Container): Promise<void> {
    await this.detachAll([reference])
  }

  /** The same for many containers, by default all, in one transaction and one send for those that are on no other network. */
  detachAll(references?: readonly (string | Container)[]): Promise<void> {
    return this.#context.operate(DETACH, async () =>
      this.#detachAll(
        references === undefined ? this.containers : readInput(references, DETACH, 'containers'),
      ),
    )
  }

  /**
   * Changes the network while its containers run, in one transaction. When icc is closed, open connections that no link
   * allows stop; all others go on.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT (`icc: false` or `tracking` without rules), NFB_NOT_SUPPORTED (`tracking`, and a kernel
   * without br_netfilter), NFB_NOT_FOUND, NFB_CLOSED
   */
  update(given: NetworkUpdate): Promise<void> {
    const operation = 'Network.update'
    return this.#context.operate(operation, async () => {
      const update = readInput(given, operation, '')
      const { registry, settings } = this.#context
      const plan = planUpdate(registry, this.#record(operation), update, settings.firewall)
      if (update.tracking)
        await requireBridgeNetfilter(this.#context.kernel.namespace, trackingNeed(operation))
      await applyPlan(this.#context, plan, operation)
    })
  }

  /**
   * Detaches what is attached and removes the bridge, or gives it back as it was where it was adopted; the last network takes
   * tables and forwarding with it.
   */
  destroy(): Promise<void> {
    const operation = 'Network.destroy'
    return this.#context.operate(operation, () =>
      destroyNetwork(this.#context, this.#record(operation), operation),
    )
  }

  #attach(
    options: () => readonly ContainerOptions[],
    pathOf: (index: number) => string,
  ): Promise<Container[]> {
    const context = this.#context
    return context.operate(ATTACH, async () => {
      const { registry, settings: host } = context
      const network = this.#record(ATTACH)
      const given = checkArray(options(), ATTACH, 'containers').map((container, index) =>
        parseContainerOptions(container, pathOf(index)),
      )
      const parsed = withRealHostsFiles(registry, given, ATTACH)
      const plan = await withHeld(parsed, async (held) => {
        const settings = await Promise.all(
          parsed.map((each, index) => {
            const { namespace, process } = held[index] ?? {}
            return withIPv6Of(network, { ...each, netnsProcess: process }, namespace)
          }),
        )
        const requested = settings.flatMap(({ published }) => published)
        await refuseSharedAddresses(context.kernel, requested, ATTACH)
        await requireHelpers(context.kernel, helpersOf(requested), ATTACH)
        await requireForPublications(context, requested, familiesOf(network), ATTACH)
        const sources = held.map(({ namespace }) => namespace)
        return await besideOthers(context, sources, (taken) =>
          withFreePorts(
            context.kernel,
            requested,
            (ports) => planAttach(registry, network, settings, host.firewall, ports, taken),
            async (planned) => {
              const named = held.flatMap((each, index) => {
                const container = planned.containers[index]
                return container ? [{ id: container.id, held: each, path: pathOf(index) }] : []
              })
              await withPlaces(context, named, ATTACH, (places) =>
                applyPlan(context, planned, ATTACH, places),
              )
            },
          ),
        )
      })
      return plan.containers.map(({ id }) => new Container(context, id))
    })
  }

  async #detachAll(references: readonly (string | Container)[]): Promise<void> {
    const context = this.#context
    const { registry } = context
    const network = this.#record(DETACH)
    const containers = checkArray(references, DETACH, 'containers').map((reference, index) =>
      this.#member(reference, joinPath('containers', index)),
    )
    const leaving = new Map(containers.map((container) => [container.id, container]))
    const only = [...leaving.values()].filter(({ endpoints }) => endpoints.length === 1)
    if (only.length > 0) await withdrawPlan(context, planDetach(registry, only), DETACH)
    for (const container of leaving.values()) {
      if (container.endpoints.length === 1) continue
      const record = registry.container(container.id)
      if (record) await withdrawPlan(context, planDisconnect(registry, record, network), DETACH)
    }
  }

  #member(reference: string | Container, path: string): ContainerRecord {
    const key = reference instanceof Container ? reference.id : checkString(reference, DETACH, path)
    const record = this.#context.registry.find(key)
    if (record && endpointOn(record, this.name)) return record
    throw this.#notFound(DETACH, `no container of ${this.name} has the name, id or short id "${key}"`, path)
  }

  #firstPool(operation: string): NetworkRecord['pools'][number] {
    const { pools } = this.#record(operation)
    const pool = pools.find(({ subnet }) => subnet.family === 4) ?? pools[0]
    if (pool) return pool
    throw this.#notFound(operation, `the network "${this.name}" has no pool`)
  }

  #record(operation: string): NetworkRecord {
    const record = this.#context.registry.network(this.name)
    if (record) return record
    throw this.#notFound(operation, `the network "${this.name}" was destroyed`)
  }

  #notFound(operation: string, message: string, path?: string): NfbridgeError {
    return new NfbridgeError({ code: 'NFB_NOT_FOUND', operation, message, path })
  }
}

const ATTACH = 'Network.attach'
const DETACH = 'Network.detach'
