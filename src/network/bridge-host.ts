import type { Cidr } from '../address/index.js'
import { joinPath, NfbridgeError } from '../errors.js'
import { checkOneOf, checkString } from '../input.js'
import { PortReservations } from '../netns/index.js'
import { readInput, readProperty } from '../read-input.js'
import { awaitStore } from '../store/index.js'
import { adopt } from './apply/adopt.js'
import { requireBridgeNetfilter, trackingNeed } from './apply/bridge-netfilter.js'
import { BridgeNetfilterOff } from './apply/bridge-netfilter-off.js'
import { applyPlan } from './apply/change.js'
import { CommitWatch } from './apply/commit-watch.js'
import { destroyNetwork } from './apply/destroy.js'
import { Forwarding } from './apply/forwarding.js'
import { HostContext } from './apply/host-context.js'
import { readFacts } from './apply/host-facts.js'
import { HostKernel, type HostStatistics } from './apply/host-kernel.js'
import { inspect, type RulesFormat, rulesText } from './apply/inspect.js'
import { planNetworkSteps } from './apply/network-steps.js'
import { addPeer, removePeer } from './apply/peer-steps.js'
import { Persistence } from './apply/persistence.js'
import { refuseSharedAddresses, requireHelpers } from './apply/publishing.js'
import { requireForBridges } from './apply/require-forwarding.js'
import { applySteps, inOperation } from './apply/steps.js'
import { Sysctls } from './apply/sysctls.js'
import { check } from './check/check.js'
import type { Finding } from './check/finding.js'
import { openFindings } from './check/open-findings.js'
import { Container } from './container.js'
import { explain, explainAll } from './explain/explain.js'
import type { ExplainOptions, HostExplanation } from './explain/explanation.js'
import { Network } from './network.js'
import type {
  ContainerOptions,
  HostContainerOptions,
  HostOptions,
  NetworkOptions,
  PeerOptions,
} from './options.js'
import { planHostContainer } from './plan/attach.js'
import { parseHostContainerOptions } from './plan/container-settings.js'
import { defaultNetworkName } from './plan/host-name.js'
import { planNetwork } from './plan/network.js'
import { type NetworkSettings, parseHostOptions, parseNetworkOptions } from './plan/network-settings.js'
import { findPeer, parsePeer, planPeer } from './plan/peer.js'
import type { ContainerRecord, NetworkRecord } from './plan/records.js'
import { Registry } from './plan/registry.js'
import type { HostInspection } from './text/inspection.js'
import { HostUserRules } from './user-rules.js'

/** Another host's container subnet, as it was given. */
export interface Peer {
  readonly subnet: string
  readonly via: string | undefined
  readonly device: string | undefined
}

/** A container whose interfaces were gone when the host was opened. */
export interface LostContainer {
  readonly id: string
  readonly name: string
  /** Names of the networks that it was on. */
  readonly networks: readonly string[]
}

/**
 * A host with container networks: the namespace whose bridges, rules and settings nfbridge looks after. Calls take effect
 * in the order in which they are made; each happens whole, or fails and changes nothing.
 */
export class BridgeHost {
  /** The users' own rules, in front of ours. */
  readonly userRules: HostUserRules
  readonly #context: HostContext
  readonly #lost: readonly ContainerRecord[]

  /**
   * What {@link open} found that others should know before it surprises them: `policy-drops-foreign`, an interface of Docker,
   * libvirt or a VPN whose traffic `forwardPolicy: 'auto'` drops, or will with the first network. {@link check} finds it as
   * well, once it is so.
   */
  readonly findings: readonly Finding[]

  private constructor(context: HostContext, lost: readonly ContainerRecord[], findings: readonly Finding[]) {
    this.#context = context
    this.#lost = lost
    this.findings = findings
    this.userRules = new HostUserRules(context)
  }

  /**
   * Opens a host. With a state directory, what stood when it was last used is adopted: running containers keep their
   * network without losing a packet, and after a reboot networks, rules and peers are made again. Without one, nothing in
   * the namespace is changed before a network is created.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED, NFB_NOT_SUPPORTED,
   * NFB_SETTING_CONFLICT, NFB_STATE_DAMAGED, NFB_STATE_EXPOSED, NFB_BUSY (another host has the state directory open, or the namespace's lock for a minute)
   */
  static async open(options: HostOptions = {}): Promise<BridgeHost> {
    try {
      return await BridgeHost.#open(options)
    } catch (error) {
      throw inOperation(error, 'BridgeHost.open')
    }
  }

  static async #open(given: HostOptions): Promise<BridgeHost> {
    const options = readInput(given, 'BridgeHost.open', '')
    const settings = parseHostOptions(options)
    const persistence = new Persistence(await awaitStore(settings.state, settings.wait))
    let kernel: HostKernel | undefined
    let reservations: PortReservations | undefined
    try {
      const remembered = persistence.load()
      kernel = await HostKernel.open(options.netns, settings.name)
      reservations = PortReservations.open(kernel.namespace)
      const sysctls = new Sysctls(kernel.namespace, persistence, remembered.sysctls)
      const context = new HostContext({
        settings,
        kernel,
        registry: new Registry(settings.name),
        persistence,
        sysctls,
        forwarding: new Forwarding(kernel, sysctls),
        bridgeNetfilter: new BridgeNetfilterOff(kernel, sysctls),
        reservations,
        adoptedBridges: new Map(),
      })
      if (settings.offload === true) await context.offload.require()
      // Before anything is read: what others change meanwhile is looked at again.
      if (settings.firewall) await CommitWatch.open(context)
      const { gone, links } = await adopt(context, await context.revocations.obey(remembered))
      return new BridgeHost(context, gone, await openFindings(context, links))
    } catch (error) {
      reservations?.close()
      kernel?.close()
      persistence.close()
      throw error
    }
  }

  /**
   * Makes a network: its bridges with their gateways' addresses, and with the first one the rules and forwarding.
   * @throws NfbridgeError NFB_INVALID_NAME, NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_NAME_TAKEN (here or in the
   * kernel), NFB_POOL_OVERLAP (with another network, a peer or a route of the host), NFB_SETTING_CONFLICT (`icc: false`
   * without rules …), NFB_NOT_SUPPORTED (`tracking`, and a kernel without br_netfilter), NFB_NOT_PERMITTED, NFB_BUSY (another host has the
   * namespace's lock for a minute), NFB_CLOSED
   */
  createNetwork(options: NetworkOptions): Promise<Network> {
    return this.#context.operate(CREATE, async () => this.#create(readInput(options, CREATE, '')))
  }

  /** The network `docker0` (of a host called `other`: `other0`), 172.17.0.0/16 or the next default pool that is free, made when it is first asked for. */
  defaultNetwork(): Promise<Network> {
    return this.#context.operate('BridgeHost.defaultNetwork', async () => {
      const name = this.#defaultName
      return this.network(name) ?? (await this.#create({ name }))
    })
  }

  /** Attaches a container to the default network; see {@link Network.attach}. */
  async attach(options: ContainerOptions): Promise<Container> {
    const existed = this.network(this.#defaultName) !== undefined
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
    return record && new Container(this.#context, record.id)
  }

  /** Every container, of all networks, those that are stopped and those with the host's network included. */
  get containers(): Container[] {
    return [...this.#context.registry.containers].map(({ id }) => new Container(this.#context, id))
  }

  /**
   * Makes a container with the host's network known by name: it has no address of its own, and a link to it is refused with
   * that reason.
   * @throws NfbridgeError NFB_NAME_TAKEN, NFB_INVALID_NAME, NFB_INVALID_ARGUMENT, NFB_CLOSED
   */
  addHostContainer(options: HostContainerOptions = {}): Promise<Container> {
    const operation = 'BridgeHost.addHostContainer'
    return this.#context.operate(operation, async () => {
      const plan = planHostContainer(
        this.#context.registry,
        parseHostContainerOptions(readInput(options, operation, '')),
      )
      await applyPlan(this.#context, plan, operation)
      return new Container(this.#context, plan.container.id)
    })
  }

  /**
   * A route to another host's containers, and their way in to ours; on the other host the same in the other direction.
   * @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_POOL_OVERLAP, NFB_EXISTS (there is such a route),
   * NFB_MISSING (the device), NFB_REJECTED (`via` is on no network of the host), NFB_CLOSED
   */
  addPeer(options: PeerOptions): Promise<Peer> {
    const operation = 'BridgeHost.addPeer'
    return this.#context.operate(operation, async () => {
      const peer = parsePeer(readInput(options, operation, ''))
      await addPeer(this.#context, peer, planPeer('add', this.#context.registry, peer), operation)
      return peerOf(peer)
    })
  }

  /** Takes a peer's route back, and with it what came by it; by its subnet, or what `addPeer` returned. @throws NfbridgeError NFB_NOT_FOUND, NFB_CLOSED */
  removePeer(peer: string | Pick<Peer, 'subnet'>): Promise<void> {
    const operation = 'BridgeHost.removePeer'
    return this.#context.operate(operation, async () => {
      const { registry } = this.#context
      const record = findPeer(registry, subnetOf(readInput(peer, operation, 'peer'), operation))
      await removePeer(this.#context, record, planPeer('remove', registry, record), operation)
    })
  }

  /** Every peer, in the order in which they were added. */
  get peers(): Peer[] {
    return [...this.#context.registry.peers].map(peerOf)
  }

  /** Containers of the state directory whose interfaces were gone when the host was opened. They are forgotten. */
  get lost(): readonly LostContainer[] {
    return this.#lost.map(({ id, name, endpoints }) => ({
      id,
      name,
      networks: endpoints.map(({ network }) => network),
    }))
  }

  /** All of it as data: settings, networks, containers, links, ports, peers, the users' rules, what it has cost. */
  inspect(): Promise<HostInspection> {
    return this.#context.operate('BridgeHost.inspect', () => inspect(this.#context, this.lost))
  }

  /**
   * The rules as text: `nft` as `nft list ruleset` prints our tables, `iptables` in the manner of `iptables -L -n`, with the
   * chains of Docker's documentation and a rule for each link and port.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_CLOSED
   */
  toText(format: RulesFormat): Promise<string> {
    const operation = 'BridgeHost.toText'
    return this.#context.operate(operation, async () =>
      rulesText(
        this.#context,
        checkOneOf(readInput(format, operation, 'format'), ['iptables', 'nft'], operation, 'format'),
      ),
    )
  }

  /**
   * Whether a connection would come about, and what decides: the first rule, element, route, setting, missing address or
   * foreign chain, in a sentence, with what would change it. Computed from the state of the kernel, not from what is
   * remembered here; it sends nothing.
   * @throws NfbridgeError NFB_NOT_FOUND (a name that nobody has), NFB_INVALID_ARGUMENT, NFB_INVALID_PORT, NFB_NAMESPACE_GONE
   * (one of `namespaces`), NFB_NOT_PERMITTED, NFB_DUMP_INCONSISTENT (the rules change all the time), NFB_CLOSED
   */
  explain(options: ExplainOptions): Promise<HostExplanation> {
    return this.#context.operate('BridgeHost.explain', async () =>
      explain(this.#context, readInput(options, 'BridgeHost.explain', '')),
    )
  }

  /**
   * The same for several connections, from one reading of the kernel's state: a matrix of who reaches whom costs little more than one
   * answer, and all answers are of one moment.
   * @returns the answers in the order of the questions
   * @throws NfbridgeError the codes of `explain`, with the question in the path (`questions[3].port`)
   */
  explainAll(questions: readonly ExplainOptions[]): Promise<HostExplanation[]> {
    return this.#context.operate('BridgeHost.explainAll', async () =>
      explainAll(this.#context, readInput(questions, 'BridgeHost.explainAll', 'questions')),
    )
  }

  /**
   * What keeps the networks from working, errors first: rules of other programs that drop our traffic, settings, routes,
   * bridges and ports that somebody changed, our own tables. None where all is well. It sends nothing, and changes nothing
   * but that a published port that somebody else had when the host was opened is reserved if it is free by now, and a hosts file
   * written that could not be before. Rules of users that others have just written are looked at as after any other commit.
   * @throws NfbridgeError NFB_NOT_PERMITTED, NFB_DUMP_INCONSISTENT (the rules change all the time), NFB_CLOSED
   */
  check(): Promise<Finding[]> {
    return this.#context.operate('BridgeHost.check', () => check(this.#context))
  }

  /** What this host has cost the kernel since it was opened. */
  get statistics(): HostStatistics {
    return this.#context.kernel.statistics
  }

  /** Ends this object; the networks and their rules stay, for another `open` with the same state directory. */
  close(): Promise<void> {
    return this.#context.close()
  }

  /**
   * Destroys every network, those that are being created included, forgets every container and peer, which leaves the
   * namespace as it was found; closes.
   */
  async destroy(): Promise<void> {
    const operation = 'BridgeHost.destroy'
    await this.#context.operate(operation, async () => {
      const { registry } = this.#context
      for (const peer of [...registry.peers]) {
        await removePeer(this.#context, peer, planPeer('remove', registry, peer), operation)
      }
      for (const network of [...registry.networks]) await destroyNetwork(this.#context, network, operation)
      const others = new Map([...registry.containers].map(({ id }) => [id, undefined]))
      await applyPlan(this.#context, { change: { containers: others }, touched: {} }, operation)
    })
    await this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #defaultName(): string {
    return defaultNetworkName(this.#context.settings.name)
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

  async #create(options: NetworkOptions, attempt = 1): Promise<Network> {
    const context = this.#context
    const settings = await this.#present(parseNetworkOptions(options, context.settings))
    if (context.settings.firewall && (settings.tracking ?? settings.adopt))
      await requireBridgeNetfilter(context.kernel.namespace, trackingNeed(CREATE))
    const binding = { port: { hostAddress: settings.hostBinding }, path: 'hostBinding' }
    const helpers = settings.helpers.map((helper, index) => ({
      name: helper,
      path: joinPath('helpers', index),
    }))
    await requireHelpers(context.kernel, helpers, CREATE)
    if (options.hostBinding !== undefined) await refuseSharedAddresses(context.kernel, [binding], CREATE)
    await requireForBridges(context, settings.bridges, settings.families, CREATE)
    const facts = await readFacts(
      context.kernel,
      context.registry,
      settings.adopt ? settings.name : undefined,
    )
    const network = planNetwork(context.registry, settings, facts)
    await this.#refuseTaken(network)
    try {
      await context.kernel.exclusively(async () => {
        const { steps, made } = await planNetworkSteps(context, network)
        await applySteps(steps, CREATE, context.leave)
        context.registry.apply(made)
      })
    } catch (error) {
      // Another host was quicker: looked at again, its pool is one of those that are taken.
      const isLost = error instanceof NfbridgeError && error.code === 'NFB_POOL_OVERLAP'
      if (isLost && attempt < MOST_ATTEMPTS) return this.#create(options, attempt + 1)
      throw nameTaken(error, network.name, context.settings.name)
    }
    return new Network(context, network.name)
  }

  /** Before anything is remembered: a process that is killed then must not leave another's bridge for ours. */
  async #refuseTaken({ adopted, bridges, name }: NetworkRecord): Promise<void> {
    for (const bridge of adopted ? [] : bridges) {
      if (!(await this.#context.kernel.findLink(bridge))) continue
      const message = `there is an interface "${bridge}"`
      const taken = { code: 'NFB_EXISTS', operation: CREATE, message, errno: 'EEXIST' } as const
      throw nameTaken(new NfbridgeError(taken), name, this.#context.settings.name)
    }
  }

  /** A bridge that is to be adopted and is not there is made, and is ours. */
  async #present(settings: NetworkSettings): Promise<NetworkSettings> {
    if (!settings.adopt || (await this.#context.kernel.findLink(settings.name))) return settings
    return { ...settings, adopt: false }
  }
}

const CREATE = 'BridgeHost.createNetwork'
/** So often a network is planned anew because another host took its pool meanwhile. */
const MOST_ATTEMPTS = 8

function peerOf({ subnet, via, device }: { subnet: Cidr; via: unknown; device: string | undefined }): Peer {
  return { subnet: subnet.toString(), via: via === undefined ? undefined : String(via), device }
}

/** A peer is named by its subnet, or is what `addPeer` returned. */
function subnetOf(peer: string | Pick<Peer, 'subnet'>, operation: string): string {
  const subnet =
    typeof peer === 'object' && peer !== null ? readProperty(peer, 'subnet', operation, 'subnet') : peer
  return checkString(subnet, operation, 'subnet')
}

/** What is in the kernel already is a name taken by somebody else. */
function nameTaken(error: unknown, name: string, table: string): unknown {
  if (!(error instanceof NfbridgeError) || error.code !== 'NFB_EXISTS') return error
  return new NfbridgeError({
    code: 'NFB_NAME_TAKEN',
    operation: error.operation,
    message:
      `an interface "${name}" or a table "${table}" is there already, of another program or of a host that was closed; ` +
      'choose another name, open the host with its state directory, adopt the bridge, or remove what is left',
    errno: error.errno,
    kernelMessage: error.kernelMessage,
    path: 'name',
    remaining: error.remaining,
    cause: error,
  })
}
