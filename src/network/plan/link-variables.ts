import { sharedAddresses } from './hosts-lines.js'
import { type ContainerPort, type ContainerRecord, type LinkRecord, linkablePorts } from './records.js'
import type { NetworkView } from './view.js'

/**
 * The variables that Docker gives a client for its links: for the alias `db` and port 80/tcp `DB_PORT`, the server's lowest
 * port, `DB_PORT_80_TCP` with `_ADDR`, `_PORT` and `_PROTO`, `_START` and `_END` for more than two ports in a row, and
 * `DB_NAME`. They are those of this moment: links to containers that are stopped have none.
 */
export function linkVariables(view: NetworkView, client: ContainerRecord): Record<string, string> {
  return Object.fromEntries(client.links.flatMap((link) => variablesOf(view, client, link)))
}

type Variable = readonly [name: string, value: string]

function variablesOf(view: NetworkView, client: ContainerRecord, { server, alias }: LinkRecord): Variable[] {
  const target = view.container(server)
  const [shared] = target ? sharedAddresses(client, target) : []
  if (!target || !shared) return []
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const address = shared.address.toString()
  const host = shared.family === 6 ? `[${address}]` : address
  const url = ({ protocol, port }: ContainerPort): string => `${protocol}://${host}:${port}`
  const ports = linkablePorts(target).toSorted(byPort)
  const [lowest] = ports
  return [
    ...(lowest ? [[`${prefix}_PORT`, url(lowest)] as const] : []),
    ...runs(ports).flatMap(([first, last]): Variable[] => {
      const name = variableName(prefix, first)
      return [
        [`${name}_START`, url(first)],
        [`${name}_PORT_START`, `${first.port}`],
        [`${name}_END`, url(last)],
        [`${name}_PORT_END`, `${last.port}`],
      ]
    }),
    ...ports.flatMap((port): Variable[] => {
      const name = variableName(prefix, port)
      return [
        [name, url(port)],
        [`${name}_ADDR`, address],
        [`${name}_PORT`, `${port.port}`],
        [`${name}_PROTO`, port.protocol],
      ]
    }),
    [`${prefix}_NAME`, `/${client.name}/${alias}`],
  ]
}

function variableName(prefix: string, { protocol, port }: ContainerPort): string {
  return `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
}

/** By number; of one number tcp comes first, as Docker has it. */
function byPort(one: ContainerPort, other: ContainerPort): number {
  const rank = ({ protocol }: ContainerPort): number => ['tcp', 'udp', 'sctp'].indexOf(protocol)
  return one.port - other.port || rank(one) - rank(other)
}

/** First and last of more than two ports of one protocol in a row: Docker makes no range of two. */
function runs(ports: readonly ContainerPort[]): (readonly [ContainerPort, ContainerPort])[] {
  const open = new Map<string, { readonly first: ContainerPort; last: ContainerPort }>()
  const all: { readonly first: ContainerPort; last: ContainerPort }[] = []
  for (const port of ports) {
    const run = open.get(port.protocol)
    if (run?.last.port === port.port - 1) {
      run.last = port
      continue
    }
    const started = { first: port, last: port }
    open.set(port.protocol, started)
    all.push(started)
  }
  return all.filter(({ first, last }) => last.port - first.port > 1).map(({ first, last }) => [first, last])
}
