import { NfbridgeError } from '../../errors.js'
import type { RequestedPublication } from './container-settings.js'
import { containerLabel, type Plan } from './plan.js'
import { type ContainerRecord, type PublishedPort, publishedText } from './records.js'
import type { Registry } from './registry.js'

/** Publications that one call asks for, of one container. */
interface Asked {
  readonly container: ContainerRecord | undefined
  readonly published: readonly RequestedPublication[]
}

/** Refuses a host port that somebody has, standing or in the same call, and any where no rules are made. */
export function checkPublications(
  registry: Registry,
  asked: readonly Asked[],
  firewall: boolean,
  operation: string,
): void {
  const claimed = new Map<string, { readonly host: string; readonly by: string }[]>()
  for (const { container, published } of asked) {
    for (const { port, path } of published) {
      if (!firewall) {
        throw new NfbridgeError({
          code: 'NFB_SETTING_CONFLICT',
          operation,
          message:
            'a published port needs rules, and firewall: false makes none; open the host with firewall: true',
          path,
        })
      }
      const host = port.hostAddress?.toString() ?? '*'
      const key = `${port.protocol}/${port.hostPort}`
      const claims = claimed.get(key) ?? []
      const rival = claims.find((claim) => claim.host === host || claim.host === '*' || host === '*')
      const holder = registry.container(rival?.by ?? registry.holderOf(port) ?? '')
      if (rival || holder) {
        const own = rival?.by === container?.id
        const who = holder ? containerLabel(holder) : `${own ? 'the same' : 'another'} container of this call`
        throw new NfbridgeError({
          code: 'NFB_PORT_TAKEN',
          operation,
          message: `port ${host}:${port.hostPort}/${port.protocol} is published by ${who}`,
          path,
        })
      }
      claims.push({ host, by: container?.id ?? '' })
      claimed.set(key, claims)
    }
  }
}

export function planPublish(
  registry: Registry,
  container: ContainerRecord,
  published: readonly RequestedPublication[],
  firewall: boolean,
): Plan {
  checkPublications(registry, [{ container, published }], firewall, 'Container.publish')
  return publicationChange(registry, container, [
    ...container.published,
    ...published.map(({ port }) => port),
  ])
}

/** Takes publications back; one that does not stand is an error. */
export function planUnpublish(
  registry: Registry,
  container: ContainerRecord,
  published: readonly RequestedPublication[],
): Plan {
  const standing = new Map<string, PublishedPort>(
    container.published.map((port) => [publishedText(port), port]),
  )
  for (const { port, path } of published) {
    if (standing.delete(publishedText(port))) continue
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation: 'Container.unpublish',
      message: `${containerLabel(container)} has no publication ${publishedText(port)}`,
      path,
    })
  }
  return publicationChange(registry, container, [...standing.values()])
}

/** Published ports are open to the container's clients too, so every link to it is touched. */
function publicationChange(
  registry: Registry,
  container: ContainerRecord,
  published: readonly PublishedPort[],
): Plan {
  const clients = [...registry.clientsOf(container.id)]
  return {
    change: { containers: new Map([[container.id, { ...container, published }]]) },
    touched: {
      containers: [container.id],
      pairs: clients.map((client) => [client, container.id] as const),
    },
  }
}
