import type { Link, Qdisc, RtnlOperation } from '../../rtnl/index.js'
import type { BandwidthRecord, EndpointRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { changeOperations, type Limits, limiterIndex, limiterName } from './bandwidth.js'
import type { HostKernel } from './host-kernel.js'
import { standingStations } from './stations.js'

/**
 * What gives interfaces that stand the limits that are remembered: a process that was killed while it changed them has told
 * one of the kernel and the files, or somebody took them away.
 */
export async function limitMendingOperations(
  kernel: Pick<HostKernel, 'listQdiscs'>,
  view: NetworkView,
  links: readonly Link[],
): Promise<RtnlOperation[]> {
  const present = new Set(links.map(({ name }) => name))
  const stations = standingStations(view).filter(({ endpoint }) => present.has(endpoint.hostInterface))
  if (stations.length === 0) return []
  const qdiscs = new Map<number, Qdisc[]>()
  for (const qdisc of await kernel.listQdiscs()) {
    qdiscs.set(qdisc.device, [...(qdiscs.get(qdisc.device) ?? []), qdisc])
  }
  return stations.flatMap(({ network, endpoint }) => {
    const device = endpoint.hostIndex
    const own = qdiscs.get(device) ?? []
    const redirected = own.some(({ kind }) => kind === 'ingress')
    const limiter = present.has(limiterName(endpoint))
    const standing: Limits = {
      ingress: limitOf(own, endpoint.ingress),
      egress:
        redirected && limiter ? limitOf(qdiscs.get(limiterIndex(endpoint)), endpoint.egress) : undefined,
    }
    const halves: RtnlOperation[] = [
      ...(redirected && !standing.egress
        ? [{ kind: 'qdisc', action: 'delete', qdisc: { device, parent: 'ingress' } } as const]
        : []),
      ...(limiter && !standing.egress
        ? [{ kind: 'link', action: 'delete', link: { device: limiterName(endpoint) } } as const]
        : []),
    ]
    if (halves.length === 0 && isLimited(standing, endpoint)) return []
    return [...halves, ...changeOperations(endpoint, standing, endpoint, network.group)]
  })
}

/** The limit of a link; the one that is wanted where it is the same as far as the kernel tells. */
function limitOf(
  qdiscs: readonly Qdisc[] | undefined,
  wanted: BandwidthRecord | undefined,
): BandwidthRecord | undefined {
  const tbf = qdiscs?.find(({ parent }) => parent === 'root')?.tbf
  if (!tbf) return undefined
  // The kernel keeps a burst as the time that it takes.
  const same = wanted?.rate === tbf.rate && Math.abs(tbf.burst / wanted.burst - 1) < 0.01
  return same ? wanted : { rate: tbf.rate, burst: tbf.burst }
}

function isLimited(standing: Limits, { ingress, egress }: EndpointRecord): boolean {
  return standing.ingress === ingress && standing.egress === egress
}
