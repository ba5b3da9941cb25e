import { type ContainerRecord, linkablePorts, type NetworkRecord } from './records.js'
import type { NetworkView } from './view.js'

/**
 * One element of one of our sets or maps (`rules/`): all that grows with networks, containers, links and ports.
 * The rules themselves never change.
 */
export type SetElement =
  | { readonly set: 'bridges'; readonly key: readonly [bridge: string] }
  | {
      readonly set: 'icc'
      readonly key: readonly [bridge: string, bridge: string]
      readonly verdict: IccVerdict
    }
  | {
      readonly set: 'links'
      readonly key: readonly [client: string, server: string, protocol: string, port: number]
    }
  | { readonly set: 'published'; readonly key: readonly [server: string, protocol: string, port: number] }
  | { readonly set: 'hairpin'; readonly key: readonly [container: string, container: string] }
  | {
      readonly set: 'publish'
      readonly key: readonly [host: string, protocol: string, port: number]
      readonly target: readonly [address: string, port: number]
    }
  | {
      readonly set: 'publish_any'
      readonly key: readonly [protocol: string, port: number]
      readonly target: readonly [address: string, port: number]
    }
  | { readonly set: 'ports'; readonly key: readonly [hostInterface: string] }
  | { readonly set: 'senders'; readonly key: readonly [hostInterface: string, mac: string, address: string] }

export type SetName = SetElement['set']

/** What the `icc` map answers for traffic within one bridge. */
export type IccVerdict = 'accept' | 'same_bridge'

/** Which part of a view a change touches. Only this part is planned, whatever the number of containers. */
export interface Touched {
  readonly networks?: readonly string[]
  /** Full ids. */
  readonly containers?: readonly string[]
  /** Full ids of client and server. */
  readonly pairs?: readonly (readonly [client: string, server: string])[]
}

/** The elements to add and to delete. */
export interface ElementChange {
  readonly add: readonly SetElement[]
  readonly delete: readonly SetElement[]
}

/** The whole of a view: for what rebuilds everything. */
export function everything(view: NetworkView): Touched {
  const containers = [...view.containers]
  return {
    networks: [...view.networks].map(({ name }) => name),
    containers: containers.map(({ id }) => id),
    pairs: containers.flatMap(({ id, links }) => links.map(({ server }) => [id, server] as const)),
  }
}

/** The difference of two views in the part that a change touches: adding and removing can't drift apart. */
export function planElements(before: NetworkView, after: NetworkView, touched: Touched): ElementChange {
  const old = elementsOf(before, touched)
  const now = elementsOf(after, touched)
  return {
    add: [...now].filter(([text]) => !old.has(text)).map(([, element]) => element),
    delete: [...old].filter(([text]) => !now.has(text)).map(([, element]) => element),
  }
}

/** Every element of the touched part of a view, by its text. */
export function elementsOf(view: NetworkView, touched: Touched): Map<string, SetElement> {
  const elements = new Map<string, SetElement>()
  const put = (element: SetElement): void => {
    elements.set(elementText(element), element)
  }
  for (const name of touched.networks ?? []) {
    const network = view.network(name)
    if (network) for (const element of networkElements(network)) put(element)
  }
  for (const id of touched.containers ?? []) {
    const container = view.container(id)
    if (container) for (const element of containerElements(container)) put(element)
  }
  for (const [clientId, serverId] of touched.pairs ?? []) {
    for (const element of linkElements(view, clientId, serverId)) put(element)
  }
  return elements
}

/** Equal for equal elements, data included. */
export function elementText(element: SetElement): string {
  const key = `${element.set} ${element.key.join(' . ')}`
  if (element.set === 'icc') return `${key} : ${element.verdict}`
  return 'target' in element ? `${key} : ${element.target.join(' . ')}` : key
}

function networkElements(network: NetworkRecord): SetElement[] {
  const verdict = network.icc ? 'accept' : 'same_bridge'
  return [
    { set: 'bridges', key: [network.name] },
    { set: 'icc', key: [network.name, network.name], verdict },
  ]
}

function containerElements(container: ContainerRecord): SetElement[] {
  const address = container.address.toString()
  const elements: SetElement[] = [
    { set: 'ports', key: [container.hostInterface] },
    { set: 'senders', key: [container.hostInterface, container.mac.toString(), address] },
  ]
  for (const { hostAddress, hostPort, containerPort, protocol } of container.published) {
    const target = [address, containerPort] as const
    elements.push(
      hostAddress === undefined
        ? { set: 'publish_any', key: [protocol, hostPort], target }
        : { set: 'publish', key: [hostAddress.toString(), protocol, hostPort], target },
      { set: 'published', key: [address, protocol, containerPort] },
      { set: 'hairpin', key: [address, address] },
    )
  }
  return elements
}

/**
 * One element is the pair of ACCEPT rules of Docker's link: the answers pass by connection tracking. Where everybody
 * may speak with everybody (icc) a link opens nothing that is not open.
 */
function linkElements(view: NetworkView, clientId: string, serverId: string): SetElement[] {
  const client = view.container(clientId)
  const server = view.container(serverId)
  if (!client || !server || client.network !== server.network) return []
  if (view.network(client.network)?.icc !== false) return []
  if (!client.links.some((link) => link.server === serverId)) return []
  return linkablePorts(server).map(({ protocol, port }) => ({
    set: 'links',
    key: [client.address.toString(), server.address.toString(), protocol, port],
  }))
}
