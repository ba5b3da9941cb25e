import { NfbridgeError } from '../errors.js'
import { checkString } from '../input.js'
import { detachContainers } from './apply/detach.js'
import type { HostContext } from './apply/host-context.js'
import type { LinkOption, PublishOption } from './options.js'
import { parseLink, parsePublished } from './plan/container-settings.js'
import { type HostsLine, hostsLines } from './plan/hosts-lines.js'
import { planLink, planUnlink } from './plan/link.js'
import { planPublish, planUnpublish } from './plan/publish.js'
import { type ContainerRecord, linkablePorts, portText, publishedText, shortId } from './plan/records.js'

/** A link as its client sees it. */
export interface Link {
  readonly alias: string
  /** The server's name. */
  readonly container: string
  /** The server's address. */
  readonly address: string
  /** What it opens: `80/tcp`. Empty when the server exposes nothing: then it gives a name only. */
  readonly ports: readonly string[]
}

/** A container on a network. The object is a handle: two of the same container are equal in all they do. */
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

  /** Name of its network. */
  get network(): string {
    return this.#record('Container.network').network
  }

  /** Its address on the network: `172.17.0.2`. */
  get address(): string {
    return this.#record('Container.address').address.toString()
  }

  get mac(): string {
    return this.#record('Container.mac').mac.toString()
  }

  /** Name of its interface, in the container. */
  get interfaceName(): string {
    return this.#record('Container.interfaceName').interfaceName
  }

  /** Name of the interface's other end, on the host. */
  get hostInterface(): string {
    return this.#record('Container.hostInterface').hostInterface
  }

  /** `80/tcp`, one text for each port. */
  get exposed(): string[] {
    return this.#record('Container.exposed').exposed.map(portText)
  }

  /** `0.0.0.0:8080:80/tcp`, one text for each port. */
  get published(): string[] {
    return this.#record('Container.published').published.map(publishedText)
  }

  get links(): Link[] {
    const { registry } = this.#context
    return this.#record('Container.links').links.flatMap(({ server, alias }) => {
      const target = registry.container(server)
      if (!target) return []
      const ports = linkablePorts(target).map(portText)
      return { alias, container: target.name, address: target.address.toString(), ports }
    })
  }

  /** The lines of the container's hosts file that its links give: alias, host name, name and short id of each server. */
  get hosts(): HostsLine[] {
    return hostsLines(this.#context.registry, this.#record('Container.hosts'))
  }

  /**
   * Lets this container reach the exposed and published ports of another of its network, and nothing else; one way, and
   * not further. Connections are answered by connection tracking.
   * @returns the link as it stands
   * @throws NfbridgeError NFB_NOT_FOUND (also for a host name), NFB_LINK_REFUSED (itself, another network),
   * NFB_NAME_TAKEN (the alias), NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_CLOSED
   */
  link(option: LinkOption): Promise<Link> {
    return this.#context.operate('Container.link', async () => {
      const requested = parseLink(option, 'link')
      const client = this.#record('Container.link')
      await this.#context.change(planLink(this.#context.registry, client, requested), 'Container.link')
      const link = this.links.find(({ alias }) => alias === requested.alias)
      if (link) return link
      throw new NfbridgeError({
        code: 'NFB_INTERNAL',
        operation: 'Container.link',
        message: 'the link is gone',
      })
    })
  }

  /**
   * Takes back the link with an alias or, where none has it, the links to the server with a name, id or short id. New
   * connections and open ones stop, those that something else allows go on.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_CLOSED
   */
  unlink(reference: string): Promise<void> {
    return this.#context.operate('Container.unlink', async () => {
      checkString(reference, 'Container.unlink', 'reference')
      const client = this.#record('Container.unlink')
      await this.#context.change(planUnlink(this.#context.registry, client, reference), 'Container.unlink')
    })
  }

  /**
   * Lets a port of the host lead to one of this container: from outside, from the host, and from containers.
   * @throws NfbridgeError NFB_PORT_TAKEN, NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_SETTING_CONFLICT (no rules), NFB_CLOSED
   */
  publish(...ports: readonly PublishOption[]): Promise<void> {
    return this.#context.operate('Container.publish', async () => {
      const { registry, settings } = this.#context
      const requested = parsePublished(ports, 'ports')
      const container = this.#record('Container.publish')
      const plan = planPublish(registry, container, requested, settings.firewall)
      await this.#context.change(plan, 'Container.publish')
    })
  }

  /**
   * Takes publications back: new connections and open ones through them stop.
   * @throws NfbridgeError NFB_NOT_FOUND, NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_CLOSED
   */
  unpublish(...ports: readonly PublishOption[]): Promise<void> {
    return this.#context.operate('Container.unpublish', async () => {
      const requested = parsePublished(ports, 'ports')
      const container = this.#record('Container.unpublish')
      await this.#context.change(
        planUnpublish(this.#context.registry, container, requested),
        'Container.unpublish',
      )
    })
  }

  /**
   * Takes the container off the network: its interface, in one transaction every element that names it, and the connections
   * that they allowed. Works as well when the container's namespace is gone already.
   * @throws NfbridgeError NFB_NOT_FOUND when it is detached already; NFB_CLOSED
   */
  detach(): Promise<void> {
    const operation = 'Container.detach'
    return this.#context.operate(operation, async () => {
      const container = this.#record(operation)
      const network = this.#context.registry.network(container.network)
      if (network) await detachContainers(this.#context, network, [container], operation)
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
