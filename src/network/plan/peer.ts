import { Cidr, type IPAddress, parseAddress } from '../../address/index.js'
import { type ErrorCode, NfbridgeError } from '../../errors.js'
import { checkObject, checkString } from '../../input.js'
import type { PeerOptions } from '../options.js'
import { checkNameInRules } from './interface-names.js'
import type { Plan } from './plan.js'
import type { PeerRecord } from './records.js'
import type { NetworkView } from './view.js'

const ADD = 'BridgeHost.addPeer'
const REMOVE = 'BridgeHost.removePeer'

/**
 * {@link PeerOptions}, checked: where the other host is must follow from them.
 * @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_SETTING_CONFLICT
 */
export function parsePeer(options: PeerOptions): PeerRecord {
  checkObject(options, ['subnet', 'via', 'device'], ADD, '')
  const subnet = Cidr.parse(checkString(options.subnet, ADD, 'subnet'), 'subnet')
  const special = NO_PEERS.find((reserved) => reserved.overlaps(subnet))
  if (special) {
    throw refuse(
      ADD,
      'NFB_INVALID_ADDRESS',
      `${subnet}: addresses of ${special} are not those of containers`,
      'subnet',
    )
  }
  const device =
    options.device === undefined
      ? undefined
      : checkNameInRules(checkString(options.device, ADD, 'device'), ADD, 'device')
  const via = options.via === undefined ? undefined : parseVia(options.via, subnet, device)
  if (via === undefined && device === undefined) {
    const message = `nothing says where ${subnet} is: give "via", the other host's address, or "device", the interface to it`
    throw refuse(ADD, 'NFB_INVALID_ARGUMENT', message, 'via')
  }
  return { subnet, via, device }
}

/** "This network" and with it every default route, loopback, multicast, reserved, link-local (RFC 6890, RFC 4291). */
const NO_PEERS = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/8', 'fe80::/10', 'ff00::/8'].map((text) =>
  Cidr.parse(text),
)

/** Unspecified, loopback, multicast and reserved addresses: no host has one for others. */
const NO_HOSTS = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/127', 'ff00::/8'].map((text) =>
  Cidr.parse(text),
)
const LINK_LOCAL = Cidr.parse('fe80::/10')

function parseVia(text: string, subnet: Cidr, device: string | undefined): IPAddress {
  const via = parseAddress(checkString(text, ADD, 'via'), 'via')
  const special = NO_HOSTS.find((reserved) => reserved.contains(via))
  if (special)
    throw refuse(ADD, 'NFB_INVALID_ADDRESS', `${via}: no other host has addresses of ${special}`, 'via')
  if (via.family !== subnet.family) {
    const message = `${via} is IPv${via.family} and ${subnet} is IPv${subnet.family}; give the host's address of the same family`
    throw refuse(ADD, 'NFB_SETTING_CONFLICT', message, 'via')
  }
  if (subnet.contains(via)) {
    const message = `${via} lies within ${subnet} itself, to which it should be the way`
    throw refuse(ADD, 'NFB_SETTING_CONFLICT', message, 'via')
  }
  if (device === undefined && LINK_LOCAL.contains(via)) {
    throw refuse(
      ADD,
      'NFB_INVALID_ARGUMENT',
      `${via} is on every interface; say by "device" which is meant`,
      'device',
    )
  }
  return via
}

/** The peer of a subnet. @throws NfbridgeError NFB_INVALID_ADDRESS, NFB_NOT_FOUND */
export function findPeer(view: NetworkView, subnet: string): PeerRecord {
  const wanted = Cidr.parse(checkString(subnet, REMOVE, 'subnet'), 'subnet')
  const peer = view.peer(wanted.toString())
  if (peer) return peer
  throw refuse(REMOVE, 'NFB_NOT_FOUND', `there is no peer with the subnet ${wanted}`, 'subnet')
}

/**
 * Adds a peer, or removes it again.
 * @throws NfbridgeError NFB_POOL_OVERLAP: a pool of ours or another peer has a part of its subnet; NFB_SETTING_CONFLICT: its
 * device is `lo` or a bridge of ours
 */
export function planPeer(direction: 'add' | 'remove', view: NetworkView, peer: PeerRecord): Plan {
  const key = peer.subnet.toString()
  if (direction === 'add') {
    const holder = holderOf(peer.subnet, view)
    if (holder) throw refuse(ADD, 'NFB_POOL_OVERLAP', `${peer.subnet} overlaps ${holder}`, 'subnet')
    const { device } = peer
    if (device === 'lo' || [...view.networks].some(({ bridges }) => bridges.includes(device ?? ''))) {
      const message = `"${device}" leads to no other host; give the interface towards it`
      throw refuse(ADD, 'NFB_SETTING_CONFLICT', message, 'device')
    }
  }
  return {
    change: { peers: new Map([[key, direction === 'add' ? peer : undefined]]) },
    touched: { peers: [key] },
  }
}

/** How an error names a peer: by the way to it. */
export function peerLabel({ via, device }: PeerRecord): string {
  if (via === undefined) return `the peer behind ${device}`
  return device === undefined ? `the peer ${via}` : `the peer ${via} behind ${device}`
}

/** Who of ours has a part of a subnet, in words. */
export function holderOf(
  subnet: Cidr,
  { networks, peers }: Pick<NetworkView, 'networks' | 'peers'>,
): string | undefined {
  for (const network of networks) {
    const pool = network.pools.find((each) => each.subnet.overlaps(subnet))
    if (pool) return `${pool.subnet} of the network "${network.name}"`
  }
  for (const peer of peers) {
    if (peer.subnet.overlaps(subnet)) return `${peer.subnet} of ${peerLabel(peer)}`
  }
  return undefined
}

function refuse(operation: string, code: ErrorCode, message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code, operation, message, path })
}
