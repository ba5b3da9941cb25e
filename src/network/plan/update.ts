import { NfbridgeError } from '../../errors.js'
import { checkBoolean, checkObject } from '../../input.js'
import type { NetworkUpdate } from '../options.js'
import type { Plan } from './plan.js'
import { endpointOn, type NetworkRecord } from './records.js'
import type { NetworkView } from './view.js'

const UPDATE = 'Network.update'

/**
 * Changes a network while its containers run. With icc closed links begin to matter, and with icc open they open nothing
 * that is not open, so every linked pair is touched.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT (`icc: false` without rules)
 */
export function planUpdate(
  view: NetworkView,
  network: NetworkRecord,
  update: NetworkUpdate,
  firewall: boolean,
): Plan {
  checkObject(update, ['icc'], UPDATE, '')
  const icc = update.icc === undefined ? network.icc : checkBoolean(update.icc, UPDATE, 'icc')
  if (!icc && !firewall) {
    throw new NfbridgeError({
      code: 'NFB_SETTING_CONFLICT',
      operation: UPDATE,
      message: 'icc: false needs rules, and firewall: false makes none; open the host with firewall: true',
      path: 'icc',
    })
  }
  if (icc === network.icc) return { change: {}, touched: {} }
  return {
    change: { networks: new Map([[network.name, { ...network, icc }]]) },
    touched: { networks: [network.name], containers: [], pairs: linkedPairs(view, network.name) },
  }
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
