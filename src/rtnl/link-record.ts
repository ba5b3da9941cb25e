import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { LinkInfoRecord, LinkRecord, VethPeerRecord } from '../native/records.js'
import { type BridgePortOptions, bridgePortRecord, bridgeRecord } from './bridge.js'
import type {
  Ipv6AddressGeneration,
  LinkAttributes,
  LinkChange,
  LinkNamespace,
  LinkSelector,
  LinkSpec,
  VethPeerSpec,
} from './link-spec.js'
import { checkInterfaceName } from './names.js'
import { ADDRESS_GENERATION, LinkFlag, numberOf } from './numbers.js'
import { checkDevice, checkIndex, compact, type Device, type ResolveDevice, toMac } from './values.js'

/** The properties by their attributes, for the paths of errors. */
export const LINK_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['ifname', 'name'],
  ['address', 'mac'],
  ['ifalias', 'alias'],
  ['txqlen', 'txQueueLength'],
  ['numTxQueues', 'txQueues'],
  ['numRxQueues', 'rxQueues'],
  ['netNsFd', 'netns'],
  ['netNsPid', 'netns'],
  ['link', 'device'],
  ['afSpec', 'ipv6AddressGeneration'],
])

const COMMON = [
  'mtu',
  'mac',
  'group',
  'alias',
  'master',
  'up',
  'promiscuous',
  'allMulticast',
  'arp',
  'txQueueLength',
  'ipv6AddressGeneration',
  'port',
] as const satisfies readonly (keyof LinkAttributes)[]
const NEW = ['kind', 'name', 'index', 'txQueues', 'rxQueues', 'netns', ...COMMON] as const
const NEW_OF_KIND: ReadonlyMap<string, readonly string[]> = new Map([
  ['bridge', [...NEW, 'bridge']],
  ['veth', [...NEW, 'peer']],
  ['vlan', [...NEW, 'device', 'vlan']],
  ['vrf', [...NEW, 'table']],
])
const PEER = [
  'name',
  'index',
  'mac',
  'mtu',
  'group',
  'txQueues',
  'rxQueues',
  'ipv6AddressGeneration',
  'netns',
] as const
const CHANGE = ['device', 'name', 'bridge', 'netns', ...COMMON] as const

/** The record that creates a link. */
export function newLinkRecord(
  spec: LinkSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): LinkRecord {
  checkObject(spec, NEW_OF_KIND.get(spec.kind) ?? NEW, operation, path)
  return compact<LinkRecord>({
    ...attributes(spec, operation, path, resolve),
    ifname: checkInterfaceName(spec.name, operation, `${path}.name`),
    index: spec.index === undefined ? undefined : checkIndex(spec.index, operation, `${path}.index`),
    numTxQueues: spec.txQueues,
    numRxQueues: spec.rxQueues,
    ...namespace(spec.netns, operation, `${path}.netns`),
    link: spec.kind === 'vlan' ? resolve(spec.device, `${path}.device`) : undefined,
    linkinfo: linkInfo(spec, operation, path),
  })
}

/** The record that changes a link. */
export function changeLinkRecord(
  change: LinkChange,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): LinkRecord {
  checkObject(change, CHANGE, operation, path)
  const renames = change.name !== undefined
  return compact<LinkRecord>({
    ...attributes(change, operation, path, resolve),
    // The kernel finds a link by its name as well, but to give it another the index is needed.
    ...(renames
      ? {
          index: resolve(change.device, `${path}.device`),
          ifname: checkInterfaceName(change.name, operation, `${path}.name`),
        }
      : deviceRecord(change.device, operation, `${path}.device`)),
    ...namespace(change.netns, operation, `${path}.netns`),
    linkinfo:
      change.bridge === undefined
        ? undefined
        : { kind: 'bridge', data: bridgeRecord(change.bridge, operation, `${path}.bridge`) },
  })
}

/** The record that changes a port's settings. It must follow the message that makes the link a port. */
export function portRecord(
  device: Device,
  port: BridgePortOptions,
  operation: string,
  path: string,
): LinkRecord {
  return {
    ...deviceRecord(device, operation, `${path}.device`),
    linkinfo: { slaveKind: 'bridge', slaveData: bridgePortRecord(port, operation, `${path}.port`) },
  }
}

/**
 * The record that says how a link gets IPv6 addresses. The kernel refuses it in the message that makes the link, and in
 * one that sets it up would heed it too late (`do_setlink` in net/core/rtnetlink.c: flags before IFLA_AF_SPEC).
 */
export function addressGenerationRecord(
  device: Device,
  mode: Ipv6AddressGeneration,
  operation: string,
  path: string,
): LinkRecord {
  const addrGenMode = numberOf(ADDRESS_GENERATION, mode, operation, `${path}.ipv6AddressGeneration`)
  return { ...deviceRecord(device, operation, path), afSpec: { inet6: { addrGenMode } } }
}

/** The record that says which links are meant. */
export function linkSelectorRecord(selector: LinkSelector, operation: string, path: string): LinkRecord {
  checkObject(selector, ['device', 'group'], operation, path)
  if ('device' in selector) return deviceRecord(selector.device, operation, `${path}.device`)
  if (Number.isInteger(selector.group) && selector.group > 0 && selector.group < 2 ** 32) {
    return { group: selector.group }
  }
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: `${String(selector.group)} is no group to delete: an integer from 1 to 4294967295 is`,
    path: `${path}.group`,
  })
}

function deviceRecord(device: Device, operation: string, path: string): LinkRecord {
  const checked = checkDevice(device, operation, path)
  return typeof checked === 'number' ? { index: checked } : { ifname: checked }
}

function attributes(
  link: LinkAttributes,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): LinkRecord {
  let flags = 0
  let change = 0
  const flag = (bit: number, wanted: boolean | undefined): void => {
    if (wanted === undefined) return
    change |= bit
    if (wanted) flags |= bit
  }
  flag(LinkFlag.up, link.up)
  flag(LinkFlag.promiscuous, link.promiscuous)
  flag(LinkFlag.allMulticast, link.allMulticast)
  flag(LinkFlag.noArp, link.arp === undefined ? undefined : !link.arp)
  if (link.alias !== undefined && Buffer.byteLength(link.alias) > 255) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: 'an alias has 255 bytes at most',
      path: `${path}.alias`,
    })
  }
  return compact<LinkRecord>({
    flags: change === 0 ? undefined : flags,
    change: change === 0 ? undefined : change,
    mtu: link.mtu,
    address: link.mac === undefined ? undefined : toMac(link.mac, `${path}.mac`).bytes,
    group: link.group,
    ifalias: link.alias,
    master:
      link.master === undefined
        ? undefined
        : link.master === null
          ? 0
          : resolve(link.master, `${path}.master`),
    txqlen: link.txQueueLength,
  })
}

function linkInfo(spec: LinkSpec, operation: string, path: string): LinkInfoRecord {
  switch (spec.kind) {
    case 'bridge':
      return { kind: 'bridge', data: bridgeRecord(spec.bridge ?? {}, operation, `${path}.bridge`) }
    case 'veth':
      if (spec.peer?.index !== undefined && spec.index === undefined) {
        throw new NfbridgeError({
          code: 'NFB_INVALID_ARGUMENT',
          operation,
          message: "the kernel heeds the index of a veth's peer only when the link's own is given as well",
          path: `${path}.index`,
        })
      }
      return spec.peer === undefined
        ? { kind: 'veth' }
        : { kind: 'veth', data: { peer: peerRecord(spec.peer, operation, `${path}.peer`) } }
    case 'vlan':
      return { kind: 'vlan', data: { id: spec.vlan } }
    case 'vrf':
      return { kind: 'vrf', data: { table: spec.table } }
    case 'dummy':
    case 'ifb':
      return { kind: spec.kind }
    default:
      throw new NfbridgeError({
        code: 'NFB_INVALID_ARGUMENT',
        operation,
        message: 'a kind of link that can be created is bridge, veth, dummy, ifb, vlan or vrf',
        path: `${path}.kind`,
      })
  }
}

function peerRecord(peer: VethPeerSpec, operation: string, path: string): VethPeerRecord {
  checkObject(peer, PEER, operation, path)
  return compact<VethPeerRecord>({
    ifname: peer.name === undefined ? undefined : checkInterfaceName(peer.name, operation, `${path}.name`),
    index: peer.index === undefined ? undefined : checkIndex(peer.index, operation, `${path}.index`),
    address: peer.mac === undefined ? undefined : toMac(peer.mac, `${path}.mac`).bytes,
    mtu: peer.mtu,
    group: peer.group,
    numTxQueues: peer.txQueues,
    numRxQueues: peer.rxQueues,
    ...namespace(peer.netns, operation, `${path}.netns`),
  })
}

function namespace(
  netns: LinkNamespace | undefined,
  operation: string,
  path: string,
): { readonly netNsFd?: number; readonly netNsPid?: number } {
  if (netns === undefined) return {}
  if ('pid' in netns && Number.isInteger(netns.pid) && netns.pid > 0) return { netNsPid: netns.pid }
  if ('fd' in netns && Number.isInteger(netns.fd) && netns.fd >= 0) return { netNsFd: netns.fd }
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: 'the namespace of a link is a Namespace, { fd } or { pid }',
    path,
  })
}
