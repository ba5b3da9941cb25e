import { NfbridgeError } from '../../errors.js'
import { refusal } from './claims.js'
import { bandwidthRecords } from './endpoint.js'
import type { BandwidthSettings } from './endpoint-settings.js'
import { containerLabel, type Plan } from './plan.js'
import type { ContainerRecord } from './records.js'
import type { Registry } from './registry.js'

/**
 * Sets the limits of a container's bandwidth; a direction that is not given has none any more.
 * @param network on which network; undefined: on each of them
 */
export function planBandwidth(
  registry: Registry,
  container: ContainerRecord,
  network: string | undefined,
  settings: BandwidthSettings,
): Plan & { readonly container: ContainerRecord } {
  const meant = container.endpoints.filter((each) => network === undefined || each.network === network)
  if (meant.length === 0) {
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation: 'Container.setBandwidth',
      message: `${containerLabel(container)} is not on ${network ?? 'any network'}`,
      path: 'network',
    })
  }
  const refuse = refusal('Container.setBandwidth', '')
  const endpoints = container.endpoints.map((endpoint) =>
    meant.includes(endpoint)
      ? {
          ...endpoint,
          ...bandwidthRecords(endpoint.mtu ?? registry.network(endpoint.network)?.mtu, settings, refuse),
        }
      : endpoint,
  )
  const changed = { ...container, endpoints }
  return { container: changed, change: { containers: new Map([[container.id, changed]]) }, touched: {} }
}
