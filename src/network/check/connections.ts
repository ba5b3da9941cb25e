/** Containers that met the limit of their connections. */
import type { SetElement as ListedElement, MapElement } from '../../nft/index.js'
import { ofFamily } from '../plan/elements.js'
import { eachFamily, poolEndpoints } from '../plan/endpoints.js'
import { type ContainerRecord, standingEndpoints } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

export function connectionFindings(facts: CheckFacts): Finding[] {
  const { registry, settings } = facts
  if (!settings.firewall || [...registry.networks].length === 0) return []
  return [...refused(facts), ...uncounted(facts)]
}

/** Who has had too many, within the last hour. */
function refused({ registry, table, tables }: CheckFacts): Finding[] {
  const counts = new Map<string, number>()
  const names: ReadonlySet<string> = new Set(eachFamily.map((family) => ofFamily('refused', family)))
  for (const object of tables.nftables) {
    if (!('set' in object) || object.set.table !== table || !names.has(object.set.name)) continue
    for (const element of object.set.elem ?? []) {
      const counted = countOf(element)
      if (counted) counts.set(counted.address, counted.packets)
    }
  }
  return [...registry.containers].flatMap((container): Finding[] => {
    const packets = standingEndpoints(container)
      .flatMap(poolEndpoints)
      .reduce((sum, { address }) => sum + (counts.get(address.toString()) ?? 0), 0)
    if (packets === 0) return []
    return [
      {
        code: 'connections-refused',
        severity: 'warning',
        subject: container.name,
        message: `${container.name} has met its limit of ${limits(container, registry.policy.maxConnections)}: ${packets} packets that would have begun further ones, from it or to it, were dropped`,
        remedy:
          'see what it does (`conntrack -L`); raise maxConnections or newConnectionsPerSecond by container.update if it is meant to',
      },
    ]
  })
}

function limits(
  { maxConnections, newConnectionsPerSecond }: ContainerRecord,
  standard: number | undefined,
): string {
  const most = maxConnections ?? standard ?? 'unlimited'
  return [
    ...(most === 'unlimited' ? [] : [`${most} connections`]),
    ...(newConnectionsPerSecond === undefined ? [] : [`${newConnectionsPerSecond} new ones a second`]),
  ].join(' and ')
}

/** The address and the counter of an element that a rule has put into a set. */
function countOf(element: ListedElement | MapElement): { address: string; packets: number } | undefined {
  if (typeof element !== 'object' || !('elem' in element)) return undefined
  const { val, counter } = element.elem
  if (typeof val !== 'string' || typeof counter !== 'object' || counter === null) return undefined
  return 'packets' in counter ? { address: val, packets: Number(counter.packets) } : undefined
}

/** A limit was asked for, and the kernel can't count. */
function uncounted({ registry }: CheckFacts): Finding[] {
  if (registry.policy.maxConnections !== undefined) return []
  return [
    {
      code: 'connections-uncounted',
      severity: 'warning',
      subject: 'nft_connlimit',
      message:
        'the kernel has no nft_connlimit: connections of containers are not counted, and one container can fill the connection tracking of all',
      remedy: '`modprobe nft_connlimit`, or a kernel with CONFIG_NFT_CONNLIMIT; then open the host again',
    },
  ]
}
