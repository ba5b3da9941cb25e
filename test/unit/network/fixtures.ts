import { Cidr, IPv4Address } from '../../../src/address/index.js'
import type { ContainerOptions } from '../../../src/network/options.js'
import { planAttach } from '../../../src/network/plan/attach.js'
import { parseContainerOptions } from '../../../src/network/plan/container-settings.js'
import type { ContainerRecord, NetworkRecord } from '../../../src/network/plan/records.js'
import { Registry } from '../../../src/network/plan/registry.js'

export function network(change: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    name: 'docker0',
    subnet: Cidr.parse('172.17.0.0/16'),
    gateway: IPv4Address.parse('172.17.0.1'),
    icc: false,
    mtu: undefined,
    group: 1,
    ...change,
  }
}

/** A registry with networks and nothing else. */
export function registryWith(...networks: NetworkRecord[]): Registry {
  const registry = new Registry()
  registry.apply({ networks: new Map(networks.map((each) => [each.name, each])) })
  return registry
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
  const plan = planAttach(registry, to, settings, true)
  registry.apply(plan.change)
  return [...plan.containers]
}

/** What a call throws; fails the test when it does not. */
export function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
