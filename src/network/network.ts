import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray } from '../input.js'
import { Namespace } from '../netns/index.js'
import type { Places } from './apply/container-links.js'
import { attachSteps } from './apply/container-steps.js'
import { destroyNetwork } from './apply/destroy.js'
import { detachContainers } from './apply/detach.js'
import type { HostContext } from './apply/host-context.js'
import { applySteps, inOperation } from './apply/steps.js'
import { Container } from './container.js'
import type { ContainerOptions } from './options.js'
import { type AttachPlan, planAttach } from './plan/attach.js'
import { type ContainerSettings, parseContainerOptions } from './plan/container-settings.js'
import type { ContainerRecord, NetworkRecord } from './plan/records.js'

/** A bridge network. The object is a handle: two of the same network are equal in all they do. */
export class Network {
  readonly name: string
  readonly #context: HostContext

  /** @internal */
  constructor(context: HostContext, name: string) {
    this.#context = context
    this.name = name
  }

  /** The pool: `172.17.0.0/16`. */
  get subnet(): string {
    return this.#record('Network.subnet').subnet.toString()
  }

  /** The bridge's own address. */
  get gateway(): string {
    return this.#record('Network.gateway').gateway.toString()
  }

  /** Whether its containers reach each other unlinked. */
  get icc(): boolean {
    return this.#record('Network.icc').icc
  }

  /** What is attached to it. */
  get containers(): Container[] {
    const { registry } = this.#context
    return registry.containersOf(this.name).map(({ id }) => new Container(this.#context, id))
  }

  /** A container of this network, by name, full id or short id. */
  container(reference: string): Container | undefined {
    const record = this.#context.registry.find(reference)
    return record?.network === this.name ? new Container(this.#context, record.id) : undefined
  }

  /**
   * Gives a container its interface, address, default route, links and published ports.
   * @throws NfbridgeError NFB_INVALID_… for the option that its path names; NFB_NAME_TAKEN, NFB_ADDRESS_TAKEN,
   * NFB_ADDRESS_OUTSIDE_POOL, NFB_POOL_FULL, NFB_PORT_TAKEN, NFB_NOT_FOUND and NFB_LINK_REFUSED (links),
   * NFB_NAMESPACE_GONE, NFB_SETTING_CONFLICT (published ports without rules), NFB_EXISTS (the interface's name is taken in
   * the container), NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async attach(options: ContainerOptions): Promise<Container> {
    const [container] = await this.#attach([options], () => '')
    if (container) return container
    throw new NfbridgeError({ code: 'NFB_INTERNAL', operation: ATTACH, message: 'nothing was attached' })
  }

  /**
   * The same for many containers in one call: one transaction, one send for all interfaces. All are attached, or none.
   * @returns in the order of the input
   * @throws NfbridgeError as {@link attach}, with paths such as `containers[3].expose[0]`
   */
  attachAll(containers: readonly ContainerOptions[]): Promise<Container[]> {
    return this.#attach(containers, (index) => joinPath('containers', index))
  }

  /** Detaches one container; see {@link Container.detach}. */
  async detach(reference: string | Container): Promise<void> {
    await this.detachAll([reference])
  }

  /** Detaches many containers, by default all, in one transaction and one send. */
  detachAll(references?: readonly (string | Container)[]): Promise<void> {
    return this.#context.operate(DETACH, () => this.#detachAll(references ?? this.containers))
  }

  /** Detaches what is attached and removes the bridge; the last network takes tables and forwarding with it. */
  destroy(): Promise<void> {
    const operation = 'Network.destroy'
    return this.#context.operate(operation, () =>
      destroyNetwork(this.#context, this.#record(operation), operation),
    )
  }

  #attach(options: readonly ContainerOptions[], pathOf: (index: number) => string): Promise<Container[]> {
    const context = this.#context
    return context.operate(ATTACH, async () => {
      const network = this.#record(ATTACH)
      const settings = checkArray(options, ATTACH, 'containers').map((container, index) =>
        parseContainerOptions(container, pathOf(index)),
      )
      const plan = planAttach(context.registry, network, settings, context.settings.firewall)
      const places = openNamespaces(settings, plan, context.kernel.namespace)
      try {
        await applySteps(attachSteps(context, network, plan, places), ATTACH)
      } finally {
        for (const { namespace } of places.values()) namespace.close()
      }
      context.registry.apply(plan.change)
      return plan.containers.map(({ id }) => new Container(context, id))
    })
  }

  async #detachAll(references: readonly (string | Container)[]): Promise<void> {
    const context = this.#context
    const network = this.#record(DETACH)
    const containers = checkArray(references, DETACH, 'containers').map((reference, index) =>
      this.#member(reference, joinPath('containers', index)),
    )
    await detachContainers(context, network, containers, DETACH)
  }

  #member(reference: string | Container, path: string): ContainerRecord {
    const key = reference instanceof Container ? reference.id : reference
    const record = this.#context.registry.find(key)
    if (record?.network === this.name) return record
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation: DETACH,
      message: `no container of ${this.name} has the name, id or short id "${key}"`,
      path,
    })
  }

  #record(operation: string): NetworkRecord {
    const record = this.#context.registry.network(this.name)
    if (record) return record
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation,
      message: `the network "${this.name}" was destroyed`,
    })
  }
}

const ATTACH = 'Network.attach'
const DETACH = 'Network.detach'

/** Opens each container's namespace, before anything is changed; all are closed again when one fails. */
function openNamespaces(settings: readonly ContainerSettings[], plan: AttachPlan, host: Namespace): Places {
  const places = new Map<string, { namespace: Namespace; path: string }>()
  for (const [index, { netns, path }] of settings.entries()) {
    const id = plan.containers[index]?.id
    if (id === undefined) continue
    try {
      const namespace = Namespace.open(netns)
      places.set(id, { namespace, path })
      if (namespace.inode === host.inode) throw ownNamespace()
    } catch (error) {
      for (const { namespace } of places.values()) namespace.close()
      throw inOperation(error, ATTACH, { path: joinPath(path, 'netns') })
    }
  }
  return places
}

function ownNamespace(): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation: ATTACH,
    message: "this is the host's own namespace: a container needs one of its own",
  })
}
