import type { HostSettings } from '../plan/network-settings.js'
import type { ContainerRecord, Family } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { inspectContainer } from './inspect-container.js'
import { inspectNetwork } from './inspect-network.js'
import type {
  ForwardingInspection,
  HostInspection,
  LostContainerInspection,
  OffloadingInspection,
  StatisticsInspection,
} from './inspection.js'
import { type UserRule, userRuleText } from './user-rule-text.js'

/** What of a host the view does not know. */
export interface InspectionFacts {
  readonly settings: HostSettings
  /** What the kernel's settings of forwarding are, and whether they were turned on here. */
  readonly forwarding: {
    readonly ipv4: Omit<ForwardingInspection, 'policy'>
    readonly ipv6: Omit<ForwardingInspection, 'policy'>
  }
  readonly offloading: OffloadingInspection
  readonly userRules: { readonly forward: readonly UserRule[]; readonly inbound: readonly UserRule[] }
  readonly lost: readonly LostContainerInspection[]
  readonly statistics: StatisticsInspection
}

/** Everything as data; see {@link HostInspection}. A pure function: it asks nobody. */
export function inspectHost(view: NetworkView, facts: InspectionFacts): HostInspection {
  const { name, firewall, ipForward, forwardPolicy, bridgeNetfilter, offload, existingRules, state } =
    facts.settings
  const containers = [...view.containers]
  const clients = clientNames(containers)
  const members = byNetwork(containers)
  const forwarding = (family: Family, known: Omit<ForwardingInspection, 'policy'>): ForwardingInspection => ({
    on: known.on,
    turnedOn: known.turnedOn,
    policy: view.policy.drop.includes(family) ? 'drop' : 'accept',
  })
  return {
    host: {
      name,
      firewall,
      ipForward,
      forwardPolicy,
      bridgeNetfilter,
      offload,
      existingRules,
      hostBinding: facts.settings.hostBinding?.toString() ?? null,
      state: state ?? null,
      forwarding: { ipv4: forwarding(4, facts.forwarding.ipv4), ipv6: forwarding(6, facts.forwarding.ipv6) },
      offloading: { ...facts.offloading, devices: [...facts.offloading.devices] },
      acceptDirect: view.policy.acceptDirect,
    },
    networks: [...view.networks].map((network) => inspectNetwork(network, members.get(network.name) ?? [])),
    containers: containers.map((container) =>
      inspectContainer(view, container, clients.get(container.id) ?? []),
    ),
    peers: [...view.peers].map(({ subnet, via, device }) => ({
      subnet: subnet.toString(),
      via: via?.toString() ?? null,
      device: device ?? null,
    })),
    userRules: {
      forward: facts.userRules.forward.map(userRuleText),
      inbound: facts.userRules.inbound.map(userRuleText),
    },
    lost: facts.lost.map(({ id, name, networks }) => ({ id, name, networks: [...networks] })),
    statistics: { ...facts.statistics },
  }
}

/** In one pass, whatever the number of containers. */
function byNetwork(containers: readonly ContainerRecord[]): Map<string, ContainerRecord[]> {
  const members = new Map<string, ContainerRecord[]>()
  for (const container of containers) {
    for (const { network } of container.endpoints) {
      const known = members.get(network)
      if (known) known.push(container)
      else members.set(network, [container])
    }
  }
  return members
}

function clientNames(containers: readonly ContainerRecord[]): Map<string, string[]> {
  const clients = new Map<string, string[]>()
  for (const { name, links } of containers) {
    for (const server of new Set(links.map((link) => link.server))) {
      const known = clients.get(server)
      if (known) known.push(name)
      else clients.set(server, [name])
    }
  }
  return clients
}
