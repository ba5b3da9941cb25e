import { Cidr, type IPAddress, type IPv4Address } from '../address/index.js'
import { checkObject } from '../input.js'
import type { AddressRecord } from '../native/records.js'
import { AddressFlag, nameOf, numberOf, SCOPES } from './numbers.js'
import {
  compact,
  type Device,
  familyNumber,
  type ResolveDevice,
  readAddress,
  toAddress,
  toInterfaceAddress,
} from './values.js'

/** How far an address or a route reaches (rt_scope_t in linux/rtnetlink.h). */
export type Scope = keyof typeof SCOPES | number

/** An address to add to a link, or to delete from it. */
export interface AddressSpec {
  /** The link; a name is looked up first. */
  readonly device: Device
  /** With the prefix length of its network: `172.17.0.5/16`. */
  readonly address: Cidr | string
  /** The address at the other end of a point-to-point link; the prefix length then belongs to it. */
  readonly peer?: IPAddress | string
  /** IPv4 only. None by default. */
  readonly broadcast?: IPv4Address | string
  /** IPv4 only: the link's name, or it followed by `:` and more. */
  readonly label?: string
  /** Default `universe`. */
  readonly scope?: Scope
  /** IPv6: whether the address waits for duplicate address detection. Default true; false makes it usable at once. */
  readonly duplicateDetection?: boolean
  /** Whether the kernel adds a route to the network. Default true. */
  readonly prefixRoute?: boolean
  /** Metric of that route. */
  readonly metric?: number
}

/** An address as the kernel describes it (RTM_NEWADDR). */
export interface Address {
  readonly family: 4 | 6
  /** Index of the link. */
  readonly device: number
  readonly address: Cidr
  readonly peer?: IPAddress
  readonly broadcast?: IPAddress
  readonly label?: string
  readonly scope: Scope
  /** Not in use while duplicate address detection runs (IPv6). */
  readonly tentative: boolean
  /** Whether another one has it (IPv6). */
  readonly duplicate: boolean
  /** Whether it never expires. */
  readonly permanent: boolean
  /** All flags (IFA_F_* in linux/if_addr.h). */
  readonly flags: number
  readonly metric?: number
  /** All that the kernel said. */
  readonly record: AddressRecord
}

/** The properties by their attributes, for the paths of errors. */
export const ADDRESS_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['index', 'device'],
  ['local', 'address'],
  ['prefixlen', 'address'],
  ['address', 'peer'],
  ['rtPriority', 'metric'],
])

const NAMES = [
  'device',
  'address',
  'peer',
  'broadcast',
  'label',
  'scope',
  'duplicateDetection',
  'prefixRoute',
  'metric',
] as const satisfies readonly (keyof AddressSpec)[]

/** The record that adds an address, or deletes it. */
export function addressRecord(
  spec: AddressSpec,
  operation: string,
  path: string,
  resolve: ResolveDevice,
): AddressRecord {
  checkObject(spec, NAMES, operation, path)
  const cidr = toInterfaceAddress(spec.address, `${path}.address`)
  const local = cidr.address.bytes
  const flags =
    (spec.duplicateDetection === false ? AddressFlag.noDuplicateDetection : 0) |
    (spec.prefixRoute === false ? AddressFlag.noPrefixRoute : 0)
  return compact<AddressRecord>({
    family: familyNumber(cidr.family),
    prefixlen: cidr.prefixLength,
    scope: spec.scope === undefined ? undefined : numberOf(SCOPES, spec.scope, operation, `${path}.scope`),
    index: resolve(spec.device, `${path}.device`),
    local,
    address: spec.peer === undefined ? local : toAddress(spec.peer, `${path}.peer`).bytes,
    broadcast:
      spec.broadcast === undefined ? undefined : toAddress(spec.broadcast, `${path}.broadcast`).bytes,
    label: spec.label,
    ifaFlags: flags === 0 ? undefined : flags,
    rtPriority: spec.metric,
  })
}

/** Undefined for an address of another family than IPv4 and IPv6. */
export function readAddressRecord(record: AddressRecord): Address | undefined {
  // For IPv4 `local` is the link's own and `address` the peer's, for IPv6 `local` is there only when there is a peer.
  const other = readAddress(record.address)
  const own = readAddress(record.local) ?? other
  if (own === undefined) return undefined
  const flags = record.ifaFlags ?? record.flags ?? 0
  return compact<Address>({
    family: own.family,
    device: record.index ?? 0,
    address: Cidr.of(own, record.prefixlen ?? 0),
    peer: other === undefined || other.equals(own) ? undefined : other,
    broadcast: readAddress(record.broadcast),
    label: record.label,
    scope: nameOf(SCOPES, record.scope ?? 0),
    tentative: (flags & AddressFlag.tentative) !== 0,
    duplicate: (flags & AddressFlag.duplicate) !== 0,
    permanent: (flags & AddressFlag.permanent) !== 0,
    flags,
    metric: record.rtPriority,
    record,
  })
}
