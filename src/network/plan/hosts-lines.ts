import type { IPAddress } from '../../address/index.js'
import { type EndpointFamily, eachFamily, familyEndpoints } from './endpoints.js'
import { byMetric, type ContainerRecord, endpointOn, poolOf, standingEndpoints } from './records.js'
import type { NetworkView } from './view.js'

/** One line of a hosts file. */
export interface HostsLine {
  readonly address: string
  /**
   * Of a link: the alias, the server's host name with its first label, its name and its further names there, each once. Of the
   * container itself: its host name with its first label.
   */
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

/** The lines that a client's links give, as Docker writes them: `172.17.0.2  db 0123456789ab web`,
 * where the second name is the server's host name. */
export function hostsLines(view: NetworkView, client: ContainerRecord): HostsLine[] {
  return client.links.flatMap(({ server, alias }) => {
    const target = view.container(server)
    if (!target) return []
    const names = [alias, ...hostNames(target), target.name]
    return sharedAddresses(client, target).map(({ address, endpoint }) =>
      line(address.toString(), [...names, ...endpoint.aliases]),
    )
  })
}

/** What a container calls itself: in full, and the first label alone. */
function hostNames({ hostname, domainname }: Pick<ContainerRecord, 'hostname' | 'domainname'>): string[] {
  const name = domainname === undefined ? hostname : `${hostname}.${domainname}`
  const [label = name] = name.split('.')
  return [name, label]
}

/** The host's addresses by which a container reaches it: those of the network that its way out goes by, of each family. */
export function hostGateways(view: NetworkView, container: ContainerRecord): IPAddress[] {
  const endpoints = byMetric(standingEndpoints(container)).flatMap(familyEndpoints)
  return eachFamily.flatMap((family) => {
    const gateways = endpoints
      .filter((each) => each.family === family)
      .flatMap(({ endpoint, address }) => {
        const network = view.network(endpoint.network)
        return (network && poolOf(network, address)?.gateway) ?? []
      })
    return gateways.slice(0, 1)
  })
}

function addedLines(view: NetworkView, container: ContainerRecord): HostsLine[] {
  return container.addHosts.flatMap(({ name, address }) => {
    const addresses = address === 'host-gateway' ? hostGateways(view, container) : [address]
    return addresses.map((each) => line(each.toString(), [name]))
  })
}

/** The hosts file of a container: localhost, the lines that were asked for, the servers that it is linked to, and itself. */
export function hostsText(view: NetworkView, container: ContainerRecord): string {
  const own = byMetric(standingEndpoints(container))
    .flatMap(familyEndpoints)
    .map(({ address }) => line(address.toString(), hostNames(container)))
  return [...LOCALHOST, ...addedLines(view, container), ...hostsLines(view, container), ...own]
    .map(({ text }) => `${text}\n`)
    .join('')
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
