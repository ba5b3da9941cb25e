import { sharedAddresses } from './plan/hosts-lines.js'
import { type ContainerRecord, linkablePorts, portText } from './plan/records.js'
import type { NetworkView } from './plan/view.js'

/** A link as its client sees it. */
export interface Link {
  readonly alias: string
  /** The server's name. */
  readonly container: string
  /** The server's address, by which the client reaches it; undefined while one of them is stopped, or they share no network. */
  readonly address: string | undefined
  /** What it opens: `80/tcp`. Empty when the server exposes nothing: then it gives a name only. */
  readonly ports: readonly string[]
}

/** The links that a client holds. */
export function linksOf(view: NetworkView, client: ContainerRecord): Link[] {
  return client.links.flatMap(({ server, alias }) => {
    const target = view.container(server)
    if (!target) return []
    const [shared] = sharedAddresses(client, target)
    return [
      {
        alias,
        container: target.name,
        address: shared?.address.toString(),
        ports: linkablePorts(target).map(portText),
      },
    ]
  })
}
