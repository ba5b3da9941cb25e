import { NfbridgeError } from '../errors.js'
import { openStore } from '../store/index.js'
import { adopt } from './apply/adopt.js'
import { requireBridgeNetfilter } from './apply/bridge-netfilter.js'
import { destroyNetwork } from './apply/destroy.js'
import { Forwarding } from './apply/forwarding.js'
import { HostContext } from './apply/host-context.js'
import { HostKernel, type HostStatistics } from './apply/host-kernel.js'
import { networkSteps } from './apply/network-steps.js'
import { Persistence } from './apply/persistence.js'
import { applySteps, inOperation } from './apply/steps.js'
import type { Container } from './container.js'
import { Network } from './network.js'
import type { ContainerOptions, HostOptions, NetworkOptions } from './options.js'
import { DEFAULT_NETWORK, planNetwork } from './plan/network.js'
import { parseHostOptions, parseNetworkOptions } from './plan/network-settings.js'
import type { ContainerRecord } from './plan/records.js'
import { Registry } from './plan/registry.js'

/**
 * A host with container networks: the namespace whose bridges, rules and settings nfbridge looks after. Calls take effect
 * in the order in which they are made; each happens whole, or fails and changes nothing.
 */
export class BridgeHost {
  readonly #context: HostContext
  readonly #lost: readonly ContainerRecord[]

  private constructor(context: HostContext, lost: readonly ContainerRecord[]) {
    this.#context = context
    this.#lost = lost
  }

  /**
   * Opens a host. With a state directory, what stood when it was last used is adopted: running containers keep their
   * network without losing a packet. Without one, nothing in the namespace is changed before a network is created.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED, NFB_NOT_SUPPORTED,
   * NFB_STATE_DAMAGED
   */
  static async open(options: HostOptions = {}): Promise<BridgeHost> {
    try {
      return await BridgeHost.#open(options)
    } catch (error) {
      throw inOperation(error, 'BridgeHost.open')
    }
  }

  static async #open(options: HostOptions): Promise<BridgeHost> {
    const settings = parseHostOptions(options)
    const persistence = new Persistence(openStore(settings.state))
    const remembered = persistence.load()
    const kernel = await HostKernel.open(options.netns)
    try {
      const forwarding = new Forwarding(kernel.namespace, persistence, remembered.sysctls)
      const context = new HostContext({ settings, kernel, registry: new Registry(), persistence, forwarding })
      return new BridgeHost(context, await adopt(context, remembered))
    } catch (error) {
      kernel.close()
      throw error
    }
  }

  /**
   * Makes a network: its bridge with the gateway's address, and with the first one the rules and IP forwarding.
   * @throws NfbridgeError NFB_INVALID_NAME, NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_NAME_TAKEN (here or in the
   * kernel), NFB_POOL_OVERLAP, NFB_SETTING_CONFLICT (`icc: false` without rules), NFB_NOT_SUPPORTED (a kernel without
   * br_netfilter), NFB_NOT_PERMITTED, NFB_CLOSED
   */
  createNetwork(options: NetworkOptions): Promise<Network> {
    return this.#context.operate('BridgeHost.createNetwork', () => this.#create(options))
  }

  /** The network `docker0`, 172.17.0.0/16, made when it is first asked for. */
  defaultNetwork(): Promise<Network> {
    return this.#context.operate('BridgeHost.defaultNetwork', async () => {
      return this.network(DEFAULT_NETWORK.name) ?? (await this.#create(DEFAULT_NETWORK))
    })
  }

  /** Attaches a container to the default network; see {@link Network.attach}. */
  async attach(options: ContainerOptions): Promise<Container> {
    const existed = this.network(DEFAULT_NETWORK.name) !== undefined
    const network = await this.defaultNetwork()
    try {
      return await network.attach(options)
    } catch (error) {
      if (!existed) await this.#removeEmpty(network.name)
      throw error
    }
  }

  /** The network of a name; undefined when there is none. */
  network(name: string): Network | undefined {
    return this.#context.registry.network(name) && new Network(this.#context, name)
  }

  /** Every network, in the order in which they were made. */
  get networks(): Network[] {
    return [...this.#context.registry.networks].map(({ name }) => new Network(this.#context, name))
  }

  /** The container that a name, a full id or an unambiguous short id stands for. */
  container(reference: string): Container | undefined {
    const record = this.#context.registry.find(reference)
    return record && this.network(record.network)?.container(record.id)
  }

  /** Containers of the state directory whose namespace was gone when the host was opened. They are forgotten. */
  get lost(): readonly { readonly id: string; readonly name: string; readonly network: string }[] {
    return this.#lost.map(({ id, name, network }) => ({ id, name, network }))
  }

  /** What this host has cost the kernel since it was opened. */
  get statistics(): HostStatistics {
    return this.#context.kernel.statistics
  }

  /** Ends this object; the networks and their rules stay, for another `open` with the same state directory. */
  close(): Promise<void> {
    return this.#context.close()
  }

  /** Destroys every network, those that are being created included, which leaves the namespace as it was found; closes. */
  async destroy(): Promise<void> {
    await this.#context.operate('BridgeHost.destroy', async () => {
      for (const network of [...this.#context.registry.networks]) {
        await destroyNetwork(this.#context, network, 'BridgeHost.destroy')
      }
    })
    await this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** A call that fails leaves no network behind that it made; unless somebody else uses it by now. */
  #removeEmpty(name: string): Promise<void> {
    const operation = 'BridgeHost.attach'
    return this.#context.operate(operation, async () => {
      const network = this.#context.registry.network(name)
      if (!network || this.#context.registry.containersOf(name).length > 0) return
      await destroyNetwork(this.#context, network, operation)
    })
  }

  async #create(options: NetworkOptions): Promise<Network> {
    const context = this.#context
    const settings = parseNetworkOptions(options, context.settings)
    if (context.settings.firewall) await requireBridgeNetfilter(context.kernel.namespace)
    const subnets = await context.kernel.listSubnets()
    const network = planNetwork(
      context.registry,
      settings,
      subnets.map(({ subnet }) => subnet),
    )
    try {
      await applySteps(networkSteps(context, network), 'BridgeHost.createNetwork')
    } catch (error) {
      throw nameTaken(error, network.name)
    }
    context.registry.apply({ networks: new Map([[network.name, network]]) })
    return new Network(context, network.name)
  }
}

/** What is in the kernel already is a name taken by somebody else. */
function nameTaken(error: unknown, name: string): unknown {
  if (!(error instanceof NfbridgeError) || error.code !== 'NFB_EXISTS') return error
  return new NfbridgeError({
    code: 'NFB_NAME_TAKEN',
    operation: error.operation,
    message:
      `an interface "${name}" or a table "nfbridge" is there already, of another program or of a host that was closed; ` +
      'choose another name, open the host with its state directory, or remove what is left',
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: 'name',
    remaining: error.remaining,
    cause: error,
  })
}
