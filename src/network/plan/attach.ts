import { Claims, refusal } from './claims.js'
import { connectionLimitsOf } from './connections.js'
import type { ContainerSettings, HostContainerSettings } from './container-settings.js'
import { planEndpoint } from './endpoint.js'
import type { PortFacts } from './host-ports.js'
import { hostGateways } from './hosts-lines.js'
import { defaultHostName } from './identity.js'
import { labelsOf } from './labels.js'
import { finder, planLinks } from './link.js'
import type { Plan } from './plan.js'
import { checkPublishable, claimPublications, reservePublications, withHostBinding } from './publish.js'
import type { ContainerRecord, NetworkRecord } from './records.js'
import type { Registry } from './registry.js'
import { NOBODY_LOOKED, type TakenLinks } from './taken-links.js'
import { type NetworkView, withChange } from './view.js'

const OPERATION = 'Network.attach'

/** A planned attachment: the records in the order of the input. */
export interface AttachPlan extends Plan {
  readonly containers: readonly ContainerRecord[]
}

/**
 * Chooses what was left open (id, address, names) and checks what was given, against what stands and against the other
 * containers of the same call. Links may name containers of the same call, in any order.
 */
export function planAttach(
  registry: Registry,
  network: NetworkRecord,
  settings: readonly ContainerSettings[],
  firewall: boolean,
  ports: PortFacts,
  taken: TakenLinks = NOBODY_LOOKED,
): AttachPlan {
  const claims = new Claims(
    registry,
    settings.flatMap(({ name }) => name ?? []),
    taken,
  )
  const unlinked = identifyAll(claims, network, settings)
  const view = withChange(registry, { containers: byId(unlinked) })
  const requests = unlinked.map((container, index) =>
    withHostBinding(view, container, settings[index]?.published ?? []),
  )
  for (const [index, container] of unlinked.entries()) {
    reservePublications(claims, container, requests[index] ?? [])
  }
  const published = unlinked.map((container, index) => {
    const requested = requests[index] ?? []
    checkHostGateway(view, container, settings[index]?.path)
    checkPublishable(view, container, requested, firewall, OPERATION)
    return {
      ...container,
      published: claimPublications(claims, view, container, requested, ports, OPERATION),
    }
  })
  const find = finder(registry, published)
  const containers = published.map((container, index) => ({
    ...container,
    links: planLinks(container, settings[index]?.links ?? [], find, registry, published, OPERATION),
  }))
  return {
    containers,
    change: { containers: byId(containers) },
    touched: {
      containers: containers.map(({ id }) => id),
      pairs: containers.flatMap(({ id, links }) => links.map(({ server }) => [id, server] as const)),
    },
  }
}

/** A container that uses the host's network: it has a name and an id, and nothing of it is ours. */
export function planHostContainer(
  registry: Registry,
  settings: HostContainerSettings,
): Plan & { readonly container: ContainerRecord } {
  const claims = new Claims(registry)
  const refuse = refusal('BridgeHost.addHostContainer', '')
  const id = claims.id(settings.id, refuse)
  const container: ContainerRecord = {
    id,
    name: claims.name(settings.name, refuse, id),
    hostname: defaultHostName(id),
    domainname: undefined,
    state: 'host',
    netns: undefined,
    endpoints: [],
    exposed: [],
    published: [],
    links: [],
    addHosts: [],
    hostsFile: undefined,
    ...labelsOf(settings),
  }
  return { container, change: { containers: byId([container]) }, touched: {} }
}

/** In the order of the input; but addresses that are asked for are taken before any is chosen. */
function identifyAll(
  claims: Claims,
  network: NetworkRecord,
  settings: readonly ContainerSettings[],
): ContainerRecord[] {
  const isAsked = ({ endpoint }: ContainerSettings): boolean =>
    endpoint.addresses.length > 0 || endpoint.mac !== undefined
  const identified = new Map<ContainerSettings, ContainerRecord>()
  for (const [index, each] of settings.entries())
    if (isAsked(each)) identified.set(each, identify(claims, network, each, index))
  return settings.map((each, index) => identified.get(each) ?? identify(claims, network, each, index))
}

function identify(
  claims: Claims,
  network: NetworkRecord,
  settings: ContainerSettings,
  index: number,
): ContainerRecord {
  const refuse = refusal(OPERATION, settings.path)
  const id = claims.id(settings.id, refuse)
  return {
    id,
    name: claims.name(settings.name, refuse, id),
    hostname: settings.hostname ?? defaultHostName(id),
    domainname: settings.domainname,
    state: 'running',
    netns: typeof settings.netns === 'string' ? settings.netns : undefined,
    netnsProcess: settings.netnsProcess,
    endpoints: [
      planEndpoint(claims, network, settings.endpoint, { id, endpoints: [] }, refuse, claims.inside(index)),
    ],
    exposed: settings.exposed,
    published: [],
    links: [],
    addHosts: settings.addHosts,
    hostsFile: settings.hostsFile,
    ...labelsOf(settings),
    ...connectionLimitsOf(settings),
  }
}

/** A name for the host where the container has no way to it would be passed over in silence. */
function checkHostGateway(view: NetworkView, container: ContainerRecord, path: string | undefined): void {
  const index = container.addHosts.findIndex(({ address }) => address === 'host-gateway')
  if (index < 0 || hostGateways(view, container).length > 0) return
  const message = 'host-gateway is the gateway of the network, and its bridge is isolated and has no address'
  throw refusal(OPERATION, path)('NFB_SETTING_CONFLICT', message, `addHosts[${index}]`)
}

function byId(containers: readonly ContainerRecord[]): ReadonlyMap<string, ContainerRecord> {
  return new Map(containers.map((container) => [container.id, container]))
}
