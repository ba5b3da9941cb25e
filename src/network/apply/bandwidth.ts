import { createHash } from 'node:crypto'
import type { RtnlOperation } from '../../rtnl/index.js'
import { type BandwidthRecord, type EndpointRecord, standingEndpoints } from '../plan/records.js'
import { FORMER_SPAN } from './container-json.js'
import type { HostKernel } from './host-kernel.js'
import type { Transition } from './stations.js'
import { ignoreMissing, type Step, takeBack } from './steps.js'

/** An endpoint's limits. */
export type Limits = Pick<EndpointRecord, 'ingress' | 'egress'>

const UNLIMITED: Limits = { ingress: undefined, egress: undefined }

/**
 * Name of the `ifb` that holds back what a container sends. Towards the container its own host end does that; but what
 * comes in by an interface has no queue, and is sent round by another one.
 */
export function limiterName({ hostInterface }: Pick<EndpointRecord, 'hostInterface'>): string {
  const [, digits] = /^veth([0-9a-f]{11})$/.exec(hostInterface) ?? []
  return `ifb${digits ?? createHash('sha256').update(hostInterface).digest('hex').slice(0, 11)}`
}

/** Beside that of the host's end; earlier versions left no room there, and numbered from {@link FORMER_SPAN} on. */
export function limiterIndex({ hostIndex }: Pick<EndpointRecord, 'hostIndex'>): number {
  return hostIndex < FORMER_SPAN ? hostIndex + 1 : hostIndex + FORMER_SPAN
}

/** The requests that limit a new interface. @param group of its network: that of the `ifb`, too */
export function limitOperations(endpoint: EndpointRecord, group: number): RtnlOperation[] {
  return changeOperations(endpoint, UNLIMITED, endpoint, group)
}

/** The step that changes the limits of interfaces that stand. */
export function bandwidthSteps(kernel: HostKernel, { absent, present, change }: Transition): Step[] {
  const forward: RtnlOperation[] = []
  const backward: RtnlOperation[] = []
  for (const id of change.containers?.keys() ?? []) {
    const [before, after] = [absent.container(id), present.container(id)]
    if (!before || !after) continue
    const standing = new Map(standingEndpoints(before).map((each) => [each.hostInterface, each]))
    for (const endpoint of standingEndpoints(after)) {
      const old = standing.get(endpoint.hostInterface)
      const group = present.network(endpoint.network)?.group ?? 0
      if (!old || (old.ingress === endpoint.ingress && old.egress === endpoint.egress)) continue
      forward.push(...changeOperations(endpoint, old, endpoint, group))
      backward.push(...changeOperations(endpoint, endpoint, old, group))
    }
  }
  if (forward.length === 0) return []
  const leaves = 'limits of bandwidth'
  const undo = (): Promise<void> => ignoreMissing(kernel.applyLinks(backward))
  return [
    {
      leaves,
      apply: async () => {
        try {
          await kernel.applyLinks(forward)
        } catch (error) {
          // Some of them may be made already.
          await takeBack(error, leaves, undo)
        }
      },
      undo,
    },
  ]
}

/** The requests that lead from one pair of limits to another. */
export function changeOperations(
  endpoint: EndpointRecord,
  before: Limits,
  after: Limits,
  group: number,
): RtnlOperation[] {
  return [...ingressOperations(endpoint, before, after), ...egressOperations(endpoint, before, after, group)]
}

/** Towards the container: what leaves by the end on the host. */
function ingressOperations(endpoint: EndpointRecord, before: Limits, after: Limits): RtnlOperation[] {
  const device = endpoint.hostIndex
  if (after.ingress) return [tokenBucket(device, after.ingress)]
  return before.ingress ? [{ kind: 'qdisc', action: 'delete', qdisc: { device, parent: 'root' } }] : []
}

/** From the container: what comes in there. */
function egressOperations(
  endpoint: EndpointRecord,
  before: Limits,
  after: Limits,
  group: number,
): RtnlOperation[] {
  const device = endpoint.hostIndex
  const limiter = limiterIndex(endpoint)
  if (before.egress && after.egress) return [tokenBucket(limiter, after.egress)]
  if (after.egress) {
    const link = { kind: 'ifb', name: limiterName(endpoint), index: limiter, group, up: true } as const
    return [
      { kind: 'link', action: 'create', link },
      tokenBucket(limiter, after.egress),
      { kind: 'qdisc', action: 'add', qdisc: { kind: 'ingress', device } },
      { kind: 'filter', action: 'add', filter: { device, priority: 1, redirect: limiter } },
    ]
  }
  if (!before.egress) return []
  return [
    { kind: 'qdisc', action: 'delete', qdisc: { device, parent: 'ingress' } },
    { kind: 'link', action: 'delete', link: { device: limiter } },
  ]
}

/** What waits is what the rate sends in 50 milliseconds, and the burst, in bytes; the kernel has 32 bits for it. */
function tokenBucket(device: number, { rate, burst }: BandwidthRecord): RtnlOperation {
  const limit = Math.min(Math.floor(rate / 8 / 20) + burst, 0xffff_ffff)
  return { kind: 'qdisc', action: 'replace', qdisc: { kind: 'tbf', device, rate, burst, limit } }
}
