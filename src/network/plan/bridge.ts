import { MacAddress } from '../../address/index.js'
import type { NetworkRecord, PoolRecord } from './records.js'

/** The pools that lie on a bridge. */
export function bridgePools(network: NetworkRecord, bridge: string): PoolRecord[] {
  return network.pools.filter((pool) => pool.bridge === bridge)
}

/**
 * How many MAC addresses a bridge of ours learns (`fdb_max_learned`), where a port learns at all: one whose container may send as others, or any
 * without rules. Such a container would fill the kernel's memory with them.
 */
export const MOST_LEARNED = 4_096

/**
 * A MAC address of its own: without one a bridge has the lowest of its ports', and changes it as containers come and go.
 * Derived from the gateway's address, or the network's where there is none, which a container may have (RFC 3021): no container gets this MAC.
 */
export function bridgeMac(network: NetworkRecord, bridge: string): MacAddress {
  const pools = bridgePools(network, bridge)
  const pool = pools.find(({ subnet }) => subnet.family === 4) ?? pools[0]
  const bytes = (pool?.gateway ?? pool?.subnet.network)?.bytes ?? new Uint8Array(4)
  return MacAddress.fromBytes(Uint8Array.of(0x02, 0x42, ...bytes.slice(-4)))
}
