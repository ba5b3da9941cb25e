/** The containers of the rows about networks, on a network that is closed within. */
import { type BridgeHost, Namespace } from 'nfbridge'

export type Network = Awaited<ReturnType<BridgeHost['createNetwork']>>
export type Container = Awaited<ReturnType<Network['attach']>>
type Options = Parameters<Network['attach']>[0]

export const networkOptions = { name: 'docker0', subnet: '172.17.0.0/16', icc: false } as const

/** Named by its id, one exposed port, no link. */
export function containerOptions(netns: Namespace): Options {
  return { netns, expose: ['80/tcp'] }
}

export function addContainer(network: Network, netns: Namespace): Promise<Container> {
  return network.attach(containerOptions(netns))
}

/** How many links each of {@link linkedContainers} has. */
export const LINKS_EACH = 10

/** Each with links to those that come after it. */
export function linkedContainers(namespaces: readonly Namespace[]): Options[] {
  const nameOf = (number: number): string => `c${number % namespaces.length}`
  return namespaces.map((netns, number) => ({
    netns,
    expose: ['80/udp'],
    name: nameOf(number),
    links: Array.from({ length: Math.min(LINKS_EACH, namespaces.length - 1) }, (_, next) => ({
      container: nameOf(number + next + 1),
      alias: `server${next}`,
    })),
  }))
}

/** `8000:8000` and so on, one by one as Compose files have them. */
export function publications(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${8000 + number}:${8000 + number}`)
}

/** So many namespaces, a few at a time. */
export async function createNamespaces(count: number): Promise<Namespace[]> {
  const made: Namespace[] = []
  while (made.length < count) {
    const few = Math.min(16, count - made.length)
    made.push(...(await Promise.all(Array.from({ length: few }, () => Namespace.create()))))
  }
  return made
}
