import {
  type Family,
  familiesOf,
  familyOf,
  type NetworkRecord,
  type PublishedPort,
  publishedFamilies,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { IptablesMatch, Selector } from './iptables-table.js'

/** An interface or address that a packet must have. */
export const is = (value: { toString(): string }): Selector => ({ value: value.toString(), negated: false })

/** One that it must not have. */
export const isNot = (value: { toString(): string }): Selector => ({ value: value.toString(), negated: true })

/** The networks that have addresses of a family. */
export function networksOf(view: NetworkView, family: Family): NetworkRecord[] {
  return [...view.networks].filter((network) => familiesOf(network).includes(family))
}

/** Whether nothing leads out of a network, or into it, in one family. */
export function isClosed(network: NetworkRecord, family: Family): boolean {
  return network.internal || familyOf(network, family).mode === 'isolated'
}

/** The publications that are of a family. */
export function publishedIn(published: readonly PublishedPort[], family: Family): PublishedPort[] {
  return published.filter((port) => publishedFamilies(port).includes(family))
}

/** `tcp dpt:80`, `tcp dpts:80:89`. */
export function destinationPorts({ first, last }: PublishedPort['hostPorts']): IptablesMatch {
  return { kind: 'ports', side: 'destination', first, last }
}
