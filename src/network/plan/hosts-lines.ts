import { type ContainerRecord, shortId } from './records.js'
import type { NetworkView } from './view.js'

/** One line of a hosts file. */
export interface HostsLine {
  readonly address: string
  /** The alias first, then host name, name and short id, each once. */
  readonly names: readonly string[]
  /** The line as it stands in the file. */
  readonly text: string
}

/** The lines that a client's links give, as Docker writes them: `172.17.0.2  db 0123456789ab web`. */
export function hostsLines(view: NetworkView, client: ContainerRecord): HostsLine[] {
  return client.links.flatMap(({ server, alias }) => {
    const target = view.container(server)
    if (!target) return []
    const address = target.address.toString()
    const names = [...new Set([alias, target.hostname, target.name, shortId(target.id)])]
    return { address, names, text: `${address}\t${names.join(' ')}` }
  })
}
