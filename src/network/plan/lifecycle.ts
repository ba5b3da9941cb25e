import { NfbridgeError } from '../../errors.js'
import type { NamespaceSource } from '../../netns/index.js'
import { Claims, refusal } from './claims.js'
import type { ConnectSettings } from './container-settings.js'
import { planEndpoint, replanEndpoint } from './endpoint.js'
import type { PortFacts } from './host-ports.js'
import { pairsOf, planLinks } from './link.js'
import { containerLabel, type Plan } from './plan.js'
import { claimPublications } from './publish.js'
import { type ContainerRecord, endpointOn, type NetworkRecord } from './records.js'
import type { Registry } from './registry.js'
import { NOBODY_LOOKED, type TakenLinks } from './taken-links.js'
import { withChange } from './view.js'

/** A change of one container, and the record that it becomes. */
export interface ContainerPlan extends Plan {
  readonly container: ContainerRecord
}

const START = 'Container.start'
const CONNECT = 'Container.connect'
const DISCONNECT = 'Container.disconnect'

/**
 * Takes running containers off their networks, and remembers them: name, endpoints, ports, and the links from and to them,
 * which mean nobody until they start again. Addresses and ports of the host are free. What is stopped stays so.
 */
export function planStop(registry: Registry, containers: readonly ContainerRecord[]): Plan {
  const change = new Map<string, ContainerRecord>()
  for (const container of containers) {
    refuseHost(container, 'Container.stop')
    if (container.state === 'running') change.set(container.id, { ...container, state: 'stopped' })
  }
  return touching(registry, change)
}

/**
 * Brings a stopped container back to all its networks: at the addresses that were asked for, at its former ones where they
 * are free, or at others. Its links and those to it work again.
 * @param ports where a port of the host was chosen and somebody else has it by now, another one is
 * @param given its namespace, where it is another one
 * @param process that a path is about
 */
export function planStart(
  registry: Registry,
  container: ContainerRecord,
  ports: PortFacts,
  given?: NamespaceSource,
  ipv6Off = false,
  taken: TakenLinks = NOBODY_LOOKED,
  process?: string,
): ContainerPlan {
  refuseHost(container, START)
  const refuse = refusal(START, undefined)
  if (container.state === 'running') {
    throw refuse('NFB_SETTING_CONFLICT', `${containerLabel(container)} is running; stop it first`)
  }
  const claims = new Claims(registry, [], taken)
  const inside = claims.inside(0)
  const endpoints = container.endpoints.map((endpoint) =>
    replanEndpoint(claims, networkOf(registry, endpoint.network, START), endpoint, ipv6Off, refuse, inside),
  )
  const place = pathAfter(container, given, process)
  const unpublished: ContainerRecord = { ...container, state: 'running', ...place, endpoints }
  const requested = container.published.map((port) => ({ port, choice: undefined, path: undefined }))
  const view = withChange(registry, { containers: new Map([[container.id, unpublished]]) })
  const published = claimPublications(claims, view, unpublished, requested, ports, START)
  return changing(registry, { ...unpublished, published })
}

/** Puts a container on one more network; with it new links, also to containers of that network. */
export function planConnect(
  registry: Registry,
  container: ContainerRecord,
  network: NetworkRecord,
  settings: ConnectSettings,
  taken: TakenLinks = NOBODY_LOOKED,
): ContainerPlan {
  refuseHost(container, CONNECT)
  const refuse = refusal(CONNECT, settings.endpoint.path)
  if (endpointOn(container, network.name)) {
    throw refuse('NFB_SETTING_CONFLICT', `${containerLabel(container)} is on ${network.name} already`)
  }
  const claims = new Claims(registry, [], taken)
  const endpoint = planEndpoint(claims, network, settings.endpoint, container, refuse, claims.inside(0))
  const unlinked: ContainerRecord = {
    ...container,
    ...pathAfter(container, settings.netns, settings.netnsProcess),
    endpoints: [...container.endpoints, endpoint],
  }
  const find = (reference: string): ContainerRecord | undefined => registry.find(reference)
  const links = planLinks(unlinked, settings.links, find, registry, [], CONNECT)
  return changing(registry, { ...unlinked, links })
}

/** Takes a container off one of its networks. Its links stay, and hold where both are on another network. */
export function planDisconnect(
  registry: Registry,
  container: ContainerRecord,
  network: Pick<NetworkRecord, 'name'>,
): ContainerPlan {
  const endpoints = container.endpoints.filter((endpoint) => endpoint.network !== network.name)
  if (endpoints.length < container.endpoints.length) return changing(registry, { ...container, endpoints })
  throw new NfbridgeError({
    code: 'NFB_NOT_FOUND',
    operation: DISCONNECT,
    message: `${containerLabel(container)} is not on ${network.name}`,
    path: 'network',
  })
}

/** The path that leads to a container's namespace when a call was given one, by whatever, or none. */
function pathAfter(
  { state, netns, netnsProcess }: Pick<ContainerRecord, 'state' | 'netns' | 'netnsProcess'>,
  given: NamespaceSource | undefined,
  process: string | undefined,
): Pick<ContainerRecord, 'netns' | 'netnsProcess'> {
  if (typeof given === 'string') return { netns: given, netnsProcess: process }
  // One that runs has the namespace that it has, by whatever it is given once more; one that starts has a new one.
  const isSame = given === undefined || state === 'running'
  return isSame ? { netns, netnsProcess } : { netns: undefined, netnsProcess: undefined }
}

function changing(registry: Registry, container: ContainerRecord): ContainerPlan {
  return { container, ...touching(registry, new Map([[container.id, container]])) }
}

/** Every link of a container may hold or not hold by where it is: they are all touched, those that it gets too. */
function touching(registry: Registry, change: ReadonlyMap<string, ContainerRecord>): Plan {
  const pairs = new Map<string, readonly [string, string]>()
  for (const container of change.values()) {
    const before = registry.container(container.id)
    for (const each of before ? [before, container] : [container]) {
      for (const pair of pairsOf(registry, each)) pairs.set(pair.join(' '), pair)
    }
  }
  return {
    change: { containers: change },
    touched: { containers: [...change.keys()], pairs: [...pairs.values()] },
  }
}

function networkOf(registry: Registry, name: string, operation: string): NetworkRecord {
  const network = registry.network(name)
  if (network) return network
  throw new NfbridgeError({
    code: 'NFB_NOT_FOUND',
    operation,
    message: `the network "${name}" was destroyed; disconnect the container from it`,
  })
}

function refuseHost(container: ContainerRecord, operation: string): void {
  if (container.state !== 'host') return
  const message = `${containerLabel(container)} uses the host's network, which is not ours`
  throw new NfbridgeError({ code: 'NFB_SETTING_CONFLICT', operation, message })
}
