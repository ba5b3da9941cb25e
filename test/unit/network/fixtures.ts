import type { ContainerOptions, NetworkOptions } from '../../../src/network/options.js'
import { planAttach } from '../../../src/network/plan/attach.js'
import { parseContainerOptions } from '../../../src/network/plan/container-settings.js'
import { elementsOf, everything } from '../../../src/network/plan/elements.js'
import { DYNAMIC_PORTS, type PortFacts } from '../../../src/network/plan/host-ports.js'
import type { Plan } from '../../../src/network/plan/plan.js'
import type { ContainerRecord, EndpointRecord, NetworkRecord } from '../../../src/network/plan/records.js'
import { Registry } from '../../../src/network/plan/registry.js'
import { withChange } from '../../../src/network/plan/view.js'
import { plan } from './view-fixtures.js'

export { thrown } from './thrown.js'

/** Docker's default network without icc, unless other options are given. */
export function network(change: Partial<NetworkOptions> = {}): NetworkRecord {
  return plan({
    name: 'docker0',
    icc: false,
    ...(change.pools ? {} : { subnet: '172.17.0.0/16' }),
    ...change,
  })
}

/** A registry with networks and nothing else. */
export function registryWith(...networks: NetworkRecord[]): Registry {
  const registry = new Registry()
  registry.apply({ networks: new Map(networks.map((each) => [each.name, each])) })
  return registry
}

/** A host whose dynamic ports are from 49153 on, and on which others have these: `tcp/49153`. */
export function freePorts(...taken: string[]): PortFacts {
  return { dynamic: DYNAMIC_PORTS, reserved: [], taken: new Set(taken) }
}

/** Plans and registers containers, as an attach without a kernel. */
export function attach(
  registry: Registry,
  to: NetworkRecord,
  ...containers: Omit<ContainerOptions, 'netns'>[]
): ContainerRecord[] {
  const settings = containers.map((options, index) =>
    parseContainerOptions({ netns: { pid: 1 }, ...options }, `containers[${index}]`),
  )
  const attachment = planAttach(registry, to, settings, true, freePorts())
  carryOut(registry, attachment)
  return [...attachment.containers]
}

/**
 * Registers a plan. Fails when the plan does not touch all that it changes: then the elements of the touched part would
 * differ from those of the whole, and the kernel would keep what should go, or lack what should come.
 */
export function carryOut(registry: Registry, { change, touched }: Plan): void {
  const after = withChange(registry, change)
  const before = elementsOf(registry, everything(registry))
  const goal = elementsOf(after, everything(after))
  const touchedBefore = elementsOf(registry, touched)
  const touchedAfter = elementsOf(after, touched)
  for (const [text] of goal) {
    if (!before.has(text) && !touchedAfter.has(text)) throw new Error(`comes untouched: ${text}`)
  }
  for (const [text] of before) {
    if (!goal.has(text) && !touchedBefore.has(text)) throw new Error(`goes untouched: ${text}`)
  }
  for (const [text] of touchedBefore) {
    if (goal.has(text) && !touchedAfter.has(text)) throw new Error(`goes, and is needed: ${text}`)
  }
  registry.apply(change)
}

/** Every element that stands, as text. */
export function elementTexts(registry: Registry): string[] {
  return [...elementsOf(registry, everything(registry)).keys()]
}

/** The container with a name or id; fails the test when it is not there. */
export function known(registry: Registry, reference: string): ContainerRecord {
  const container = registry.find(reference)
  if (container) return container
  throw new Error(`there is no ${reference}`)
}

/** The endpoint of a container on a network or, by default, its first; fails the test when there is none. */
export function endpointOf(container: ContainerRecord | undefined, name?: string): EndpointRecord {
  const endpoint = container?.endpoints.find((each) => name === undefined || each.network === name)
  if (endpoint) return endpoint
  throw new Error(`there is no endpoint on ${name}`)
}
