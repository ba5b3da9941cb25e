import { NfbridgeError } from '../../errors.js'
import { checkBoolean, checkObject } from '../../input.js'
import type { ContainerUpdate, NetworkUpdate } from '../options.js'
import { CONNECTION_PROPERTIES, parseConnectionLimits } from './connections.js'
import { type Labelled, type Labels, labelsOf, parseLabels } from './labels.js'
import type { Plan } from './plan.js'
import { type ContainerRecord, endpointOn, type NetworkRecord } from './records.js'
import type { NetworkView } from './view.js'

const UPDATE = 'Network.update'
const UPDATE_CONTAINER = 'Container.update'

/**
 * Changes a network while its containers run. With icc closed links begin to matter, and with icc open they open nothing
 * that is not open, so every linked pair is touched; and the rules know the ports of closed networks. Tracking tells as whom
 * neighbours are seen behind published ports.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT (`icc: false` or `tracking` without rules)
 */
export function planUpdate(
  view: NetworkView,
  network: NetworkRecord,
  update: NetworkUpdate,
  firewall: boolean,
): Plan {
  checkObject(update, ['icc', 'tracking', 'labels'], UPDATE, '')
  const icc = update.icc === undefined ? network.icc : checkBoolean(update.icc, UPDATE, 'icc')
  const tracking =
    update.tracking === undefined ? network.tracking : checkBoolean(update.tracking, UPDATE, 'tracking')
  if (!firewall) {
    if (!icc) throw needsRules('icc: false', 'icc')
    if (update.tracking !== undefined) throw needsRules('tracking', 'tracking')
  }
  const { labels: former, ...rest } = network
  const changed = { ...rest, icc, tracking, ...changedLabels(former, update.labels, UPDATE) }
  const sameRules = icc === network.icc && tracking === network.tracking
  if (sameRules && update.labels === undefined) return { change: {}, touched: {} }
  return {
    change: { networks: new Map([[network.name, changed]]) },
    // No rule has a label.
    touched: sameRules
      ? {}
      : {
          networks: [network.name],
          containers: members(view, network.name),
          pairs: linkedPairs(view, network.name),
        },
  }
}

function needsRules(what: string, path: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_SETTING_CONFLICT',
    operation: UPDATE,
    message: `${what} needs rules, and firewall: false makes none; open the host with firewall: true`,
    path,
  })
}

/** Changes what of a container no interface has: its labels, and how many connections it may have. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function planContainerUpdate(container: ContainerRecord, update: ContainerUpdate): Plan {
  const { labels: given } = checkObject(update, ['labels', ...CONNECTION_PROPERTIES], UPDATE_CONTAINER, '')
  const limits = parseConnectionLimits(update, UPDATE_CONTAINER, '')
  const isLimited = Object.keys(limits).length > 0
  if (given === undefined && !isLimited) return { change: {}, touched: {} }
  const { labels, ...rest } = container
  const changed = { ...rest, ...changedLabels(labels, given, UPDATE_CONTAINER), ...limits }
  return {
    change: { containers: new Map([[container.id, changed]]) },
    touched: isLimited ? { containers: [container.id] } : {},
  }
}

function changedLabels(former: Labels | undefined, given: Labels | undefined, operation: string): Labelled {
  return given === undefined ? labelsOf({ labels: former }) : parseLabels(given, operation)
}

/** Those with a port on one of its bridges. */
function members(view: NetworkView, network: string): string[] {
  return [...view.containers]
    .filter((container) => endpointOn(container, network) !== undefined)
    .map(({ id }) => id)
}

/** Clients and servers with a place on a network. */
function linkedPairs(view: NetworkView, network: string): (readonly [client: string, server: string])[] {
  return [...view.containers]
    .filter((client) => endpointOn(client, network) !== undefined)
    .flatMap(({ id, links }) => links.map(({ server }) => [id, server] as const))
    .filter(([, id]) => {
      const server = view.container(id)
      return server !== undefined && endpointOn(server, network) !== undefined
    })
}
