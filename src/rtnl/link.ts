import type { MacAddress } from '../address/index.js'
import type { LinkRecord } from '../native/records.js'
import { selects } from '../native/select.js'
import { type BridgeOptions, type BridgePort, readBridge, readBridgePort } from './bridge.js'
import type { Ipv6AddressGeneration } from './link-spec.js'
import { ADDRESS_GENERATION, LinkFlag, nameOf, OPERATIONAL_STATES } from './numbers.js'
import { compact, readMac } from './values.js'

/** RFC 2863's state of an interface; a number for one that is not in linux/if.h yet. */
export type OperationalState = keyof typeof OPERATIONAL_STATES | number

/** A link as the kernel describes it (RTM_NEWLINK). */
export interface Link {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, `vlan` …; absent for what has none, such as `lo`. */
  readonly kind?: string
  /** Absent for what has no address of six bytes. */
  readonly mac?: MacAddress
  readonly mtu: number
  /** Set up by somebody (IFF_UP); {@link state} tells whether it works. */
  readonly up: boolean
  /** Whether there is a carrier (IFF_LOWER_UP). */
  readonly lowerUp: boolean
  readonly state: OperationalState
  /** All flags (IFF_* in linux/if.h). */
  readonly flags: number
  /** Index of the bridge (or bond, or VRF) that it is a port of. */
  readonly master?: number
  /** A number by which several links are deleted at once; 0 by default. */
  readonly group: number
  /** Free text, up to 255 bytes. */
  readonly alias?: string
  readonly alternativeNames?: readonly string[]
  readonly txQueueLength?: number
  readonly txQueues?: number
  readonly rxQueues?: number
  /** How it gets IPv6 addresses by itself; absent for a link without IPv6. */
  readonly ipv6AddressGeneration?: Ipv6AddressGeneration | number
  /** Index of the link it hangs on: a veth's peer, a VLAN's device; in the namespace of {@link peerNamespaceId}. */
  readonly peer?: number
  /** The kernel's id for the namespace that {@link peer} is in; absent when it is in this one. */
  readonly peerNamespaceId?: number
  /** Of a bridge: its settings. */
  readonly bridge?: BridgeOptions
  /** Of a bridge's port: its settings. */
  readonly port?: BridgePort
  /** Of a VLAN: its number. */
  readonly vlan?: number
  /** All that the kernel said, in its own words, with what this library does not know as `opaque`. */
  readonly record: LinkRecord
}

export function readLink(record: LinkRecord): Link {
  const info = record.linkinfo
  const flags = record.flags ?? 0
  const generation = record.afSpec?.inet6?.addrGenMode
  return compact<Link>({
    index: record.index ?? 0,
    name: record.ifname ?? '',
    kind: info?.kind,
    mac: readMac(record.address),
    mtu: record.mtu ?? 0,
    up: (flags & LinkFlag.up) !== 0,
    lowerUp: (flags & LinkFlag.lowerUp) !== 0,
    state: nameOf(OPERATIONAL_STATES, record.operstate ?? 0),
    flags,
    master: record.master,
    group: record.group ?? 0,
    alias: record.ifalias,
    alternativeNames: record.propList,
    txQueueLength: record.txqlen,
    txQueues: record.numTxQueues,
    rxQueues: record.numRxQueues,
    ipv6AddressGeneration: generation === undefined ? undefined : nameOf(ADDRESS_GENERATION, generation),
    peer: record.link,
    peerNamespaceId: record.linkNetnsid,
    bridge: info && selects(info, 'kind', 'bridge') ? readBridge(info.data ?? {}) : undefined,
    port: info && selects(info, 'slaveKind', 'bridge') ? readBridgePort(info.slaveData ?? {}) : undefined,
    vlan: info && selects(info, 'kind', 'vlan') ? info.data?.id : undefined,
    record,
  })
}
