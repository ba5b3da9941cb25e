import { IPv4Address } from '../../address/index.js'
import type { ConntrackEntry, ConntrackFilter } from '../../conntrack/index.js'
import type { SetElement } from './elements.js'

/** Tracked connections: those that a filter of the kernel finds and a test confirms. */
export interface FlowSelection {
  readonly filter: ConntrackFilter
  readonly test: (entry: ConntrackEntry) => boolean
}

/**
 * The connections that only the deleted elements allowed. `ct state established` keeps a connection alive when its rule is
 * gone; forgotten by connection tracking, its next packet is a new connection's and meets the rules.
 */
export function revokedFlows(deleted: readonly SetElement[]): FlowSelection | undefined {
  const gone = new Set<string>()
  const flows = new Set<string>()
  const servers = new Set<string>()
  for (const element of deleted) {
    if (element.set === 'senders') gone.add(element.key[2])
    if (element.set === 'links') {
      flows.add(`link ${element.key.join(' ')}`)
      servers.add(element.key[1])
    }
    if (element.set === 'publish' || element.set === 'publish_any') {
      flows.add(`${element.set} ${element.key.join(' ')} ${element.target.join(' ')}`)
      servers.add(element.target[0])
    }
  }
  if (gone.size + flows.size === 0) return undefined
  return {
    filter: narrowest(gone, servers),
    test: (entry) =>
      addressesOf(entry).some((address) => gone.has(address)) ||
      allowedBy(entry).some((text) => flows.has(text)),
  }
}

/**
 * Datagrams that came for a port before it was published, and go nowhere by a tracked connection that no translation
 * applies to any more: connection tracking would keep them off the container for as long as they keep coming.
 */
export function untranslatedFlows(added: readonly SetElement[]): FlowSelection | undefined {
  const ports = new Set<number>()
  for (const element of added) {
    if (element.set === 'publish' && element.key[1] === 'udp') ports.add(element.key[2])
    if (element.set === 'publish_any' && element.key[0] === 'udp') ports.add(element.key[1])
  }
  if (ports.size === 0) return undefined
  const [first] = ports
  return {
    filter: {
      family: 4,
      protocol: 'udp',
      ...(ports.size === 1 && first !== undefined ? { original: { destinationPort: first } } : {}),
    },
    test: ({ original, status }) => ports.has(original.destinationPort ?? 0) && !status.includes('dnat'),
  }
}

/** One address is looked for by the kernel; many are found in one listing of the whole table. */
function narrowest(gone: ReadonlySet<string>, servers: ReadonlySet<string>): ConntrackFilter {
  const all = new Set([...gone, ...servers])
  const [address] = all
  if (all.size !== 1 || address === undefined) return { family: 4 }
  const value = IPv4Address.parse(address)
  // To a server a connection is answered from its address, translated or not.
  return gone.size === 0 ? { reply: { source: value } } : { address: value }
}

function addressesOf({ original, reply }: ConntrackEntry): string[] {
  return [original.source, original.destination, reply.source, reply.destination].map(String)
}

/** The texts of the elements that may have allowed a connection. */
function allowedBy({ original, reply, protocol }: ConntrackEntry): string[] {
  const port = original.destinationPort
  const target = `${reply.source} ${reply.sourcePort}`
  return [
    `link ${original.source} ${original.destination} ${protocol} ${port}`,
    `publish ${original.destination} ${protocol} ${port} ${target}`,
    `publish_any ${protocol} ${port} ${target}`,
  ]
}
