import { isDeepStrictEqual } from 'node:util'
import { NfbridgeError } from '../../errors.js'
import { identityOf, type NamespaceIdentity } from '../../netns/index.js'
import type { Link } from '../../rtnl/index.js'
import { planDetach } from '../plan/detach.js'
import { elementsOf, everything } from '../plan/elements.js'
import { planDisconnect } from '../plan/lifecycle.js'
import { hostPolicy } from '../plan/policy.js'
import { type ContainerRecord, type NetworkRecord, standingEndpoints } from '../plan/records.js'
import { isTracked } from '../plan/tracking.js'
import { invertChange, type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import { adoptBridge } from './adopted-bridge.js'
import { askingOperations } from './asking-bridges.js'
import { limiterName } from './bandwidth.js'
import { requireBridgeNetfilter, trackingNeed } from './bridge-netfilter.js'
import { bridgeSteps } from './bridge-steps.js'
import { withdrawPlan } from './change.js'
import { portOperations } from './container-links.js'
import { formerOwnersStep, formerQuestionsStep } from './former-owners.js'
import { Forwarding } from './forwarding.js'
import type { HostContext } from './host-context.js'
import { refreshHostsFiles } from './hosts-files.js'
import { interruptedSwitch } from './interrupted-switch.js'
import { lastingInsideStep } from './lasting-inside.js'
import { mendingOperations } from './mend-bridges.js'
import { limitMendingOperations } from './mend-limits.js'
import { missingPeerRoutes } from './peer-steps.js'
import type { Remembered } from './persistence.js'
import { withLastingPlaces } from './places.js'
import { reserveStanding } from './port-steps.js'
import { standingStations } from './stations.js'
import { applySteps, type Step, undoSteps } from './steps.js'
import { strayNeighbourOperations } from './stray-neighbours.js'
import { concernNetworks } from './user-rule-frames.js'
import { NO_USER_RULES } from './user-rules.js'

const OPERATION = 'BridgeHost.open'

/** What the host found when it took over. */
export interface Adopted {
  /** The containers whose interfaces are gone, with their namespace: they are forgotten, with all that names them. */
  readonly gone: readonly ContainerRecord[]
  /** The links of the namespace, as they were before; undefined where nothing was to be taken over. */
  readonly links?: readonly Link[]
}

/**
 * Takes over what an earlier process left, killed or closed, or what a reboot took: the memory is the state directory, the
 * judge is the kernel. What runs is not touched; rules and elements are replaced by one transaction, which no packet sees
 * half of.
 */
export async function adopt(context: HostContext, remembered: Remembered): Promise<Adopted> {
  const { settings, kernel, persistence, revocations } = context
  const netns = identityOf(kernel.namespace)
  const isEmpty = remembered.networks.length + remembered.peers.length + remembered.containers.length === 0
  if (!isEmpty) checkSettings(context, remembered, netns)
  if (settings.firewall) {
    const users = settings.existingRules === 'flush' ? NO_USER_RULES : remembered.userRules
    kernel.userRules.restore(users, (rules) => revocations.saveUserRules(rules))
    if (settings.existingRules === 'flush') kernel.userRules.remember(NO_USER_RULES)
  }
  // Before anything is changed here: opened where the networks were before, they would lose what is made here.
  if (isEmpty || !isDeepStrictEqual(remembered.netns, netns)) {
    persistence.saveSettings({ firewall: settings.firewall, name: settings.name, netns })
  }
  if (isEmpty) return { gone: [] }
  return kernel.exclusively(() => takeOver(context, remembered))
}

async function takeOver(context: HostContext, remembered: Remembered): Promise<Adopted> {
  const { registry, settings, kernel, persistence, adoptedBridges } = context
  // Before our sets are filled anew.
  if (settings.firewall) await context.forwarding.inherit()
  if (settings.firewall && remembered.networks.some(({ tracking }) => tracking))
    await requireBridgeNetfilter(kernel.namespace, trackingNeed(OPERATION))
  const links = await kernel.listLinks()
  const present = new Set(links.map(({ name }) => name))
  const networks = remembered.networks.map((network) => ownedAgain(context, network, present))
  registry.apply({
    networks: new Map(networks.map((network) => [network.name, network])),
    peers: new Map(remembered.peers.map((peer) => [peer.subnet.toString(), peer])),
  })
  const containers = withoutStrayLinks(remembered.containers)
  registry.apply({ containers: new Map(containers.map((container) => [container.id, container])) })
  for (const network of networks) registry.restorePools(network, remembered.pools.get(network.name))
  for (const [name, bridge] of remembered.bridges) adoptedBridges.set(name, bridge)

  const strays = abandoned(context, networks, links)
  for (const name of strays) await kernel.deleteLink(name)
  const allBridges = networks.every(({ bridges }) => bridges.every((bridge) => present.has(bridge)))
  const gone = containers.filter((container) => isGone(container, present))
  const plan = planDetach(registry, gone)
  await applySteps(
    [
      context.remember(plan.change),
      ...(await policySteps(context, networks, plan.change, gone, links)),
      mendingStep(context, networks, links),
      ...networks.flatMap((network) => bridgesAgainSteps(context, network, present)),
      context.forwarding.step(Forwarding.families(networks), settings.ipForward),
      context.bridgeNetfilter.step(settings.bridgeNetfilter === 'off' && networks.length > 0),
      peerRoutesStep(context),
      mendingEndpointsStep(
        context,
        networks,
        withChange(registry, plan.change),
        // Of a thousand containers, to list the links is a tenth of all that is done here.
        strays.length === 0 && allBridges ? links : undefined,
      ),
      ...(settings.firewall ? [context.offload.step(registry, registry)] : []),
    ],
    OPERATION,
  )
  const leaving = {
    absent: withChange(registry, plan.change),
    present: registry,
    change: invertChange(plan.change, registry),
  }
  await withLastingPlaces(context, leaving, (places) =>
    undoSteps([lastingInsideStep(context, leaving, places)], OPERATION),
  )
  // It holds until the first change: killed after that, we take every address below the highest for used.
  for (const { name } of networks) persistence.savePools(name, undefined)
  registry.apply(plan.change)
  context.namespaces.retain((id) => {
    const container = registry.container(id)
    return container !== undefined && container.netns === undefined
  })
  await disconnectMissing(context, present)
  context.unwrittenHostsFiles = refreshHostsFiles(registry)
  context.unreservedPorts = await reserveStanding(context.reservations, registry)
  return { gone, links }
}

/** A call that was killed after it removed a container's file had not come to those of its clients. */
function withoutStrayLinks(containers: readonly ContainerRecord[]): ContainerRecord[] {
  const ids = new Set(containers.map(({ id }) => id))
  return containers.map((container) =>
    container.links.every(({ server }) => ids.has(server))
      ? container
      : { ...container, links: container.links.filter(({ server }) => ids.has(server)) },
  )
}

/**
 * With other rules than those that it was made with, a network could not be kept, nor removed; in another namespace all
 * containers seem gone, and would be forgotten. After a reboot no namespace is the same.
 */
function checkSettings(
  { settings }: HostContext,
  { firewall, name, netns }: Remembered,
  opened: NamespaceIdentity,
): void {
  if (netns?.boot === opened.boot && netns.file !== opened.file && settings.netnsChanged === 'refuse') {
    const [, inode] = netns.file.split(':')
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation: OPERATION,
      message:
        `the networks of the state directory are in another network namespace (net:[${inode}]): open that one, or give another ` +
        "directory; if it is gone, netnsChanged: 'accept' makes them anew in this one",
      path: 'netns',
    })
  }
  if (name !== undefined && name !== settings.name) {
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation: OPERATION,
      message: `the state directory is that of the host "${name}": open it with that name, or give another directory`,
      path: 'name',
    })
  }
  if (firewall === undefined || firewall === settings.firewall) return
  throw new NfbridgeError({
    code: 'NFB_SETTING_CONFLICT',
    operation: OPERATION,
    message: `the networks of the state directory were made with firewall: ${firewall}; open with that, and destroy them first`,
    path: 'firewall',
  })
}

/** A bridge of somebody else that is not there any more is made by us now, and is ours. */
function ownedAgain(
  { persistence }: HostContext,
  network: NetworkRecord,
  present: ReadonlySet<string>,
): NetworkRecord {
  if (!network.adopted || network.bridges.every((bridge) => present.has(bridge))) return network
  const owned = { ...network, adopted: false }
  persistence.save({ networks: new Map([[network.name, owned]]) })
  return owned
}

/** A container that ran is gone with its last interface; one that is on no network just now is not judged. */
function isGone(container: ContainerRecord, present: ReadonlySet<string>): boolean {
  const endpoints = standingEndpoints(container)
  return endpoints.length > 0 && !endpoints.some(({ hostInterface }) => present.has(hostInterface))
}

/**
 * Ports of our bridges that nobody remembers, which a killed call made and did not live to tell of; and what limited the
 * bandwidth of interfaces that are gone.
 */
function abandoned(
  { registry }: HostContext,
  networks: readonly NetworkRecord[],
  links: readonly Link[],
): string[] {
  const present = new Set(links.map(({ name }) => name))
  const known = new Set(
    standingStations(registry).flatMap(({ endpoint }) =>
      present.has(endpoint.hostInterface) ? [endpoint.hostInterface, limiterName(endpoint)] : [],
    ),
  )
  return networks.flatMap(({ bridges, group }) => {
    const indexes = new Set(
      links.flatMap(({ name, kind, index }) => (kind === 'bridge' && bridges.includes(name) ? [index] : [])),
    )
    const isOurs = ({ kind, master }: Link): boolean =>
      kind === 'ifb' || (kind === 'veth' && master !== undefined && indexes.has(master))
    return links
      .filter((link) => link.group === group && isOurs(link) && !known.has(link.name))
      .map(({ name }) => name)
  })
}

/** What is dropped is decided before the rules are made, and the rules stand before anything is forwarded. */
async function policySteps(
  context: HostContext,
  networks: readonly NetworkRecord[],
  change: ViewChange,
  gone: readonly ContainerRecord[],
  links: readonly Link[],
): Promise<Step[]> {
  const { registry, settings, kernel, forwarding } = context
  const ours = await forwarding.ours(Forwarding.families(networks), settings.ipForward)
  const userRules = settings.existingRules === 'keep' && (await concernNetworks(context, networks))
  const counts = settings.firewall && networks.length > 0
  const maxConnections = counts ? await kernel.mostConnections() : undefined
  const policy = hostPolicy(settings.forwardPolicy, ours, { userRules, maxConnections })
  registry.apply({ policy })
  if (!settings.firewall || networks.length === 0) return []
  const after = withChange(registry, change)
  const tracked = networks.filter((network) => isTracked(network, policy))
  const elements = [...elementsOf(after, everything(after)).values()]
  const handingOver = await interruptedSwitch(context, after, elements, links)
  return [
    {
      leaves: 'what bridges ask br_netfilter for',
      apply: () => kernel.applyLinks(askingOperations(context, tracked, policy, links)),
      undo: async () => undefined,
    },
    {
      leaves: `tables ${settings.name}`,
      apply: async () => {
        await kernel.commitRuleset('replace', elements, handingOver.asked)
        await handingOver.again()
        await userRulesFound(kernel, settings.existingRules)
      },
      undo: async () => undefined,
    },
    formerQuestionsStep(context, after),
    formerOwnersStep(context, networks, after, gone),
  ]
}

/** What the two chains of the users hold when we come. */
async function userRulesFound(kernel: HostContext['kernel'], existing: 'keep' | 'flush'): Promise<void> {
  if (existing === 'keep') return kernel.userRules.snapshot()
  await kernel.userRules.flush('forward', OPERATION)
  await kernel.userRules.flush('inbound', OPERATION)
}

/** A bridge that somebody deleted is made again, and the interfaces that are still there become its ports. */
function bridgesAgainSteps(
  context: HostContext,
  network: NetworkRecord,
  present: ReadonlySet<string>,
): Step[] {
  const { kernel, registry, settings } = context
  // Of one that is not ours, it is looked at again what it lacks.
  const missing = network.adopted ? network.bridges : network.bridges.filter((bridge) => !present.has(bridge))
  if (missing.length === 0) return []
  if (network.adopted) return [adoptedAgainStep(context, network)]
  return [
    ...bridgeSteps(context, { ...network, bridges: missing }, registry.policy),
    {
      leaves: `ports of ${missing.join(', ')}`,
      apply: async () => {
        const endpoints = registry.containersOf(network.name).flatMap(standingEndpoints)
        for (const bridge of missing) {
          const ports = endpoints.filter((each) => each.bridge === bridge && present.has(each.hostInterface))
          if (ports.length === 0) continue
          await kernel.applyLinks(portOperations(await kernel.bridgeIndex(bridge), ports, settings.firewall))
        }
      },
      undo: async () => undefined,
    },
  ]
}

/** Not undone: containers may run on it, and the next open goes on with it. */
function adoptedAgainStep(context: HostContext, network: NetworkRecord): Step {
  return {
    leaves: 'nothing',
    apply: async () => {
      for (const bridge of network.bridges)
        await adoptBridge(context, network, bridge, context.registry.policy)
    },
    undo: async () => undefined,
  }
}

/** What is neither as it was before a call that was killed nor as it would be after it. */
function mendingEndpointsStep(
  context: HostContext,
  networks: readonly NetworkRecord[],
  after: NetworkView,
  known: readonly Link[] | undefined,
): Step {
  const { kernel } = context
  return {
    leaves: 'limits of bandwidth, and neighbours',
    apply: async () => {
      const links = known ?? (await kernel.listLinks())
      await kernel.applyLinks(await limitMendingOperations(kernel, after, links))
      await kernel.applyLinks(await strayNeighbourOperations(kernel, after, networks, links))
    },
    undo: async () => undefined,
  }
}

function mendingStep(context: HostContext, networks: readonly NetworkRecord[], links: readonly Link[]): Step {
  return {
    leaves: 'addresses and ports of bridges',
    apply: async () => {
      const operations = await mendingOperations(context, networks, links)
      if (operations.length > 0) await context.kernel.applyLinks(operations)
    },
    undo: async () => undefined,
  }
}

/** A peer whose device or gateway is not there (yet): containers that run are not left alone for its sake. */
async function ignoreUnreachable(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    const known = error instanceof NfbridgeError && ['NFB_MISSING', 'NFB_REJECTED'].includes(error.code)
    if (!known) throw error
  }
}

function peerRoutesStep(context: HostContext): Step {
  return {
    leaves: 'routes to peers',
    apply: async () => {
      for (const operation of await missingPeerRoutes(context, [...context.registry.peers])) {
        await ignoreUnreachable(context.kernel.applyLinks([operation]))
      }
    },
    undo: async () => undefined,
  }
}

/** A container that lost one of several interfaces is not on that network any more. */
async function disconnectMissing(context: HostContext, present: ReadonlySet<string>): Promise<void> {
  const { registry } = context
  const missing = standingStations(registry).filter(({ endpoint }) => !present.has(endpoint.hostInterface))
  for (const { container, network } of missing) {
    const record = registry.container(container.id)
    if (record) await withdrawPlan(context, planDisconnect(registry, record, network), OPERATION)
  }
}
