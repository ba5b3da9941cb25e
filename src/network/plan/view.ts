import type { ContainerRecord, HostPolicyRecord, NetworkRecord, PeerRecord } from './records.js'

/** Networks, containers and peers as planning sees them. */
export interface NetworkView {
  network(name: string): NetworkRecord | undefined
  /** By full id. */
  container(id: string): ContainerRecord | undefined
  /** By subnet, as text. */
  peer(subnet: string): PeerRecord | undefined
  /** All of them; only for what rebuilds everything. */
  readonly networks: Iterable<NetworkRecord>
  readonly containers: Iterable<ContainerRecord>
  readonly peers: Iterable<PeerRecord>
  readonly policy: HostPolicyRecord
}

/** What a change makes of some of them; undefined: it is removed. */
export interface ViewChange {
  readonly networks?: ReadonlyMap<string, NetworkRecord | undefined>
  readonly containers?: ReadonlyMap<string, ContainerRecord | undefined>
  readonly peers?: ReadonlyMap<string, PeerRecord | undefined>
  readonly policy?: HostPolicyRecord
}

/** A view as it will be after a change, without changing the first. */
export function withChange(base: NetworkView, change: ViewChange): NetworkView {
  const { networks, containers, peers, policy } = change
  return {
    network: (name) => (networks?.has(name) ? networks.get(name) : base.network(name)),
    container: (id) => (containers?.has(id) ? containers.get(id) : base.container(id)),
    peer: (subnet) => (peers?.has(subnet) ? peers.get(subnet) : base.peer(subnet)),
    get networks() {
      return merged(base.networks, ({ name }) => name, networks)
    },
    get containers() {
      return merged(base.containers, ({ id }) => id, containers)
    },
    get peers() {
      return merged(base.peers, ({ subnet }) => subnet.toString(), peers)
    },
    get policy() {
      return policy ?? base.policy
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
  const { networks, containers, peers, policy } = change
  return {
    ...(networks && { networks: new Map([...networks.keys()].map((name) => [name, before.network(name)])) }),
    ...(containers && {
      containers: new Map([...containers.keys()].map((id) => [id, before.container(id)])),
    }),
    ...(peers && { peers: new Map([...peers.keys()].map((subnet) => [subnet, before.peer(subnet)])) }),
    ...(policy && { policy: before.policy }),
  }
}
