/** From whom to whom in addresses: which of its addresses an end means, and in which family. */
import { parseAddress } from '../../address/index.js'
import { linkByIndex, type NamespaceState } from '../../explain/index.js'
import {
  addressOf,
  byMetric,
  type ContainerRecord,
  type Family,
  poolOf,
  standingEndpoints,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { Party } from './question.js'

const FAMILIES = [4, 6] as const

/** The families that an end has addresses of. */
export function familiesOf(party: Party, host: NamespaceState): Family[] {
  if (party.kind === 'address') return [party.address.family]
  if (party.kind === 'host')
    return FAMILIES.filter((family) => host.addresses.some((each) => each.family === family))
  const endpoints = standingEndpoints(party.container)
  return FAMILIES.filter((family) => endpoints.some((endpoint) => addressOf(endpoint, family)))
}

/** The address that an end is asked by; undefined: it has none that the other would ask. */
export function targetAddress(
  view: NetworkView,
  host: NamespaceState,
  from: Party,
  to: Party,
  family: Family,
): string | undefined {
  if (to.kind === 'address') return to.address.toString()
  if (to.kind === 'container') return containerAddress(to.container, from, family)
  if (from.kind === 'host') return family === 4 ? '127.0.0.1' : '::1'
  const gateway = from.kind === 'container' ? gatewayOf(view, from.container, family) : undefined
  return gateway ?? hostAddress(host, from, family)
}

/** On a network that both are on, else on the one that its way out is by. */
function containerAddress(container: ContainerRecord, from: Party, family: Family): string | undefined {
  const endpoints = byMetric(standingEndpoints(container)).filter((endpoint) => addressOf(endpoint, family))
  const networks =
    from.kind === 'container' ? byMetric(standingEndpoints(from.container)).map(({ network }) => network) : []
  const shared = networks.flatMap((name) => endpoints.filter(({ network }) => network === name))
  const endpoint = shared[0] ?? endpoints[0]
  return endpoint && addressOf(endpoint, family)?.toString()
}

function gatewayOf(view: NetworkView, container: ContainerRecord, family: Family): string | undefined {
  for (const endpoint of byMetric(standingEndpoints(container))) {
    const address = addressOf(endpoint, family)
    const network = view.network(endpoint.network)
    const gateway = address && network && poolOf(network, address)?.gateway
    if (gateway) return gateway.toString()
  }
  return undefined
}

/** The host's address on the link towards who asks; else any that is not for itself alone. */
function hostAddress(host: NamespaceState, from: Party, family: Family): string | undefined {
  const { environment } = host.evaluator
  if (from.kind === 'address') {
    const text = from.address.toString()
    const device = environment.deviceTowards(text)
    const found = device && environment.deviceAddress(device, family === 4 ? 'ip' : 'ip6', text)
    if (found) return found
  }
  return host.addresses
    .find(
      (each) =>
        each.family === family &&
        each.scope === 'universe' &&
        linkByIndex(host, each.device)?.name !== 'lo' &&
        !parseAddress(each.address.address.toString()).toString().startsWith('127.'),
    )
    ?.address.address.toString()
}
