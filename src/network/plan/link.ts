import { NfbridgeError } from '../../errors.js'
import type { RequestedLink, UnlinkRequest } from './container-settings.js'
import { containerLabel, type Plan } from './plan.js'
import { type ContainerRecord, endpointOn, type LinkRecord, shortId } from './records.js'
import type { Registry } from './registry.js'

/** Finds a container by name, full id or short id. */
type Find = (reference: string) => ContainerRecord | undefined

/** Finds what stands and, beside it, what is planned in the same call: by names before ids, and by these before short ids. */
export function finder(registry: Registry, planned: readonly ContainerRecord[]): Find {
  const byName = new Map(planned.map((each) => [each.name, each]))
  const byId = new Map(planned.map((each) => [each.id, each]))
  const byShortId = new Map<string, ContainerRecord[]>()
  for (const each of planned) {
    const alike = byShortId.get(shortId(each.id))
    if (alike) alike.push(each)
    else byShortId.set(shortId(each.id), [each])
  }
  return (reference) => {
    const name = registry.named(reference) ?? byName.get(reference)
    const exact = name ?? registry.container(reference) ?? byId.get(reference)
    if (exact) return exact
    const [candidate, ...others] = [...registry.withShortId(reference), ...(byShortId.get(reference) ?? [])]
    return others.length === 0 ? candidate : undefined
  }
}

/**
 * The links of a client with the requested ones added.
 * @param others containers that the registry does not know yet, for the error's sake: a host name is refused by name
 */
export function planLinks(
  client: ContainerRecord,
  requested: readonly RequestedLink[],
  find: Find,
  registry: Registry,
  others: readonly ContainerRecord[],
  operation: string,
): LinkRecord[] {
  const links = [...client.links]
  const aliases = new Set(links.map(({ alias }) => alias))
  for (const { reference, alias: given, path } of requested) {
    const refuse = (code: 'NFB_LINK_REFUSED' | 'NFB_NOT_FOUND' | 'NFB_NAME_TAKEN', message: string) =>
      new NfbridgeError({ code, operation, message, path })
    const server = find(reference)
    if (!server) throw refuse('NFB_NOT_FOUND', unknownServer(reference, registry, others))
    const alias = given ?? server.name
    const reason = refusedBecause(client, server)
    if (reason !== undefined) throw refuse('NFB_LINK_REFUSED', reason)
    if (aliases.has(alias)) {
      throw refuse('NFB_NAME_TAKEN', `${containerLabel(client)} has a link with the alias "${alias}" already`)
    }
    aliases.add(alias)
    links.push({ server: server.id, alias })
  }
  return links
}

/** Why one container can't be linked to another; undefined: it can. */
function refusedBecause(client: ContainerRecord, server: ContainerRecord): string | undefined {
  if (server.id === client.id) return 'a container needs no link to itself'
  for (const each of [server, client]) {
    if (each.state !== 'host') continue
    return `${containerLabel(each)} uses the host's network, which links do not lead to or from`
  }
  if (server.state === 'stopped') return `${containerLabel(server)} is stopped; start it first`
  if (client.endpoints.some(({ network }) => endpointOn(server, network))) return undefined
  return (
    `${containerLabel(server)} is on ${networksText(server)}, not on ${networksText(client)}; ` +
    'links stay within a network'
  )
}

function networksText({ endpoints }: ContainerRecord): string {
  return endpoints.length === 0 ? 'no network' : endpoints.map(({ network }) => network).join(' and ')
}

/** Adds one link to a container that stands. */
export function planLink(registry: Registry, client: ContainerRecord, requested: RequestedLink): Plan {
  const find: Find = (reference) => registry.find(reference)
  const links = planLinks(client, [requested], find, registry, [], 'Container.link')
  return linkChange(client, links)
}

/**
 * Takes away the link with an alias or, where none has it, every link to the server that a name or id stands for; or the one to that
 * server under that alias.
 */
export function planUnlink(
  registry: Registry,
  client: ContainerRecord,
  { reference, alias, mayBeAlias }: UnlinkRequest,
): Plan {
  const byAlias = mayBeAlias && client.links.some((link) => link.alias === reference)
  const server = registry.find(reference)?.id
  const isMeant = (link: LinkRecord): boolean =>
    byAlias ? link.alias === reference : link.server === server && (alias ?? link.alias) === link.alias
  const links = client.links.filter((link) => !isMeant(link))
  if (links.length < client.links.length) return linkChange(client, links)
  throw new NfbridgeError({
    code: 'NFB_NOT_FOUND',
    operation: 'Container.unlink',
    message: `${containerLabel(client)} has no link to "${reference}"${alias === undefined ? '' : ` under the alias "${alias}"`}; give the server's name or id, or the alias`,
    path: 'reference',
  })
}

/** Every link that a container is client or server of, as pairs. */
export function pairsOf(registry: Registry, container: ContainerRecord): (readonly [string, string])[] {
  return [
    ...container.links.map(({ server }) => [container.id, server] as const),
    ...clientPairs(registry, container),
  ]
}

/** Every link that leads to a container, as pairs. */
export function clientPairs(registry: Registry, server: ContainerRecord): (readonly [string, string])[] {
  return [...registry.clientsOf(server.id)].map((client) => [client, server.id] as const)
}

function linkChange(client: ContainerRecord, links: readonly LinkRecord[]): Plan {
  const servers = new Set([...client.links, ...links].map(({ server }) => server))
  return {
    change: { containers: new Map([[client.id, { ...client, links }]]) },
    touched: { pairs: [...servers].map((server) => [client.id, server]) },
  }
}

function unknownServer(reference: string, registry: Registry, others: readonly ContainerRecord[]): string {
  const beginning = [...registry.withShortId(reference), ...others].filter(
    ({ id }) => shortId(id) === reference,
  )
  if (beginning.length > 1) {
    const names = beginning.map(containerLabel).join(', ')
    return `"${reference}" is the short id of several containers: ${names}; give the name or the full id`
  }
  for (const { hostname, name } of [...registry.withHostName(reference), ...others]) {
    if (hostname !== reference) continue
    return `"${reference}" is the host name of "${name}"; a host name is not a container's name or id`
  }
  return `there is no container with the name, id or short id "${reference}"`
}
