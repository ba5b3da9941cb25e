import type { ContainerRecord, NetworkRecord } from './records.js'

/** Networks and containers as planning sees them. */
export interface NetworkView {
  network(name: string): NetworkRecord | undefined
  /** By full id. */
  container(id: string): ContainerRecord | undefined
  /** All of them; only for what rebuilds everything. */
  readonly networks: Iterable<NetworkRecord>
  readonly containers: Iterable<ContainerRecord>
}

/** What a change makes of some networks and containers; undefined: it is removed. */
export interface ViewChange {
  readonly networks?: ReadonlyMap<string, NetworkRecord | undefined>
  readonly containers?: ReadonlyMap<string, ContainerRecord | undefined>
}

/** A view as it will be after a change, without changing the first. */
export function withChange(base: NetworkView, change: ViewChange): NetworkView {
  const { networks, containers } = change
  return {
    network: (name) => (networks?.has(name) ? networks.get(name) : base.network(name)),
    container: (id) => (containers?.has(id) ? containers.get(id) : base.container(id)),
    get networks() {
      return merged(base.networks, ({ name }) => name, networks)
    },
    get containers() {
      return merged(base.containers, ({ id }) => id, containers)
    },
  }
}

function merged<T>(
  base: Iterable<T>,
  keyOf: (value: T) => string,
  changed: ReadonlyMap<string, T | undefined> = new Map(),
): T[] {
  const unchanged = [...base].filter((value) => !changed.has(keyOf(value)))
  return [...unchanged, ...[...changed.values()].filter((value) => value !== undefined)]
}

/** The change that leads back to a view. */
export function invertChange(change: ViewChange, before: NetworkView): ViewChange {
  return {
    networks: new Map([...(change.networks?.keys() ?? [])].map((name) => [name, before.network(name)])),
    containers: new Map([...(change.containers?.keys() ?? [])].map((id) => [id, before.container(id)])),
  }
}
