import { type EndpointFamily, familyEndpoints } from './endpoints.js'
import { byMetric, type ContainerRecord, endpointOn, shortId, standingEndpoints } from './records.js'
import type { NetworkView } from './view.js'

/** One line of a hosts file. */
export interface HostsLine {
  readonly address: string
  /** Of a link: the alias first, then host name, name and short id, each once. Of itself: host name and name. */
  readonly names: readonly string[]
  /** The line as it stands in the file. */
  readonly text: string
}

/** What stands in each hosts file, as Docker writes it. */
const LOCALHOST: readonly HostsLine[] = [
  line('127.0.0.1', ['localhost']),
  line('::1', ['localhost', 'ip6-localhost', 'ip6-loopback']),
  line('fe00::', ['ip6-localnet']),
  line('ff00::', ['ip6-mcastprefix']),
  line('ff02::1', ['ip6-allnodes']),
  line('ff02::2', ['ip6-allrouters']),
]

/** The lines that a client's links give, as Docker writes them: `172.17.0.2  db 0123456789ab web`. */
export function hostsLines(view: NetworkView, client: ContainerRecord): HostsLine[] {
  return client.links.flatMap(({ server, alias }) => {
    const target = view.container(server)
    if (!target) return []
    const names = [alias, target.hostname, target.name, shortId(target.id)]
    return sharedAddresses(client, target).map(({ address }) => line(address.toString(), names))
  })
}

/** The whole hosts file of a container: localhost, the servers that it is linked to, and itself. */
export function hostsText(view: NetworkView, container: ContainerRecord): string {
  const own = byMetric(standingEndpoints(container))
    .flatMap(familyEndpoints)
    .map(({ address }) => line(address.toString(), [container.hostname, container.name]))
  return [...LOCALHOST, ...hostsLines(view, container), ...own].map(({ text }) => `${text}\n`).join('')
}

/**
 * The addresses by which a client reaches a server: on the networks that both are on, the one that the client's default
 * route goes by first, of each family that both have there.
 */
export function sharedAddresses(client: ContainerRecord, server: ContainerRecord): EndpointFamily[] {
  if (server.state !== 'running') return []
  return byMetric(standingEndpoints(client)).flatMap((from) => {
    const families = familyEndpoints(from).map(({ family }) => family)
    const to = endpointOn(server, from.network)
    return to ? familyEndpoints(to).filter(({ family }) => families.includes(family)) : []
  })
}

function line(address: string, all: readonly string[]): HostsLine {
  const names = [...new Set(all)]
  return { address, names, text: `${address}\t${names.join(' ')}` }
}
