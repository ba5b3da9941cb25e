/**
 * Links over UDP whose questions nobody saw: as long as a network is open and not tracked, its frames leave no trace. Which answers are
 * still awaited when it closes can't be known; see docs/communication.md.
 */
import { type IPAddress, parseAddress } from '../../address/index.js'
import type { SetElement } from './elements.js'
import type { ViewStep } from './flows.js'
import type { NetworkRecord } from './records.js'
import { isTracked } from './tracking.js'

/** Such links of one network, and who judges their answers from now on. */
export interface UnrememberedLinks {
  readonly family: 'bridge' | 'inet'
  readonly links: readonly SetElement[]
}

/** Those of the networks that a change closes. */
export function unrememberedLinks({ before, after, touched, change }: ViewStep): UnrememberedLinks[] {
  return (touched.networks ?? []).flatMap((name) => {
    const [was, is] = [before.network(name), after.network(name)]
    const closes = was?.icc === true && !isTracked(was, before.policy) && is?.icc === false
    return closes ? [unrememberedOf(is, isTracked(is, after.policy), change.add)] : []
  })
}

/** Those of one network, among elements of ours. */
export function unrememberedOf(
  network: NetworkRecord,
  tracked: boolean,
  elements: readonly SetElement[],
): UnrememberedLinks {
  const links = elements.filter(({ set, key: [client, server, protocol] }) => {
    if ((set !== 'links' && set !== 'links6') || protocol !== 'udp') return false
    return [client, server].every((end) => typeof end === 'string' && isOf(network, parseAddress(end)))
  })
  return { family: tracked ? 'inet' : 'bridge', links }
}

function isOf({ pools }: NetworkRecord, address: IPAddress): boolean {
  return pools.some(({ subnet }) => subnet.contains(address))
}
